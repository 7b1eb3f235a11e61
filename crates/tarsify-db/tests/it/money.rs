//! The suite that every store of money has to pass, the treasury in memory included, and
//! histories that PostgreSQL lives through beside it. Runs go the way of all runs: they are
//! admitted, claimed and settled.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;
use tarsify_db::{
    PgAnalyticsRepository, PgEarningsRepository, PgExecutionRepository, PgLedgerVerifier, PgOutbox,
    PgPackageRepository, PgPayoutRepository, PgPurchaseRepository, PgWalletRepository,
};
use tarsify_domain::Timestamp;
use tarsify_domain::catalog::endpoint::EndpointLimits;
use tarsify_domain::catalog::{
    BaseModelRepository, EndpointRepository, TarsModelRepository, TarsModelStatus,
};
use tarsify_domain::execution::{
    AdmitError, Claim, Claimed, EndReason, Ending, ExecutionQueue, ExecutionRepository,
    NewExecution, RunnableModel, Settlement, Work, Written,
};
use tarsify_domain::id::{DeveloperId, ExecutionId};
use tarsify_domain::people::{ConsumerRepository, DeveloperRepository, NewConsumer, NewDeveloper};
use tarsify_testing::builders::{
    base_model, completion, endpoint, new_token, price, runnable, settlement, tars_model,
};
use tarsify_testing::clock::MOMENT;
use tarsify_testing::contract::money::{MoneyProps, history};
use tarsify_testing::fake::{Account, Balances, RunEnd};
use tarsify_testing::{FakeTreasury, MoneyWorld};
use uuid::Uuid;

use crate::support::Outside;
use crate::things::Shop;

/// The tables of money whose moments move back when time passes. Executions stay, with their
/// deadlines.
const MOVED: &str = "SELECT format('UPDATE %I SET %s', c.table_name, \
        string_agg(format('%I = %I - interval ''%s microseconds''', c.column_name, \
            c.column_name, MICROS), ', ')) \
    FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name) \
    WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' \
        AND c.data_type = 'timestamp with time zone' \
        AND c.table_name IN ('ledger_transfers', 'ledger_checkpoints', 'holds', 'audit_entries', \
            'grants', 'refunds', 'purchases', 'payment_events', 'reversals', 'clawbacks', \
            'maturings', 'payouts', 'outbox') \
    GROUP BY c.table_name";

/// By how many days a day moves back; far away first, because a day may move to where another
/// one still is.
const DAYS: &str = "((now() AT TIME ZONE 'UTC')::date \
    - ((now() - interval 'MICROS microseconds') AT TIME ZONE 'UTC')::date)";
const FAR: &str = "100000";

/// What lies behind the ports of one database.
struct Props {
    shop: Shop,
    executions: PgExecutionRepository,
    outside: Outside,
    /// The runs that have begun, each leased until it ends.
    begun: Mutex<HashMap<ExecutionId, Claimed>>,
}

async fn money_world() -> MoneyWorld {
    let shop = Shop::open().await;
    let database = shop.test.database.clone();
    let outside = Outside::connect(&shop.test.url).await;
    // What a test does to the past is none of the triggers' business.
    outside.sql("SET session_replication_role = replica").await;
    MoneyWorld {
        wallets: Arc::new(PgWalletRepository::new(database.clone())),
        packages: Arc::new(PgPackageRepository::new(database.clone())),
        purchases: Arc::new(PgPurchaseRepository::new(database.clone())),
        earnings: Arc::new(PgEarningsRepository::new(database.clone())),
        payouts: Arc::new(PgPayoutRepository::new(database.clone())),
        outbox: Arc::new(PgOutbox::new(database.clone())),
        analytics: Arc::new(PgAnalyticsRepository::new(database.clone())),
        ledger: Arc::new(PgLedgerVerifier::new(database.clone())),
        props: Arc::new(Props {
            shop,
            executions: PgExecutionRepository::new(database),
            outside,
            begun: Mutex::default(),
        }),
        keep: Box::new(()),
    }
}

impl Props {
    /// Claims the only run that nobody has yet, for as long as any test goes on.
    async fn claim(&self) -> Claimed {
        let claim = Claim {
            work: Work::Submit(vec![new_token()]),
            limit: 1,
            lease: Duration::from_secs(24 * 60 * 60),
            allowance: 1_000_000,
            allowances: HashMap::new(),
        };
        let mut claimed = self.executions.claim(&claim).await.unwrap();
        claimed.pop().expect("a run is to be submitted")
    }
}

#[async_trait]
impl MoneyProps for Props {
    async fn consumer(&self, new: &NewConsumer) {
        self.shop.consumers.register(new).await.unwrap();
    }

