//! The provider: jobs with a life of their own, and answers that are late, lost, wrong or
//! missing. What really happened to a job is kept, for whoever has to judge what was made of it.

use std::collections::HashMap;

use serde_json::{Map, Value, json};
use tarsify_domain::execution::{ProviderJobId, TokenHash};
use tarsify_engine::provider::{JobStatus, JobView, LookAnswer, StopAnswer, SubmitAnswer};

use super::dice::Dice;
use super::time::{MILLI, MINUTE, Micros, SECOND};
use super::weather::{Span, Weather};

/// How long an answer is waited for.
pub(super) const PATIENCE: Micros = 20 * SECOND;
const RETENTION: Micros = 30 * MINUTE;

/// How a job ends when nobody stops it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Fate {
    Makes(Value),
    MakesNothing,
    MakesTooMuch,
    MakesGarbage,
    Fails,
    TakesTooLong,
    /// Somebody at the provider calls it off.
    IsCalledOff,
    Sticks,
}

/// One job, as it really is.
pub(super) struct CloudJob {
    pub(super) id: ProviderJobId,
    pub(super) run: usize,
    pub(super) token: TokenHash,
    pub(super) fate: Fate,
    begins_at: Micros,
    ends_at: Micros,
    dies_at: Micros,
    stopped_at: Option<Micros>,
    hidden: Span,
    is_deaf: bool,
    /// How often its end was asked for, and how often that was understood.
    pub(super) stop_tries: u32,
    pub(super) stops: u32,
    pub(super) missed: Option<(Micros, Micros)>,
    pub(super) garbled: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Waiting,
    Working,
    Ended,
    Stopped,
    Gone,
}

impl CloudJob {
    fn phase(&self, now: Micros) -> Phase {
        let end = self.end();
        if now >= end {
            let is_stopped = self.stopped_at == Some(end);
            match now >= end + RETENTION {
                true => Phase::Gone,
                false if is_stopped => Phase::Stopped,
                false => Phase::Ended,
            }
        } else if now >= self.dies_at {
            Phase::Gone
        } else if now >= self.begins_at {
            Phase::Working
        } else {
            Phase::Waiting
        }
    }

    /// When it ends, if it lives so long.
    fn end(&self) -> Micros {
        let end = self.ends_at.min(self.stopped_at.unwrap_or(Micros::MAX));
        if end < self.dies_at {
            end
        } else {
            Micros::MAX / 2
        }
    }

    pub(super) fn is_alive(&self, now: Micros) -> bool {
        matches!(self.phase(now), Phase::Waiting | Phase::Working)
    }

    /// Whether it was over by then, with the end that was its fate.
    pub(super) fn met_fate(&self, now: Micros) -> bool {
        self.phase(now) == Phase::Ended
    }

    /// Whether it has ended in a way that the provider calls back about.
    pub(super) fn calls_back(&self, now: Micros) -> bool {
        let is_silent = matches!(self.fate, Fate::IsCalledOff | Fate::TakesTooLong);
        self.met_fate(now) && !is_silent
    }

    pub(super) fn was_stopped_by_us(&self) -> bool {
        self.stopped_at.is_some()
    }

    /// When it ends or dies, as far as is known now.
    pub(super) fn lives_until(&self) -> Micros {
        self.end().min(self.dies_at)
    }

    fn is_hidden(&self, now: Micros) -> bool {
        self.hidden.0 <= now && now < self.hidden.1
    }
}

/// What is asked of the provider when a job is to be done.
pub(super) struct Order {
    pub(super) run: usize,
    pub(super) token: TokenHash,
    pub(super) is_bad: bool,
    pub(super) lives_for: Micros,
    pub(super) timeout: Micros,
}

/// An answer and when it is heard.
pub(super) struct Reply<A> {
    pub(super) answer: A,
    pub(super) after: Micros,
    /// Whether its way back goes wrong in the sense of the protocol: no answer worth the name.
    pub(super) job: Option<usize>,
}

impl<A> Reply<A> {
    fn new(answer: A, after: Micros) -> Self {
        Self {
            answer,
            after,
            job: None,
        }
    }
}

#[derive(Default)]
pub(super) struct Cloud {
    pub(super) jobs: Vec<CloudJob>,
    by_id: HashMap<ProviderJobId, usize>,
    /// How often each run was to be submitted in a blackout.
    pub(super) in_vain: HashMap<usize, u64>,
}

impl Cloud {
    pub(super) fn find(&self, id: &ProviderJobId) -> Option<&CloudJob> {
        self.by_id.get(id).map(|place| &self.jobs[*place])
    }

