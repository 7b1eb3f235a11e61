//! How runs end: truly as it is told, once, in time, and with nothing left behind.

use futures_util::FutureExt;
use serde_json::{Map, Value};
use tarsify_domain::execution::{
    AttemptState, EndReason, Ending, ExecutionKind, ExecutionQueue, ExecutionReport,
    ExecutionStatus, Stage,
};

use super::cloud::{CloudJob, Fate};
use super::misdeed::ending_of;
use super::time::{Micros, SECOND};
use super::world::{Happening, Lawful, Violation, World, rule};

impl World {
    pub(super) fn audit_end(&mut self, run: usize, report: &ExecutionReport) -> Lawful {
        let execution = &report.execution;
        let is_restless = report.stage == Stage::Ended && report.next_action_at.is_some();
        if is_restless {
            self.restless.insert(run);
        } else {
            self.restless.remove(&run);
        }
        let its = &mut self.runs[run];
        if let Some(end) = &its.end {
            return rule(end == execution, "an end never changes", run, || {
                format!("from {end:?} to {execution:?}")
            });
        }
        let Some(ending) = ending_of(execution.summary.status) else {
            return rule(
                its.bookings == 0,
                "nothing is booked before the end",
                run,
                String::new,
            );
        };
        its.end = Some(execution.clone());
        its.ended_at = self.now;
        let bookings = its.bookings;
        self.open -= 1;
        rule(bookings == 1, "an end is booked once", run, || {
            format!("{bookings} times")
        })?;
        self.book_end(run, ending);
        self.coverage.ended(ending, execution.summary.reason);
        self.judge(run, ending, report)?;
        self.put_in(60 * SECOND, Happening::OrphansMustBeSeenTo { run });
        self.note_end(run, ending, report);
        Ok(())
    }

    fn jobs_of(&self, run: usize) -> impl Iterator<Item = &CloudJob> {
        let jobs = self.runs[run].jobs.iter();
        jobs.map(|job| &self.cloud.jobs[*job])
    }

    /// Whether the end is what really happened.
    fn judge(&mut self, run: usize, ending: Ending, report: &ExecutionReport) -> Lawful {
        let now = self.now;
        let its = &self.runs[run];
        let summary = &report.execution.summary;
        let output = report.execution.output.as_ref();
        let fell = |fate: &Fate| {
            self.jobs_of(run)
                .any(|job| job.met_fate(now) && job.fate == *fate)
        };
        let is_true = match (ending, summary.reason) {
            (Ending::Completed, None) => {
                let winner = report.attempts.iter().map(|stored| &stored.attempt);
                let mut winner = winner.filter(|attempt| attempt.state == AttemptState::Won);
                let job = winner.next().and_then(|attempt| attempt.job.as_ref());
                let job = job.and_then(|job| self.cloud.find(job));
                let made = job.filter(|job| job.run == run && job.met_fate(now));
                let is_made = made.is_some_and(|job| match &job.fate {
                    Fate::Makes(made) => output == Some(made),
                    _ => false,
                });
                rule(
                    output.is_some_and(|output| !output.is_null()),
                    "E7: what completed has an output",
                    run,
                    || format!("{summary:?}"),
                )?;
                is_made && summary.message.is_none()
            }
            (Ending::Failed, Some(reason)) => match reason {
                EndReason::ProviderError => fell(&Fate::Fails),
                EndReason::Refused => its.refusals > 0,
                EndReason::OutputMissing => fell(&Fate::MakesNothing),
                EndReason::OutputTooLarge => fell(&Fate::MakesTooMuch),
                EndReason::OutputUnreadable => self.jobs_of(run).any(|job| job.garbled >= 5),
                EndReason::Lost => {
                    let mut missed = self.jobs_of(run).filter_map(|job| job.missed);
                    // An answer takes up to 20 s to be heard, and longer by a worker that is stopped.
                    missed.any(|(first, last)| {
                        last >= first + 40 * SECOND || its.disturbed_at >= first
                    })
                }
                EndReason::Quarantined => its.strikes_before > self.policy.max_strikes,
                _ => false,
            },
            (Ending::TimedOut, Some(EndReason::ProviderTimeout)) => fell(&Fate::TakesTooLong),
            (Ending::TimedOut, Some(EndReason::Deadline)) => now >= its.deadline_at,
            (Ending::Cancelled, Some(EndReason::CancelledByCaller)) => its.cancel_asked.is_some(),
            (Ending::Cancelled, Some(EndReason::CancelledByProvider)) => fell(&Fate::IsCalledOff),
            _ => false,
        };
        let has_output = output.is_some() == (ending == Ending::Completed);
        let has_message = summary.message.is_some() == (ending != Ending::Completed);
        rule(
            is_true && has_output && has_message,
            "an end is what really happened",
            run,
            || {
                let jobs: Vec<_> = self.jobs_of(run).map(|job| (&job.id, &job.fate)).collect();
                format!("{ending:?} {:?} {output:?}, jobs {jobs:?}", summary.reason)
            },
        )
    }

