//! Who follows what, and how far the log was read for all of them.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tarsify_domain::Scope;
use tarsify_domain::execution::{LogPage, LogPlace, LoggedEvent};
use tarsify_domain::id::{ConsumerId, DeveloperId, ExecutionId};
use tokio::sync::mpsc;

use super::BATCH;

/// How many events wait for one who follows before he is too slow.
const ROOM: usize = 256;

/// What somebody follows.
#[derive(Debug, Clone, Copy)]
pub(super) enum Topic {
    Execution(ExecutionId),
    Scope(Scope),
}

type Sender = mpsc::Sender<Arc<LoggedEvent>>;

/// Those who follow the same.
type Lines = HashMap<u64, Sender>;

#[derive(Default)]
struct Followers {
    next: u64,
    executions: HashMap<ExecutionId, Lines>,
    consumers: HashMap<ConsumerId, Lines>,
    developers: HashMap<DeveloperId, Lines>,
    all: Lines,
}

/// How far the log was read.
#[derive(Default)]
struct Progress {
    /// The first turn that was not settled.
    position: Option<u64>,
    /// What was read of unsettled turns, and told to those who follow its execution.
    early: HashSet<LogPlace>,
    /// The last event of a settled turn that was told to those who follow a scope.
    told: Option<LogPlace>,
}

/// The log being read from its position to its end.
#[derive(Default)]
pub(super) struct Reading {
    /// All turns before this one were settled when it began.
    settled: Option<u64>,
    /// What was read of others.
    early: HashSet<LogPlace>,
}

impl Reading {
    /// How much was read that is not settled.
    pub(super) fn unsettled(&self) -> usize {
        self.early.len()
    }
}

#[derive(Default)]
pub(in crate::engine) struct Hub {
    followers: Arc<Mutex<Followers>>,
    progress: Mutex<Progress>,
    reading: tokio::sync::Mutex<()>,
}

/// One who follows; he is forgotten when this is dropped.
pub(super) struct Line {
    topic: Topic,
    number: u64,
    events: mpsc::Receiver<Arc<LoggedEvent>>,
    followers: Arc<Mutex<Followers>>,
}

impl Hub {
    pub(super) fn join(&self, topic: Topic) -> Line {
        let (sender, events) = mpsc::channel(ROOM);
        let mut followers = lock(&self.followers);
        let number = followers.next;
        followers.next = followers.next.wrapping_add(1);
        followers.lines(topic).insert(number, sender);
        Line {
            topic,
            number,
            events,
            followers: Arc::clone(&self.followers),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        let followers = lock(&self.followers);
        let Followers {
            next: _,
            executions,
            consumers,
            developers,
            all,
        } = &*followers;
        executions.is_empty() && consumers.is_empty() && developers.is_empty() && all.is_empty()
    }

    /// Held while the log is read: one reads at a time.
    pub(super) async fn reading(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.reading.lock().await
    }

    pub(super) fn position(&self) -> Option<u64> {
        lock(&self.progress).position
    }

    /// Nobody follows: what came until now need not be read.
    pub(super) fn skip_to(&self, settled: u64) {
        *lock(&self.progress) = Progress {
            position: Some(settled),
            ..Progress::default()
        };
    }

    /// The log is read from here on, unless somebody has begun already. Answers from where.
    pub(super) fn begin_at(&self, settled: u64) -> u64 {
        *lock(&self.progress).position.get_or_insert(settled)
    }

    /// Tells what is read of a page, and answers what of it is new. Who follows an execution hears
    /// at once: its events come one after the other. Who follows more hears of settled turns only,
    /// or he could not go on from the last event that he heard of without a gap.
    pub(super) fn dispatch(&self, reading: &mut Reading, page: LogPage) -> Vec<Arc<LoggedEvent>> {
        let mut progress = lock(&self.progress);
        let mut followers = lock(&self.followers);
        // What was settled after the first page was read may stand in that page's part of the log.
        let settled = *reading.settled.get_or_insert(page.settled);
        let mut fresh = Vec::new();
        for event in page.events {
            let event = Arc::new(event);
            let is_settled = event.place.turn < settled;
            if is_settled && progress.told.is_none_or(|told| told < event.place) {
                followers.tell_scopes(&event);
                progress.told = Some(event.place);
            }
            if !is_settled {
                reading.early.insert(event.place);
            }
            if !progress.early.contains(&event.place) {
                followers.tell_execution(&event);
                fresh.push(event);
            }
        }
        fresh
    }

    /// The log was read to its end. What was not settled is read again the next time, because
    /// something may come before it.
    pub(super) fn finish(&self, reading: Reading) {
        let mut progress = lock(&self.progress);
        progress.position = reading.settled.or(progress.position);
        progress.early = reading.early;
    }
}

/// Whether there may be more of the log than a page of so many.
pub(super) fn is_full(many: usize) -> bool {
    u32::try_from(many).is_ok_and(|many| many >= BATCH)
}

impl Followers {
    fn lines(&mut self, topic: Topic) -> &mut Lines {
        match topic {
            Topic::Execution(id) => self.executions.entry(id).or_default(),
            Topic::Scope(Scope::Consumer(id)) => self.consumers.entry(id).or_default(),
            Topic::Scope(Scope::Developer(id)) => self.developers.entry(id).or_default(),
            Topic::Scope(Scope::System) => &mut self.all,
        }
    }

    fn tell_execution(&mut self, event: &Arc<LoggedEvent>) {
        if let Some(lines) = self.executions.get_mut(&event.place.execution) {
            tell(lines, event);
        }
    }

    fn tell_scopes(&mut self, event: &Arc<LoggedEvent>) {
        if let Some(lines) = event.consumer.and_then(|id| self.consumers.get_mut(&id)) {
            tell(lines, event);
        }
        if let Some(lines) = event.tester.and_then(|id| self.developers.get_mut(&id)) {
            tell(lines, event);
        }
        tell(&mut self.all, event);
    }

    fn leave(&mut self, topic: Topic, number: u64) {
        match topic {
            Topic::Execution(id) => leave(&mut self.executions, id, number),
            Topic::Scope(Scope::Consumer(id)) => leave(&mut self.consumers, id, number),
            Topic::Scope(Scope::Developer(id)) => leave(&mut self.developers, id, number),
            Topic::Scope(Scope::System) => {
                self.all.remove(&number);
            }
        }
    }
}

/// Whoever has no room left is let go: he finds out when he has taken what waits for him.
fn tell(lines: &mut Lines, event: &Arc<LoggedEvent>) {
    lines.retain(|_, sender| sender.try_send(Arc::clone(event)).is_ok());
}

fn leave<K: Eq + std::hash::Hash>(topics: &mut HashMap<K, Lines>, key: K, number: u64) {
    if let Some(lines) = topics.get_mut(&key) {
        lines.remove(&number);
        if lines.is_empty() {
            topics.remove(&key);
        }
    }
}

impl Line {
    /// The next event; nothing when this one was let go.
    pub(super) async fn hear(&mut self) -> Option<Arc<LoggedEvent>> {
        self.events.recv().await
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        lock(&self.followers).leave(self.topic, self.number);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
