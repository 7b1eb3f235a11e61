//! The jobs of an endpoint, as many and as large as memory is set aside for: the oldest finished
//! ones are forgotten first, and none that is not finished.

use std::collections::{HashMap, VecDeque};

use thiserror::Error;
use tokio::time::Instant;

use crate::job::{Job, JobStatus};

/// There is no room for another job.
#[derive(Debug, Error)]
#[error("the jobs that have not ended fill the memory set aside for them")]
pub(crate) struct StoreFull;

/// The jobs.
pub(super) struct JobStore {
    jobs: HashMap<String, Job>,
    /// In the order of their ends; one that was retried since may be among them.
    ended: VecDeque<(String, Instant)>,
    bytes: usize,
    waiting: usize,
    running: usize,
    max_jobs: usize,
    max_bytes: usize,
}

impl JobStore {
    pub(super) fn new(max_jobs: usize, max_bytes: usize) -> Self {
        Self {
            jobs: HashMap::new(),
            ended: VecDeque::new(),
            bytes: 0,
            waiting: 0,
            running: 0,
            max_jobs,
            max_bytes,
        }
    }

    pub(super) fn insert(&mut self, job: Job) -> Result<(), StoreFull> {
        self.make_room(1, job.stored_bytes);
        let full = self.jobs.len() >= self.max_jobs;
        if full || self.bytes.saturating_add(job.stored_bytes) > self.max_bytes {
            return Err(StoreFull);
        }
        self.add(&job);
        self.jobs.insert(job.made_of.id.clone(), job);
        Ok(())
    }

    pub(super) fn get(&self, id: &str) -> Option<&Job> {
        self.jobs.get(id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Job> {
        self.jobs.values()
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    pub(super) fn running(&self) -> usize {
        self.running
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Changes a job that is there.
    pub(super) fn change<T>(&mut self, id: &str, change: impl FnOnce(&mut Job) -> T) -> Option<T> {
        let mut job = self.jobs.remove(id)?;
        self.subtract(&job);
        let was_final = job.status.is_final();
        let changed = change(&mut job);
        self.add(&job);
        if let (false, true, Some(moment)) = (was_final, job.status.is_final(), job.ended_at) {
            self.ended.push_back((id.to_owned(), moment));
        }
        self.jobs.insert(id.to_owned(), job);
        self.make_room(0, 0);
        Some(changed)
    }

    pub(super) fn remove(&mut self, id: &str) {
        if let Some(job) = self.jobs.remove(id) {
            self.subtract(&job);
        }
    }

    fn make_room(&mut self, jobs: usize, bytes: usize) {
        let crowded = |store: &Self| {
            store.jobs.len().saturating_add(jobs) > store.max_jobs
                || store.bytes.saturating_add(bytes) > store.max_bytes
        };
        // Entries of jobs that are gone would pile up otherwise.
        let stale = |store: &Self| store.ended.len() > store.max_jobs.saturating_mul(2);
        while crowded(self) || stale(self) {
            let Some((id, moment)) = self.ended.pop_front() else {
                return;
            };
            let same = |job: &Job| job.ended_at == Some(moment) && job.status.is_final();
            if self.jobs.get(&id).is_some_and(same) {
                self.remove(&id);
            }
        }
    }

    fn add(&mut self, job: &Job) {
        self.bytes = self.bytes.saturating_add(job.stored_bytes);
        match job.status {
            JobStatus::InQueue => self.waiting += 1,
            JobStatus::InProgress => self.running += 1,
            _ => {}
        }
    }

    fn subtract(&mut self, job: &Job) {
        self.bytes = self.bytes.saturating_sub(job.stored_bytes);
        match job.status {
            JobStatus::InQueue => self.waiting = self.waiting.saturating_sub(1),
            JobStatus::InProgress => self.running = self.running.saturating_sub(1),
            _ => {}
        }
    }
}
