//! The attempts of an execution: as columns beside its row, and as a part of the writes about
//! it.

use diesel::QueryableByName;
use diesel::pg::Pg;
use diesel::sql_types::{Array, BigInt, Integer, Jsonb, Nullable, Text, Timestamptz};
use serde_json::{Value, json};
use tarsify_domain::execution::{Attempt, AttemptReport, AttemptState, Exchange, ProviderJobId};
use tarsify_domain::{RepoError, Timestamp};

use super::write::About;
use crate::statement::{AS_FOR_ONE, Binds, without_nul};
use crate::stored;

/// How many exchanges are kept of each attempt.
const KEPT_EXCHANGES: u32 = 20;

/// The attempts of the execution whose id is `id`, as one row of arrays called `tried`. It
/// reads what the statement's snapshot holds.
pub(super) fn tried(id: &str) -> String {
    format!(
        "CROSS JOIN LATERAL (\
            SELECT array_agg(a.number ORDER BY a.number) AS attempt_numbers, \
                array_agg(a.state ORDER BY a.number) AS attempt_states, \
                array_agg(a.job_id ORDER BY a.number) AS attempt_jobs, \
                array_agg(a.called_at ORDER BY a.number) AS attempts_called_at, \
                array_agg(a.missing_since ORDER BY a.number) AS attempts_missing_since, \
                array_agg(a.unreadable ORDER BY a.number) AS attempts_unreadable, \
                array_agg(a.exchanges ORDER BY a.number) AS attempt_exchanges \
            FROM provider_attempts a WHERE a.execution_id = {id}\
         ) tried"
    )
}

/// The columns of [`tried`] that decide what is done next.
pub(super) const TRIED: &str = "tried.attempt_numbers, tried.attempt_states, \
    tried.attempt_jobs, tried.attempts_called_at, tried.attempts_missing_since, \
    tried.attempts_unreadable";

/// The column that only administrators read.
pub(super) const TRIED_EXCHANGES: &str = "tried.attempt_exchanges";

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
pub(super) struct AttemptsRow {
    #[diesel(sql_type = Nullable<Array<Integer>>)]
    attempt_numbers: Option<Vec<i32>>,
    #[diesel(sql_type = Nullable<Array<Text>>)]
    attempt_states: Option<Vec<String>>,
    #[diesel(sql_type = Nullable<Array<Nullable<Text>>>)]
    attempt_jobs: Option<Vec<Option<String>>>,
    #[diesel(sql_type = Nullable<Array<Timestamptz>>)]
    attempts_called_at: Option<Vec<Timestamp>>,
    #[diesel(sql_type = Nullable<Array<Nullable<Timestamptz>>>)]
    attempts_missing_since: Option<Vec<Option<Timestamp>>>,
    #[diesel(sql_type = Nullable<Array<BigInt>>)]
    attempts_unreadable: Option<Vec<i64>>,
}

