//! Leasing executions, in the order in which they should be served.

use std::collections::HashMap;

use tarsify_domain::Timestamp;
use tarsify_domain::catalog::endpoint::EndpointLimits;
use tarsify_domain::execution::{
    Attempt, AttemptState, Audience, Claim, Claimed, Stage, TokenHash, Work,
};
use tarsify_domain::id::{EndpointId, ExecutionId};

use super::row::{Row, Tried};
use super::schedule::Lines;
use super::table::Table;

impl Table {
    pub(super) fn claim(&mut self, now: Timestamp, claim: &Claim) -> Vec<Claimed> {
        self.schedule.wake(now);
        match &claim.work {
            Work::Submit(tokens) => {
                let most = number(claim.limit).min(tokens.len());
                let chosen = self.choose(now, &self.schedule.created, claim, most);
                let tokens = tokens.iter().copied();
                let pairs = chosen.into_iter().zip(tokens);
                pairs
                    .filter_map(|(id, token)| self.lease_to_submit(now, claim, id, token))
                    .collect()
            }
            Work::Look => {
                let most = number(claim.limit);
                let chosen = self.choose(now, &self.schedule.others, claim, most);
                self.lease_all(now, claim, chosen)
            }
            Work::Sweep => {
                let overdue = self.schedule.overdue(now);
                let free =
                    overdue.filter(|id| self.row(*id).is_some_and(|row| !row.is_leased(now)));
                let chosen = free.take(number(claim.limit)).collect();
                self.lease_all(now, claim, chosen)
            }
        }
    }

    /// The first of each line, as many as its endpoint allows, put together in one order:
    /// turns at different endpoints say nothing about each other, so the first ones come first.
    fn choose(
        &self,
        now: Timestamp,
        lines: &Lines,
        claim: &Claim,
        most: usize,
    ) -> Vec<ExecutionId> {
        let mut chosen = Vec::new();
        for (endpoint, line) in lines {
            let allowance = claim.allowances.get(endpoint).unwrap_or(&claim.allowance);
            let allowance = match claim.work {
                Work::Submit(_) => self.left(now, *endpoint).min(*allowance),
                Work::Look | Work::Sweep => *allowance,
            };
            let free = line.iter().filter(|(_, _, id)| {
                let row = self.row(*id);
                row.is_some_and(|row| row.may_be_claimed(now))
            });
            let free = free.take(number(allowance).min(most)).enumerate();
            chosen.extend(free.map(|(turn, (_, since, id))| match claim.work {
                Work::Submit(_) => (turn, *since, *id),
                Work::Look | Work::Sweep => (0, *since, *id),
            }));
        }
        chosen.sort_unstable();
        if let Work::Submit(_) = claim.work {
            self.hold_back(now, &mut chosen);
        }
        chosen.truncate(most);
        chosen.into_iter().map(|(_, _, id)| id).collect()
    }

    /// Leaves of each provider, in the order of service, as many as it may have.
    fn hold_back(&self, now: Timestamp, chosen: &mut Vec<(usize, Timestamp, ExecutionId)>) {
        let mut left = HashMap::new();
        chosen.retain(|(_, _, id)| {
            let provider = self.row(*id).map(|row| row.model.endpoint.provider);
            let Some(provider) = provider else {
                return false;
            };
            let left = left.entry(provider).or_insert_with(|| {
                let jobs = self.schedule.jobs_of(provider);
                self.budgets.left_of_provider(now, provider, jobs)
            });
            let is_free = *left > 0;
            *left = left.saturating_sub(1);
            is_free
        });
    }

    fn lease_all(&mut self, now: Timestamp, claim: &Claim, ids: Vec<ExecutionId>) -> Vec<Claimed> {
        let ids = ids.into_iter();
        let leased = ids.filter_map(|id| {
            let limits = self.limits_of(id);
            self.change(id, |row| row.claimed(now, claim, limits))
        });
        leased.collect()
    }

    fn lease_to_submit(
        &mut self,
        now: Timestamp,
        claim: &Claim,
        id: ExecutionId,
        token: TokenHash,
    ) -> Option<Claimed> {
        let limits = self.limits_of(id);
        let claimed = self.change(id, |row| {
            let number = row.next_attempt();
            row.stage = Stage::Submitting;
            row.attempts.push(Tried {
                attempt: Attempt {
                    number,
                    state: AttemptState::Calling,
                    job: None,
                    called_at: now,
                    missing_since: None,
                    unreadable: 0,
                },
                token,
                exchanges: Vec::new(),
            });
            Claimed {
                submission: Some((token, row.material.clone())),
                ..row.claimed(now, claim, limits)
            }
        })?;
        let place = &claimed.place;
        self.budgets.spend(now, place.endpoint_id, place.provider);
        Some(claimed)
    }

    /// How many more of the endpoint may be submitted now.
    fn left(&self, now: Timestamp, endpoint: EndpointId) -> u32 {
        let jobs = self.schedule.jobs(endpoint);
        self.budgets.left(now, endpoint, jobs)
    }

    fn limits_of(&self, id: ExecutionId) -> EndpointLimits {
        self.row(id).map_or_else(EndpointLimits::default, |row| {
            let endpoint = &row.model.endpoint;
            self.budgets.limits(endpoint.id, endpoint.provider)
        })
    }
}

impl Row {
    /// Whether the execution, which stands in a line, is due and nobody has it. One that waits
    /// to be submitted past its deadline is left to be ended.
    fn may_be_claimed(&self, now: Timestamp) -> bool {
        let is_due = self.next_action_at.is_some_and(|due_at| due_at <= now);
        let is_late = self.stage == Stage::Created && self.deadline_at <= now;
        is_due && !is_late && !self.is_leased(now)
    }

    fn next_attempt(&self) -> u32 {
        let last = self.attempts.last();
        last.map_or(1, |tried| tried.attempt.number.saturating_add(1))
    }

    fn claimed(&mut self, now: Timestamp, claim: &Claim, limits: EndpointLimits) -> Claimed {
        let lease = self.lease(now, claim.lease);
        Claimed {
            lease,
            now,
            state: self.state(),
            place: self.place(limits),
            category: self.model.base_model.category,
            started_at: self.started_at,
            submission: None,
            audience: self.watched_until.map(|until| Audience {
                is_here: until > now,
                told: self.told.clone(),
            }),
            trace_parent: self.trace_parent.clone(),
        }
    }
}

fn number(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
