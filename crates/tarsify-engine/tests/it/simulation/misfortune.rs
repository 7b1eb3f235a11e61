//! What befalls workers: they are killed, stopped for a while, and stopped by what they work on.

use tarsify_domain::execution::Stage;

use super::time::{MILLI, SECOND};
use super::worker::{Badge, LEASE, Life};
use super::world::{Happening, Lawful, Violation, World, rule};

impl World {
    /// Whether the worker is struck down right now, or stopped.
    pub(super) fn is_struck(&mut self, badge: Badge) -> Result<bool, Violation> {
        if self.dice.chance(self.weather.kill) {
            self.kill(badge.worker)?;
            return Ok(true);
        }
        if self.dice.chance(self.weather.pause) {
            self.pause(badge.worker)?;
        }
        Ok(false)
    }

    /// The execution stops whoever has it in hand: the task alone, or the process.
    pub(super) fn poisoned(&mut self, badge: Badge, number: u64) -> Lawful {
        let Some(hand) = self.workers[badge.worker].hands.remove(&number) else {
            return Ok(());
        };
        self.saw("poison: it stopped its worker");
        let run = &mut self.runs[hand.run];
        run.crashes += 1;
        let (crashes, strikes) = (run.crashes, hand.strikes);
        let most = self.policy.max_strikes;
        rule(
            strikes <= most,
            "what stops its workers is quarantined",
            hand.run,
            || format!("it stopped them {crashes} times, {strikes} in a row"),
        )?;
        self.disturb(hand.run);
        self.excuse(hand.run);
        self.tell(hand.run, || "poison stops its worker".to_owned());
        if self.dice.chance(200) {
            return self.kill(badge.worker);
        }
        Ok(())
    }

    pub(super) fn kill(&mut self, number: usize) -> Lawful {
        let worker = &mut self.workers[number];
        if worker.life == Life::Dead {
            return Ok(());
        }
        worker.life = Life::Dead;
        worker.incarnation += 1;
        let hands = std::mem::take(&mut worker.hands);
        let parked = std::mem::take(&mut worker.parked);
        for hand in hands.into_values() {
            self.disturb(hand.run);
            self.excuse(hand.run);
            self.tell(hand.run, || format!("worker {number} is killed"));
        }
        for what in parked {
            self.in_vain(what);
        }
        let after = self.dice.between(500 * MILLI, 20 * SECOND);
        self.put_in(after, Happening::Revive(number));
        self.muster();
        Ok(())
    }

    pub(super) fn revive(&mut self, number: usize) -> Lawful {
        let worker = &mut self.workers[number];
        worker.life = Life::Awake;
        let incarnation = worker.incarnation;
        let badge = Badge {
            worker: number,
            incarnation,
        };
        self.muster();
        self.put_in(MILLI, Happening::Tick(badge));
        Ok(())
    }

    pub(super) fn pause(&mut self, number: usize) -> Lawful {
        let worker = &mut self.workers[number];
        if worker.life != Life::Awake {
            return Ok(());
        }
        worker.life = Life::Paused;
        worker.paused_at = self.now;
        let runs: Vec<_> = worker.hands.values().map(|hand| hand.run).collect();
        for run in runs {
            self.disturb(run);
            self.excuse(run);
            self.tell(run, || format!("worker {number} is stopped"));
        }
        let after = self
            .dice
            .pick(&[2 * SECOND, 10 * SECOND, 40 * SECOND, 100 * SECOND]);
        self.put_in(after, Happening::Resume(number));
        self.muster();
        Ok(())
    }

    pub(super) fn resume(&mut self, number: usize) -> Lawful {
        let worker = &mut self.workers[number];
        if worker.life != Life::Paused {
            return Ok(());
        }
        worker.life = Life::Awake;
        let is_within = self.now < worker.paused_at + LEASE && !worker.hands.is_empty();
        let runs: Vec<_> = worker.hands.values().map(|hand| hand.run).collect();
        let parked = std::mem::take(&mut worker.parked);
        for run in runs {
            self.disturb(run);
            self.tell(run, || format!("worker {number} goes on"));
        }
        if is_within {
            self.saw("worker: stopped and went on within its lease");
        }
        for what in parked {
            self.put_in(MILLI, what);
        }
        self.muster();
        Ok(())
    }

    /// Notes since when some worker has been at work.
    fn muster(&mut self) {
        let is_staffed = self.workers.iter().any(|worker| worker.life == Life::Awake);
        if !is_staffed {
            self.saw("worker: all were down");
            self.staffed_since = None;
        } else if self.staffed_since.is_none() {
            self.staffed_since = Some(self.now);
        }
    }

    /// A fault of ours or of the store has hit the run.
    pub(super) fn disturb(&mut self, run: usize) {
        self.runs[run].disturbed_at = self.now;
    }

    /// The fault may have cost a job: a call may have been made of which nobody wrote.
    pub(super) fn excuse(&mut self, run: usize) {
        if self.runs[run].stage == Stage::Submitting {
            self.runs[run].excuses += 1;
        }
    }
}
