//! A database with models to run and people who run them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tarsify_db::{PgExecutionRepository, PgInvariants};
use tarsify_domain::catalog::TarsModel;
use tarsify_domain::execution::{
    Advance, Attempt, AttemptState, Claim, Claimed, ExecutionQueue, ExecutionRepository,
    RunnableModel, RunnableModels, Stage, Then, Work, Written,
};
use tarsify_domain::id::{ConsumerId, ExecutionId};
use tarsify_domain::money::Credits;
use tarsify_domain::people::{ConsumerRepository, NewConsumer};
use tarsify_domain::text::Slug;
use tarsify_testing::builders::{advance, attempt_with_job, completion, new_run, new_token};

use crate::support::{Outside, TestDatabase};
use crate::things::{Shop, new_consumer};

pub(super) struct Place {
    pub(super) shop: Shop,
    pub(super) executions: Arc<PgExecutionRepository>,
}

impl Place {
    pub(super) async fn open() -> Self {
        let shop = Shop::open().await;
        let executions = Arc::new(PgExecutionRepository::new(shop.test.database.clone()));
        Self { shop, executions }
    }

    pub(super) fn test(&self) -> &TestDatabase {
        &self.shop.test
    }

    pub(super) async fn sql(&self, sql: &str) -> Vec<String> {
        self.test().sql(sql).await
    }

    /// What a statement counts.
    pub(super) async fn count(&self, from: &str) -> i64 {
        let counted = self.sql(&format!("SELECT count(*) FROM {from}")).await;
        counted[0].parse().unwrap()
    }

    /// Runs SQL that no trigger sees.
    pub(super) async fn unseen(&self, sql: &str) {
        let sql = format!("SET session_replication_role = replica; {sql}");
        self.sql(&sql).await;
    }

    /// A published model of a new developer on a new endpoint.
    pub(super) async fn model(&self, number: i64) -> Arc<RunnableModel> {
        let draft = self.shop.draft(number).await;
        let published: TarsModel = self.shop.publish(draft).await;
        self.model_called(&published.slug).await
    }

    /// The model of this number, once more.
    pub(super) async fn model_again(&self, number: i64) -> Arc<RunnableModel> {
        let slug = Slug::parse(&format!("model-{number}")).unwrap();
        self.model_called(&slug).await
    }

    async fn model_called(&self, slug: &Slug) -> Arc<RunnableModel> {
        let found = self.executions.find_by_slug(slug).await;
        Arc::new(found.unwrap().unwrap())
    }

    /// A consumer who can spend more than any test does.
    pub(super) async fn consumer(&self, number: i64) -> ConsumerId {
        let new = NewConsumer {
            welcome: Credits::new(100_000_000),
            ..new_consumer(number)
        };
        self.shop.consumers.register(&new).await.unwrap().id
    }

    pub(super) async fn run(
        &self,
        model: &Arc<RunnableModel>,
        consumer: ConsumerId,
    ) -> ExecutionId {
        let new = new_run(model, consumer);
        self.executions.admit(&new).await.unwrap();
        new.id
    }

    pub(super) async fn runs(
        &self,
        model: &Arc<RunnableModel>,
        consumer: ConsumerId,
        count: usize,
    ) {
        for _ in 0..count {
            self.run(model, consumer).await;
        }
    }

    pub(super) async fn submit(&self, count: usize) -> Vec<Claimed> {
        let claim = a_claim(submissions(count));
        self.executions.claim(&claim).await.unwrap()
    }

    /// A run that was just claimed to be submitted.
    pub(super) async fn submitting(&self) -> Claimed {
        let model = self.model(1).await;
        let consumer = self.consumer(1).await;
        self.run(&model, consumer).await;
        self.submit(1).await.remove(0)
    }

    /// Writes that the provider has the job and that it is due at once.
    pub(super) async fn accept(&self, claimed: &Claimed) {
        let accepted = Advance {
            attempts: vec![attempt_with_job(claimed, AttemptState::Accepted)],
            then: Then::After(Duration::ZERO),
            ..advance(claimed, Stage::Queued)
        };
        let written = self.executions.advance(&accepted).await.unwrap();
        assert_eq!(written, Written::Applied { is_due: true });
    }

    pub(super) async fn look(&self) -> Vec<Claimed> {
        self.executions.claim(&a_claim(Work::Look)).await.unwrap()
    }

    /// Ends it with a result.
    pub(super) async fn complete(&self, claimed: &Claimed) {
        let end = completion(claimed, json!({"url": "https://results.example/1.png"}));
        let written = self.executions.settle(&end).await.unwrap();
        assert_eq!(written, Written::Applied { is_due: false });
    }

    pub(super) async fn broken(&self) -> Vec<tarsify_db::BrokenInvariant> {
        let invariants = PgInvariants::new(self.test().database.clone());
        invariants.broken().await.unwrap()
    }

    /// Waits until somebody waits for a lock.
    pub(super) async fn until_blocked(&self) {
        let waiting = "SELECT count(*) > 0 FROM pg_stat_activity \
            WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let outside = Outside::connect(&self.test().url).await;
        outside.until(waiting, "t").await;
    }
}

/// A claim of up to a hundred, for half a minute.
pub(super) fn a_claim(work: Work) -> Claim {
    Claim {
        work,
        limit: 100,
        lease: Duration::from_secs(30),
        allowance: 100,
        allowances: HashMap::new(),
    }
}

pub(super) fn submissions(count: usize) -> Work {
    Work::Submit((0..count).map(|_| new_token()).collect())
}

/// The newest attempt in another state, without a job.
pub(super) fn attempt(claimed: &Claimed, state: AttemptState) -> Attempt {
    tarsify_testing::builders::attempt(claimed, state)
}
