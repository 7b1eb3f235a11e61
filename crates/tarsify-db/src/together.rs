//! Writes of many in one statement. Most of what a small write costs PostgreSQL is not its row but
//! the statement around it, its commit, and the turns at rows that many change; what is asked while
//! others are on their way is therefore written together. Nobody waits for company: whoever comes
//! first goes at once, alone.

use std::collections::HashSet;
use std::future::Future;
use std::iter;
use std::panic::{AssertUnwindSafe, Location};
use std::sync::Arc;
use std::time::Instant;

use diesel::QueryableByName;
use diesel::pg::Pg;
use futures_util::FutureExt;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::{Instrument, Span};
use uuid::Uuid;

use crate::error::Failure;
use crate::pool::{Database, query_span, told, whole_micros};
use crate::statement::Statement;

/// How many are written in one statement at most.
const MOST: usize = 32;

/// How many statements are on their way at once: while one waits for the disk, the other is at work.
const ABREAST: usize = 2;

/// How many wait in line for these at most; more wait to get in line, as for a connection.
const LINE: usize = 2 * MOST;

/// A kind of write that many can do in one statement.
pub(crate) trait Together: Send + Sync + 'static {
    /// What one of them asks.
    type Item: Send + Sync + 'static;
    /// What he is told.
    type Answer: QueryableByName<Pg> + Send + 'static;

    /// Where its statement is made, for the traces.
    const MADE_AT: &'static Location<'static>;

    /// What no two in one statement may have in common.
    fn key(item: &Self::Item) -> Uuid;

    /// The statement, with the same text for however many. It writes all of these or none, and answers
    /// one row for each, in their order.
    fn statement(items: &[Arc<Self::Item>]) -> Statement;

    /// Sends it. One that is alone is tried again where that may help.
    fn write(
        database: &Database,
        items: &[Arc<Self::Item>],
    ) -> impl Future<Output = Result<Vec<Self::Answer>, Failure>> + Send {
        async move {
            let statement = Self::statement(items);
            database.write_together(&statement, items.len()).await
        }
    }
}

/// Where such writes are asked for.
pub(crate) struct Writers<T: Together> {
    line: mpsc::Sender<Asked<T>>,
    database: Database,
    _lanes: JoinSet<()>,
}

struct Asked<T: Together> {
    item: Arc<T::Item>,
    answer: oneshot::Sender<Result<T::Answer, Failure>>,
    came_at: Instant,
    /// What tells of it in the traces.
    span: Span,
}

impl<T: Together> Writers<T> {
    pub(crate) fn new(database: &Database) -> Self {
        let (line, waiting) = mpsc::channel(LINE);
        let waiting = Arc::new(Mutex::new(waiting));
        let mut lanes = JoinSet::new();
        for _ in 0..ABREAST {
            let lane = serve::<T>(database.clone(), Arc::clone(&waiting));
            lanes.spawn_on(lane, database.home());
        }
        Self {
            line,
            database: database.clone(),
            _lanes: lanes,
        }
    }

    pub(crate) async fn write(&self, item: T::Item) -> Result<T::Answer, Failure> {
        let span = query_span(T::MADE_AT);
        let answer = self.ask(item).instrument(span.clone()).await;
        told(&span, answer)
    }

    async fn ask(&self, item: T::Item) -> Result<T::Answer, Failure> {
        let came_at = Instant::now();
        let place = {
            let _counted = self.database.waiting();
            timeout(self.database.acquire_timeout(), self.line.reserve()).await
        };
        let place = place.map_err(|_elapsed| Failure::without_connection(TOO_LONG))?;
        let place = place.map_err(|_closed| Failure::without_connection(ENDED))?;
        let (answer, answered) = oneshot::channel();
        place.send(Asked {
            item: Arc::new(item),
            answer,
            came_at,
            span: Span::current(),
        });
        let answer = answered.await;
        answer.unwrap_or_else(|_dropped| Err(Failure::Lost(UNANSWERED.into())))
    }
}

const TOO_LONG: &str =
    "more is to be written than the database takes: waited too long to get in line";
const ENDED: &str = "what writes to the database has ended";
const UNANSWERED: &str = "what wrote this ended before it was answered";

