//! How much of each endpoint, and of each provider, may be used, and how much of it was.

use std::collections::{HashMap, VecDeque};

use tarsify_domain::Timestamp;
use tarsify_domain::catalog::Provider;
use tarsify_domain::catalog::endpoint::EndpointLimits;
use tarsify_domain::id::EndpointId;
use time::{Date, Duration};

/// A second of the last minute counts until all of it is a minute ago.
const MINUTE: Duration = Duration::seconds(61);

/// The budgets of all endpoints and providers that ever had limits.
#[derive(Default)]
pub(super) struct Budgets {
    endpoints: HashMap<EndpointId, Budget>,
    providers: HashMap<Provider, Budget>,
}

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
        self.endpoints.entry(endpoint).or_default().limits = limits;
    }

    pub(super) fn limit_provider(&mut self, provider: Provider, limits: EndpointLimits) {
        self.providers.entry(provider).or_default().limits = limits;
    }

    /// What an endpoint says itself.
    pub(super) fn own_limits(&self, endpoint: EndpointId) -> EndpointLimits {
        let budget = self.endpoints.get(&endpoint);
        budget.map_or_else(EndpointLimits::default, |budget| budget.limits)
    }

    /// What holds for an endpoint at its provider.
    pub(super) fn limits(&self, endpoint: EndpointId, provider: Provider) -> EndpointLimits {
        let budget = self.providers.get(&provider);
        let of_provider = budget.map_or_else(EndpointLimits::default, |budget| budget.limits);
        self.own_limits(endpoint).within(of_provider)
    }

    /// How many more may be submitted now to an endpoint that has so many jobs.
    pub(super) fn left(&self, now: Timestamp, endpoint: EndpointId, jobs: u32) -> u32 {
        let budget = self.endpoints.get(&endpoint);
        budget.map_or(u32::MAX, |budget| budget.left(now, jobs))
    }

    /// The same for a provider, over all of its endpoints.
    pub(super) fn left_of_provider(&self, now: Timestamp, provider: Provider, jobs: u32) -> u32 {
        let budget = self.providers.get(&provider);
        budget.map_or(u32::MAX, |budget| budget.left(now, jobs))
    }

    /// One was submitted.
    pub(super) fn spend(&mut self, now: Timestamp, endpoint: EndpointId, provider: Provider) {
        if let Some(budget) = self.endpoints.get_mut(&endpoint) {
            budget.spend(now);
        }
        if let Some(budget) = self.providers.get_mut(&provider) {
            budget.spend(now);
        }
    }
}

impl Budget {
    fn left(&self, now: Timestamp, jobs: u32) -> u32 {
        let limits = self.limits;
        [
            (limits.max_concurrency, jobs),
            (limits.max_per_minute, self.in_minute(now)),
            (limits.max_per_day, self.on(now.date())),
        ]
        .into_iter()
        .filter_map(|(most, used)| Some(most?.saturating_sub(used)))
        .min()
        .unwrap_or(u32::MAX)
    }

    fn spend(&mut self, now: Timestamp) {
        if !self.limits.may_hold_back() {
            return;
        }
        self.day = Some((now.date(), self.on(now.date()).saturating_add(1)));
        if self.limits.max_per_minute.is_none() {
            return;
        }
        let second = now.replace_nanosecond(0).unwrap_or(now);
        match self.calls.back_mut() {
            Some((last, taken)) if *last == second => *taken = taken.saturating_add(1),
            _ => self.calls.push_back((second, 1)),
        }
        while let Some((since, _)) = self.calls.front()
            && now - *since >= MINUTE
        {
            self.calls.pop_front();
        }
    }

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
