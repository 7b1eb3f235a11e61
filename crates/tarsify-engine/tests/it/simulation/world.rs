//! One world: everything that happens in it, in the order of its own time, on one thread. The
//! seed decides all of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use tarsify_domain::execution::{Claimed, ProviderJobId, Requester, RunnableModel, TokenHash};
use tarsify_domain::id::ExecutionId;
use tarsify_engine::MemoryStore;
use tarsify_engine::machine::{Event, Policy};

use super::bug::Bug;
use super::cloud::Cloud;
use super::coverage::Coverage;
use super::dice::Dice;
use super::people;
use super::run::{Plan, Run, Wish, wishes};
use super::till::Till;
use super::time::{MILLI, MINUTE, Micros, SECOND, WorldClock, told};
use super::weather::{Span, Weather};
use super::worker::{Badge, Call, Worker, Write};

/// What kind of world it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) seed: u64,
    pub(super) lifecycles: usize,
    pub(super) bug: Option<Bug>,
    /// From when until when the provider refuses every call, in otherwise fair weather.
    pub(super) blackout: Option<Span>,
    /// The run whose story is told; all of it costs too much.
    pub(super) follows: Option<usize>,
}

/// A broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Violation {
    pub(super) rule: &'static str,
    pub(super) run: Option<usize>,
    pub(super) said: String,
}

pub(super) type Lawful = Result<(), Violation>;

/// Breaks a rule unless it holds.
pub(super) fn rule(
    holds: bool,
    rule: &'static str,
    run: usize,
    said: impl FnOnce() -> String,
) -> Lawful {
    if holds {
        return Ok(());
    }
    Err(Violation {
        rule,
        run: Some(run),
        said: said(),
    })
}

/// Something that is going to happen.
pub(super) enum Happening {
    Wished {
        run: usize,
        wish: Wish,
    },
    Revise {
        model: usize,
    },
    /// At a worker: it looks for work.
    Tick(Badge),
    /// At a worker: what it leased.
    Leased(Badge, Vec<Claimed>),
    /// At a worker: the answer to what a task waits for.
    Heard {
        badge: Badge,
        hand: u64,
        event: Event,
    },
    /// At a worker: a write is to be tried again.
    Retry(Write),
    AtProvider(Call),
    AtStore(Write),
    Callback {
        job: usize,
        deliveries: u32,
    },
    Kill(usize),
    Revive(usize),
    Resume(usize),
    /// Checks that come due.
    MustHaveEnded {
        run: usize,
    },
    CancelMustBeHeard {
        run: usize,
    },
    OrphansMustBeSeenTo {
        run: usize,
    },
}

impl Happening {
    /// Whether the world may end without it.
    fn is_background(&self) -> bool {
        matches!(
            self,
            Self::Tick(_)
                | Self::Kill(_)
                | Self::Revive(_)
                | Self::MustHaveEnded { .. }
                | Self::Revise { .. }
        )
    }
}

/// What came of a world.
pub(super) struct Outcome {
    pub(super) lifecycles: u64,
    pub(super) steps: u64,
    pub(super) coverage: Coverage,
    /// The most submissions of one run that met a blackout.
    pub(super) most_in_vain: u64,
    /// The sum of all that happened: two worlds of one seed have the same.
    pub(super) trace: u64,
}