    async fn developer(&self, new: &NewDeveloper) {
        self.shop.developers.register(new).await.unwrap();
    }

    async fn model(&self, developer: DeveloperId, credits: i64) -> Arc<RunnableModel> {
        let mut endpoint = endpoint(MOMENT);
        // However many runs a case leaves lying, the next one begins.
        endpoint.limits = EndpointLimits::default();
        self.shop.endpoints.create(&endpoint).await.unwrap();
        let base = base_model(&endpoint);
        self.shop.base_models.create(&base).await.unwrap();
        let mut model = tars_model(&base, developer);
        model.price = price(credits);
        model.status = TarsModelStatus::Published;
        model.published_at = Some(MOMENT);
        self.shop.tars_models.create(&model).await.unwrap();
        Arc::new(runnable(&endpoint, &base, &model))
    }

    async fn begin(&self, new: &NewExecution) -> Result<(), AdmitError> {
        self.executions.admit(new).await?;
        let claimed = self.claim().await;
        assert_eq!(claimed.lease.id, new.id, "another run was waiting");
        self.begun.lock().unwrap().insert(new.id, claimed);
        Ok(())
    }

    async fn end(&self, run: ExecutionId, end: RunEnd) {
        let claimed = self.begun.lock().unwrap().remove(&run);
        let claimed = claimed.expect("the run has begun and not ended");
        let how = match end.ending {
            Ending::Completed => completion(&claimed, json!("done")),
            Ending::Failed => settlement(&claimed, EndReason::ProviderError),
            Ending::TimedOut => settlement(&claimed, EndReason::Deadline),
            Ending::Cancelled => settlement(&claimed, EndReason::CancelledByCaller),
        };
        let how = Settlement {
            run_ms: end.took_ms,
            ..how
        };
        let written = self.executions.settle(&how).await.unwrap();
        assert!(matches!(written, Written::Applied { .. }), "{written:?}");
    }

    async fn pass(&self, time: Duration) {
        let micros = time.as_micros().to_string();
        let mut updates = self.outside.sql(&MOVED.replace("MICROS", &micros)).await;
        let days = DAYS.replace("MICROS", &micros);
        for table in ["untallied", "model_days", "model_day_times"] {
            updates.push(format!("UPDATE {table} SET day = day - {FAR}"));
            updates.push(format!("UPDATE {table} SET day = day + {FAR} - {days}"));
        }
        self.outside
            .sql(&format!("BEGIN; {}; COMMIT", updates.join("; ")))
            .await;
    }

    async fn now(&self) -> Timestamp {
        let seconds = "SELECT extract(epoch FROM now())::bigint";
        let seconds = self.outside.sql(seconds).await.remove(0);
        Timestamp::from_unix_timestamp(seconds.parse().unwrap()).unwrap()
    }

    async fn tally(&self) {
        self.executions.tally(1_000).await.unwrap();
    }

    async fn balances(&self) -> Balances {
        let balances = "SELECT concat_ws(' ', a.balance + coalesce(p.balance, 0), a.kind, a.owner_id) \
            FROM ledger_accounts a LEFT JOIN ledger_platform p ON p.account_id = a.id";
        let lines = self.outside.sql(balances).await;
        let balances = lines.iter().map(|line| {
            let mut words = line.split(' ');
            let balance = words.next().unwrap().parse().unwrap();
            let kind = words.next().unwrap();
            let owner: Option<Uuid> = words.next().map(|owner| owner.parse().unwrap());
            (Account::named(owner, kind), balance)
        });
        balances.collect()
    }

    async fn audit(&self, about: Uuid) -> Vec<Option<String>> {
        let reasons = format!(
            "SELECT coalesce(reason, '') FROM audit_entries WHERE about_id = '{about}' ORDER BY id"
        );
        let reasons = self.outside.sql(&reasons).await.into_iter();
        let reasons = reasons.map(|reason| Some(reason).filter(|reason| !reason.is_empty()));
        reasons.collect()
    }
}

tarsify_testing::money_contract_tests!(money_world);

/// Histories that every run of the tests lives through, and how long each of them is.
const SHORT: (u64, usize) = (6, 60);

/// Those of the long test.
const LONG: (u64, usize) = (40, 250);

async fn live(seeds: impl Iterator<Item = u64>, steps: usize) {
    for seed in seeds {
        history::live(seed, steps, FakeTreasury::world(), money_world().await).await;
    }
}

#[tokio::test]
async fn short_histories_come_to_what_the_reference_says() {
    let (many, steps) = SHORT;
    live(0..many, steps).await;
}

#[tokio::test]
#[ignore = "it takes minutes"]
async fn long_histories_come_to_what_the_reference_says() {
    let (many, steps) = LONG;
    live(1_000..1_000 + many, steps).await;
}
