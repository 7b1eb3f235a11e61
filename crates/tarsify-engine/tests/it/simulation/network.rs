//! What is between the workers, the provider and the store: calls, writes and callbacks arrive
//! or do not, and so do their answers.

use futures_util::FutureExt;
use serde_json::json;
use tarsify_domain::execution::{ExecutionQueue, Known, ProviderJobId, Stage, TokenHash, Written};
use tarsify_engine::machine::{Event, Question};
use tarsify_engine::provider::{StopAnswer, SubmitAnswer};

use super::audit::brief;
use super::bug::Bug;
use super::cloud::{Order, PATIENCE, Reply};
use super::time::{HOUR, MILLI, Micros, SECOND};
use super::worker::{Call, Paper, Write};
use super::world::{Happening, Lawful, Violation, World, rule};

/// A callback as it arrives at our door.
pub(super) struct Callback<'a> {
    pub(super) run: usize,
    pub(super) token: TokenHash,
    pub(super) job: Option<&'a ProviderJobId>,
    pub(super) body: serde_json::Value,
}

impl World {
    pub(super) fn at_provider(&mut self, call: Call) -> Lawful {
        let now = self.now;
        let (event, after) = match &call.question {
            Question::Submit { attempt } => {
                let Reply { answer, after, .. } = self.submitted(&call, *attempt)?;
                (Event::Submitted(answer), after)
            }
            Question::Look { job, .. } => {
                let Reply { answer, after, .. } =
                    self.cloud.look(job, now, (&self.weather, &mut self.dice));
                (Event::Looked(answer), after)
            }
            Question::Stop { job, .. } => {
                let Reply { answer, after, .. } =
                    self.cloud.stop(job, now, (&self.weather, &mut self.dice));
                self.note_stop(call.run, job, answer);
                (Event::Stopped(answer), after)
            }
        };
        let (badge, hand) = (call.badge, call.hand);
        self.put_in(after, Happening::Heard { badge, hand, event });
        Ok(())
    }

    fn submitted(&mut self, call: &Call, attempt: u32) -> Result<Reply<SubmitAnswer>, Violation> {
        let run = call.run;
        let token = call.token.unwrap();
        self.may_call(run, attempt, token)?;
        if self.runs[run].cancel_asked.is_some() {
            self.saw("cancel: while the call was on its way");
        }
        let model = self.runs[run].model.as_ref().unwrap();
        let order = Order {
            run,
            token,
            is_bad: self.runs[run].plan.is_bad,
            lives_for: call.lives_for,
            timeout: Micros::from(model.base_model.timeout_seconds) * SECOND,
        };
        let mut reply = self
            .cloud
            .submit(&order, self.now, (&self.weather, &mut self.dice));
        let patience = (call.asked_at + PATIENCE).saturating_sub(self.now);
        if reply.after > patience {
            reply.after = patience;
            if !matches!(reply.answer, SubmitAnswer::Undone { .. }) {
                reply.answer = SubmitAnswer::Lost;
            }
        }
        match reply.answer {
            SubmitAnswer::Refused => self.runs[run].refusals += 1,
            SubmitAnswer::Lost => self.runs[run].excuses += 1,
            SubmitAnswer::Accepted(_) | SubmitAnswer::Undone { .. } => {}
        }
        if let Some(job) = reply.job {
            let id = self.cloud.jobs[job].id.clone();
            self.tell(run, || format!("the provider makes {id:?}"));
            self.runs[run].jobs.push(job);
            self.may_have_jobs(run)?;
            self.promise_callbacks(job);
        }
        Ok(reply)
    }

    fn promise_callbacks(&mut self, job: usize) {
        let until = self.cloud.jobs[job].lives_until();
        if !self.policy.has_callbacks || until > self.now + HOUR {
            return;
        }
        let deliveries = self.dice.pick(&[0, 1, 1, 1, 2, 3]);
        for _ in 0..deliveries {
            let late = self
                .dice
                .pick(&[5 * MILLI, 200 * MILLI, 5 * SECOND, 150 * SECOND]);
            let late = self.dice.between(MILLI, late);
            self.put(until + late, Happening::Callback { job, deliveries: 3 });
        }
    }

