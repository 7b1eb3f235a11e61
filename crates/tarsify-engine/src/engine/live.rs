//! Those who follow what happens to executions. One reader of the log serves all of them: each event
//! is read once in a process, however many follow, and nobody who follows holds a connection.

mod hub;
mod watched;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tarsify_domain::execution::{Found, LogPlace, LoggedEvent};
use tarsify_domain::id::ExecutionId;
use tarsify_domain::{RepoError, Scope, Timestamp};

use super::worker::new_token;
use super::{Engine, ReadError, hash};

pub(super) use hub::Hub;
pub(super) use watched::Watched;

use hub::{Line, Reading, Topic, is_full};
use watched::Watching;

/// How many events are read at once of what somebody missed.
const PAGE: u32 = 200;
/// How many events are read at once of the log.
const BATCH: u32 = 2_000;

/// How long whoever watches is believed to be there after he was last noted.
const WATCH_LIFE: Duration = Duration::from_secs(15);

/// How long a token may be used.
const TOKEN_LIFE: Duration = Duration::from_secs(60);

/// Why an execution or a log cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// There is nothing to follow, or it is somebody else's.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Nothing happened yet at the place after which to begin.
    #[error("nothing has happened there yet")]
    Ahead,
}

impl From<RepoError> for FollowError {
    fn from(error: RepoError) -> Self {
        Self::Read(error.into())
    }
}

/// Follows one execution: what happened, in order, each once, and then what happens, to its end.
pub struct Following {
    engine: Engine,
    scope: Scope,
    id: ExecutionId,
    line: Line,
    /// The number of the last event that was given.
    last: i64,
    waiting: VecDeque<Arc<LoggedEvent>>,
    may_lack: bool,
    has_ended: bool,
    /// Has what the model says while it works asked for.
    watching: Option<Watching>,
}

/// Follows everything that a scope sees.
pub struct FollowingAll {
    engine: Engine,
    scope: Scope,
    line: Line,
    /// The place of the last event that was given, or from which on they are given.
    last: LogPlace,
    waiting: VecDeque<Arc<LoggedEvent>>,
    may_lack: bool,
}

/// What came of reading the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Told {
    /// How many events were new.
    pub new: usize,
    /// How many are not settled, and were told only to those who follow their executions.
    pub unsettled: usize,
}

/// Whoever has it can follow one execution, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamToken {
    /// The token.
    pub token: String,
    /// Until when it is good.
    pub until: Timestamp,
}

/// What is known after a look at the store.
struct CaughtUp {
    /// Whether the model may say more before the execution ends.
    says_more: bool,
}

/// What came of waiting for an event.
#[derive(Debug)]
pub enum Followed {
    /// It happened.
    Event(Arc<LoggedEvent>),
    /// Nothing more will happen.
    End,
}

impl Engine {
    /// Follows an execution from the event after the one with this number; 0 is before the first.
    ///
    /// # Errors
    /// When there is none, it is somebody else's, it has no such event, or the store fails.
    pub async fn follow(
        &self,
        scope: Scope,
        id: ExecutionId,
        after: i64,
    ) -> Result<Following, FollowError> {
        // First, so that nothing is missed between what is read and what is heard.
        self.begin_log().await?;
        let line = self.join(Topic::Execution(id));
        let mut following = Following {
            engine: self.clone(),
            scope,
            id,
            line,
            last: after,
            waiting: VecDeque::new(),
            may_lack: true,
            has_ended: false,
            watching: None,
        };
        if following.catch_up().await?.says_more {
            following.watching = Some(following.engine.watch(id).await);
        }
        Ok(following)
    }

    /// Follows everything that happens to what the scope sees, from the event after this place or
    /// from now on.
    ///
    /// # Errors
    /// When the scope has no event there, or the store fails.
    pub async fn follow_all(
        &self,
        scope: Scope,
        after: Option<LogPlace>,
    ) -> Result<FollowingAll, FollowError> {
        // First, so that nothing is missed between what is read and what is heard.
        let line = self.join(Topic::Scope(scope));
        let position = LogPlace::before(self.begin_log().await?);
        let mut following = FollowingAll {
            engine: self.clone(),
            scope,
            line,
            last: after.unwrap_or(position),
            waiting: VecDeque::new(),
            may_lack: after.is_some(),
        };
        following.catch_up().await?;
        if following.waiting.is_empty() {
            // Nothing was missed until then, and what is old may be removed one day.
            following.last = following.last.max(position);
        }
        Ok(following)
    }

    /// Gives a token by which whoever has it can follow the execution, once and soon.
    ///
    /// # Errors
    /// When there is none, it is somebody else's, or the store fails.
    pub async fn grant_stream_token(
        &self,
        scope: Scope,
        id: ExecutionId,
    ) -> Result<StreamToken, ReadError> {
        self.status(scope, id).await?;
        let token = new_token()?;
        let until = self.shared.clock.now() + TOKEN_LIFE;
        let log = &self.shared.log;
        log.keep_token(&hash(&token), id, TOKEN_LIFE).await?;
        Ok(StreamToken { token, until })
    }

