//! What must hold at any moment: after each step that touches a run, what the store says of it
//! is held against what was seen of it before, and against what really happened at the provider.

use futures_util::FutureExt;
use tarsify_domain::execution::{
    Attempt, AttemptState, Claim, Claimed, EventKind, ExecutionReport, ExecutionRepository,
    ExecutionStatus, Stage, TokenHash, Work,
};
use tarsify_engine::StoredEvent;

use super::network::place;
use super::run::Try;
use super::time::{Micros, SECOND, since_start};
use super::worker::{LEASE, Paper, Write};
use super::world::{Lawful, Violation, World, rule};

impl World {
    /// What the store says of a run, held against everything that is known of it.
    pub(super) fn audit(&mut self, run: usize) -> Lawful {
        let id = self.runs[run].id.unwrap();
        let report = self.store.find_report(id).now_or_never().unwrap();
        let report = report.map_err(|error| self.store_failed(run, &error))?;
        let Some(report) = report else {
            return rule(false, "what was accepted is kept", run, String::new);
        };
        self.audit_move(run, &report)?;
        self.audit_frozen(run, &report)?;
        self.audit_attempts(run, &report)?;
        let events = self.store.events(id);
        audit_events(run, &report, &events, self.runs[run].events)?;
        self.runs[run].events = events.len();
        self.audit_charge(run, &report)?;
        self.audit_end(run, &report)
    }

    fn audit_move(&mut self, run: usize, report: &ExecutionReport) -> Lawful {
        let its = &mut self.runs[run];
        let (from, to) = (its.stage, report.stage);
        let (before, status) = (its.status, report.execution.summary.status);
        its.stage = to;
        its.status = status;
        if from != to {
            rule(from.may_become(to), "stages only go forward", run, || {
                format!("from {from:?} to {to:?}")
            })?;
            self.coverage.moved(from, to);
        }
        let expected = to.status();
        let fits = expected.map_or(status.is_terminal(), |expected| expected == status);
        rule(
            fits && status >= before,
            "a status never goes back",
            run,
            || format!("from {before:?} to {status:?} at {to:?}"),
        )
    }

    fn audit_frozen(&self, run: usize, report: &ExecutionReport) -> Lawful {
        let its = &self.runs[run];
        let execution = &report.execution;
        let is_free =
            its.plan.requester.kind() == tarsify_domain::execution::ExecutionKind::TestRun;
        let price = its.model.as_ref().map(|model| model.price);
        let frozen = (is_free || price == Some(execution.summary.price))
            && execution.inputs == its.plan.inputs
            && since_start(report.deadline_at) == its.deadline_at
            && since_start(execution.summary.created_at) == its.accepted_at;
        rule(frozen, "price, inputs and deadline are frozen", run, || {
            format!("{report:?}")
        })?;
        let until = report.lease_until.map(since_start);
        let latest = self.now + LEASE;
        rule(
            until.is_none_or(|until| until <= latest),
            "E9: no lease is more than 30 s ahead",
            run,
            || format!("{until:?} at {}", self.now),
        )?;
        rule(
            until == its.leased_until,
            "a lease is what was leased",
            run,
            || format!("{until:?} instead of {:?}", its.leased_until),
        )
    }

    fn audit_attempts(&mut self, run: usize, report: &ExecutionReport) -> Lawful {
        let count = self.runs[run].tries.len();
        rule(
            count == report.attempts.len(),
            "every attempt is made by a claim",
            run,
            || format!("{count} were claimed, {} stored", report.attempts.len()),
        )?;
        for (index, stored) in report.attempts.iter().enumerate() {
            let stored = &stored.attempt;
            rule(
                place(stored.number) == index,
                "attempts are counted",
                run,
                || format!("{stored:?}"),
            )?;
            let its = &mut self.runs[run].tries[index];
            if its.stored.as_ref() == Some(stored) {
                continue;
            }
            let before = its.stored.replace(stored.clone());
            let token = its.token;
            self.audit_attempt(run, (before.as_ref(), stored), token)?;
        }
        let state = |wanted: AttemptState| {
            let states = report.attempts.iter().map(|stored| stored.attempt.state);
            states.filter(|state| *state == wanted).count()
        };
        rule(
            state(AttemptState::Won) <= 1,
            "E6: at most one attempt wins",
            run,
            || format!("{:?}", report.attempts),
        )?;
        let most = usize::try_from(self.policy.max_lost).unwrap();
        rule(
            state(AttemptState::Lost) <= most,
            "no more attempts than two are lost",
            run,
            || format!("{:?}", report.attempts),
        )
    }