impl AttemptsRow {
    pub(super) fn read(self) -> Result<Vec<Attempt>, RepoError> {
        let Self {
            attempt_numbers,
            attempt_states,
            attempt_jobs,
            attempts_called_at,
            attempts_missing_since,
            attempts_unreadable,
        } = self;
        let numbers = attempt_numbers.unwrap_or_default();
        let mut states = attempt_states.unwrap_or_default().into_iter();
        let mut jobs = attempt_jobs.unwrap_or_default().into_iter();
        let mut called_at = attempts_called_at.unwrap_or_default().into_iter();
        let mut missing_since = attempts_missing_since.unwrap_or_default().into_iter();
        let mut unreadable = attempts_unreadable.unwrap_or_default().into_iter();
        let mut attempts = Vec::with_capacity(numbers.len());
        for number in numbers {
            let state = present(states.next())?;
            let job = present(jobs.next())?;
            attempts.push(Attempt {
                number: stored::checked("number", u32::try_from(number))?,
                state: stored::parsed("attempt state", &state, AttemptState::parse)?,
                job: stored::parsed_optional("job_id", job.as_deref(), ProviderJobId::parse)?,
                called_at: present(called_at.next())?,
                missing_since: present(missing_since.next())?,
                unreadable: small("unreadable", present(unreadable.next())?)?,
            });
        }
        Ok(attempts)
    }
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
pub(super) struct AttemptReportsRow {
    #[diesel(embed)]
    attempts: AttemptsRow,
    #[diesel(sql_type = Nullable<Array<Jsonb>>)]
    attempt_exchanges: Option<Vec<Value>>,
}

impl AttemptReportsRow {
    pub(super) fn read(self) -> Result<Vec<AttemptReport>, RepoError> {
        let attempts = self.attempts.read()?;
        let exchanges = self.attempt_exchanges.unwrap_or_default();
        let pairs = attempts.into_iter().zip(exchanges);
        let reports = pairs.map(|(attempt, exchanges)| {
            let exchanges = match exchanges {
                Value::Array(exchanges) => Ok(exchanges),
                _ => Err("it is no JSON array"),
            };
            Ok(AttemptReport {
                attempt,
                exchanges: stored::checked("exchanges", exchanges)?,
            })
        });
        reports.collect()
    }
}

fn present<T>(value: Option<T>) -> Result<T, RepoError> {
    stored::checked("attempts", value.ok_or("the columns differ in length"))
}

/// A stored count that the domain keeps small.
pub(super) fn small(column: &'static str, value: i64) -> Result<u32, RepoError> {
    stored::checked(column, u32::try_from(value))
}

/// The common table expressions `news` and `stored`: the latter writes these attempts and appends
/// these exchanges for the executions that the expression called `owner` has found and locked, with
/// the `place` of each. It answers execution, number, state and job of each attempt that it wrote.
///
/// A job's id is only ever added: a callback may have brought it while the worker held the
/// lease, and a worker that does not know it does not mean that there is none.
pub(super) fn storing<'a>(
    owner: &str,
    of: impl Iterator<Item = About<'a>>,
    binds: &mut Binds,
) -> String {
    let news: Vec<_> = (1_i64..)
        .zip(of)
        .flat_map(|(place, about)| {
            let news = news(about.attempts, about.exchanges).into_iter();
            news.map(move |one| (place, one))
        })
        .collect();
    let places = binds.numbers(news.iter().map(|(place, _)| *place).collect());
    let numbers = news.iter().map(|(_, one)| i64::from(one.number));
    let numbers = binds.numbers(numbers.collect());
    let changed = || news.iter().map(|(_, one)| one.attempt);
    let states = changed().map(|one| one.map(|attempt| attempt.state.as_str()));
    let states = binds.optional_texts(states.collect());
    let jobs = changed().map(|one| one?.job.as_ref().map(ProviderJobId::as_str));
    let jobs = binds.optional_texts(jobs.collect());
    let missing = changed().map(|one| one?.missing_since);
    let missing = binds.optional_moments(missing.collect());
    let unreadable = changed().map(|one| one.map(|attempt| i64::from(attempt.unreadable)));
    let unreadable = binds.optional_numbers(unreadable.collect());
    let said = news.iter().map(|(_, one)| Value::from(one.said.clone()));
    let said = binds.jsonbs(said.collect());
    let first = KEPT_EXCHANGES - 1;
    format!(
        "news AS MATERIALIZED (\
            SELECT * FROM unnest(\
                {places}, {numbers}, {states}, {jobs}, {missing}, {unreadable}, {said}\
            ) AS n (place, number, state, job_id, missing_since, unreadable, said) {AS_FOR_ONE}\
         ), stored AS (\
            UPDATE provider_attempts a SET state = coalesce(n.state, a.state), \
                job_id = coalesce(n.job_id, a.job_id), \
                missing_since = CASE WHEN n.state IS NULL THEN a.missing_since \
                    ELSE n.missing_since END, \
                unreadable = coalesce(n.unreadable, a.unreadable), \
                exchanges = jsonb_path_query_array(a.exchanges || coalesce((\
                    SELECT jsonb_agg(jsonb_build_object('at', {SAID_AT}) || s.one ORDER BY s.place) \
                    FROM jsonb_array_elements(n.said) WITH ORDINALITY AS s (one, place)\
                ), '[]'), '$[last - {first} to last]') \
            FROM {owner} o JOIN news n ON n.place = o.place \
            WHERE a.execution_id = o.id AND a.number = n.number \
            RETURNING a.execution_id, a.number, a.state, a.job_id\
         )"
    )
}

/// The same, and the common table expression `loose`: the executions of which a job is left, also
/// one that the worker does not know of, because a callback brought it while he decided.
pub(super) fn storing_last<'a>(
    owner: &str,
    of: impl Iterator<Item = About<'a>>,
    binds: &mut Binds,
) -> String {
    let stored = storing(owner, of, binds);
    format!(
        "{stored}, others AS (\
            SELECT a.execution_id, a.job_id \
            FROM {owner} o CROSS JOIN LATERAL (\
                SELECT a.execution_id, a.job_id FROM provider_attempts a \
                WHERE a.execution_id = o.id AND a.state IN ({LIVE}) AND NOT EXISTS (\
                    SELECT 1 FROM news n WHERE n.place = o.place AND n.number = a.number\
                ) FOR NO KEY UPDATE\
            ) a\
         ), loose AS MATERIALIZED (\
            SELECT execution_id FROM stored WHERE state IN ({LIVE}) AND job_id IS NOT NULL \
            UNION SELECT execution_id FROM others WHERE job_id IS NOT NULL\
         )"
    )
}

/// The states of attempts whose jobs, when they are known, may still end.
pub(super) const LIVE: &str = "'calling', 'lost', 'accepted', 'orphaned'";

/// The moment of the write, as JSON has moments.
const SAID_AT: &str = "to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')";

/// What is new about one attempt. A statement can change a row only once.
struct News<'a> {
    number: u32,
    attempt: Option<&'a Attempt>,
    said: Vec<Value>,
}

fn news<'a>(attempts: &'a [Attempt], exchanges: &[Exchange]) -> Vec<News<'a>> {
    let mut news: Vec<News<'a>> = Vec::with_capacity(attempts.len());
    for attempt in attempts {
        news.push(News {
            number: attempt.number,
            attempt: Some(attempt),
            said: Vec::new(),
        });
    }
    for exchange in exchanges {
        let Exchange {
            attempt: number,
            operation,
            http_status,
            took,
            said,
        } = exchange;
        let said = json!({
            "operation": operation.as_str(),
            "httpStatus": http_status,
            "tookMs": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            "said": without_nul(said),
        });
        if let Some(known) = news.iter_mut().find(|one| one.number == *number) {
            known.said.push(said);
        } else {
            news.push(News {
                number: *number,
                attempt: None,
                said: vec![said],
            });
        }
    }
    news
}
