//! One lifecycle: what its people will do, and what the simulation knows of it by itself, to
//! hold against what the store says.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tarsify_domain::Scope;
use tarsify_domain::execution::{
    Attempt, Execution, ExecutionStatus, Requester, RunnableModel, Stage, TokenHash,
};
use tarsify_domain::id::ExecutionId;
use tarsify_domain::idempotency::IdempotencyKey;

use super::dice::Dice;
use super::time::{MILLI, MINUTE, Micros, SECOND};
use super::weather::Weather;

/// At which point a run stops whatever worker has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Poison {
    /// When the call is put together.
    Submit,
    /// When the answer about the job is read.
    Look,
}

/// What is decided about a run before the world begins.
pub(super) struct Plan {
    pub(super) requester: Requester,
    pub(super) model: usize,
    pub(super) key: Option<IdempotencyKey>,
    pub(super) deadline_in: Duration,
    pub(super) is_bad: bool,
    pub(super) poison: Option<Poison>,
    pub(super) inputs: Map<String, Value>,
    pub(super) payload: Map<String, Value>,
}

impl Plan {
    pub(super) fn new(
        number: usize,
        people: &[Requester],
        weather: &Weather,
        dice: &mut Dice,
    ) -> Self {
        let requester = dice.pick(people);
        let key = dice.chance(700).then(|| {
            let key = format!("key-{number}");
            IdempotencyKey::parse(&key).unwrap()
        });
        let longest = dice.pick(&[MINUTE, 2 * MINUTE, 6 * MINUTE]);
        let deadline = dice.between(20 * SECOND, longest);
        let poison = dice
            .chance(weather.poison)
            .then(|| dice.pick(&[Poison::Submit, Poison::Look]));
        let typed = json!({"prompt": "a sunset", "run": number});
        let sent = json!({"prompt": "anime style, a sunset", "run": number});
        Self {
            requester,
            model: dice.place(super::people::MODELS),
            key,
            deadline_in: Duration::from_micros(if poison.is_some() {
                deadline + 4 * MINUTE
            } else {
                deadline
            }),
            is_bad: dice.chance(15),
            poison,
            inputs: typed.as_object().cloned().unwrap(),
            payload: sent.as_object().cloned().unwrap(),
        }
    }

    pub(super) fn scope(&self) -> Scope {
        match self.requester {
            Requester::Consumer(id) => Scope::Consumer(id),
            Requester::Developer { id, .. } => Scope::Developer(id),
        }
    }
}

/// What somebody does about a run from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// Asks for it; with another body under the same key, by mistake.
    Run {
        is_other_body: bool,
    },
    Cancel,
    Nudge,
    Expedite,
    Read,
    Forge,
}

/// What is known about one attempt besides what the store says.
pub(super) struct Try {
    pub(super) token: TokenHash,
    pub(super) calls: u32,
    pub(super) callbacks: u32,
    pub(super) was_adopted: bool,
    /// What was last stored.
    pub(super) stored: Option<Attempt>,
}

/// How far a run has come, as seen so far.
pub(super) struct Run {
    pub(super) plan: Plan,
    pub(super) id: Option<ExecutionId>,
    /// What it was accepted with.
    pub(super) model: Option<Arc<RunnableModel>>,
    pub(super) has_other_body: bool,
    pub(super) accepted_at: Micros,
    pub(super) deadline_at: Micros,
    pub(super) stage: Stage,
    pub(super) status: ExecutionStatus,
    pub(super) epoch: i64,
    pub(super) leased_until: Option<Micros>,
    pub(super) tries: Vec<Try>,
    pub(super) jobs: Vec<usize>,
    pub(super) events: usize,
    pub(super) cancel_asked: Option<Micros>,
    pub(super) end: Option<Execution>,
    pub(super) ended_at: Micros,
    pub(super) bookings: u32,
    /// When a fault of ours or of the store last hit it.
    pub(super) disturbed_at: Micros,
    /// Faults that may have cost one more job each.
    pub(super) excuses: u32,
    pub(super) strikes: u32,
    pub(super) strikes_before: u32,
    /// Whether somebody wanted attention for it while it was leased.
    pub(super) is_woken: bool,
    pub(super) refusals: u32,
    /// Whether it was last refused because its consumer had too little.
    pub(super) was_refused_credit: bool,
    pub(super) crashes: u32,
    /// What a callback claimed to be the result; only a bug looks at it.
    pub(super) hearsay: Option<Value>,
}

impl Run {
    pub(super) fn new(plan: Plan) -> Self {
        Self {
            plan,
            id: None,
            model: None,
            has_other_body: false,
            accepted_at: 0,
            deadline_at: 0,
            stage: Stage::Created,
            status: ExecutionStatus::Pending,
            epoch: 0,
            leased_until: None,
            tries: Vec::new(),
            jobs: Vec::new(),
            events: 0,
            cancel_asked: None,
            end: None,
            ended_at: 0,
            bookings: 0,
            disturbed_at: 0,
            excuses: 0,
            strikes: 0,
            strikes_before: 0,
            is_woken: false,
            refusals: 0,
            was_refused_credit: false,
            crashes: 0,
            hearsay: None,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.id.is_some() && self.end.is_none()
    }
}

/// What people do about one run, and when.
pub(super) fn wishes(plan: &Plan, begin: Micros, dice: &mut Dice) -> Vec<(Micros, Wish)> {
    let mut wishes = vec![(
        begin,
        Wish::Run {
            is_other_body: false,
        },
    )];
    if plan.key.is_some() {
        let twins = if dice.chance(4) {
            100
        } else {
            dice.below(8).saturating_sub(4)
        };
        for _ in 0..twins {
            let later = dice.pick(&[0, 0, 5 * MILLI, 300 * MILLI, 30 * SECOND]);
            let is_other_body = dice.chance(80);
            wishes.push((begin + later, Wish::Run { is_other_body }));
        }
    }
    let span = u64::try_from(plan.deadline_in.as_micros()).unwrap();
    let mut some = |per_mille: u64, wish: Wish, dice: &mut Dice| {
        if dice.chance(per_mille) {
            let within = dice.pick(&[200 * MILLI, 3 * SECOND, 30 * SECOND, span]);
            wishes.push((begin + 1 + dice.below(within), wish));
        }
    };
    some(180, Wish::Cancel, dice);
    some(60, Wish::Cancel, dice);
    some(100, Wish::Nudge, dice);
    some(100, Wish::Nudge, dice);
    some(40, Wish::Expedite, dice);
    some(100, Wish::Read, dice);
    some(120, Wish::Forge, dice);
    wishes
}
