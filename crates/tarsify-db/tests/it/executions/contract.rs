//! The suite that every store of executions has to pass, the engine's own included.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use tarsify_db::{PgExecutionRepository, PgIdempotencyRepository, PgLimitSettingsRepository};
use tarsify_domain::Scope;
use tarsify_domain::Version;
use tarsify_domain::audit::Actor;
use tarsify_domain::catalog::endpoint::EndpointLimits;
use tarsify_domain::catalog::{
    BaseModelRepository, EndpointRepository, Provider, TarsModelRepository, TarsModelStatus,
};
use tarsify_domain::execution::{EventKind, NewEvent, RunnableModel, RunnableModels};
use tarsify_domain::id::{ConsumerId, DeveloperId, ExecutionId, TarsModelId};
use tarsify_domain::limits::{Author, LimitSettingsPatch, LimitSettingsRepository, StoredLimits};
use tarsify_domain::money::{Credits, Millicredits};
use tarsify_domain::people::{ConsumerRepository, DeveloperRepository};
use tarsify_testing::ExecutionWorld;
use tarsify_testing::builders::{
    base_model, endpoint, new_consumer, new_developer, object, runnable, tars_model, unique,
};
use tarsify_testing::clock::MOMENT;
use tarsify_testing::contract::executions::{Change, ExecutionProps};

use crate::support::Outside;
use crate::things::Shop;
use uuid::Uuid;

/// The tables whose moments move back when time passes.
const MOVED: &str = "SELECT format('UPDATE %I SET %s', c.table_name, \
        string_agg(format('%I = %I - interval ''%s microseconds''', c.column_name, \
            c.column_name, MICROS), ', ')) \
    FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name) \
    WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' \
        AND c.data_type = 'timestamp with time zone' \
        AND c.table_name IN ('executions', 'execution_events', 'provider_attempts', \
            'idempotency_keys', 'endpoint_calls', 'provider_calls', 'workers', \
            'watched_runs') \
    GROUP BY c.table_name";

/// What lies behind the ports of one database.
struct Props {
    shop: Shop,
    executions: Arc<PgExecutionRepository>,
    outside: Outside,
}

async fn execution_world() -> ExecutionWorld {
    let shop = Shop::open().await;
    let database = shop.test.database.clone();
    let executions = Arc::new(PgExecutionRepository::new(database.clone()));
    let outside = Outside::connect(&shop.test.url).await;
    // What a test does to the past is none of the triggers' business.
    outside.sql("SET session_replication_role = replica").await;
    ExecutionWorld {
        repository: executions.clone(),
        queue: executions.clone(),
        crew: executions.clone(),
        log: executions.clone(),
        models: executions.clone(),
        keys: Arc::new(PgIdempotencyRepository::new(database)),
        props: Arc::new(Props {
            shop,
            executions,
            outside,
        }),
        keep: Box::new(()),
    }
}

impl Props {
    /// What is in somebody's account; in one that does not exist, nothing.
    async fn balance(&self, owner: Uuid, kind: &str) -> Millicredits {
        let balance = format!(
            "SELECT coalesce(sum(balance), 0) FROM ledger_accounts \
             WHERE owner_id = '{owner}' AND kind = '{kind}'"
        );
        Millicredits::new(self.outside.sql(&balance).await[0].parse().unwrap())
    }

    /// As an administrator does it, with the triggers.
    async fn limit(&self, model: &RunnableModel, limits: EndpointLimits) -> RunnableModel {
        let endpoint = self.shop.endpoints.find(model.endpoint.id).await;
        let mut endpoint = endpoint.unwrap().unwrap();
        endpoint.limits = limits;
        self.shop.endpoints.revise(&endpoint).await.unwrap();
        let changed = self.executions.find_own(model.developer_id, model.id).await;
        changed.unwrap().unwrap()
    }
}

/// A subject that nobody else has.
fn someone() -> String {
    format!("somebody {}", unique())
}

#[async_trait]
impl ExecutionProps for Props {
    async fn model(&self) -> RunnableModel {
        let developer = self
            .shop
            .developers
            .register(&new_developer(&someone()))
            .await;
        let mut endpoint = endpoint(MOMENT);
        endpoint.limits = EndpointLimits::default();
        self.shop.endpoints.create(&endpoint).await.unwrap();
        let base = base_model(&endpoint);
        self.shop.base_models.create(&base).await.unwrap();
        let mut model = tars_model(&base, developer.unwrap().id);
        model.status = TarsModelStatus::Published;
        model.published_at = Some(MOMENT);
        self.shop.tars_models.create(&model).await.unwrap();
        runnable(&endpoint, &base, &model)
    }

