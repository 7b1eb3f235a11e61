//! How much of each endpoint may be used, and how much of it was.

use std::collections::{HashMap, VecDeque};

use tarsify_domain::Timestamp;
use tarsify_domain::catalog::endpoint::EndpointLimits;
use tarsify_domain::id::EndpointId;
use time::{Date, Duration};

/// A second of the last minute counts until all of it is a minute ago.
const MINUTE: Duration = Duration::seconds(61);

/// The budgets of all endpoints that ever had limits.
#[derive(Default)]
pub(super) struct Budgets(HashMap<EndpointId, Budget>);

#[derive(Default)]
struct Budget {
    limits: EndpointLimits,
    /// How many were submitted in each second of the last minute, oldest first.
    calls: VecDeque<(Timestamp, u32)>,
    /// How many were submitted on the last day on which any was.
    day: Option<(Date, u32)>,
}

impl Budgets {
    pub(super) fn limit(&mut self, endpoint: EndpointId, limits: EndpointLimits) {
        self.0.entry(endpoint).or_default().limits = limits;
    }

    pub(super) fn limits(&self, endpoint: EndpointId) -> EndpointLimits {
        let budget = self.0.get(&endpoint);
        budget.map_or_else(EndpointLimits::default, |budget| budget.limits)
    }

    /// How many more may be submitted now to an endpoint that has so many jobs.
    pub(super) fn left(&self, now: Timestamp, endpoint: EndpointId, jobs: u32) -> u32 {
        let Some(budget) = self.0.get(&endpoint) else {
            return u32::MAX;
        };
        let limits = budget.limits;
        [
            (limits.max_concurrency, jobs),
            (limits.max_per_minute, budget.in_minute(now)),
            (limits.max_per_day, budget.on(now.date())),
        ]
        .into_iter()
        .filter_map(|(most, used)| Some(most?.saturating_sub(used)))
        .min()
        .unwrap_or(u32::MAX)
    }

    /// One was submitted.
    pub(super) fn spend(&mut self, now: Timestamp, endpoint: EndpointId) {
        let Some(budget) = self.0.get_mut(&endpoint) else {
            return;
        };
        if !budget.limits.may_hold_back() {
            return;
        }
        budget.day = Some((now.date(), budget.on(now.date()).saturating_add(1)));
        if budget.limits.max_per_minute.is_none() {
            return;
        }
        let second = now.replace_nanosecond(0).unwrap_or(now);
        match budget.calls.back_mut() {
            Some((last, taken)) if *last == second => *taken = taken.saturating_add(1),
            _ => budget.calls.push_back((second, 1)),
        }
        while let Some((since, _)) = budget.calls.front()
            && now - *since >= MINUTE
        {
            budget.calls.pop_front();
        }
    }
}

impl Budget {
    fn in_minute(&self, now: Timestamp) -> u32 {
        let calls = self.calls.iter();
        let late = calls.filter(|(since, _)| now - *since < MINUTE);
        late.fold(0, |sum, (_, taken)| sum.saturating_add(*taken))
    }

    fn on(&self, today: Date) -> u32 {
        let today = self.day.filter(|(day, _)| *day == today);
        today.map_or(0, |(_, taken)| taken)
    }
}
