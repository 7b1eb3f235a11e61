//! The workers: they lease, let the machine decide, carry its effects out as the real driver
//! does, and are killed or stopped in the middle of it.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use futures_util::FutureExt;
use tarsify_domain::execution::{
    Advance, Claim, Claimed, ExecutionQueue, Lease, Settlement, TokenHash, Work,
};
use tarsify_engine::machine::{Effect, Event, Question, Task, step};

use super::bug::Bug;
use super::dice::Dice;
use super::run::Poison;
use super::time::{MILLI, Micros, SECOND, moment};
use super::world::{Happening, Lawful, Violation, World, rule};

pub(super) const LEASE: Micros = 30 * SECOND;
/// The pause before a write that failed is tried again.
const PAUSE: Micros = 300 * MILLI;

/// Which life of which worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Badge {
    pub(super) worker: usize,
    pub(super) incarnation: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    Awake,
    Paused,
    Dead,
}

/// An execution that a worker has in hand.
pub(super) struct Hand {
    pub(super) run: usize,
    task: Option<Task>,
    pub(super) lease_ends: Micros,
    pub(super) deadline_at: Micros,
    pub(super) token: Option<TokenHash>,
    knew_of_cancel: bool,
    asked_before: bool,
    /// How often the execution was leased without a word, at the time of this lease.
    pub(super) strikes: u32,
}

pub(super) struct Worker {
    pub(super) life: Life,
    pub(super) incarnation: u32,
    pub(super) hands: BTreeMap<u64, Hand>,
    /// What came in while it was stopped.
    pub(super) parked: Vec<Happening>,
    pub(super) paused_at: Micros,
    room: usize,
    rest: Micros,
    next_sweep: Micros,
}

impl Worker {
    pub(super) fn new(dice: &mut Dice) -> Self {
        Self {
            life: Life::Awake,
            incarnation: 0,
            hands: BTreeMap::new(),
            parked: Vec::new(),
            paused_at: 0,
            room: dice.pick(&[8, 32, 128]),
            rest: dice.between(250 * MILLI, 2 * SECOND),
            next_sweep: 0,
        }
    }
}

/// A question on its way to the provider.
pub(super) struct Call {
    pub(super) badge: Badge,
    pub(super) hand: u64,
    pub(super) run: usize,
    pub(super) question: Question,
    pub(super) token: Option<TokenHash>,
    pub(super) lives_for: Micros,
    pub(super) asked_at: Micros,
}

/// What is to be written.
#[derive(Clone)]
pub(super) enum Paper {
    Advance(Box<Advance>),
    Settle(Box<Settlement>),
}

/// A write on its way to the store.
#[derive(Clone)]
pub(super) struct Write {
    pub(super) badge: Badge,
    pub(super) hand: u64,
    pub(super) run: usize,
    pub(super) paper: Paper,
    pub(super) lease_ends: Micros,
    pub(super) may_be_written: bool,
    pub(super) tries: u32,
}

impl Write {
    pub(super) fn lease(&self) -> Lease {
        match &self.paper {
            Paper::Advance(advance) => advance.lease,
            Paper::Settle(settlement) => settlement.lease,
        }
    }
}