pub(super) struct World {
    pub(super) settings: Settings,
    pub(super) dice: Dice,
    pub(super) now: Micros,
    pub(super) clock: WorldClock,
    pub(super) store: MemoryStore,
    pub(super) weather: Weather,
    pub(super) policy: Policy,
    agenda: BTreeMap<(Micros, u64), Happening>,
    order: u64,
    /// What is on the agenda that the world must not end without.
    pending: usize,
    pub(super) cloud: Cloud,
    pub(super) workers: Vec<Worker>,
    pub(super) next_hand: u64,
    pub(super) models: Vec<Arc<RunnableModel>>,
    pub(super) runs: Vec<Run>,
    pub(super) by_id: HashMap<ExecutionId, usize>,
    pub(super) owners: HashMap<TokenHash, (usize, u32)>,
    pub(super) holders: HashMap<ProviderJobId, (usize, u32)>,
    pub(super) trials: HashMap<Requester, u32>,
    pub(super) till: Till,
    pub(super) last_token: Option<TokenHash>,
    pub(super) coverage: Coverage,
    pub(super) open: usize,
    /// Ended runs whose jobs are still to be called off.
    pub(super) restless: BTreeSet<usize>,
    /// Since when some worker has been at work; none while all are down.
    pub(super) staffed_since: Option<Micros>,
    pub(super) last_deadline: Micros,
    steps: u64,
    trace: u64,
    pub(super) story: Vec<String>,
}

impl World {
    pub(super) fn new(settings: Settings) -> Self {
        let mut dice = Dice::new(settings.seed);
        let mut weather = Weather::new(&mut dice);
        if settings.blackout.is_some() {
            weather = Weather::fair(settings.blackout);
        }
        let clock = WorldClock::default();
        let store = MemoryStore::with_clock(Arc::new(clock.clone()));
        let models = people::models(&mut dice);
        for model in &models {
            store.add_model(RunnableModel::clone(model));
        }
        let policy = Policy {
            has_callbacks: dice.chance(600),
            ..Policy::default()
        };
        let mut world = Self {
            settings,
            now: 0,
            clock,
            store,
            weather,
            policy,
            agenda: BTreeMap::new(),
            order: 0,
            pending: 0,
            cloud: Cloud::default(),
            workers: Vec::new(),
            next_hand: 0,
            models,
            runs: Vec::new(),
            by_id: HashMap::new(),
            owners: HashMap::new(),
            holders: HashMap::new(),
            trials: HashMap::new(),
            till: Till::default(),
            last_token: None,
            coverage: Coverage::default(),
            open: 0,
            restless: BTreeSet::new(),
            staffed_since: Some(0),
            last_deadline: 0,
            steps: 0,
            trace: 0,
            story: Vec::new(),
            dice,
        };
        world.plan_runs();
        world.staff();
        world
    }

    fn plan_runs(&mut self) {
        let people = people::people(&mut self.dice);
        self.fund(&people);
        let arrivals = self.dice.pick(&[SECOND, 20 * SECOND, 3 * MINUTE]);
        for number in 0..self.settings.lifecycles {
            let plan = Plan::new(number, &people, &self.weather, &mut self.dice);
            let begin = self.dice.below(arrivals);
            for (at, wish) in wishes(&plan, begin, &mut self.dice) {
                self.put(at, Happening::Wished { run: number, wish });
            }
            self.runs.push(Run::new(plan));
        }
        for _ in 0..self.dice.below(3) {
            let at = self.dice.below(arrivals);
            let model = self.dice.place(people::MODELS);
            self.put(at, Happening::Revise { model });
        }
    }

    fn staff(&mut self) {
        let count = self.dice.between(2, 4);
        for _ in 0..count {
            let badge = Badge {
                worker: self.workers.len(),
                incarnation: 0,
            };
            self.workers.push(Worker::new(&mut self.dice));
            let at = self.dice.below(SECOND);
            self.put(at, Happening::Tick(badge));
        }
        // Some worlds lose all their workers once, all at the same time.
        if self.weather.kill > 0 && self.dice.chance(300) {
            let at = self.dice.below(3 * MINUTE);
            for worker in 0..self.workers.len() {
                self.put(at, Happening::Kill(worker));
            }
        }
    }

    /// Puts something on the agenda.
    pub(super) fn put(&mut self, at: Micros, what: Happening) {
        self.order += 1;
        if !what.is_background() {
            self.pending += 1;
        }
        self.agenda.insert((at, self.order), what);
    }

    pub(super) fn put_in(&mut self, after: Micros, what: Happening) {
        self.put(self.now + after, what);
    }

