//! What is written while others are on their way goes together, and nobody notices of whom.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use serde_json::{Value, json};
use tarsify_db::{Database, DatabaseSettings, PgExecutionRepository};
use tarsify_domain::RepoError;
use tarsify_domain::execution::{
    Advance, AttemptState, Claimed, EndReason, EventKind, ExecutionQueue, Lease, NewEvent,
    ProviderJobId, Settlement, Stage, Written,
};
use tarsify_domain::id::ExecutionId;
use tarsify_testing::builders::{advance, attempt_with_job, completion, settlement};
use tokio::task::JoinSet;

use super::place::{Place, attempt};
use crate::support::Outside;

/// How many come while the first two are held up.
const CROWD: usize = 18;

type Answer = (usize, Result<Written, RepoError>);

/// What a worker writes.
enum Write {
    Move(Advance),
    End(Settlement),
    Hint(ExecutionId, u32, ProviderJobId),
}

impl Write {
    async fn to(self, executions: Arc<PgExecutionRepository>) -> Result<Written, RepoError> {
        match self {
            Self::Move(advance) => executions.advance(&advance).await,
            Self::End(settlement) => executions.settle(&settlement).await,
            Self::Hint(id, attempt, job) => {
                let hinted = executions.hint(id, attempt, Some(&job)).await;
                hinted.map(|()| Written::Applied { is_due: true })
            }
        }
    }
}

/// Runs that were claimed to be submitted.
struct Crowded {
    place: Place,
    claimed: Vec<Claimed>,
}

impl Crowded {
    async fn open() -> Self {
        let place = Place::open().await;
        let model = place.model(1).await;
        for number in 0..4 {
            let consumer = place.consumer(number).await;
            place.runs(&model, consumer, (CROWD + 2) / 4).await;
        }
        let claimed = place.submit(CROWD + 2).await;
        assert_eq!(claimed.len(), CROWD + 2);
        Self { place, claimed }
    }

    /// Writes about the runs of the crowd while the writes about the first two are held up by whoever
    /// has locked those, and lets these go then. Answers what became of the crowd.
    async fn write(&self, write: impl Fn(usize, &Claimed) -> Write) -> Vec<Answer> {
        let outside = Outside::connect(&self.place.test().url).await;
        let mut asked = JoinSet::new();
        let mut ask = |number: usize, claimed: &Claimed| {
            let write = write(number, claimed);
            let executions = Arc::clone(&self.place.executions);
            asked.spawn(async move { (number, write.to(executions).await) });
        };
        outside.sql("BEGIN").await;
        for (number, claimed) in self.claimed.iter().enumerate() {
            if number < 2 {
                lock(&outside, claimed).await;
            }
            ask(number, claimed);
            if number < 2 {
                self.until_blocked(number + 1).await;
            }
        }
        // Everybody has got in line then.
        tokio::task::yield_now().await;
        outside.sql("COMMIT").await;
        let mut answers = asked.join_all().await;
        answers.sort_by_key(|(number, _)| *number);
        answers.split_off(2)
    }

    async fn until_blocked(&self, many: usize) {
        let waiting = "SELECT count(*) FROM pg_stat_activity \
            WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let outside = Outside::connect(&self.place.test().url).await;
        outside.until(waiting, &many.to_string()).await;
    }

    /// How many runs of the crowd are in this stage, and by how many statements they were written.
    async fn written(&self, stage: &str) -> String {
        let crowd = self.claimed.iter().skip(2);
        let ids: Vec<_> = crowd.map(|one| format!("'{}'", one.lease.id)).collect();
        let sql = format!(
            "SELECT count(*) || ' by ' || count(DISTINCT xmin::text) FROM executions \
             WHERE stage = '{stage}' AND id IN ({})",
            ids.join(", ")
        );
        self.place.sql(&sql).await.remove(0)
    }

