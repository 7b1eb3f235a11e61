//! How models did, summed from everything that is remembered of their runs.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use async_trait::async_trait;
use tarsify_domain::RepoError;
use tarsify_domain::earnings::{
    Analytics, AnalyticsDay, AnalyticsRepository, Period, RunSums, TimeBucket, TopModel,
};
use tarsify_domain::execution::Ending;
use tarsify_domain::id::{DeveloperId, TarsModelId};
use tarsify_domain::money::Millicredits;
use time::{Date, Duration};

use super::runs::{Fact, RunEnd};
use super::{FakeTreasury, State};

/// How many models are named.
const TOP: usize = 10;

fn add(sums: &mut RunSums, fact: &Fact) {
    match fact.ended.map(|end| end.ending) {
        Some(Ending::Completed) => sums.completed += 1,
        Some(Ending::Failed | Ending::TimedOut) => sums.failed += 1,
        Some(Ending::Cancelled) => sums.cancelled += 1,
        None => {}
    }
    sums.gross = Millicredits::new(sums.gross.get() + fact.gross);
    sums.earned = Millicredits::new(sums.earned.get() + fact.earned);
}

/// The step of the scale on which a duration falls: the last whose lower end it has reached.
fn bucket(took_ms: i64) -> TimeBucket {
    let took = u64::try_from(took_ms.max(1)).expect("it is above nothing");
    let took: f64 = took.to_string().parse().expect("a number is a number");
    let reached = |step: &u16| (f64::from(*step) / TimeBucket::STEPS).exp2() <= took;
    TimeBucket((0..=512).take_while(reached).last().unwrap_or_default())
}

impl State {
    fn analytics(&self, facts: &[&Fact]) -> Analytics {
        let mut sums = RunSums::default();
        let mut days: BTreeMap<Date, RunSums> = BTreeMap::new();
        let mut models: BTreeMap<TarsModelId, RunSums> = BTreeMap::new();
        let mut times: BTreeMap<TimeBucket, u64> = BTreeMap::new();
        for fact in facts {
            add(&mut sums, fact);
            add(days.entry(fact.day).or_default(), fact);
            add(models.entry(fact.model).or_default(), fact);
            if let Some(RunEnd {
                ending: Ending::Completed,
                took_ms: Some(took_ms),
            }) = fact.ended
            {
                *times.entry(bucket(took_ms)).or_default() += 1;
            }
        }
        let mut top: Vec<_> = models
            .into_iter()
            .map(|(id, sums)| self.top_model(id, sums))
            .collect();
        top.sort_by_key(|model| {
            let RunSums { earned, gross, .. } = model.sums;
            (Reverse((earned, gross)), model.id)
        });
        top.truncate(TOP);
        Analytics {
            sums,
            times: times.into_iter().collect(),
            days: days
                .into_iter()
                .map(|(day, sums)| AnalyticsDay { day, sums })
                .collect(),
            top,
        }
    }

    fn top_model(&self, id: TarsModelId, sums: RunSums) -> TopModel {
        let mut runs = self.runs.values();
        let run = runs.find(|run| run.summary.model.id == id);
        let model = &run.expect("a run of it is remembered").summary.model;
        TopModel {
            id,
            slug: model.slug.as_str().to_owned(),
            title: model.title.as_str().to_owned(),
            sums,
        }
    }
}

impl FakeTreasury {
    /// Lets a developer have a model that was never run, so that its analytics are found.
    pub fn own_model(&self, developer: DeveloperId, model: TarsModelId) {
        self.lock().models.insert(model, developer);
    }
}

#[async_trait]
impl AnalyticsRepository for FakeTreasury {
    async fn find(
        &self,
        developer: DeveloperId,
        model: Option<TarsModelId>,
        period: Period,
    ) -> Result<Option<Analytics>, RepoError> {
        let today = self.clock.now().date();
        let state = self.enter().await?;
        if let Some(model) = model
            && state.models.get(&model) != Some(&developer)
        {
            return Ok(None);
        }
        let first = period
            .days()
            .map(|days| today - Duration::days(i64::from(days) - 1));
        let facts = state.facts.iter().filter(|fact| {
            fact.developer == developer
                && model.is_none_or(|only| only == fact.model)
                && first.is_none_or(|first| first <= fact.day)
        });
        let facts: Vec<_> = facts.collect();
        Ok(Some(state.analytics(&facts)))
    }
}