    /// Lets everything happen until nothing is left to happen.
    pub(super) fn live(&mut self) -> Result<Outcome, Violation> {
        while let Some(((at, order), what)) = self.agenda.pop_first() {
            if !what.is_background() {
                self.pending -= 1;
            }
            self.now = at;
            self.clock.set(at);
            self.steps += 1;
            self.trace = (self.trace ^ at ^ order << 40)
                .rotate_left(7)
                .wrapping_mul(0x9E37_79B9_7F4A_7C15);
            self.happen(what)?;
            self.audit_money()?;
            if self.is_over() {
                break;
            }
            let is_late = at > self.last_deadline.max(5 * MINUTE) + 15 * MINUTE;
            if is_late {
                return Err(Violation {
                    rule: "everything comes to its end",
                    run: self.unfinished(),
                    said: format!("{} open, restless {:?}", self.open, self.restless),
                });
            }
        }
        self.look_back()?;
        Ok(Outcome {
            lifecycles: u64::try_from(self.by_id.len()).unwrap(),
            steps: self.steps,
            coverage: std::mem::take(&mut self.coverage),
            most_in_vain: self.cloud.in_vain.values().copied().max().unwrap_or(0),
            trace: self.trace,
        })
    }

    fn unfinished(&self) -> Option<usize> {
        let open = self.runs.iter().position(Run::is_open);
        open.or_else(|| self.restless.first().copied())
    }

    fn is_over(&self) -> bool {
        self.pending == 0
            && self.open == 0
            && self.restless.is_empty()
            && self.workers.iter().all(|worker| worker.parked.is_empty())
    }

    fn happen(&mut self, what: Happening) -> Lawful {
        match what {
            Happening::Wished { run, wish } => self.wished(run, wish),
            Happening::Revise { model } => {
                let revised = people::revised(&self.models[model], &mut self.dice);
                self.store.add_model(revised.clone());
                self.models[model] = Arc::new(revised);
                Ok(())
            }
            Happening::Tick(badge) => self.at_worker(badge, Happening::Tick(badge)),
            Happening::Leased(badge, claimed) => {
                self.at_worker(badge, Happening::Leased(badge, claimed))
            }
            Happening::Heard { badge, hand, event } => {
                self.at_worker(badge, Happening::Heard { badge, hand, event })
            }
            Happening::Retry(write) => self.at_worker(write.badge, Happening::Retry(write)),
            Happening::AtProvider(call) => self.at_provider(call),
            Happening::AtStore(write) => self.at_store(write),
            Happening::Callback { job, deliveries } => self.called_back(job, deliveries),
            Happening::Kill(worker) => self.kill(worker),
            Happening::Revive(worker) => self.revive(worker),
            Happening::Resume(worker) => self.resume(worker),
            Happening::MustHaveEnded { run } => self.must_have_ended(run),
            Happening::CancelMustBeHeard { run } => self.cancel_must_be_heard(run),
            Happening::OrphansMustBeSeenTo { run } => self.orphans_must_be_seen_to(run),
        }
    }

    pub(super) fn has(&self, bug: Bug) -> bool {
        self.settings.bug == Some(bug)
    }

    pub(super) fn saw(&mut self, what: &'static str) {
        self.coverage.saw(what);
    }

    pub(super) fn tell(&mut self, run: usize, said: impl FnOnce() -> String) {
        if self.settings.follows == Some(run) {
            self.story.push(format!("{} {}", told(self.now), said()));
        }
    }

    /// How long something takes on its way.
    pub(super) fn latency(&mut self) -> Micros {
        self.dice.between(100, 20 * MILLI)
    }

    pub(super) fn token(&mut self) -> TokenHash {
        let mut bytes = [0; 32];
        for part in bytes.chunks_exact_mut(8) {
            part.copy_from_slice(&self.dice.next().to_le_bytes());
        }
        TokenHash(bytes)
    }
}