    async fn assert_sound(&self) {
        assert_eq!(self.place.broken().await, []);
        let faults = "SELECT rule || ' ' || subject || ': ' || detail FROM ledger_faults";
        assert_eq!(self.place.sql(faults).await, Vec::<String>::new());
    }
}

/// Holds up whatever is written about it.
async fn lock(outside: &Outside, claimed: &Claimed) {
    let id = claimed.lease.id;
    let lock = format!("SELECT 1 FROM executions WHERE id = '{id}' FOR UPDATE");
    outside.sql(&lock).await;
}

fn accepted(claimed: &Claimed) -> Advance {
    Advance {
        attempts: vec![attempt_with_job(claimed, AttemptState::Accepted)],
        events: vec![told(claimed, 1), told(claimed, 2)],
        ..advance(claimed, Stage::Queued)
    }
}

pub(super) fn told(claimed: &Claimed, number: i64) -> NewEvent {
    let data = json!({"of": claimed.lease.id.to_string(), "number": number});
    NewEvent {
        kind: EventKind::Progress,
        data: data.as_object().cloned().unwrap(),
    }
}

/// Nobody but this one is refused.
#[track_caller]
fn assert_refused_alone(refused: usize, answers: Vec<Answer>) {
    for (number, answer) in answers {
        let expected = match number == refused {
            true => Written::Refused,
            false => Written::Applied { is_due: false },
        };
        assert_eq!(answer.unwrap(), expected, "{number}");
    }
}

/// By a lease that another one has followed.
fn late(claimed: &Claimed) -> Lease {
    Lease {
        epoch: claimed.lease.epoch - 1,
        ..claimed.lease
    }
}

#[tokio::test]
async fn moves_go_together_and_each_by_its_own_right() {
    let crowded = Crowded::open().await;
    let answers = crowded
        .write(|number, claimed| {
            let mut accepted = accepted(claimed);
            if number == 5 {
                accepted.lease = late(claimed);
            }
            Write::Move(accepted)
        })
        .await;
    assert_refused_alone(5, answers);
    assert_eq!(crowded.written("queued").await, "17 by 1");
    let jobs = "SELECT count(*) || ' of ' || count(DISTINCT execution_id) FROM provider_attempts \
        WHERE job_id IS NOT NULL AND state = 'accepted'";
    assert_eq!(crowded.place.sql(jobs).await, ["19 of 19"]);
    let told = "SELECT count(*) || ' of ' || count(DISTINCT execution_id) FROM execution_events \
        WHERE kind = 'progress' AND data->>'of' = execution_id::text \
            AND (data->>'number')::bigint = seq - 1";
    assert_eq!(crowded.place.sql(told).await, ["38 of 19"]);
    crowded.assert_sound().await;
}

#[tokio::test]
async fn what_one_may_not_write_stops_nobody_else() {
    let crowded = Crowded::open().await;
    let taken = attempt_with_job(&crowded.claimed[2], AttemptState::Accepted);
    let answers = crowded
        .write(|number, claimed| {
            let mut accepted = accepted(claimed);
            match number {
                // A job can be of one run only.
                2 | 9 => accepted.attempts[0].job.clone_from(&taken.job),
                // Nobody has claimed this attempt.
                7 => accepted.attempts[0].number += 1,
                _ => {}
            }
            Write::Move(accepted)
        })
        .await;
    let mut refused = Vec::new();
    for (number, answer) in answers {
        match answer {
            Ok(written) => assert_eq!(written, Written::Applied { is_due: false }, "{number}"),
            Err(RepoError::Conflict) => refused.push(number),
            Err(error) => assert_eq!((number, error.to_string().is_empty()), (7, false)),
        }
    }
    assert!(refused == [2] || refused == [9], "{refused:?}");
    assert!(crowded.written("queued").await.starts_with("16 by "));
    crowded.assert_sound().await;
}