    /// Answers whether such a token is good for the execution, and takes it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn spend_stream_token(
        &self,
        id: ExecutionId,
        token: &str,
    ) -> Result<bool, RepoError> {
        self.shared.log.spend_token(&hash(token), id).await
    }

    /// Reads what was written since the last time, and hands it to those who follow.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn tell_followers(&self) -> Result<Told, RepoError> {
        let hub = &self.shared.hub;
        let _reading = hub.reading().await;
        if !self.has_followers() {
            let settled = self.shared.log.settled().await?;
            // Whoever has begun to follow since may have read what was there before that.
            if !self.has_followers() {
                hub.skip_to(settled);
                return Ok(Told::default());
            }
        }
        let mut told = 0;
        let mut reading = Reading::default();
        let mut after = Some(LogPlace::before(self.begin_log().await?));
        while let Some(place) = after {
            let page = self.shared.log.read_log(place, BATCH).await?;
            after = match page.events.last() {
                Some(last) if is_full(page.events.len()) => Some(last.place),
                _ => None,
            };
            for event in hub.dispatch(&mut reading, page) {
                told += 1;
                if event.kind.is_terminal() {
                    self.shared.watch.wake(event.place.execution);
                }
            }
        }
        let unsettled = reading.unsettled();
        hub.finish(reading);
        Ok(Told {
            new: told,
            unsettled,
        })
    }

    /// Notes for the workers, whichever process they are in, whose output somebody follows here: all
    /// of it in one step, and nothing when there is nobody.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn renew_watches(&self) -> Result<(), RepoError> {
        let ids = self.shared.watched.ids();
        if ids.is_empty() {
            return Ok(());
        }
        self.shared.log.watch(&ids, WATCH_LIFE).await
    }

    /// Has the output of an execution asked for, as long as the answer is kept.
    async fn watch(&self, id: ExecutionId) -> Watching {
        let (watching, is_first) = self.shared.watched.enter(id);
        if is_first {
            let noted = self.shared.log.watch(&[id], WATCH_LIFE).await;
            // The next look may be far away.
            let noted = match noted {
                Ok(()) => self.refresh(id).await,
                error => error,
            };
            if let Err(error) = noted {
                tracing::warn!(%error, "the output of a run is not asked for yet");
            }
        }
        watching
    }

    fn join(&self, topic: Topic) -> Line {
        let line = self.shared.hub.join(topic);
        self.shared.came.notify_one();
        line
    }

    /// Where the log is to be read on. What happened before it was first read was told to nobody
    /// who waits, so they look for themselves.
    async fn begin_log(&self) -> Result<u64, RepoError> {
        if let Some(position) = self.shared.hub.position() {
            return Ok(position);
        }
        let settled = self.shared.log.settled().await?;
        let position = self.shared.hub.begin_at(settled);
        self.shared.watch.wake_all();
        Ok(position)
    }

    pub(super) fn has_followers(&self) -> bool {
        !self.shared.watch.is_empty() || !self.shared.hub.is_empty()
    }
}

impl Following {
    /// The next event, or the end.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn next(&mut self) -> Result<Followed, FollowError> {
        loop {
            while let Some(event) = self.waiting.pop_front() {
                if event.place.seq <= self.last {
                    continue;
                }
                self.last = event.place.seq;
                self.has_ended = event.kind.is_terminal();
                return Ok(Followed::Event(event));
            }
            if self.has_ended {
                return Ok(Followed::End);
            }
            if self.may_lack {
                self.catch_up().await?;
                continue;
            }
            match self.line.hear().await {
                // More happened than was taken in time: what is missing is read as it is taken.
                None => {
                    self.line = self.engine.join(Topic::Execution(self.id));
                    self.may_lack = true;
                }
                Some(event) if event.place.seq == self.last + 1 => self.waiting.push_back(event),
                Some(event) => self.may_lack = event.place.seq > self.last,
            }
        }
    }

    /// Reads what is stored after the last event that was given.
    async fn catch_up(&mut self) -> Result<CaughtUp, FollowError> {
        let log = &self.engine.shared.log;
        let read = log.read_history(self.scope, self.id, self.last, PAGE);
        let history = match read.await? {
            Found::Here(history) => history,
            Found::Foreign => return Err(ReadError::NotOwned.into()),
            Found::Nowhere => return Err(ReadError::NotFound.into()),
        };
        if history.last < self.last {
            return Err(FollowError::Ahead);
        }
        self.may_lack = u32::try_from(history.events.len()).is_ok_and(|many| many >= PAGE);
        self.has_ended = history.has_ended && history.events.is_empty();
        self.waiting
            .extend(history.events.into_iter().map(Arc::new));
        Ok(CaughtUp {
            says_more: history.streams_output && !history.has_ended,
        })
    }
}

impl FollowingAll {
    /// From where to follow anew so that nothing is missed: the place of the last event that was
    /// given, or the one where this began.
    #[must_use]
    pub const fn place(&self) -> LogPlace {
        self.last
    }

    /// The next event.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn next(&mut self) -> Result<Followed, FollowError> {
        loop {
            while let Some(event) = self.waiting.pop_front() {
                if event.place <= self.last {
                    continue;
                }
                self.last = event.place;
                return Ok(Followed::Event(event));
            }
            if self.may_lack {
                self.catch_up().await?;
                continue;
            }
            match self.line.hear().await {
                // More happened than was taken in time: what is missing is read as it is taken.
                None => {
                    self.line = self.engine.join(Topic::Scope(self.scope));
                    self.may_lack = true;
                }
                Some(event) => self.waiting.push_back(event),
            }
        }
    }

    async fn catch_up(&mut self) -> Result<(), FollowError> {
        if !self.may_lack {
            return Ok(());
        }
        let log = &self.engine.shared.log;
        let missed = log.replay_log(self.scope, self.last, PAGE).await?;
        let missed = missed.ok_or(FollowError::Ahead)?;
        self.may_lack = u32::try_from(missed.len()).is_ok_and(|many| many >= PAGE);
        self.waiting.extend(missed.into_iter().map(Arc::new));
        Ok(())
    }
}