    fn note_end(&mut self, run: usize, ending: Ending, report: &ExecutionReport) {
        let now = self.now;
        let reason = report.execution.summary.reason;
        let is_alive = self.jobs_of(run).any(|job| job.is_alive(now));
        let was_stopped = self.jobs_of(run).any(CloudJob::was_stopped_by_us);
        let its = &self.runs[run];
        if its.cancel_asked.is_some() {
            match ending {
                Ending::Cancelled if is_alive || was_stopped => {
                    self.saw("cancel: won over a job that was alive");
                }
                Ending::Cancelled => {
                    let newest = report.attempts.last().map(|stored| stored.attempt.state);
                    let calls = self.runs[run].tries.last().map_or(0, |its| its.calls);
                    if newest == Some(AttemptState::Undone) && calls == 0 {
                        self.saw("cancel: an attempt was dropped before its call");
                    }
                }
                Ending::Completed => self.saw("cancel: completion won"),
                Ending::Failed | Ending::TimedOut => self.saw("cancel: another end won"),
            }
        }
        match (ending, reason) {
            (Ending::Completed, _) => self.note_completion(run, report),
            (_, Some(EndReason::Deadline)) => {
                if report.attempts.is_empty() {
                    self.saw("deadline: one was never submitted");
                } else if report
                    .attempts
                    .iter()
                    .any(|stored| stored.attempt.job.is_some())
                {
                    self.saw("deadline: one was at the provider");
                }
                if self.jobs_of(run).any(|job| job.fate == Fate::Sticks) {
                    self.saw("job: one stuck until its run's deadline");
                }
            }
            (_, Some(EndReason::Lost)) => {
                self.saw("job: the provider forgot it and the run ended as lost");
            }
            (_, Some(EndReason::Quarantined)) => {
                self.saw("poison: it was quarantined and the others went on");
            }
            _ => {}
        }
    }

    fn note_completion(&mut self, run: usize, report: &ExecutionReport) {
        let now = self.now;
        let its = &self.runs[run];
        if now >= its.deadline_at {
            self.saw("deadline: the last look found the result");
        }
        let its = &self.runs[run];
        let storms = &self.weather.storms;
        let stormy = storms
            .iter()
            .any(|(from, until)| its.accepted_at < *until && *from < now);
        if stormy {
            self.saw("storm: a run lived through it and completed");
        }
        let attempts = report.attempts.iter().map(|stored| &stored.attempt);
        let winner = attempts
            .clone()
            .find(|attempt| attempt.state == AttemptState::Won);
        let Some(winner) = winner else { return };
        let is_falsy = |output: &serde_json::Value| {
            matches!(
                output.to_string().as_str(),
                "false" | "\"\"" | "[]" | "0" | "{}"
            )
        };
        if report.execution.output.as_ref().is_some_and(is_falsy) {
            self.saw("job: a falsy output is a result");
        }
        let truth = winner.job.as_ref().and_then(|job| self.cloud.find(job));
        if truth.is_some_and(|truth| truth.missed.is_some()) {
            self.saw("job: it was unknown for a while and completed");
        }
        let called = |number: &u32| self.runs[run].tries[super::network::place(*number)].calls > 0;
        let numbers = attempts.filter(|its| its.state != AttemptState::Undone);
        let others: Vec<_> = numbers.map(|its| its.number).filter(called).collect();
        if others.iter().any(|other| *other < winner.number) {
            self.saw("job: the second attempt's won after the first was lost");
        }
        if others.iter().any(|other| *other > winner.number) {
            self.saw("job: the first attempt's won after a second was made");
        }
        let completed = self.jobs_of(run);
        let completed =
            completed.filter(|job| job.met_fate(now) && matches!(job.fate, Fate::Makes(_)));
        if completed.count() > 1 {
            self.saw("job: two completed and one won");
        }
        if self.runs[run].tries[super::network::place(winner.number)].was_adopted {
            self.saw("job: an adopted one won");
        }
    }

    /// Since when nothing has been in the way of a run.
    fn undisturbed_since(&self, run: usize) -> Option<Micros> {
        let staffed = self.staffed_since?;
        let store = self.weather.store_up_since(self.now);
        Some(self.runs[run].disturbed_at.max(staffed).max(store))
    }

    /// E5.
    pub(super) fn must_have_ended(&mut self, run: usize) -> Lawful {
        if self.runs[run].end.is_some() {
            return Ok(());
        }
        let its = &self.runs[run];
        let since = self
            .undisturbed_since(run)
            .map(|since| since.max(its.deadline_at));
        let due = since.map_or(self.now, |since| since + 60 * SECOND);
        if since.is_some() && due < self.now {
            return rule(
                false,
                "E5: nothing is open a minute past its deadline",
                run,
                || {
                    format!(
                        "{:?}, nothing was in its way since {since:?}",
                        self.runs[run].stage
                    )
                },
            );
        }
        self.put(due.max(self.now) + SECOND, Happening::MustHaveEnded { run });
        Ok(())
    }

