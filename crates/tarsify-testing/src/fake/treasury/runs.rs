//! Runs and their money: a hold with the run, resolved with it.

use tarsify_domain::execution::{
    AdmitError, Ending, ExecutionKind, ExecutionStatus, ExecutionSummary, ModelRef, NewExecution,
    Requester,
};
use tarsify_domain::id::{ConsumerId, DeveloperId, ExecutionId, TarsModelId};
use tarsify_domain::ledger::HoldState;
use tarsify_domain::money::{Millicredits, Price, Share};
use tarsify_domain::{Credits, Timestamp};
use time::Date;

use super::ledger::{Lacking, Leg};
use super::{Account, FakeTreasury, State, is_same_person, subject};

/// How a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunEnd {
    /// How.
    pub ending: Ending,
    /// How long the provider worked, in milliseconds.
    pub took_ms: Option<i64>,
}

impl RunEnd {
    /// With a result.
    pub const RESULT: Self = Self {
        ending: Ending::Completed,
        took_ms: Some(1_750),
    };

    /// Without one, in this way.
    #[must_use]
    pub const fn without_result(ending: Ending) -> Self {
        Self {
            ending,
            took_ms: None,
        }
    }
}

pub(super) struct Run {
    pub(super) summary: ExecutionSummary,
    pub(super) developer: DeveloperId,
    pub(super) share: Share,
    /// None when it is free.
    pub(super) hold: Option<Hold>,
}

pub(super) struct Hold {
    pub(super) state: HoldState,
    pub(super) amount: i64,
    /// The developer's part of what was captured.
    pub(super) earned: i64,
    /// What was given back since, and what a lost dispute took of the rest.
    pub(super) refunded: i64,
    pub(super) clawed: i64,
    /// What of `earned` those two took.
    pub(super) taken_back: i64,
    pub(super) held_at: Timestamp,
    pub(super) resolved_at: Option<Timestamp>,
    pub(super) is_mature: bool,
}

impl Hold {
    /// What has not gone back of what was captured.
    pub(super) fn remaining(&self) -> i64 {
        match self.state {
            HoldState::Captured => self.amount - self.refunded - self.clawed,
            HoldState::Active | HoldState::Released => 0,
        }
    }
}

/// Something that the sums are made of.
pub(super) struct Fact {
    pub(super) model: TarsModelId,
    pub(super) developer: DeveloperId,
    pub(super) consumer: ConsumerId,
    pub(super) day: Date,
    /// How a run ended; none where money went back.
    pub(super) ended: Option<RunEnd>,
    pub(super) gross: i64,
    pub(super) earned: i64,
}

impl FakeTreasury {
    /// Begins a run with its price set aside, or a test run, which costs nothing; as a store of
    /// executions does.
    ///
    /// # Errors
    /// When the consumer cannot spend as much as it costs.
    ///
    /// # Panics
    /// When there is such a run already.
    pub fn hold(&self, new: &NewExecution) -> Result<(), AdmitError> {
        let now = self.clock.now();
        let mut state = self.lock();
        assert!(!state.runs.contains_key(&new.id), "{} runs already", new.id);
        let run = state.begin(new, now)?;
        state.models.insert(new.model.id, run.developer);
        state.runs.insert(new.id, run);
        Ok(())
    }

    /// Ends a run, and resolves its hold: captured and divided when there is a result, given
    /// back otherwise.
    ///
    /// # Panics
    /// When there is no such run, or it has ended.
    pub fn resolve(&self, id: ExecutionId, end: RunEnd) {
        let now = self.clock.now();
        self.lock().resolve(id, end, now);
    }
}

