//! Attempts, their jobs, and what was said about them.

use tarsify_domain::execution::{
    Advance, Attempt, AttemptState, Claimed, Exchange, Known, Operation, Stage,
};

use super::world::{ExecutionWorld, assert_not_due, seconds};
use crate::builders::{advance, attempt, attempt_with_job};

pub(super) async fn an_attempt_is_stored(world: ExecutionWorld) {
    let claimed = world.looked_at().await;
    let changed = Attempt {
        missing_since: Some(claimed.now),
        unreadable: 3,
        ..attempt(&claimed, AttemptState::Over)
    };
    let seen = Advance {
        attempts: vec![changed.clone()],
        ..advance(&claimed, Stage::Queued)
    };
    assert_not_due(world.advance(&seen).await);
    let stored = world.report(claimed.lease.id).await.attempts.remove(0);
    assert_eq!(stored.attempt, changed);
    world.queue.hint(claimed.lease.id, 1, None).await.unwrap();
    let claimed = world.look().await;
    assert_eq!(claimed.state.attempts.len(), 1);
    assert_eq!(claimed.state.attempts[0], changed);
    let found_again = Attempt {
        missing_since: None,
        unreadable: 0,
        state: AttemptState::Accepted,
        ..changed
    };
    let seen = Advance {
        attempts: vec![found_again.clone()],
        ..advance(&claimed, Stage::Queued)
    };
    assert_not_due(world.advance(&seen).await);
    let stored = world.report(claimed.lease.id).await.attempts.remove(0);
    assert_eq!(stored.attempt, found_again);
}

fn said(attempt: u32, number: usize) -> Exchange {
    Exchange {
        attempt,
        operation: Operation::Status,
        http_status: Some(200),
        took: std::time::Duration::from_millis(120),
        said: number.to_string(),
    }
}

pub(super) async fn exchanges_are_kept_for_administrators(world: ExecutionWorld) {
    let claimed = world.looked_at().await;
    let unanswered = Exchange {
        operation: Operation::Cancel,
        http_status: None,
        took: seconds(20),
        said: "no answer: \"明日\"".into(),
        ..said(1, 0)
    };
    let asked = Advance {
        exchanges: vec![said(1, 7), unanswered],
        ..advance(&claimed, Stage::Queued)
    };
    assert_not_due(world.advance(&asked).await);
    let report = world.report(claimed.lease.id).await;
    let exchanges = &report.attempts[0].exchanges;
    assert_eq!(exchanges.len(), 2);
    assert!(exchanges.iter().all(|exchange| exchange["at"].is_string()));
    assert_eq!(exchanges[0]["operation"], "status");
    assert_eq!(exchanges[0]["httpStatus"], 200);
    assert_eq!(exchanges[0]["tookMs"], 120);
    assert_eq!(exchanges[0]["said"], "7");
    assert_eq!(exchanges[1]["operation"], "cancel");
    assert!(exchanges[1]["httpStatus"].is_null());
    assert_eq!(exchanges[1]["tookMs"], 20_000);
    assert_eq!(exchanges[1]["said"], "no answer: \"明日\"");
}

pub(super) async fn the_last_twenty_exchanges_of_each_attempt_are_kept(world: ExecutionWorld) {
    let id = world.put_back(seconds(0)).await;
    let mut claimed = world.submit().await;
    let mut number = 0;
    for count in [12, 13, 25] {
        let mut exchanges: Vec<_> = (number..number + count).map(|at| said(2, at)).collect();
        number += count;
        exchanges.push(said(1, number));
        let asked = Advance {
            exchanges,
            attempts: vec![Attempt {
                job: claimed.state.attempts[1].job.clone(),
                ..attempt_with_job(&claimed, AttemptState::Accepted)
            }],
            ..advance(&claimed, Stage::Queued)
        };
        let asked = if claimed.state.stage == Stage::Submitting {
            Advance {
                attempts: vec![attempt_with_job(&claimed, AttemptState::Accepted)],
                ..asked
            }
        } else {
            asked
        };
        assert_not_due(world.advance(&asked).await);
        let report = world.report(id).await;
        let kept = |at: usize| -> Vec<String> {
            let kept = report.attempts[at].exchanges.iter();
            kept.map(|its| its["said"].as_str().unwrap().to_owned())
                .collect()
        };
        let last: Vec<_> = (number.saturating_sub(20)..number)
            .map(|at| at.to_string())
            .collect();
        assert_eq!(kept(1), last);
        assert_eq!(kept(0).last(), Some(&number.to_string()));
        world.queue.hint(id, 2, None).await.unwrap();
        claimed = world.look().await;
    }
    assert_eq!(world.report(id).await.attempts[0].exchanges.len(), 3);
}

fn token(claimed: &Claimed) -> tarsify_domain::execution::TokenHash {
    claimed.submission.as_ref().unwrap().0
}

pub(super) async fn a_second_attempt_leaves_the_first(world: ExecutionWorld) {
    let id = world.run().await;
    let first = world.submit().await;
    let back = Advance {
        attempts: vec![attempt(&first, AttemptState::Undone)],
        exchanges: vec![said(1, 1)],
        then: tarsify_domain::execution::Then::After(seconds(0)),
        ..advance(&first, Stage::Created)
    };
    world.advance(&back).await;
    let second = world.submit().await;
    let accepted = attempt_with_job(&second, AttemptState::Accepted);
    let on = Advance {
        attempts: vec![accepted.clone()],
        ..advance(&second, Stage::Queued)
    };
    assert_not_due(world.advance(&on).await);
    let report = world.report(id).await;
    assert_eq!(report.attempts.len(), 2);
    assert_eq!(report.attempts[0].attempt, back.attempts[0]);
    assert_eq!(report.attempts[0].exchanges.len(), 1);
    assert_eq!(report.attempts[1].attempt, accepted);
    assert_eq!(report.attempts[1].exchanges.len(), 0);
    for (token, attempt, has_job) in [(token(&first), 1, false), (token(&second), 2, true)] {
        let known = world.queue.find_callback(id, &token).await.unwrap();
        assert_eq!(known, Some(Known { attempt, has_job }));
    }
}

pub(super) async fn a_job_has_one_attempt(world: ExecutionWorld) {
    let taken = world.looked_at().await;
    let id = world.run().await;
    let claimed = world.submit().await;
    let before = world.everything(id).await;
    let its = taken.state.attempts[0].job.clone();
    let stolen = Advance {
        attempts: vec![Attempt {
            job: its,
            ..attempt(&claimed, AttemptState::Accepted)
        }],
        ..advance(&claimed, Stage::Queued)
    };
    let refusal = world.queue.advance(&stolen).await;
    assert!(refusal.is_err(), "{refusal:?}");
    assert_eq!(world.everything(id).await, before, "nothing was written");
}
