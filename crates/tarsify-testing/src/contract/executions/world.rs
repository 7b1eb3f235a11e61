//! The ports of one store of executions, what a case needs beside them, and short ways.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tarsify_domain::Scope;
use tarsify_domain::catalog::Provider;
use tarsify_domain::catalog::endpoint::EndpointLimits;
use tarsify_domain::execution::{
    Advance, AttemptState, Claim, Claimed, Crew, EventLog, Execution, ExecutionQueue,
    ExecutionReport, ExecutionRepository, Found, NewEvent, NewExecution, RunnableModel,
    RunnableModels, Settlement, Stage, Work, Written,
};
use tarsify_domain::id::{ConsumerId, DeveloperId, ExecutionId, TarsModelId};
use tarsify_domain::idempotency::IdempotencyRepository;
use tarsify_domain::money::{Credits, Millicredits};

use crate::builders::{advance, attempt_with_job, new_run, new_token};

/// How long leases last in these cases.
pub(super) const LEASE: Duration = Duration::from_secs(30);

/// A little longer than a lease.
pub(super) const PAST_A_LEASE: Duration = Duration::from_secs(31);

/// So many seconds.
pub(super) const fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

/// The ports over one store of executions that holds nothing yet.
pub struct ExecutionWorld {
    /// What people do with executions.
    pub repository: Arc<dyn ExecutionRepository>,
    /// What workers do with them.
    pub queue: Arc<dyn ExecutionQueue>,
    /// Who works on them.
    pub crew: Arc<dyn Crew>,
    /// What happened to them.
    pub log: Arc<dyn EventLog>,
    /// The models to run.
    pub models: Arc<dyn RunnableModels>,
    /// The idempotency keys.
    pub keys: Arc<dyn IdempotencyRepository>,
    /// What lies behind the ports.
    pub props: Arc<dyn ExecutionProps>,
    /// Whatever the store needs to live, such as its database; dropped after the ports.
    pub keep: Box<dyn Any + Send + Sync>,
}

/// What happens to a model, as if its developer or an administrator had done it: each gives the
/// changed thing its next version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The tars model is revised; only its version need change.
    Revise,
    /// Its base model is revised.
    ReviseBaseModel,
    /// Its endpoint is revised.
    ReviseEndpoint,
    /// The tars model costs so many credits from now on.
    Price(i64),
    /// The tars model becomes a draft again.
    Unpublish,
    /// Its base model is switched off.
    SwitchOffBaseModel,
    /// Its endpoint is switched off.
    SwitchOffEndpoint,
    /// Its base model says parts of its output while it works.
    Stream,
    /// Its endpoint gets these limits.
    Limit(EndpointLimits),
}

/// What a case does to a store behind the backs of its ports.
#[async_trait]
pub trait ExecutionProps: Send + Sync {
    /// Stores a new published model of a new developer on a new base model at a new endpoint
    /// without limits, all of it switched on.
    async fn model(&self) -> RunnableModel;

    /// Changes a model and answers it as it is then.
    async fn change(&self, model: &RunnableModel, change: Change) -> RunnableModel;

    /// Gives a provider these limits, as an administrator does in the settings.
    async fn limit_provider(&self, provider: Provider, limits: EndpointLimits);

    /// Deletes a model that was never run.
    async fn delete(&self, model: &RunnableModel);

    /// Registers a new consumer, who has nothing to spend.
    async fn consumer(&self) -> ConsumerId;

    /// Gives a consumer credits.
    async fn fund(&self, consumer: ConsumerId, credits: Credits);

    /// What a consumer can spend, and what is set aside for his runs.
    async fn wallet(&self, consumer: ConsumerId) -> (Millicredits, Millicredits);

    /// What a developer has earned and not been paid.
    async fn earned(&self, developer: DeveloperId) -> Millicredits;

    /// What the platform has kept of the runs of all models.
    async fn revenue(&self) -> Millicredits;

    /// What the store itself finds wrong with its money; what is only overdue counts for nothing,
    /// because cases leave runs lying.
    async fn faults(&self) -> Vec<String>;

    /// Lets so much time pass for everything in the store: its clock moves on, or every moment
    /// that it holds moves back.
    async fn pass(&self, time: Duration);

