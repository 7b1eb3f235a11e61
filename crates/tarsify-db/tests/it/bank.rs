//! People, models, runs that have ended and purchases, and what lies on every account, seen from
//! outside.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tarsify_db::{
    PgAnalyticsRepository, PgEarningsRepository, PgExecutionRepository, PgOutbox,
    PgPackageRepository, PgPayoutRepository, PgPurchaseRepository,
};
use tarsify_domain::Timestamp;
use tarsify_domain::catalog::TarsModel;
use tarsify_domain::earnings::{
    EarningsRepository, NewPayout, Payout, PayoutEnd, PayoutError, PayoutRepository,
};
use tarsify_domain::id::{ConsumerId, DeveloperId, ExecutionId, PayoutId, PurchaseId};
use tarsify_domain::money::Credits;
use tarsify_domain::payments::{
    CheckoutRef, EventOutcome, PaymentEvent, PaymentRef, Purchase, PurchaseRepository,
    PurchaseStatus, ReceivedEvent, TransferRef, Verdict,
};
use tarsify_domain::people::ConsumerRepository;
use tarsify_testing::builders::unique;
use uuid::Uuid;

use crate::support::Outside;
use crate::things::{Shop, moment, new_consumer};

/// The adapters of money over one database.
pub(crate) struct Bank {
    pub(crate) shop: Shop,
    pub(crate) packages: PgPackageRepository,
    pub(crate) purchases: Arc<PgPurchaseRepository>,
    pub(crate) earnings: Arc<PgEarningsRepository>,
    pub(crate) payouts: Arc<PgPayoutRepository>,
    pub(crate) outbox: Arc<PgOutbox>,
    pub(crate) analytics: PgAnalyticsRepository,
    pub(crate) executions: Arc<PgExecutionRepository>,
    outside: Outside,
    numbers: AtomicU64,
}

/// A run that has ended.
#[derive(Clone, Copy)]
pub(crate) struct EndedRun<'a> {
    pub(crate) consumer: ConsumerId,
    pub(crate) model: &'a TarsModel,
    pub(crate) credits: i64,
    pub(crate) bps: i64,
    pub(crate) status: &'static str,
    pub(crate) days_ago: i64,
    pub(crate) took_ms: Option<i64>,
}

impl<'a> EndedRun<'a> {
    /// One of just now, with a result, divided as usual.
    pub(crate) fn of(consumer: ConsumerId, model: &'a TarsModel, credits: i64) -> Self {
        Self {
            consumer,
            model,
            credits,
            bps: 7_000,
            status: "COMPLETED",
            days_ago: 0,
            took_ms: Some(1_000),
        }
    }
}

impl Bank {
    pub(crate) async fn open() -> Self {
        let shop = Shop::open().await;
        let database = shop.test.database.clone();
        let outside = Outside::connect(&shop.test.url).await;
        // Runs are planted without their executions, and aged.
        outside.sql("SET session_replication_role = replica").await;
        Self {
            shop,
            packages: PgPackageRepository::new(database.clone()),
            purchases: Arc::new(PgPurchaseRepository::new(database.clone())),
            earnings: Arc::new(PgEarningsRepository::new(database.clone())),
            payouts: Arc::new(PgPayoutRepository::new(database.clone())),
            outbox: Arc::new(PgOutbox::new(database.clone())),
            analytics: PgAnalyticsRepository::new(database.clone()),
            executions: Arc::new(PgExecutionRepository::new(database)),
            outside,
            numbers: AtomicU64::new(1),
        }
    }

    pub(crate) async fn sql(&self, sql: &str) -> Vec<String> {
        self.outside.sql(sql).await
    }

    pub(crate) async fn number(&self, sql: &str) -> i64 {
        self.sql(sql).await[0].parse().unwrap()
    }

    /// Checks that all of the money is where it has to be.
    pub(crate) async fn assert_sound(&self) {
        let faults = "SELECT format('%s: %s, %s', rule, subject, detail) FROM ledger_faults";
        assert_eq!(self.sql(faults).await, Vec::<String>::new());
    }

    fn fresh(&self) -> i64 {
        i64::try_from(self.numbers.fetch_add(1, Ordering::Relaxed)).unwrap()
    }

    pub(crate) async fn consumer(&self) -> ConsumerId {
        let new = new_consumer(self.fresh() + 10_000);
        self.shop.consumers.register(&new).await.unwrap().id
    }