    fn create(&mut self, order: &Order, now: Micros, weather: &Weather, dice: &mut Dice) -> usize {
        let number = self.jobs.len();
        let id = ProviderJobId::parse(&format!("job-{number}-{:x}", dice.below(1 << 32))).unwrap();
        let waits = dice.pick(&[100 * MILLI, SECOND, 8 * SECOND]);
        let begins_at = now + dice.between(0, waits);
        let works = dice.pick(&[50 * MILLI, SECOND, 5 * SECOND, 30 * SECOND, 3 * MINUTE]);
        let fate = fate(number, order.run, weather, dice);
        let mut ends_at = begins_at + dice.between(MILLI, works);
        match fate {
            Fate::Sticks => ends_at = Micros::MAX / 2,
            Fate::TakesTooLong => ends_at = begins_at + order.timeout,
            _ => {}
        }
        let mut hidden = (0, 0);
        if dice.chance(weather.job_hidden) {
            let from = now + dice.pick(&[0, 0, 5 * SECOND, 15 * SECOND]);
            hidden = (from, from + dice.between(SECOND, 50 * SECOND));
        } else if dice.chance(weather.job_forgotten) {
            let from = now + dice.between(0, 30 * SECOND);
            hidden = (from, Micros::MAX);
        }
        self.by_id.insert(id.clone(), number);
        self.jobs.push(CloudJob {
            id,
            run: order.run,
            token: order.token,
            fate,
            begins_at,
            ends_at,
            dies_at: now + order.lives_for,
            stopped_at: None,
            hidden,
            is_deaf: dice.chance(weather.job_deaf),
            stop_tries: 0,
            stops: 0,
            missed: None,
            garbled: 0,
        });
        number
    }

    pub(super) fn submit(
        &mut self,
        order: &Order,
        now: Micros,
        (weather, dice): (&Weather, &mut Dice),
    ) -> Reply<SubmitAnswer> {
        let soon = dice.between(5 * MILLI, 300 * MILLI);
        let retry_after = dice
            .chance(300)
            .then(|| std::time::Duration::from_secs(dice.between(1, 90)));
        if weather.is_blackout(now) {
            *self.in_vain.entry(order.run).or_default() += 1;
            return Reply::new(SubmitAnswer::Undone { retry_after: None }, soon);
        }
        if weather.is_storm(now) && dice.chance(950) {
            if dice.chance(800) {
                return Reply::new(SubmitAnswer::Undone { retry_after }, soon);
            }
            return self.lose(order, now + soon, (weather, dice));
        }
        if order.is_bad {
            return Reply::new(SubmitAnswer::Refused, soon);
        }
        if dice.chance(weather.stalled) {
            let mut reply = self.lose(order, now + soon, (weather, dice));
            reply.after = PATIENCE;
            return reply;
        }
        if dice.chance(weather.submit_lost) {
            return self.lose(order, now, (weather, dice));
        }
        if dice.chance(weather.submit_undone) {
            return Reply::new(SubmitAnswer::Undone { retry_after }, soon);
        }
        let number = self.create(order, now, weather, dice);
        let after = if dice.chance(weather.slow) {
            dice.between(SECOND, PATIENCE)
        } else {
            soon
        };
        let id = self.jobs[number].id.clone();
        Reply {
            answer: SubmitAnswer::Accepted(id),
            after,
            job: Some(number),
        }
    }

    /// The answer is lost; half the time with a job made.
    fn lose(
        &mut self,
        order: &Order,
        now: Micros,
        (weather, dice): (&Weather, &mut Dice),
    ) -> Reply<SubmitAnswer> {
        let is_made = !order.is_bad && dice.chance(500);
        Reply {
            answer: SubmitAnswer::Lost,
            after: dice.between(10 * MILLI, 2 * SECOND),
            job: is_made.then(|| self.create(order, now, weather, dice)),
        }
    }

    pub(super) fn look(
        &mut self,
        id: &ProviderJobId,
        now: Micros,
        (weather, dice): (&Weather, &mut Dice),
    ) -> Reply<LookAnswer> {
        let soon = dice.between(5 * MILLI, 200 * MILLI);
        let down = LookAnswer::Unavailable {
            retry_after: dice
                .chance(300)
                .then(|| std::time::Duration::from_secs(dice.between(1, 90))),
        };
        if weather.is_blackout(now) {
            return Reply::new(LookAnswer::Unavailable { retry_after: None }, soon);
        }
        if weather.is_storm(now) && dice.chance(900) || dice.chance(weather.look_down) {
            return Reply::new(down, soon);
        }
        if dice.chance(weather.stalled) {
            return Reply::new(down, PATIENCE);
        }
        let job = self.by_id.get(id).copied();
        let answer = match job.map(|place| &mut self.jobs[place]) {
            Some(job) => see(job, now, weather, dice),
            None => LookAnswer::NotFound,
        };
        let after = if dice.chance(weather.slow) {
            dice.between(SECOND, PATIENCE)
        } else {
            soon
        };
        Reply { answer, after, job }
    }