    fn audit_attempt(
        &mut self,
        run: usize,
        (before, stored): (Option<&Attempt>, &Attempt),
        token: TokenHash,
    ) -> Lawful {
        use AttemptState::{Over, Refused, Undone, Won};
        let said = || format!("from {before:?} to {stored:?}");
        if let Some(before) = before {
            let is_final = matches!(before.state, Undone | Refused | Won | Over);
            rule(
                !is_final || before.state == stored.state,
                "an attempt ends once",
                run,
                said,
            )?;
            let keeps_job = before.job.is_none() || before.job == stored.job;
            rule(keeps_job, "a known job is never forgotten", run, said)?;
        }
        let mut made = self.runs[run].jobs.iter().map(|job| &self.cloud.jobs[*job]);
        let is_made = made.any(|job| job.token == token);
        rule(
            !is_made || !matches!(stored.state, Undone | Refused),
            "what had no effect made no job",
            run,
            said,
        )?;
        let Some(job) = &stored.job else {
            return Ok(());
        };
        let truth = self.cloud.find(job);
        rule(
            truth.is_some_and(|truth| truth.run == run && truth.token == token),
            "an attempt's job is the one that was made for it",
            run,
            said,
        )?;
        let holder = self.holders.insert(job.clone(), (run, stored.number));
        rule(
            holder.is_none_or(|holder| holder == (run, stored.number)),
            "E6: a job belongs to one attempt",
            run,
            said,
        )
    }

    /// Whether a claim leased what it may, as it should.
    pub(super) fn check_claimed(&mut self, claim: &Claim, claimed: &[Claimed]) -> Lawful {
        for its in claimed {
            let run = self.by_id[&its.lease.id];
            self.tell(run, || {
                let state = &its.state;
                let cancel = if state.is_cancel_requested {
                    ", to be cancelled"
                } else {
                    ""
                };
                format!(
                    "leased as {}: {:?}, strike {}{cancel}, {}",
                    its.lease.epoch,
                    state.stage,
                    state.strikes,
                    brief(&state.attempts)
                )
            });
            let is_bounded = claimed.len() <= usize::try_from(claim.limit).unwrap();
            rule(is_bounded, "a claim has a limit", run, || {
                format!("{}", claimed.len())
            })?;
            self.check_lease(run, its, claim)?;
            match &claim.work {
                Work::Submit(tokens) => self.check_submission(run, its, tokens)?,
                Work::Look => {
                    let is_right = self.runs[run].stage != Stage::Created;
                    rule(
                        is_right && its.submission.is_none(),
                        "a look is no submission",
                        run,
                        || format!("{its:?}"),
                    )?;
                }
                Work::Sweep => {
                    let is_late = self.runs[run].deadline_at <= self.now;
                    rule(
                        is_late && self.runs[run].end.is_none(),
                        "only what is late is swept",
                        run,
                        || format!("{its:?}"),
                    )?;
                }
            }
            self.audit(run)?;
        }
        Ok(())
    }

    fn check_lease(&mut self, run: usize, claimed: &Claimed, claim: &Claim) -> Lawful {
        let now = self.now;
        let its = &mut self.runs[run];
        let until = its.leased_until;
        rule(
            until.is_none_or(|until| until <= now),
            "one worker has a run at a time",
            run,
            || format!("it was leased until {until:?}, now it is {now}"),
        )?;
        its.strikes += 1;
        let fits = claimed.lease.epoch == its.epoch + 1
            && claimed.state.strikes == its.strikes
            && claimed.state.is_cancel_requested == its.cancel_asked.is_some();
        let told = format!("epoch {}, strikes {}", its.epoch, its.strikes);
        its.epoch = claimed.lease.epoch;
        its.leased_until = Some(now + Micros::try_from(claim.lease.as_micros()).unwrap());
        its.is_woken = false;
        rule(fits, "a claim tells what is so", run, || {
            format!("{told}: {claimed:?}")
        })
    }

    fn check_submission(&mut self, run: usize, claimed: &Claimed, tokens: &[TokenHash]) -> Lawful {
        let its = &self.runs[run];
        let said = || format!("{claimed:?}");
        let is_due = its.stage == Stage::Created && self.now < its.deadline_at;
        rule(
            is_due,
            "only what is created and not late is submitted",
            run,
            said,
        )?;
        for stored in its.tries.iter().filter_map(|its| its.stored.as_ref()) {
            let is_over = match stored.state {
                AttemptState::Undone => true,
                AttemptState::Lost => since_start(stored.called_at) + 90 * SECOND <= self.now,
                _ => false,
            };
            rule(
                is_over,
                "an attempt follows what had no effect or was long awaited",
                run,
                || format!("{stored:?}"),
            )?;
        }
        let fits = claimed
            .submission
            .as_ref()
            .is_some_and(|(token, material)| {
                tokens.contains(token) && material.payload == its.plan.payload
            });
        let attempts = &claimed.state.attempts;
        let newest = attempts.last().map(|attempt| attempt.state);
        let is_counted = attempts.len() == its.tries.len() + 1;
        rule(
            fits && is_counted && newest == Some(AttemptState::Calling),
            "an attempt is recorded before its call",
            run,
            said,
        )?;
        let token = claimed.submission.as_ref().unwrap().0;
        let number = u32::try_from(attempts.len()).unwrap();
        let owner = self.owners.insert(token, (run, number));
        rule(
            owner.is_none(),
            "a token belongs to one attempt",
            run,
            || format!("{owner:?}"),
        )?;
        self.runs[run].tries.push(Try {
            token,
            calls: 0,
            callbacks: 0,
            was_adopted: false,
            stored: None,
        });
        Ok(())
    }