    /// What happened to an execution: every event with its place, in order.
    async fn events(&self, id: ExecutionId) -> Vec<(i64, NewEvent)>;

    /// How many runs a model's own count shows.
    async fn runs_of_model(&self, id: TarsModelId) -> u64;

    /// How many runs a consumer's own count shows.
    async fn runs_of_consumer(&self, id: ConsumerId) -> u64;
}

/// A claim of up to a hundred.
pub(super) fn a_claim(work: Work) -> Claim {
    Claim {
        work,
        limit: 100,
        lease: LEASE,
        allowance: 100,
        allowances: std::collections::HashMap::new(),
    }
}

/// Work to submit up to so many.
pub(super) fn submissions(count: usize) -> Work {
    Work::Submit((0..count).map(|_| new_token()).collect())
}

/// Whose leases these are, in order.
pub(super) fn ids(claimed: &[Claimed]) -> Vec<ExecutionId> {
    claimed.iter().map(|claimed| claimed.lease.id).collect()
}

/// The only one of them.
#[track_caller]
pub(super) fn only(mut claimed: Vec<Claimed>) -> Claimed {
    assert_eq!(claimed.len(), 1, "one is to be claimed: {claimed:?}");
    claimed.remove(0)
}

#[track_caller]
pub(super) fn assert_applied(written: Written) {
    assert!(matches!(written, Written::Applied { .. }), "{written:?}");
}

#[track_caller]
pub(super) fn assert_due(written: Written) {
    assert_eq!(written, Written::Applied { is_due: true });
}

#[track_caller]
pub(super) fn assert_not_due(written: Written) {
    assert_eq!(written, Written::Applied { is_due: false });
}

impl ExecutionWorld {
    pub(super) async fn model(&self) -> Arc<RunnableModel> {
        Arc::new(self.props.model().await)
    }

    /// A new consumer who can spend far more than any case does.
    pub(super) async fn consumer(&self) -> ConsumerId {
        self.consumer_with(100_000_000).await
    }

    /// A new consumer who can spend so many credits.
    pub(super) async fn consumer_with(&self, credits: i64) -> ConsumerId {
        let consumer = self.props.consumer().await;
        if credits > 0 {
            self.props.fund(consumer, Credits::new(credits)).await;
        }
        consumer
    }

    /// A new model that costs so many credits.
    pub(super) async fn model_for(&self, price: i64) -> Arc<RunnableModel> {
        let model = self.props.model().await;
        Arc::new(self.props.change(&model, Change::Price(price)).await)
    }

    /// What a consumer can spend and what is set aside, in millicredits.
    pub(super) async fn wallet(&self, consumer: ConsumerId) -> (i64, i64) {
        let (available, held) = self.props.wallet(consumer).await;
        (available.get(), held.get())
    }

    /// What a model's developer has earned and what the platform has kept, in millicredits.
    pub(super) async fn income(&self, model: &RunnableModel) -> (i64, i64) {
        let earned = self.props.earned(model.developer_id).await;
        (earned.get(), self.props.revenue().await.get())
    }

    pub(super) async fn admit(&self, new: &NewExecution) -> Execution {
        let admitted = self.repository.admit(new).await.unwrap();
        assert!(!admitted.is_replay, "it was admitted before");
        admitted.execution
    }

    /// So many runs of a consumer, one after another.
    pub(super) async fn runs(
        &self,
        model: &Arc<RunnableModel>,
        consumer: ConsumerId,
        count: usize,
    ) -> Vec<ExecutionId> {
        let mut ids = Vec::new();
        for _ in 0..count {
            let new = new_run(model, consumer);
            self.admit(&new).await;
            self.tick().await;
            ids.push(new.id);
        }
        ids
    }

    /// A run of a new consumer on a new model.
    pub(super) async fn run(&self) -> ExecutionId {
        let model = self.model().await;
        let new = new_run(&model, self.consumer().await);
        self.admit(&new).await.summary.id
    }

    pub(super) async fn claim(&self, claim: &Claim) -> Vec<Claimed> {
        self.queue.claim(claim).await.unwrap()
    }