    pub(super) fn cancel_must_be_heard(&mut self, run: usize) -> Lawful {
        if self.runs[run].end.is_some() {
            return Ok(());
        }
        let asked = self.runs[run].cancel_asked.unwrap_or(self.now);
        let since = self.undisturbed_since(run).map(|since| since.max(asked));
        let due = since.map_or(self.now, |since| since + 90 * SECOND);
        if since.is_some() && due < self.now {
            return rule(false, "a wish to cancel is heard", run, || {
                format!(
                    "{:?}, nothing was in its way since {since:?}",
                    self.runs[run].stage
                )
            });
        }
        self.put(
            due.max(self.now) + SECOND,
            Happening::CancelMustBeHeard { run },
        );
        Ok(())
    }

    /// A job that the store knows of is asked to stop when its run has ended without it.
    pub(super) fn orphans_must_be_seen_to(&mut self, run: usize) -> Lawful {
        let its = &self.runs[run];
        let grace = self
            .undisturbed_since(run)
            .map(|since| since.max(its.ended_at) + 60 * SECOND);
        let known = its
            .tries
            .iter()
            .filter_map(|its| its.stored.as_ref()?.job.as_ref());
        let mut left = known.filter_map(|job| self.cloud.find(job));
        let left = left.find(|job| {
            // What the provider says it does not know cannot be stopped.
            job.missed.is_none()
                && job.stops == 0
                && job.stop_tries < 2
                && job.lives_until() > its.ended_at + 60 * SECOND
                && job.is_alive(self.now)
        });
        let Some(left) = left else {
            return Ok(());
        };
        let is_late = grace.is_some_and(|grace| grace <= self.now);
        let orphan = left.id.clone();
        rule(!is_late, "orphans are called off", run, || {
            format!("{orphan:?} works for nobody")
        })?;
        self.put_in(5 * SECOND, Happening::OrphansMustBeSeenTo { run });
        Ok(())
    }

    /// What must hold when everything has come to rest.
    pub(super) fn look_back(&mut self) -> Lawful {
        for run in 0..self.runs.len() {
            if self.runs[run].id.is_none() {
                continue;
            }
            self.audit(run)?;
            let its = &self.runs[run];
            rule(
                its.end.is_some(),
                "everything comes to its end",
                run,
                || format!("{:?}", its.stage),
            )?;
            let bookings = its.bookings;
            rule(bookings == 1, "an end is booked once", run, || {
                format!("{bookings} times")
            })?;
            let mut states = its.tries.iter().filter_map(|its| its.stored.as_ref());
            let left = states.find(|stored| stored.state == AttemptState::Orphaned);
            rule(left.is_none(), "orphans are called off", run, || {
                format!("{left:?}")
            })?;
            let is_early = its.end.as_ref().is_some_and(|end| {
                end.summary.status == ExecutionStatus::Cancelled && its.tries.is_empty()
            });
            rule(
                !is_early || its.jobs.is_empty(),
                "what was called off before its call is never sent",
                run,
                String::new,
            )?;
            let material = self.material(run)?;
            rule(
                material == Some(self.runs[run].plan.payload.clone()),
                "price, inputs and deadline are frozen",
                run,
                || format!("{material:?}"),
            )?;
        }
        self.count_ended()
    }

    fn material(&self, run: usize) -> Result<Option<Map<String, Value>>, Violation> {
        let id = self.runs[run].id.unwrap();
        let material = self.store.find_material(id).now_or_never().unwrap();
        let material = material.map_err(|error| self.store_failed(run, &error))?;
        Ok(material.map(|material| material.payload))
    }

    /// Every run that completed is counted for its model, once.
    fn count_ended(&mut self) -> Lawful {
        let tally = || self.store.tally(7).now_or_never().unwrap();
        while tally().map_err(|error| self.store_failed(0, &error))? > 0 {}
        for (number, model) in self.models.iter().enumerate() {
            let runs = self.runs.iter();
            let ended = runs.filter(|run| {
                let is_run = run.plan.requester.kind() == ExecutionKind::Run;
                let end = run
                    .end
                    .as_ref()
                    .filter(|_| is_run && run.plan.model == number);
                end.is_some_and(|end| end.summary.status == ExecutionStatus::Completed)
            });
            let ended = u64::try_from(ended.count()).unwrap();
            let counted = self.store.runs_of_model(model.id);
            rule(
                counted == ended,
                "what completed is counted once",
                0,
                || format!("{counted} were counted, {ended} have completed"),
            )?;
        }
        Ok(())
    }
}