async fn serve<T: Together>(database: Database, line: Arc<Mutex<mpsc::Receiver<Asked<T>>>>) {
    let mut taken = Vec::with_capacity(MOST);
    let mut alone = JoinSet::new();
    while line.lock().await.recv_many(&mut taken, MOST).await > 0 {
        while alone.try_join_next().is_some() {}
        while !taken.is_empty() {
            let (now, later) = apart(std::mem::take(&mut taken));
            taken = later;
            // What it waits for is told by the first of them.
            if let Some(span) = now.first().map(|first| first.span.clone()) {
                let written = answer(&database, now, &mut alone).instrument(span);
                // A lane that ended would be missed by everybody who comes later.
                if AssertUnwindSafe(written).catch_unwind().await.is_err() {
                    tracing::error!("a statement of many panicked");
                }
            }
        }
    }
}

/// Those that can be written in one statement, and the others. Whoever no longer waits for his
/// answer is in neither.
fn apart<T: Together>(taken: Vec<Asked<T>>) -> (Vec<Asked<T>>, Vec<Asked<T>>) {
    let mut keys = HashSet::new();
    taken
        .into_iter()
        .filter(|asked| !asked.answer.is_closed())
        .partition(|asked| keys.insert(T::key(&asked.item)))
}

async fn answer<T: Together>(database: &Database, asked: Vec<Asked<T>>, alone: &mut JoinSet<()>) {
    let items: Vec<_> = asked.iter().map(|asked| Arc::clone(&asked.item)).collect();
    for one in &asked {
        one.span
            .record("in_line_us", whole_micros(one.came_at.elapsed()));
        one.span.record("together", asked.len());
    }
    match write::<T>(database, &items).await {
        Ok(answers) => {
            for (asked, answer) in asked.into_iter().zip(answers) {
                asked.tell(Ok(answer));
            }
        }
        Err(failure) => refuse(database, asked, failure, alone),
    }
}

/// Nobody is refused for what another one asked: each is written alone then, and nobody waits for
/// these but who asked.
fn refuse<T: Together>(
    database: &Database,
    mut asked: Vec<Asked<T>>,
    failure: Failure,
    alone: &mut JoinSet<()>,
) {
    if asked.len() > 1 && failure.of_another().is_none() {
        tracing::debug!(?failure, "what was written together is written one by one");
        for asked in asked {
            let database = database.clone();
            let span = asked.span.clone();
            let written = async move {
                let answer = only::<T>(&database, Arc::clone(&asked.item)).await;
                asked.tell(answer);
            };
            alone.spawn(written.instrument(span));
        }
        return;
    }
    let last = asked.pop();
    for (asked, failure) in asked
        .into_iter()
        .zip(iter::from_fn(|| failure.of_another()))
    {
        asked.tell(Err(failure));
    }
    if let Some(last) = last {
        last.tell(Err(failure));
    }
}

impl<T: Together> Asked<T> {
    fn tell(self, answer: Result<T::Answer, Failure>) {
        // He may have gone meanwhile.
        drop(self.answer.send(answer));
    }
}

async fn write<T: Together>(
    database: &Database,
    items: &[Arc<T::Item>],
) -> Result<Vec<T::Answer>, Failure> {
    let answers = T::write(database, items).await?;
    if answers.len() == items.len() {
        return Ok(answers);
    }
    // Whose they are is unknown then, so nobody may be told any of them.
    let wrong = format!("{} asked, {} were answered", items.len(), answers.len());
    Err(Failure::Lost(wrong.into()))
}

async fn only<T: Together>(database: &Database, item: Arc<T::Item>) -> Result<T::Answer, Failure> {
    let answer = write::<T>(database, &[item]).await?.pop();
    answer.ok_or_else(|| Failure::Unexpected("a statement answered nothing".into()))
}

/// The same write of one who goes by himself.
pub(crate) async fn alone<T: Together>(
    database: &Database,
    item: T::Item,
) -> Result<T::Answer, Failure> {
    let span = query_span(T::MADE_AT);
    let written = only::<T>(database, Arc::new(item));
    let answer = written.instrument(span.clone()).await;
    told(&span, answer)
}

#[cfg(test)]
mod tests;