impl State {
    fn begin(&mut self, new: &NewExecution, now: Timestamp) -> Result<Run, AdmitError> {
        let model = &new.model;
        let (consumer, tester, price) = match new.requester {
            Requester::Consumer(consumer) => (Some(consumer), None, model.price),
            Requester::Developer { id, .. } => (None, Some(id), free()),
        };
        let mut run = Run {
            summary: ExecutionSummary {
                id: new.id,
                kind: new.requester.kind(),
                consumer_id: consumer,
                tester_id: tester,
                model: ModelRef {
                    id: model.id,
                    slug: model.slug.clone(),
                    title: model.title.clone(),
                    base_model_name: model.base_model.name.clone(),
                    category: model.base_model.category,
                    output_type: model.base_model.output_type,
                    estimated_seconds: model.base_model.estimated_seconds,
                },
                status: ExecutionStatus::Pending,
                reason: None,
                message: None,
                price,
                charged: Credits::ZERO,
                created_at: now,
                started_at: None,
                completed_at: None,
                queue_time_ms: None,
                execution_time_ms: None,
            },
            developer: model.developer_id,
            share: new.developer_share,
            hold: None,
        };
        if let Some(consumer) = consumer.filter(|_| price.credits() > Credits::ZERO) {
            let payee = self.developers.get(&model.developer_id);
            if is_same_person(self.consumers.get(&consumer), payee) {
                run.share = Share::NONE;
            }
            run.hold = Some(self.set_aside(&run.summary, consumer, now)?);
        }
        Ok(run)
    }

    fn set_aside(
        &mut self,
        run: &ExecutionSummary,
        consumer: ConsumerId,
        now: Timestamp,
    ) -> Result<Hold, AdmitError> {
        let required = run.price.credits();
        let amount = required.millicredits().get();
        let leg = Leg {
            kind: "hold",
            from: Account::Available(consumer),
            to: Account::Held(consumer),
            amount,
        };
        let posted = self
            .ledger
            .post(subject("execution", run.id.uuid()), now, &[leg]);
        posted.map_err(|Lacking(lacking)| AdmitError::InsufficientCredits {
            required,
            available: Millicredits::new(amount - lacking).credits(),
        })?;
        Ok(Hold {
            state: HoldState::Active,
            amount,
            earned: 0,
            refunded: 0,
            clawed: 0,
            taken_back: 0,
            held_at: now,
            resolved_at: None,
            is_mature: false,
        })
    }

    fn resolve(&mut self, id: ExecutionId, end: RunEnd, now: Timestamp) {
        let recovered = self.recovered_by(id, end);
        let run = self.runs.get_mut(&id).expect("there is such a run");
        let Run {
            summary,
            developer,
            share,
            hold,
        } = run;
        assert!(summary.completed_at.is_none(), "{id} has ended");
        let has_result = end.ending == Ending::Completed;
        summary.status = ExecutionStatus::parse(end.ending.as_str()).expect("every end is one");
        summary.completed_at = Some(now);
        summary.execution_time_ms = end.took_ms;
        if has_result {
            summary.charged = summary.price.credits();
        }
        let (ExecutionKind::Run, Some(consumer)) = (summary.kind, summary.consumer_id) else {
            return;
        };
        let (held, available) = (Account::Held(consumer), Account::Available(consumer));
        let mut earned = 0;
        if let Some(hold) = hold {
            let divided = share.divide(Millicredits::new(hold.amount));
            let move_to = |kind, to, amount| Leg {
                kind,
                from: held,
                to,
                amount,
            };
            let legs = if has_result {
                earned = divided.developer.get();
                vec![
                    move_to("capture_developer", Account::Pending(*developer), earned),
                    move_to("capture_platform", Account::Revenue, divided.platform.get()),
                ]
            } else {
                let recovered = Leg {
                    from: available,
                    ..move_to("reversal_recovered", Account::Loss, recovered)
                };
                vec![move_to("release", available, hold.amount), recovered]
            };
            hold.state = if has_result {
                HoldState::Captured
            } else {
                HoldState::Released
            };
            hold.earned = earned;
            hold.resolved_at = Some(now);
            let about = subject("execution", id.uuid());
            self.ledger.must_post(about, now, &legs);
        }
        self.facts.push(Fact {
            model: summary.model.id,
            developer: *developer,
            consumer,
            day: now.date(),
            ended: Some(end),
            gross: summary.charged.millicredits().get(),
            earned,
        });
    }
}

impl State {
    /// What of the price that a run gives back is for payments that were taken back meanwhile.
    fn recovered_by(&mut self, id: ExecutionId, end: RunEnd) -> i64 {
        let run = self.runs.get(&id).expect("there is such a run");
        let hold = run.hold.as_ref();
        let hold = hold.filter(|_| end.ending != Ending::Completed);
        let (Some(hold), Some(consumer)) = (hold, run.summary.consumer_id) else {
            return 0;
        };
        let (held_at, amount) = (hold.held_at, hold.amount);
        self.recover(consumer, held_at, amount)
    }
}

fn free() -> Price {
    Price::parse(0).expect("nothing is a price")
}