    fn note_stop(&mut self, run: usize, job: &ProviderJobId, answer: StopAnswer) {
        let now = self.now;
        let Some(job) = self.cloud.find(job) else {
            return;
        };
        let is_alive = job.is_alive(now);
        let is_done = answer == StopAnswer::Cancelled && !is_alive;
        if self.runs[run].end.is_some() && is_done {
            self.saw("job: one was stopped after its run had ended");
        }
        if is_alive && answer != StopAnswer::Unavailable {
            self.saw("job: one worked on though it was called off");
        }
    }

    pub(super) fn called_back(&mut self, job: usize, deliveries: u32) -> Lawful {
        let its = &self.cloud.jobs[job];
        if !its.calls_back(self.now) {
            return Ok(());
        }
        if self.weather.outage_end(self.now).is_some() {
            self.saw("callback: met an outage");
            if deliveries > 1 {
                let deliveries = deliveries - 1;
                self.put_in(10 * SECOND, Happening::Callback { job, deliveries });
            }
            return Ok(());
        }
        let (run, token, id) = (its.run, its.token, its.id.clone());
        let body = json!({"id": id.as_str(), "status": "COMPLETED"});
        let attempt = self.owners[&token].1;
        let before = self.runs[run].tries[place(attempt)].stored.clone();
        let before = before.unwrap();
        let heard = self.receive(Callback {
            run,
            token,
            job: Some(&id),
            body,
        })?;
        rule(
            heard.is_some_and(|known| known.attempt == attempt),
            "a good token names its attempt",
            run,
            || format!("{heard:?} instead of attempt {attempt}"),
        )?;
        let is_over = self.runs[run].end.is_some();
        let is_early = before.job.is_none() && self.runs[run].stage == Stage::Submitting;
        let is_again = self.runs[run].tries[place(attempt)].callbacks > 0;
        self.runs[run].tries[place(attempt)].callbacks += 1;
        self.saw(match (is_over, is_early, is_again) {
            (true, ..) => "callback: came after the end",
            (_, true, _) => "callback: came before the answer to the call",
            (.., true) => "callback: came twice",
            _ => "callback: came on time",
        });
        let after = &mut self.runs[run].tries[place(attempt)];
        let has_job = after
            .stored
            .as_ref()
            .is_some_and(|after| after.job.is_some());
        if before.job.is_none() && has_job {
            after.was_adopted = true;
            self.saw("callback: its job was adopted");
        }
        Ok(())
    }

    /// What the door does with a callback: it finds the attempt by the token, and has somebody
    /// look. The body is not looked at.
    pub(super) fn receive(&mut self, callback: Callback<'_>) -> Result<Option<Known>, Violation> {
        let Callback {
            run,
            token,
            job,
            body,
        } = callback;
        let id = self.runs[run].id.unwrap();
        let known = self.store.find_callback(id, &token).now_or_never().unwrap();
        let mut known = known.map_err(|error| self.store_failed(run, &error))?;
        if known.is_none() && self.has(Bug::NeedsNoToken) && !self.runs[run].tries.is_empty() {
            known = Some(Known {
                attempt: 1,
                has_job: false,
            });
        }
        let Some(known) = known else {
            return Ok(None);
        };
        if self.has(Bug::TrustsCallback) {
            self.runs[run].hearsay = body.get("output").cloned();
        }
        self.tell(run, || {
            format!("a callback for attempt {} tells {job:?}", known.attempt)
        });
        let hinted = self
            .store
            .hint(id, known.attempt, job)
            .now_or_never()
            .unwrap();
        hinted.map_err(|error| self.store_failed(run, &error))?;
        self.woke(run);
        self.audit(run)?;
        Ok(Some(known))
    }