    pub(super) fn stop(
        &mut self,
        id: &ProviderJobId,
        now: Micros,
        (weather, dice): (&Weather, &mut Dice),
    ) -> Reply<StopAnswer> {
        let soon = dice.between(5 * MILLI, 200 * MILLI);
        let Some(place) = self.by_id.get(id).copied() else {
            return Reply::new(StopAnswer::NotFound, soon);
        };
        let job = &mut self.jobs[place];
        job.stop_tries += 1;
        if weather.is_blackout(now) || weather.is_storm(now) && dice.chance(900) {
            return Reply::new(StopAnswer::Unavailable, soon);
        }
        let is_unheard = dice.chance(weather.stop_down);
        if is_unheard && dice.chance(500) {
            return Reply::new(StopAnswer::Unavailable, soon);
        }
        job.stops += 1;
        let answer = match job.phase(now) {
            _ if job.is_hidden(now) => StopAnswer::NotFound,
            Phase::Gone => StopAnswer::NotFound,
            Phase::Ended | Phase::Stopped => StopAnswer::Ended,
            // It says that it stopped, or nothing to the point, and works on.
            Phase::Waiting | Phase::Working if job.is_deaf => {
                dice.pick(&[StopAnswer::Cancelled, StopAnswer::Ended])
            }
            Phase::Waiting | Phase::Working => {
                job.stopped_at = Some(now);
                StopAnswer::Cancelled
            }
        };
        if is_unheard {
            return Reply::new(StopAnswer::Unavailable, soon);
        }
        let after = if dice.chance(weather.stalled) {
            PATIENCE
        } else {
            soon
        };
        Reply::new(answer, after)
    }
}

fn see(job: &mut CloudJob, now: Micros, weather: &Weather, dice: &mut Dice) -> LookAnswer {
    let phase = job.phase(now);
    if job.is_hidden(now) || phase == Phase::Gone {
        let first = job.missed.map_or(now, |(first, _)| first);
        job.missed = Some((first, now));
        return LookAnswer::NotFound;
    }
    if dice.chance(weather.look_garbled) || phase == Phase::Ended && job.fate == Fate::MakesGarbage
    {
        job.garbled += 1;
        return LookAnswer::Unreadable;
    }
    if dice.chance(weather.unknown_word) {
        return seen(JobStatus::Unknown, dice);
    }
    let progress = dice
        .chance(500)
        .then(|| json!({"percent": dice.below(5) * 20, "of": job.run}));
    let phase = match phase {
        Phase::Working if dice.chance(weather.backwards) => Phase::Waiting,
        Phase::Ended | Phase::Stopped if dice.chance(weather.backwards) => {
            dice.pick(&[Phase::Waiting, Phase::Working])
        }
        phase => phase,
    };
    let status = match phase {
        Phase::Gone | Phase::Waiting => JobStatus::InQueue,
        Phase::Working => JobStatus::InProgress { progress },
        Phase::Stopped => JobStatus::Cancelled,
        Phase::Ended => match &job.fate {
            Fate::Makes(output) => JobStatus::Completed {
                output: Some(output.clone()),
            },
            Fate::MakesNothing => JobStatus::Completed {
                output: dice.chance(500).then_some(Value::Null),
            },
            Fate::MakesTooMuch => return LookAnswer::TooLarge,
            Fate::MakesGarbage => return LookAnswer::Unreadable,
            Fate::Fails => JobStatus::Failed {
                message: dice.chance(500).then(|| "CUDA out of memory".to_owned()),
            },
            Fate::TakesTooLong => JobStatus::TimedOut,
            Fate::IsCalledOff => JobStatus::Cancelled,
            Fate::Sticks => JobStatus::InProgress { progress },
        },
    };
    seen(status, dice)
}

fn seen(status: JobStatus, dice: &mut Dice) -> LookAnswer {
    let mut milliseconds = || {
        dice.chance(800)
            .then(|| i64::try_from(dice.below(100_000)).unwrap())
    };
    LookAnswer::Seen(JobView {
        status,
        queue_ms: milliseconds(),
        run_ms: milliseconds(),
    })
}

fn fate(number: usize, run: usize, weather: &Weather, dice: &mut Dice) -> Fate {
    if !dice.chance(weather.job_bad_end) {
        let mut output = Map::new();
        output.insert("job".to_owned(), json!(number));
        output.insert("of".to_owned(), json!(run));
        let falsy = [json!(false), json!(""), json!([]), json!(0), json!({})];
        let is_falsy = dice.chance(50);
        let falsy = &falsy[dice.place(falsy.len())];
        return Fate::Makes(if is_falsy {
            falsy.clone()
        } else {
            Value::Object(output)
        });
    }
    match dice.below(7) {
        0 => Fate::MakesNothing,
        1 => Fate::MakesTooMuch,
        2 => Fate::MakesGarbage,
        3 => Fate::Fails,
        4 => Fate::TakesTooLong,
        5 => Fate::IsCalledOff,
        _ => Fate::Sticks,
    }
}