    /// Claims whatever may be submitted.
    pub(super) async fn submit_all(&self) -> Vec<Claimed> {
        self.claim(&a_claim(submissions(100))).await
    }

    /// Claims the next to be submitted.
    pub(super) async fn submit(&self) -> Claimed {
        only(self.claim(&a_claim(submissions(1))).await)
    }

    /// Claims whatever is to be looked at.
    pub(super) async fn look_all(&self) -> Vec<Claimed> {
        self.claim(&a_claim(Work::Look)).await
    }

    /// Claims the only one that is to be looked at.
    pub(super) async fn look(&self) -> Claimed {
        only(self.look_all().await)
    }

    /// Claims whatever is past its deadline.
    pub(super) async fn sweep_all(&self) -> Vec<Claimed> {
        self.claim(&a_claim(Work::Sweep)).await
    }

    pub(super) async fn advance(&self, advance: &Advance) -> Written {
        self.queue.advance(advance).await.unwrap()
    }

    pub(super) async fn settle(&self, settlement: &Settlement) -> Written {
        self.queue.settle(settlement).await.unwrap()
    }

    /// Claims the next to be submitted and writes that the provider has it. It is looked at
    /// again in a minute.
    pub(super) async fn accept(&self) -> ExecutionId {
        let claimed = self.submit().await;
        let accepted = Advance {
            attempts: vec![attempt_with_job(&claimed, AttemptState::Accepted)],
            ..advance(&claimed, Stage::Queued)
        };
        assert_not_due(self.advance(&accepted).await);
        claimed.lease.id
    }

    /// A run that waits at the provider, to be looked at again in a minute.
    pub(super) async fn accepted(&self) -> ExecutionId {
        let id = self.run().await;
        assert_eq!(self.accept().await, id, "another run was waiting");
        id
    }

    /// A run that waits at the provider and was just claimed to be looked at.
    pub(super) async fn looked_at(&self) -> Claimed {
        let id = self.accepted().await;
        self.queue.hint(id, 1, None).await.unwrap();
        let claimed = self.look().await;
        assert_eq!(claimed.lease.id, id);
        claimed
    }

    /// A run that was claimed to be submitted and whose answer surely had no effect; it waits
    /// again, and is due after `pause`.
    pub(super) async fn put_back(&self, pause: Duration) -> ExecutionId {
        self.run().await;
        let claimed = self.submit().await;
        let undone = Advance {
            attempts: vec![crate::builders::attempt(&claimed, AttemptState::Undone)],
            then: tarsify_domain::execution::Then::After(pause),
            ..advance(&claimed, Stage::Created)
        };
        assert_applied(self.advance(&undone).await);
        claimed.lease.id
    }

    pub(super) async fn pass(&self, time: Duration) {
        self.props.pass(time).await;
    }

    /// Lets a moment pass, so that what comes next is younger than what there is.
    pub(super) async fn tick(&self) {
        self.pass(Duration::from_millis(1)).await;
    }

    pub(super) async fn found(&self, id: ExecutionId) -> Execution {
        match self.repository.find(Scope::System, id).await.unwrap() {
            Found::Here(execution) => execution,
            other => panic!("{id} is not here: {other:?}"),
        }
    }

    pub(super) async fn report(&self, id: ExecutionId) -> ExecutionReport {
        let report = self.repository.find_report(id).await.unwrap();
        report.expect("the execution is there")
    }

    /// The words for what happened to an execution, after its events were found to be numbered
    /// from 1 without a gap.
    pub(super) async fn story(&self, id: ExecutionId) -> Vec<&'static str> {
        let events = self.props.events(id).await;
        let places = events.iter().map(|(place, _)| *place);
        let count = i64::try_from(events.len()).unwrap();
        assert!(places.eq(1..=count), "not 1 to {count}: {events:?}");
        let kinds = events.iter().map(|(_, event)| event.kind.as_str());
        kinds.collect()
    }

    /// Everything that can be read of an execution, to see that nothing changed.
    pub(super) async fn everything(
        &self,
        id: ExecutionId,
    ) -> (ExecutionReport, Vec<(i64, NewEvent)>) {
        (self.report(id).await, self.props.events(id).await)
    }
}