    /// Whether the provider may be called for an attempt.
    pub(super) fn may_call(&mut self, run: usize, attempt: u32, token: TokenHash) -> Lawful {
        let owner = self.owners.get(&token).copied();
        rule(
            owner == Some((run, attempt)),
            "a token belongs to one attempt",
            run,
            || format!("{owner:?} instead of {run}, {attempt}"),
        )?;
        let its = &mut self.runs[run].tries[place(attempt)];
        its.calls += 1;
        let calls = its.calls;
        rule(calls == 1, "an attempt is one call", run, || {
            format!("{calls} calls")
        })
    }

    /// Whether there may be so many jobs.
    pub(super) fn may_have_jobs(&self, run: usize) -> Lawful {
        let its = &self.runs[run];
        let most = 1 + usize::try_from(its.excuses).unwrap();
        rule(
            its.jobs.len() <= most,
            "one job, and one more for each fault",
            run,
            || format!("{} jobs after {} faults", its.jobs.len(), its.excuses),
        )
    }

    /// Whether a write that the store took may have been made.
    pub(super) fn may_write(
        &self,
        run: usize,
        write: &Write,
        is_due: bool,
    ) -> Result<(), Violation> {
        let its = &self.runs[run];
        let epoch = write.lease().epoch;
        rule(
            epoch == its.epoch,
            "a void lease writes nothing",
            run,
            || format!("epoch {epoch} wrote, {} is the latest", its.epoch),
        )?;
        rule(
            its.leased_until.is_some(),
            "a lease writes once",
            run,
            || format!("epoch {epoch} wrote again"),
        )?;
        let rests = matches!(
            &write.paper,
            Paper::Advance(advance)
                if advance.then == tarsify_domain::execution::Then::Rest
        );
        let is_settle = matches!(&write.paper, Paper::Settle(_));
        rule(
            rests || is_settle || is_due || !its.is_woken,
            "who wants attention gets it",
            run,
            String::new,
        )
    }
}

/// E3 and E4, and that each thing happens once.
fn audit_events(
    run: usize,
    report: &ExecutionReport,
    events: &[StoredEvent],
    known: usize,
) -> Lawful {
    let said = || {
        let kinds: Vec<_> = events.iter().map(|event| (event.seq, event.kind)).collect();
        format!("{kinds:?}, {known} were known")
    };
    let is_terminal = |kind: EventKind| {
        matches!(
            kind,
            EventKind::Completed | EventKind::Failed | EventKind::TimedOut | EventKind::Cancelled
        )
    };
    let seqs = events.iter().zip(1..);
    let is_counted = seqs.into_iter().all(|(event, seq)| event.seq == seq);
    rule(
        is_counted && events.len() >= known,
        "E4: events are 1 to n",
        run,
        said,
    )?;
    let count = |wanted: EventKind| events.iter().filter(|event| event.kind == wanted).count();
    let terminal = events
        .iter()
        .filter(|event| is_terminal(event.kind))
        .count();
    let last = events.last().map(|event| event.kind);
    let status = report.execution.summary.status;
    let expected = match status {
        ExecutionStatus::Completed => Some(EventKind::Completed),
        ExecutionStatus::Failed => Some(EventKind::Failed),
        ExecutionStatus::TimedOut => Some(EventKind::TimedOut),
        ExecutionStatus::Cancelled => Some(EventKind::Cancelled),
        ExecutionStatus::Pending | ExecutionStatus::Queued | ExecutionStatus::Running => None,
    };
    let ends_right = match expected {
        Some(kind) => terminal == 1 && last == Some(kind),
        None => terminal == 0,
    };
    rule(ends_right, "E3: one terminal event, the last", run, said)?;
    let begins_right = events
        .first()
        .is_some_and(|event| event.kind == EventKind::Queued);
    let is_once = count(EventKind::Queued) == 1
        && count(EventKind::Accepted) <= 1
        && count(EventKind::Started) <= 1;
    let mut progress = events
        .iter()
        .filter(|event| event.kind == EventKind::Progress)
        .map(|event| &event.data);
    let mut before = progress.next();
    let is_new = progress.all(|data| before.replace(data) != Some(data));
    rule(
        begins_right && is_once && is_new,
        "what happens is told once",
        run,
        said,
    )
}

pub(super) fn brief(attempts: &[Attempt]) -> String {
    let attempts = attempts.iter().map(|attempt| {
        let job = attempt.job.as_ref().map_or("no job", |job| job.as_str());
        format!("[{} {:?} {job}]", attempt.number, attempt.state)
    });
    attempts.collect()
}