#[tokio::test]
async fn ends_go_together_with_their_money() {
    let crowded = Crowded::open().await;
    let answers = crowded
        .write(|number, claimed| {
            let mut end = completion(claimed, json!({"text": format!("result {number}")}));
            if number == 11 {
                end.lease = late(claimed);
            }
            Write::End(end)
        })
        .await;
    assert_refused_alone(11, answers);
    assert_eq!(crowded.written("ended").await, "17 by 1");
    for (number, claimed) in crowded.claimed.iter().enumerate() {
        let id = claimed.lease.id;
        let output = format!("SELECT output->>'text' FROM executions WHERE id = '{id}'");
        let expected = match number {
            11 => "NULL".to_owned(),
            _ => format!("result {number}"),
        };
        assert_eq!(crowded.place.sql(&output).await, [expected]);
    }
    let money = "SELECT format('%s captured, %s active', \
        count(*) FILTER (WHERE state = 'captured'), count(*) FILTER (WHERE state = 'active')) \
        FROM holds";
    assert_eq!(crowded.place.sql(money).await, ["19 captured, 1 active"]);
    crowded.assert_sound().await;
}

#[tokio::test]
async fn a_run_whose_money_is_gone_ends_nobody_else() {
    let crowded = Crowded::open().await;
    let id = crowded.claimed[6].lease.id;
    let gone = format!(
        "UPDATE holds SET state = 'released', resolved_at = now() WHERE execution_id = '{id}'"
    );
    crowded.place.unseen(&gone).await;
    let answers = crowded
        .write(|_, claimed| Write::End(completion(claimed, json!({}))))
        .await;
    for (number, answer) in answers {
        match number {
            6 => assert!(matches!(answer, Err(RepoError::Internal(_))), "{answer:?}"),
            _ => assert_eq!(answer.unwrap(), Written::Applied { is_due: false }),
        }
    }
    assert!(crowded.written("ended").await.starts_with("17 by "));
    let stage = format!("SELECT stage FROM executions WHERE id = '{id}'");
    assert_eq!(crowded.place.sql(&stage).await, ["submitting"]);
}

#[tokio::test]
async fn hints_go_together_and_no_job_becomes_two_runs() {
    let crowded = Crowded::open().await;
    let twice = attempt_with_job(&crowded.claimed[4], AttemptState::Calling).job;
    let answers = crowded
        .write(|number, claimed| {
            let called = attempt_with_job(claimed, AttemptState::Calling);
            let job = match number {
                4 | 12 => twice.clone(),
                _ => called.job,
            };
            Write::Hint(claimed.lease.id, called.number, job.unwrap())
        })
        .await;
    for (number, answer) in answers {
        assert_eq!(
            answer.unwrap(),
            Written::Applied { is_due: true },
            "{number}"
        );
    }
    let jobs = "SELECT count(job_id) || ' of ' || count(*) FROM provider_attempts";
    assert_eq!(crowded.place.sql(jobs).await, ["19 of 20"]);
    let woken = "SELECT count(*) FROM executions WHERE wake";
    assert_eq!(crowded.place.sql(woken).await, ["20"]);
    crowded.assert_sound().await;
}

#[tokio::test]
async fn two_writes_about_the_same_run_do_not_go_together() {
    let crowded = Crowded::open().await;
    let answers = crowded
        .write(|number, claimed| {
            // From the third on all are about the third.
            let of = if number < 2 {
                claimed
            } else {
                &crowded.claimed[2]
            };
            Write::Move(Advance {
                attempts: vec![attempt(of, AttemptState::Lost)],
                ..advance(of, Stage::Unknown)
            })
        })
        .await;
    let applied = answers
        .iter()
        .filter(|(_, answer)| matches!(answer, Ok(Written::Applied { .. })));
    assert_eq!(applied.count(), 1, "{answers:?}");
    let refused = answers
        .iter()
        .filter(|(_, answer)| matches!(answer, Ok(Written::Refused)));
    assert_eq!(refused.count(), CROWD - 1, "{answers:?}");
    crowded.assert_sound().await;
}