    pub(super) fn at_store(&mut self, write: Write) -> Lawful {
        if self.weather.outage_end(self.now).is_some() {
            self.try_again(write, MILLI);
            return Ok(());
        }
        if self.dice.chance(self.weather.write_unsent) {
            self.saw("write: never reached the store and was repeated");
            let after = self.dice.between(10 * MILLI, 5 * SECOND);
            self.try_again(write, after);
            return Ok(());
        }
        let written = self.apply(&write)?;
        if self.dice.chance(self.weather.write_unheard) {
            let after = self.dice.between(10 * MILLI, 5 * SECOND);
            self.try_again(write, after);
            return Ok(());
        }
        let event = match written {
            Written::Refused if write.may_be_written && !self.has(Bug::BelievesRefusal) => {
                self.saw("write: was written unheard, and its repetition refused");
                Event::WriteLost
            }
            written => Event::Written(written),
        };
        self.answer_write(&write, event);
        Ok(())
    }

    fn answer_write(&mut self, write: &Write, event: Event) {
        let (badge, hand) = (write.badge, write.hand);
        let after = self.latency();
        self.put_in(after, Happening::Heard { badge, hand, event });
    }

    fn apply(&mut self, write: &Write) -> Result<Written, Violation> {
        let run = write.run;
        let lease = write.lease();
        let answer = match self.forged(&write.paper, run) {
            Paper::Advance(advance) => self.store.advance(&advance).now_or_never().unwrap(),
            Paper::Settle(settlement) => self.store.settle(&settlement).now_or_never().unwrap(),
        };
        let written = match answer {
            Ok(written) => written,
            Err(_) if self.has(Bug::NoCompareAndSet) => Written::Refused,
            Err(error) => return Err(self.store_failed(run, &error)),
        };
        self.tell(run, || match &write.paper {
            Paper::Advance(advance) => format!(
                "{written:?}: worker {} by {} from {:?} to {:?}, {:?}, {}",
                write.badge.worker,
                lease.epoch,
                advance.from,
                advance.to,
                advance.then,
                brief(&advance.attempts)
            ),
            Paper::Settle(settlement) => format!(
                "{written:?}: worker {} by {} ends it as {:?} {:?}, {}",
                write.badge.worker,
                lease.epoch,
                settlement.ending,
                settlement.reason,
                brief(&settlement.attempts)
            ),
        });
        let is_settle = matches!(write.paper, Paper::Settle(_));
        match written {
            Written::Applied { is_due } => {
                self.may_write(run, write, is_due)?;
                self.overdo(&write.paper, run);
                if write.tries > 0 {
                    self.saw("write: waited for the store and was written");
                }
                let its = &mut self.runs[run];
                its.strikes_before = std::mem::take(&mut its.strikes);
                its.leased_until = None;
                its.is_woken = false;
                its.bookings += u32::from(is_settle);
            }
            Written::Refused => {
                if self.has(Bug::BooksTwice) && is_settle {
                    self.runs[run].bookings += 1;
                }
                if lease.epoch < self.runs[run].epoch {
                    self.saw("worker: its lease was void and its write was refused");
                    let is_record = matches!(
                        &write.paper,
                        Paper::Advance(advance) if advance.to == Stage::Queued
                            && advance.from == Stage::Submitting
                    );
                    if is_record && !write.may_be_written {
                        self.saw("worker: a zombie called off the job it alone knew");
                    }
                }
            }
        }
        self.audit(run)?;
        Ok(written)
    }

    /// Somebody wanted attention for the run.
    pub(super) fn woke(&mut self, run: usize) {
        let now = self.now;
        let its = &mut self.runs[run];
        its.is_woken |= its.end.is_none() && its.leased_until.is_some_and(|until| until > now);
    }

    pub(super) fn store_failed(&self, run: usize, error: &dyn std::fmt::Debug) -> Violation {
        Violation {
            rule: "the store does not fail by itself",
            run: Some(run),
            said: format!("{error:?}"),
        }
    }
}

pub(super) fn place(number: u32) -> usize {
    usize::try_from(number).unwrap() - 1
}