    async fn change(&self, model: &RunnableModel, change: Change) -> RunnableModel {
        if let Change::Limit(limits) = change {
            return self.limit(model, limits).await;
        }
        let priced;
        let (table, id, set) = match change {
            Change::Revise => ("tars_models", model.id.uuid(), ""),
            Change::Price(credits) => {
                priced = format!(", price_credits = {credits}");
                ("tars_models", model.id.uuid(), priced.as_str())
            }
            Change::Unpublish => ("tars_models", model.id.uuid(), ", status = 'DRAFT'"),
            Change::ReviseBaseModel => ("base_models", model.base_model.id.uuid(), ""),
            Change::SwitchOffBaseModel => (
                "base_models",
                model.base_model.id.uuid(),
                ", is_active = false",
            ),
            Change::ReviseEndpoint => ("endpoints", model.endpoint.id.uuid(), ""),
            Change::SwitchOffEndpoint => {
                ("endpoints", model.endpoint.id.uuid(), ", is_active = false")
            }
            Change::Stream => (
                "base_models",
                model.base_model.id.uuid(),
                ", streams_output = true",
            ),
            Change::Limit(_) => unreachable!("an administrator does that"),
        };
        let sql = format!("UPDATE {table} SET version = version + 1{set} WHERE id = '{id}'");
        self.outside.sql(&sql).await;
        let changed = self.executions.find_own(model.developer_id, model.id).await;
        changed.unwrap().unwrap()
    }

    async fn limit_provider(&self, provider: Provider, limits: EndpointLimits) {
        let repository = PgLimitSettingsRepository::new(self.shop.test.database.clone());
        let stored = repository.find().await.unwrap();
        let patch = LimitSettingsPatch {
            providers: Some([(provider, limits)].into()),
            ..LimitSettingsPatch::default()
        };
        let changed = StoredLimits {
            settings: stored.settings.changed(patch),
            ..stored
        };
        let by = Author {
            actor: Actor {
                issuer: "https://issuer.example.com".to_owned(),
                subject: "ada".to_owned(),
                developer: None,
            },
            reason: None,
        };
        repository.revise(&changed, &by).await.unwrap();
    }

    async fn delete(&self, model: &RunnableModel) {
        let draft = self.change(model, Change::Unpublish).await;
        let version: Version = draft.version;
        let deleted = self
            .shop
            .tars_models
            .delete(Scope::System, model.id, version);
        deleted.await.unwrap();
    }

    async fn consumer(&self) -> ConsumerId {
        let new = new_consumer(&someone());
        self.shop.consumers.register(&new).await.unwrap().id
    }

    async fn fund(&self, consumer: ConsumerId, credits: Credits) {
        let given = credits.millicredits().get();
        let grant = format!(
            "SELECT outcome FROM grant_credits(gen_random_uuid(), '{consumer}', {given}, 'a case wants it')"
        );
        assert_eq!(self.outside.sql(&grant).await, ["granted"]);
    }

    async fn wallet(&self, consumer: ConsumerId) -> (Millicredits, Millicredits) {
        let owner = consumer.uuid();
        let available = self.balance(owner, "consumer_available").await;
        (available, self.balance(owner, "consumer_held").await)
    }

    async fn earned(&self, developer: DeveloperId) -> Millicredits {
        self.balance(developer.uuid(), "developer_pending").await
    }

    async fn revenue(&self) -> Millicredits {
        let kept = "SELECT balance FROM ledger_platform WHERE kind = 'platform_revenue'";
        Millicredits::new(self.outside.sql(kept).await[0].parse().unwrap())
    }

    async fn faults(&self) -> Vec<String> {
        let faults = "SELECT format('%s: %s, %s', rule, subject, detail) FROM ledger_faults \
                WHERE rule <> 'overdue' \
            UNION ALL SELECT format('E1: %s, %s', execution_id, detail) FROM invariant_e1 \
            UNION ALL SELECT format('E2: %s, %s', execution_id, detail) FROM invariant_e2 \
            UNION ALL SELECT format('E10: %s, %s', execution_id, detail) FROM invariant_e10";
        self.outside.sql(faults).await
    }

    async fn pass(&self, time: Duration) {
        let micros = time.as_micros().to_string();
        let mut updates = self.outside.sql(&MOVED.replace("MICROS", &micros)).await;
        // A day that was today is by then what today was before.
        for table in ["test_run_quota", "endpoint_budgets", "provider_budgets"] {
            updates.push(format!(
                "UPDATE {table} SET day = day - ((now() AT TIME ZONE 'UTC')::date \
                    - ((now() - interval '{micros} microseconds') AT TIME ZONE 'UTC')::date)"
            ));
        }
        self.outside
            .sql(&format!("BEGIN; {}; COMMIT", updates.join("; ")))
            .await;
    }

    async fn events(&self, id: ExecutionId) -> Vec<(i64, NewEvent)> {
        let told = format!(
            "SELECT json_build_array(seq, kind, data) FROM execution_events \
             WHERE execution_id = '{id}' ORDER BY seq"
        );
        let told = self.outside.sql(&told).await;
        let events = told.iter().map(|line| {
            let (place, kind, data): (i64, String, Value) = serde_json::from_str(line).unwrap();
            let event = NewEvent {
                kind: EventKind::parse(&kind).unwrap(),
                data: object(data),
            };
            (place, event)
        });
        events.collect()
    }

    async fn runs_of_model(&self, id: TarsModelId) -> u64 {
        let runs = format!("SELECT total_runs FROM tars_models WHERE id = '{id}'");
        self.outside.sql(&runs).await[0].parse().unwrap()
    }

    async fn runs_of_consumer(&self, id: ConsumerId) -> u64 {
        let runs = format!("SELECT run_count FROM consumers WHERE id = '{id}'");
        self.outside.sql(&runs).await[0].parse().unwrap()
    }
}

tarsify_testing::execution_contract_tests!(execution_world);