    /// A model of a new developer.
    pub(crate) async fn model(&self) -> TarsModel {
        self.shop.draft(self.fresh()).await
    }

    /// Gives the developer an account that can be paid.
    pub(crate) async fn verify(&self, developer: DeveloperId) {
        self.sql(&format!(
            "UPDATE developers SET stripe_account_id = 'acct_{developer}', is_verified = true \
             WHERE id = '{developer}'"
        ))
        .await;
    }

    pub(crate) async fn give(&self, consumer: ConsumerId, credits: i64) {
        let given = credits * 1_000;
        let sql = format!(
            "SELECT outcome FROM grant_credits(gen_random_uuid(), '{consumer}', {given}, 'for a test')"
        );
        assert_eq!(self.sql(&sql).await, ["granted"]);
    }

    /// A run that has ended. The consumer needs the credits for it.
    pub(crate) async fn run(&self, run: EndedRun<'_>) -> ExecutionId {
        let EndedRun {
            consumer,
            model,
            credits,
            bps,
            status,
            days_ago,
            took_ms,
        } = run;
        let id = ExecutionId::new(moment(self.fresh()));
        let (developer, model) = (model.developer_id, model.id);
        let (price, has_result) = (credits * 1_000, status == "COMPLETED");
        let gross = if has_result { price } else { 0 };
        let took = took_ms.map_or("NULL".to_owned(), |took| took.to_string());
        let mut earned = "0".to_owned();
        if credits > 0 {
            let held = format!(
                "SELECT available FROM hold_all(ARRAY['{id}']::uuid[], ARRAY['{consumer}']::uuid[], \
                    ARRAY['{developer}']::uuid[], ARRAY['{model}']::uuid[], '{{{price}}}', '{{{bps}}}')"
            );
            assert_eq!(self.sql(&held).await, ["NULL"], "it was not held");
            let resolved = if has_result {
                format!("SELECT earned FROM capture_holds(ARRAY['{id}']::uuid[])")
            } else {
                format!("SELECT release_hold('{id}')")
            };
            let answered = self.sql(&resolved).await;
            assert_eq!(answered.len(), 1, "{answered:?}");
            earned.clone_from(&answered[0]);
        }
        self.sql(&format!(
            "INSERT INTO untallied \
                (tars_model_id, developer_id, consumer_id, day, status, gross, earned, took_ms) \
             VALUES ('{model}', '{developer}', '{consumer}', \
                (now() AT TIME ZONE 'UTC')::date - {days_ago}, '{status}', {gross}, {earned}, {took})"
        ))
        .await;
        self.age(id, days_ago).await;
        id
    }

    /// Makes it long ago that the run ended.
    pub(crate) async fn age(&self, run: ExecutionId, days: i64) {
        self.sql(&format!(
            "UPDATE holds SET held_at = held_at - interval '{days} days', \
                resolved_at = resolved_at - interval '{days} days' WHERE execution_id = '{run}'"
        ))
        .await;
    }

    /// What may be given back of a run when that is less than is wanted.
    pub(crate) async fn refund(&self, run: ExecutionId, credits: i64) -> Option<i64> {
        let given = credits * 1_000;
        let sql = format!(
            "SELECT CASE WHEN outcome = 'too_much' THEN refundable END \
             FROM refund_run(gen_random_uuid(), '{run}', {given}, 'for a test')"
        );
        self.sql(&sql).await[0].parse().ok()
    }

    pub(crate) async fn balance(&self, owner: Uuid, kind: &str) -> i64 {
        self.number(&format!(
            "SELECT balance FROM ledger_accounts WHERE owner_id = '{owner}' AND kind = '{kind}'"
        ))
        .await
    }

    /// What the consumer can spend.
    pub(crate) async fn available(&self, consumer: ConsumerId) -> i64 {
        self.balance(consumer.uuid(), "consumer_available").await
    }

    /// What is pending, payable, in payout and owed.
    pub(crate) async fn purse(&self, developer: DeveloperId) -> [i64; 4] {
        let owner = developer.uuid();
        [
            self.balance(owner, "developer_pending").await,
            self.balance(owner, "developer_payable").await,
            self.balance(owner, "developer_in_payout").await,
            -self.balance(owner, "developer_owed").await,
        ]
    }

    pub(crate) async fn platform(&self, kind: &str) -> i64 {
        let sql = format!("SELECT balance FROM ledger_platform WHERE kind = '{kind}'");
        self.number(&sql).await
    }

