//! Everything the store holds. Rows are only changed through [`Table::change`], which keeps
//! the indexes true.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use tarsify_domain::Timestamp;
use tarsify_domain::catalog::Provider;
use tarsify_domain::execution::{ExecutionStatus, ProviderJobId, RunnableModel, Stage, TokenHash};
use tarsify_domain::id::{ConsumerId, DeveloperId, ExecutionId, TarsModelId};
use tarsify_domain::text::Slug;
use time::Date;

use super::StoredEvent;
use super::budget::Budgets;
use super::crew::Present;
use super::keys::Keys;
use super::log::Turns;
use super::row::{Row, Who};
use super::schedule::Schedule;
use super::wallets::Wallets;

/// What a [`super::MemoryStore`] holds.
#[derive(Default)]
pub(super) struct Table {
    models: HashMap<TarsModelId, Arc<RunnableModel>>,
    slugs: HashMap<Slug, TarsModelId>,
    rows: HashMap<ExecutionId, Row>,
    /// By age, for lists.
    pub(super) by_age: BTreeSet<(Timestamp, ExecutionId)>,
    pub(super) schedule: Schedule,
    /// How much of each endpoint may be used, and was.
    pub(super) budgets: Budgets,
    /// The engines that work on this store.
    pub(super) crew: Present,
    /// Every job whose id is known.
    pub(super) jobs: HashMap<(Provider, ProviderJobId), ExecutionId>,
    pub(super) keys: Keys,
    pub(super) turns: Turns,
    /// For which execution, and until when.
    pub(super) stream_tokens: HashMap<TokenHash, (ExecutionId, Timestamp)>,
    pub(super) wallets: Wallets,
    /// How many test runs each developer has had on a day.
    pub(super) trials: HashMap<(DeveloperId, Date), u32>,
    /// Runs that have ended and were not yet seen by a tally.
    untallied: VecDeque<ExecutionId>,
    /// Ended, and nothing is left to be done.
    finished: Vec<ExecutionId>,
    runs_of_models: HashMap<TarsModelId, u64>,
    runs_of_consumers: HashMap<ConsumerId, u64>,
    /// How many runs of each consumer have not ended; nobody stands here with none.
    unfinished: HashMap<ConsumerId, u32>,
}

impl Table {
    pub(super) fn put_model(&mut self, model: RunnableModel) {
        self.remove_model(model.id);
        self.slugs.insert(model.slug.clone(), model.id);
        self.models.insert(model.id, Arc::new(model));
    }

    pub(super) fn remove_model(&mut self, id: TarsModelId) {
        if let Some(model) = self.models.remove(&id)
            && self.slugs.get(&model.slug) == Some(&id)
        {
            self.slugs.remove(&model.slug);
        }
    }

    pub(super) fn model(&self, id: TarsModelId) -> Option<&RunnableModel> {
        self.models.get(&id).map(AsRef::as_ref)
    }

    pub(super) fn model_called(&self, slug: &Slug) -> Option<&RunnableModel> {
        self.model(*self.slugs.get(slug)?)
    }

    pub(super) fn row(&self, id: ExecutionId) -> Option<&Row> {
        self.rows.get(&id)
    }

    /// All rows, in no order.
    pub(super) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.values()
    }

    pub(super) fn insert(&mut self, mut row: Row) {
        self.turns.note(&mut row);
        self.schedule.add(&row.seat());
        self.by_age.insert((row.created_at, row.id));
        if let Who::Consumer(consumer) = row.who {
            *self.unfinished.entry(consumer).or_default() += 1;
        }
        self.rows.insert(row.id, row);
    }

    /// Changes a row, if there is one, and its places in the indexes. Whoever ends it thereby, its
    /// price is seen to, once.
    pub(super) fn change<T>(
        &mut self,
        id: ExecutionId,
        change: impl FnOnce(&mut Row) -> T,
    ) -> Option<T> {
        let row = self.rows.get_mut(&id)?;
        let (seat, stage, was_finished) = (row.seat(), row.stage, row.is_finished());
        let answer = change(row);
        self.turns.note(row);
        let changed = row.seat();
        if changed != seat {
            self.schedule.remove(&seat);
            self.schedule.add(&changed);
        }
        let is_new = row.stage == Stage::Ended && stage != Stage::Ended;
        if is_new {
            self.wallets.resolve(row);
            if let Who::Consumer(consumer) = row.who {
                finish_one(&mut self.unfinished, consumer);
            }
        }
        if is_new && row.is_a_run() {
            self.untallied.push_back(id);
        }
        if row.is_finished() && !was_finished {
            self.finished.push(id);
        }
        Some(answer)
    }

    pub(super) fn events(&self, id: ExecutionId) -> Vec<StoredEvent> {
        self.row(id).map_or_else(Vec::new, |row| row.events.clone())
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn runs_of_model(&self, id: TarsModelId) -> u64 {
        self.runs_of_models.get(&id).copied().unwrap_or_default()
    }

    pub(super) fn unfinished_of(&self, id: ConsumerId) -> u32 {
        self.unfinished.get(&id).copied().unwrap_or_default()
    }

    pub(super) fn runs_of_consumer(&self, id: ConsumerId) -> u64 {
        self.runs_of_consumers.get(&id).copied().unwrap_or_default()
    }

    /// Takes at most `limit` runs that have ended, each once, and counts those that completed.
    pub(super) fn tally(&mut self, limit: u32) -> u64 {
        let mut taken = 0;
        while taken < u64::from(limit) {
            let Some(id) = self.untallied.pop_front() else {
                break;
            };
            if let Some(row) = self.rows.get(&id)
                && let Who::Consumer(consumer) = row.who
                && row.status == ExecutionStatus::Completed
            {
                *self.runs_of_models.entry(row.model.id).or_default() += 1;
                *self.runs_of_consumers.entry(consumer).or_default() += 1;
            }
            taken += 1;
        }
        taken
    }

    pub(super) fn forget_ended(&mut self) -> usize {
        self.tally(u32::MAX);
        let finished = std::mem::take(&mut self.finished);
        for id in &finished {
            let Some(row) = self.rows.remove(id) else {
                continue;
            };
            self.turns.forget(&row);
            self.schedule.remove(&row.seat());
            self.by_age.remove(&(row.created_at, row.id));
            let provider = row.model.endpoint.provider;
            for tried in row.attempts {
                if let Some(job) = tried.attempt.job {
                    self.jobs.remove(&(provider, job));
                }
            }
            if let Some(key) = row.key {
                self.keys.forget_execution(&key, *id);
            }
        }
        finished.len()
    }
}

fn finish_one(unfinished: &mut HashMap<ConsumerId, u32>, consumer: ConsumerId) {
    if let Some(many) = unfinished.get_mut(&consumer) {
        *many = many.saturating_sub(1);
        if *many == 0 {
            unfinished.remove(&consumer);
        }
    }
}
