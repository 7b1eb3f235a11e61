//! Who is served next. Ended executions that need nothing stand in no index, so however many
//! there are, they cost a claim nothing.

use std::collections::{BTreeMap, BTreeSet};

use tarsify_domain::Timestamp;
use tarsify_domain::catalog::Provider;
use tarsify_domain::id::{EndpointId, ExecutionId};

use super::row::Who;

/// What of an execution decides when it is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seat {
    pub(super) id: ExecutionId,
    pub(super) endpoint: EndpointId,
    pub(super) provider: Provider,
    pub(super) who: Who,
    pub(super) rank: i64,
    /// Whether it waits to be submitted.
    pub(super) is_created: bool,
    /// When it is to be looked at, if at all.
    pub(super) due_at: Option<Timestamp>,
    /// Until when it is leased, if it is.
    pub(super) lease_until: Option<Timestamp>,
    /// When it has to have ended, unless it has.
    pub(super) deadline_at: Option<Timestamp>,
}

impl Seat {
    /// Whether there is, or may be, a job at the provider: it was submitted and has not ended, or
    /// has ended with a job that is still to be called off.
    const fn is_job(&self) -> bool {
        !self.is_created && self.due_at.is_some()
    }

    /// When it may be claimed.
    fn free_at(&self) -> Option<Timestamp> {
        let due_at = self.due_at?;
        Some(self.lease_until.map_or(due_at, |until| until.max(due_at)))
    }

    fn place(&self, due_at: Timestamp) -> Place {
        if self.is_created {
            (self.rank, due_at, self.id)
        } else {
            (0, due_at, self.id)
        }
    }
}

/// The order in which an endpoint's executions are served.
type Place = (i64, Timestamp, ExecutionId);

/// Those of each endpoint that may be claimed.
pub(super) type Lines = BTreeMap<EndpointId, BTreeSet<Place>>;

/// The indexes over all seats.
#[derive(Default)]
pub(super) struct Schedule {
    /// Those that may not be claimed yet, and those that nobody has moved to their line.
    sleeping: BTreeMap<(Timestamp, ExecutionId), Seat>,
    /// Those to be submitted, once they were woken.
    pub(super) created: Lines,
    /// Those to be looked after, once they were woken.
    pub(super) others: Lines,
    deadlines: BTreeSet<(Timestamp, ExecutionId)>,
    /// The ranks of all that are created, due or not.
    ranks: BTreeMap<(EndpointId, i64), usize>,
    ranks_of: BTreeMap<(EndpointId, Who, i64), usize>,
    /// The jobs of each endpoint that are, or may be, at the provider.
    jobs: BTreeMap<EndpointId, usize>,
    jobs_of_providers: BTreeMap<Provider, usize>,
}

impl Schedule {
    pub(super) fn add(&mut self, seat: &Seat) {
        if let Some(free_at) = seat.free_at() {
            self.sleeping.insert((free_at, seat.id), *seat);
        }
        if let Some(deadline_at) = seat.deadline_at {
            self.deadlines.insert((deadline_at, seat.id));
        }
        if seat.is_created {
            count(&mut self.ranks, (seat.endpoint, seat.rank));
            count(&mut self.ranks_of, (seat.endpoint, seat.who, seat.rank));
        } else if seat.is_job() {
            count(&mut self.jobs, seat.endpoint);
            count(&mut self.jobs_of_providers, seat.provider);
        }
    }

    pub(super) fn remove(&mut self, seat: &Seat) {
        if let (Some(due_at), Some(free_at)) = (seat.due_at, seat.free_at())
            && self.sleeping.remove(&(free_at, seat.id)).is_none()
        {
            let lines = if seat.is_created {
                &mut self.created
            } else {
                &mut self.others
            };
            if let Some(line) = lines.get_mut(&seat.endpoint) {
                line.remove(&seat.place(due_at));
                if line.is_empty() {
                    lines.remove(&seat.endpoint);
                }
            }
        }
        if let Some(deadline_at) = seat.deadline_at {
            self.deadlines.remove(&(deadline_at, seat.id));
        }
        if seat.is_created {
            discount(&mut self.ranks, &(seat.endpoint, seat.rank));
            discount(&mut self.ranks_of, &(seat.endpoint, seat.who, seat.rank));
        } else if seat.is_job() {
            discount(&mut self.jobs, &seat.endpoint);
            discount(&mut self.jobs_of_providers, &seat.provider);
        }
    }

    /// Moves those that may be claimed by now to their lines.
    pub(super) fn wake(&mut self, now: Timestamp) {
        while let Some(entry) = self.sleeping.first_entry() {
            if entry.key().0 > now {
                return;
            }
            let seat = entry.remove();
            let Some(due_at) = seat.due_at else { continue };
            let lines = if seat.is_created {
                &mut self.created
            } else {
                &mut self.others
            };
            let line = lines.entry(seat.endpoint).or_default();
            line.insert(seat.place(due_at));
        }
    }

    /// Those that should have ended by now, the longest overdue first.
    pub(super) fn overdue(&self, now: Timestamp) -> impl Iterator<Item = ExecutionId> {
        let overdue = self.deadlines.iter();
        let overdue = overdue.take_while(move |(deadline_at, _)| *deadline_at <= now);
        overdue.map(|(_, id)| *id)
    }

    /// How many jobs of the endpoint are, or may be, at the provider.
    pub(super) fn jobs(&self, endpoint: EndpointId) -> u32 {
        let jobs = self.jobs.get(&endpoint).copied().unwrap_or_default();
        u32::try_from(jobs).unwrap_or(u32::MAX)
    }

    /// The same of the provider, over all of its endpoints.
    pub(super) fn jobs_of(&self, provider: Provider) -> u32 {
        let jobs = self.jobs_of_providers.get(&provider).copied();
        u32::try_from(jobs.unwrap_or_default()).unwrap_or(u32::MAX)
    }

    /// The place of one more execution among those that wait at the endpoint: nobody who waits
    /// with many is served twice before somebody who waits with one.
    pub(super) fn next_rank(&self, endpoint: EndpointId, who: Who) -> i64 {
        let all = (endpoint, i64::MIN)..=(endpoint, i64::MAX);
        let lowest = self.ranks.range(all).next();
        let lowest = lowest.map_or(0, |((_, rank), _)| *rank);
        let own = (endpoint, who, i64::MIN)..=(endpoint, who, i64::MAX);
        let own = self.ranks_of.range(own).next_back();
        let own = own.map_or(0, |((_, _, rank), _)| rank.saturating_add(1));
        lowest.max(own)
    }
}

fn count<K: Ord>(counts: &mut BTreeMap<K, usize>, key: K) {
    *counts.entry(key).or_default() += 1;
}

fn discount<K: Ord>(counts: &mut BTreeMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            counts.remove(key);
        }
    }
}