impl World {
    /// Something reaches a worker: at once, later when it is stopped, or never.
    pub(super) fn at_worker(&mut self, badge: Badge, what: Happening) -> Lawful {
        let worker = &mut self.workers[badge.worker];
        if worker.incarnation != badge.incarnation || worker.life == Life::Dead {
            self.in_vain(what);
            return Ok(());
        }
        if worker.life == Life::Paused {
            if let Happening::Leased(_, claimed) = &what {
                for claimed in claimed {
                    let run = self.by_id[&claimed.lease.id];
                    self.disturb(run);
                    self.excuse(run);
                }
            }
            self.workers[badge.worker].parked.push(what);
            return Ok(());
        }
        match what {
            Happening::Tick(badge) => self.tick(badge),
            Happening::Leased(badge, claimed) => self.leased(badge, claimed),
            Happening::Heard { badge, hand, event } => self.heard(badge, hand, event),
            Happening::Retry(write) => {
                self.send(badge, Happening::AtStore(write));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    pub(super) fn in_vain(&mut self, what: Happening) {
        if let Happening::Leased(_, claimed) = what {
            self.saw("worker: killed with a claim on its way");
            for claimed in claimed {
                self.disturb(self.by_id[&claimed.lease.id]);
            }
        }
    }

    fn tick(&mut self, badge: Badge) -> Lawful {
        let now = self.now;
        let is_down = self.weather.outage_end(now).is_some();
        let mut was_busy = false;
        for kind in 0..3_u8 {
            let worker = &self.workers[badge.worker];
            let room = worker.room.saturating_sub(worker.hands.len());
            let is_sweep = kind == 2;
            if is_down || is_sweep && now < worker.next_sweep || !is_sweep && room == 0 {
                continue;
            }
            // There is always room for what has to end.
            let limit = if is_sweep {
                64
            } else {
                1 + self.dice.below(u64::try_from(room.min(12)).unwrap())
            };
            was_busy |= self.claim(badge, kind, limit)?;
        }
        let worker = &mut self.workers[badge.worker];
        if now >= worker.next_sweep && !is_down {
            worker.next_sweep = now + 5 * SECOND;
        }
        let rest = worker.rest;
        let rest = if was_busy {
            self.dice.between(10 * MILLI, 200 * MILLI)
        } else {
            rest / 2 + self.dice.below(rest)
        };
        self.put_in(rest, Happening::Tick(badge));
        Ok(())
    }

    fn claim(&mut self, badge: Badge, kind: u8, limit: u64) -> Result<bool, Violation> {
        let work = match kind {
            0 => Work::Submit((0..limit).map(|_| self.fresh_token()).collect()),
            1 => Work::Look,
            _ if self.has(Bug::IgnoresDeadline) => return Ok(false),
            _ => Work::Sweep,
        };
        let mut lease = LEASE;
        if self.has(Bug::LongLease) {
            lease *= 20;
        }
        let mut claim = Claim {
            work,
            limit: u32::try_from(limit).unwrap(),
            lease: Duration::from_micros(lease),
            allowance: self.dice.pick(&[1, 3, 1000, 1000]),
            allowances: HashMap::new(),
        };
        // To the store every lease seems to have run out.
        let is_blind = kind == 1 && self.has(Bug::IgnoresLeases) && self.dice.chance(50);
        if is_blind {
            claim.lease = Duration::ZERO;
            self.clock.set(self.now + lease);
        }
        let claimed = self.store.claim(&claim).now_or_never().unwrap();
        claim.lease = Duration::from_micros(lease);
        self.clock.set(self.now);
        let claimed = claimed.map_err(|error| Violation {
            rule: "the store does not fail by itself",
            run: None,
            said: format!("claim: {error:?}"),
        })?;
        if claimed.is_empty() {
            return Ok(false);
        }
        self.check_claimed(&claim, &claimed)?;
        if self.dice.chance(self.weather.claim_unheard) {
            self.saw("worker: a claim's answer was lost");
            for claimed in &claimed {
                self.disturb(self.by_id[&claimed.lease.id]);
            }
            return Ok(true);
        }
        let after = self.latency();
        self.put_in(after, Happening::Leased(badge, claimed));
        Ok(true)
    }

    fn fresh_token(&mut self) -> TokenHash {
        let last = self.last_token.filter(|_| self.has(Bug::ReusesTokens));
        let token = match last {
            Some(token) if self.dice.chance(100) => token,
            _ => self.token(),
        };
        self.last_token = Some(token);
        token
    }

    fn leased(&mut self, badge: Badge, claimed: Vec<Claimed>) -> Lawful {
        for claimed in claimed {
            // Killed by what it did about the one before.
            if self.workers[badge.worker].incarnation != badge.incarnation {
                self.disturb(self.by_id[&claimed.lease.id]);
                continue;
            }
            let run = self.by_id[&claimed.lease.id];
            let Claimed {
                lease,
                mut state,
                submission,
                ..
            } = claimed;
            let knew_of_cancel = state.is_cancel_requested;
            let strikes = state.strikes;
            self.misread(&mut state);
            let is_fresh_attempt = submission.is_some();
            self.next_hand += 1;
            let number = self.next_hand;
            let hand = Hand {
                run,
                deadline_at: super::time::since_start(state.deadline_at),
                task: Some(Task::new(lease, state, self.policy)),
                lease_ends: self.now + LEASE,
                token: submission.map(|(token, _)| token),
                knew_of_cancel,
                asked_before: false,
                strikes,
            };
            self.workers[badge.worker].hands.insert(number, hand);
            if self.workers[badge.worker].life == Life::Awake {
                self.drive(badge, number, Event::Claimed { is_fresh_attempt })?;
            } else {
                self.disturb(run);
                self.excuse(run);
                let event = Event::Claimed { is_fresh_attempt };
                let heard = Happening::Heard {
                    badge,
                    hand: number,
                    event,
                };
                self.workers[badge.worker].parked.push(heard);
            }
        }
        Ok(())
    }

    fn heard(&mut self, badge: Badge, number: u64, event: Event) -> Lawful {
        let Some(hand) = self.workers[badge.worker].hands.get_mut(&number) else {
            return Ok(());
        };
        let run = hand.run;
        let plan = &self.runs[run].plan;
        if plan.poison == Some(Poison::Look) && matches!(event, Event::Looked(_)) {
            return self.poisoned(badge, number);
        }
        if self.settings.bug == Some(Bug::BlindResubmit)
            && event == Event::Submitted(tarsify_engine::provider::SubmitAnswer::Lost)
            && !std::mem::replace(&mut hand.asked_before, true)
        {
            let attempt = u32::try_from(self.runs[run].tries.len()).unwrap();
            return self.ask(badge, number, Question::Submit { attempt });
        }
        let event = self.mishear(run, event);
        self.drive(badge, number, event)
    }

    /// Feeds the machine and carries out what it decides.
    fn drive(&mut self, badge: Badge, number: u64, event: Event) -> Lawful {
        let now = moment(self.now);
        let hands = &mut self.workers[badge.worker].hands;
        let Some((hand, task)) = hands
            .get_mut(&number)
            .and_then(|hand| hand.task.take().map(|task| (hand, task)))
        else {
            return Ok(());
        };
        let run = hand.run;
        self.tell(run, || format!("worker {} heard {event:?}", badge.worker));
        let was_written = matches!(event, Event::Written(_));
        let (task, effects) = step(task, now, event);
        if let Some(hand) = self.workers[badge.worker].hands.get_mut(&number) {
            hand.task = Some(task);
        }
        if was_written && self.is_struck(badge)? {
            self.saw("worker: killed after it wrote");
            return Ok(());
        }
        let mut waits = false;
        for effect in effects {
            let is_alive = self.workers[badge.worker].incarnation == badge.incarnation;
            if !is_alive {
                return Ok(());
            }
            match effect {
                Effect::Count(what) => self.coverage.counted(what),
                Effect::Ask(question) => {
                    waits = true;
                    self.carry_out_ask(badge, number, question)?;
                }
                Effect::Advance(advance) => {
                    waits = true;
                    self.write(badge, number, Paper::Advance(advance))?;
                }
                Effect::Settle(settlement) => {
                    waits = true;
                    self.write(badge, number, Paper::Settle(settlement))?;
                }
            }
        }
        if !waits {
            self.workers[badge.worker].hands.remove(&number);
        }
        Ok(())
    }

    fn carry_out_ask(&mut self, badge: Badge, number: u64, question: Question) -> Lawful {
        let Some(hand) = self.workers[badge.worker].hands.get(&number) else {
            return Ok(());
        };
        let run = hand.run;
        let is_submit = matches!(question, Question::Submit { .. });
        if is_submit {
            let knew = hand.knew_of_cancel && !self.has(Bug::IgnoresCancel);
            rule(
                !knew,
                "what was called off before its call is never sent",
                run,
                || format!("{question:?}"),
            )?;
            if self.runs[run].plan.poison == Some(Poison::Submit) {
                return self.poisoned(badge, number);
            }
        }
        if self.is_struck(badge)? {
            if is_submit {
                self.saw("worker: killed before it called");
            }
            return Ok(());
        }
        if self.has(Bug::StopsOnPaper) && matches!(question, Question::Stop { .. }) {
            let event = Event::Stopped(tarsify_engine::provider::StopAnswer::Cancelled);
            let heard = Happening::Heard {
                badge,
                hand: number,
                event,
            };
            self.put_in(MILLI, heard);
            return Ok(());
        }
        self.ask(badge, number, question)?;
        if is_submit && self.is_struck(badge)? {
            self.saw("worker: killed after it called");
        }
        Ok(())
    }

    fn ask(&mut self, badge: Badge, number: u64, question: Question) -> Lawful {
        let Some(hand) = self.workers[badge.worker].hands.get(&number) else {
            return Ok(());
        };
        let call = Call {
            badge,
            hand: number,
            run: hand.run,
            token: hand.token,
            lives_for: hand.deadline_at.saturating_sub(self.now),
            question,
            asked_at: self.now,
        };
        self.tell(call.run, || {
            format!("worker {} asks {:?}", badge.worker, call.question)
        });
        self.send(badge, Happening::AtProvider(call));
        Ok(())
    }

    /// Puts something on its way from a worker; once it goes on, if it was stopped just now.
    fn send(&mut self, badge: Badge, what: Happening) {
        let after = self.latency();
        let worker = &mut self.workers[badge.worker];
        if worker.life == Life::Paused {
            worker.parked.push(what);
        } else {
            self.put_in(after, what);
        }
    }

    fn write(&mut self, badge: Badge, number: u64, paper: Paper) -> Lawful {
        let Some(hand) = self.workers[badge.worker].hands.get(&number) else {
            return Ok(());
        };
        let mut write = Write {
            badge,
            hand: number,
            run: hand.run,
            lease_ends: hand.lease_ends,
            paper,
            may_be_written: false,
            tries: 0,
        };
        self.miswrite(&mut write);
        if self.is_struck(badge)? {
            return Ok(());
        }
        self.send(badge, Happening::AtStore(write));
        Ok(())
    }

    /// The driver's answer to a write of which it does not know whether it took place.
    pub(super) fn try_again(&mut self, mut write: Write, after: Micros) {
        write.may_be_written = true;
        write.tries += 1;
        let at = self.now + after;
        if at + PAUSE >= write.lease_ends {
            self.saw("write: was given up");
            self.disturb(write.run);
            self.excuse(write.run);
            let (badge, hand) = (write.badge, write.hand);
            let event = Event::WriteLost;
            self.put(at, Happening::Heard { badge, hand, event });
        } else {
            self.put(at + PAUSE, Happening::Retry(write));
        }
    }
}