    /// A purchase at a credit for each cent, and some on top.
    pub(crate) async fn buy(&self, consumer: ConsumerId, cents: i64, bonus: i64) -> Bought {
        let created_at = moment(self.fresh());
        let purchase = Purchase {
            id: PurchaseId::new(created_at),
            consumer,
            package: None,
            credits: Credits::new(cents),
            bonus: Credits::new(bonus),
            price_cents: cents,
            currency: "usd".to_owned(),
            status: PurchaseStatus::Pending,
            checkout_url: None,
            paid_at: None,
            created_at,
        };
        self.purchases.open(&purchase).await.unwrap();
        Bought {
            payment: payment(&format!("pi_{}", purchase.id)),
            purchase,
        }
    }

    /// A purchase that is paid.
    pub(crate) async fn bought(&self, consumer: ConsumerId, cents: i64) -> Bought {
        let bought = self.buy(consumer, cents, 0).await;
        assert_eq!(self.tell(bought.paid()).await, EventOutcome::Applied);
        bought
    }

    /// Has the provider tell something, under a name that it never used.
    pub(crate) async fn tell(&self, event: PaymentEvent) -> EventOutcome {
        self.purchases.apply(&message(event)).await.unwrap()
    }

    pub(crate) async fn status(&self, bought: &Bought) -> PurchaseStatus {
        let found = self.purchases.find_any(bought.purchase.id).await.unwrap();
        found.unwrap().status
    }
}

impl Bank {
    /// Lets what waits for so many days be paid out.
    pub(crate) async fn mature(&self, days: u64) -> u64 {
        let after = Duration::from_secs(days * 86_400);
        self.earnings.mature(after, 1_000).await.unwrap()
    }

    /// Asks for a payout.
    pub(crate) async fn request(
        &self,
        developer: DeveloperId,
        credits: i64,
    ) -> Result<Payout, PayoutError> {
        let new = NewPayout {
            id: PayoutId::new(moment(self.fresh())),
            developer,
            amount: Credits::new(credits),
        };
        self.payouts.request(&new).await
    }

    /// Ends a payout as paid.
    pub(crate) async fn pay(&self, payout: PayoutId, transfer: &str) {
        let paid = PayoutEnd::Paid(TransferRef::parse(transfer).unwrap());
        self.payouts.finish(payout, &paid).await.unwrap();
    }
}

/// What the provider tells, under a name that it never used.
pub(crate) fn message(event: PaymentEvent) -> ReceivedEvent {
    ReceivedEvent {
        id: format!("evt_{}", unique()),
        kind: "some.kind".to_owned(),
        told_at: Timestamp::UNIX_EPOCH,
        event,
    }
}

pub(crate) fn payment(reference: &str) -> PaymentRef {
    PaymentRef::parse(reference).unwrap()
}

/// A purchase and the payment that pays it.
#[derive(Clone)]
pub(crate) struct Bought {
    pub(crate) purchase: Purchase,
    pub(crate) payment: PaymentRef,
}

impl Bought {
    pub(crate) fn paid(&self) -> PaymentEvent {
        self.paid_with(self.purchase.price_cents, "usd")
    }

    pub(crate) fn paid_with(&self, cents: i64, currency: &str) -> PaymentEvent {
        PaymentEvent::Paid {
            purchase: self.purchase.id,
            checkout: CheckoutRef::parse(&format!("cs_{}", self.purchase.id)).unwrap(),
            payment: self.payment.clone(),
            cents,
            currency: currency.to_owned(),
        }
    }

    pub(crate) fn refunded(&self, total_cents: i64) -> PaymentEvent {
        PaymentEvent::Refunded {
            payment: self.payment.clone(),
            total_cents,
        }
    }

    pub(crate) fn disputed(&self, name: &str, cents: i64) -> PaymentEvent {
        PaymentEvent::Disputed {
            payment: self.payment.clone(),
            dispute: self.dispute(name),
            cents,
        }
    }

    pub(crate) fn closed(&self, name: &str, cents: i64, verdict: Verdict) -> PaymentEvent {
        PaymentEvent::DisputeClosed {
            payment: self.payment.clone(),
            dispute: self.dispute(name),
            cents,
            verdict,
        }
    }

    fn dispute(&self, name: &str) -> String {
        format!("dp_{name}_{}", self.purchase.id)
    }
}