#[tokio::test]
async fn who_gives_up_waiting_has_written_nothing() {
    let crowded = Crowded::open().await;
    let [first, second, third, ..] = crowded.claimed.as_slice() else {
        panic!("{:?}", crowded.claimed)
    };
    let outside = Outside::connect(&crowded.place.test().url).await;
    outside.sql("BEGIN").await;
    let mut on_their_way = JoinSet::new();
    for (number, claimed) in [first, second].into_iter().enumerate() {
        lock(&outside, claimed).await;
        let executions = Arc::clone(&crowded.place.executions);
        let accepted = accepted(claimed);
        on_their_way.spawn(async move { executions.advance(&accepted).await });
        crowded.until_blocked(number + 1).await;
    }
    {
        let accepted = accepted(third);
        let waiting = crowded.place.executions.advance(&accepted);
        assert_eq!(waiting.now_or_never().map(Result::ok), None);
    }
    outside.sql("COMMIT").await;
    for answer in on_their_way.join_all().await {
        assert_eq!(answer.unwrap(), Written::Applied { is_due: false });
    }
    assert_eq!(crowded.written("queued").await, "0 by 0");
}

#[tokio::test]
async fn who_is_held_up_holds_up_the_others_for_a_moment_only() {
    let mut crowded = Crowded::open().await;
    let mut settings = DatabaseSettings::new(&crowded.place.test().url);
    settings.lock_timeout = Duration::from_secs(1);
    let database = Database::connect(&settings).await.unwrap();
    crowded.place.executions = Arc::new(PgExecutionRepository::new(database));
    let outside = Outside::connect(&crowded.place.test().url).await;
    outside.sql("BEGIN").await;
    lock(&outside, &crowded.claimed[6]).await;
    let answers = crowded
        .write(|_, claimed| Write::Move(accepted(claimed)))
        .await;
    // Still, nobody has let go of it.
    for (number, answer) in answers {
        match number {
            6 => assert!(
                matches!(answer, Err(RepoError::Unavailable(_))),
                "{answer:?}"
            ),
            _ => assert_eq!(answer.unwrap(), Written::Applied { is_due: false }),
        }
    }
    outside.sql("COMMIT").await;
    let again = accepted(&crowded.claimed[6]);
    let written = crowded.place.executions.advance(&again).await;
    assert_eq!(written.unwrap(), Written::Applied { is_due: false });
    crowded.assert_sound().await;
}

#[tokio::test]
async fn what_gives_money_back_and_what_is_large_wait_in_no_line() {
    let crowded = Crowded::open().await;
    let outside = Outside::connect(&crowded.place.test().url).await;
    outside.sql("BEGIN").await;
    let mut held_up = JoinSet::new();
    let end = |number: usize, output: Value| {
        let executions = Arc::clone(&crowded.place.executions);
        let end = completion(&crowded.claimed[number], output);
        async move { executions.settle(&end).await }
    };
    for number in 0..2 {
        lock(&outside, &crowded.claimed[number]).await;
        held_up.spawn(end(number, json!({})));
        crowded.until_blocked(number + 1).await;
    }
    held_up.spawn(end(2, json!({})));

    let applied = Written::Applied { is_due: false };
    let large = json!({"text": "x".repeat(65 * 1024)});
    assert_eq!(end(3, large).await.unwrap(), applied);
    let failed = settlement(&crowded.claimed[4], EndReason::Lost);
    let failed = crowded.place.executions.settle(&failed).await;
    assert_eq!(failed.unwrap(), applied);
    assert_eq!(
        crowded
            .place
            .count("executions WHERE stage = 'ended'")
            .await,
        2
    );
    outside.sql("COMMIT").await;
    for answer in held_up.join_all().await {
        assert_eq!(answer.unwrap(), applied);
    }
    crowded.assert_sound().await;
}
