//! Claims at the same moment, and claims beside writes.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::time::Duration;

use futures_util::future::join_all;
use tarsify_domain::execution::{
    Advance, Attempt, AttemptState, Claim, ExecutionQueue, Stage, Then, Work, Written,
};
use tarsify_domain::id::ExecutionId;
use tarsify_testing::builders::advance;

use super::place::{Place, a_claim, attempt, submissions};

/// How many claimers there are in a crowd.
const CLAIMERS: usize = 64;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_crowd_of_claimers_never_shares() {
    let place = Place::open().await;
    for number in 0..3 {
        let model = place.model(number).await;
        let consumer = place.consumer(number).await;
        place.runs(&model, consumer, 50).await;
    }
    for look in [false, true] {
        let crowd = (0..CLAIMERS).map(|_| async {
            let mut mine = Vec::new();
            for _ in 0..20 {
                let work = if look { Work::Look } else { submissions(7) };
                let claim = Claim {
                    limit: 7,
                    ..a_claim(work)
                };
                mine.extend(place.executions.claim(&claim).await.unwrap());
            }
            mine
        });
        let claimed: Vec<_> = join_all(crowd).await.into_iter().flatten().collect();
        let ids: HashSet<ExecutionId> = claimed.iter().map(|one| one.lease.id).collect();
        assert_eq!((claimed.len(), ids.len()), (150, 150), "looked: {look}");
        let tokens: HashSet<_> = claimed
            .iter()
            .filter_map(|one| one.submission.as_ref().map(|(token, _)| *token))
            .collect();
        if look {
            assert_eq!(tokens.len(), 0);
        } else {
            assert_eq!(tokens.len(), 150, "every attempt has its own token");
            join_all(claimed.iter().map(|one| place.accept(one))).await;
        }
    }
    assert_eq!(place.count("provider_attempts").await, 150);
    assert_eq!(place.broken().await, []);
}

/// What a claim tells of an execution is never older than the last write about it, however
/// claims, writes and calls for attention fall together.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_claim_never_reads_what_was_before_the_last_write() {
    let place = Place::open().await;
    let model = place.model(1).await;
    let consumer = place.consumer(1).await;
    place.runs(&model, consumer, 4).await;
    let submitted = place.submit(4).await;
    for claimed in &submitted {
        place.accept(claimed).await;
    }
    let ids: Vec<ExecutionId> = submitted.iter().map(|one| one.lease.id).collect();
    let written: Mutex<HashMap<ExecutionId, u32>> = Mutex::default();
    let workers = (0..10).map(|_| async {
        for _ in 0..60 {
            let claim = Claim {
                limit: 2,
                ..a_claim(Work::Look)
            };
            for claimed in place.executions.claim(&claim).await.unwrap() {
                let id = claimed.lease.id;
                let newest = claimed.state.attempts.last().unwrap().clone();
                let expected = written.lock().unwrap().get(&id).copied();
                assert_eq!(newest.unreadable, expected.unwrap_or(0));
                let next = newest.unreadable + 1;
                written.lock().unwrap().insert(id, next);
                let again = Advance {
                    attempts: vec![Attempt {
                        unreadable: next,
                        ..newest
                    }],
                    then: Then::After(Duration::ZERO),
                    ..advance(&claimed, Stage::Queued)
                };
                let written = place.executions.advance(&again).await.unwrap();
                assert!(matches!(written, Written::Applied { .. }));
            }
        }
    });
    let callers = (0..4).map(|number: usize| {
        let (place, ids) = (&place, &ids);
        async move {
            for turn in 0..150 {
                let id = ids[(number + turn) % ids.len()];
                place.executions.hint(id, 1, None).await.unwrap();
            }
        }
    });
    tokio::join!(join_all(workers), join_all(callers));
    assert!(written.lock().unwrap().values().sum::<u32>() > 100);
}

#[tokio::test]
async fn an_endpoint_that_is_full_leaves_the_claim_to_others() {
    let place = Place::open().await;
    let (crowded, quiet) = (place.model(1).await, place.model(2).await);
    let consumer = place.consumer(1).await;
    place.runs(&crowded, consumer, 20).await;
    place.runs(&quiet, consumer, 2).await;
    let four = Claim {
        limit: 4,
        ..a_claim(submissions(10))
    };
    let claimed = place.executions.claim(&four).await.unwrap();
    let of = |endpoint| {
        let places = claimed.iter().map(|one| one.place.endpoint_id);
        places.filter(|one| *one == endpoint).count()
    };
    assert_eq!((of(crowded.endpoint.id), of(quiet.endpoint.id)), (2, 2));
}

#[tokio::test]
async fn a_claim_does_not_wait_for_a_row_that_somebody_holds() {
    let place = Place::open().await;
    let model = place.model(1).await;
    let consumer = place.consumer(1).await;
    let held = place.run(&model, consumer).await;
    let free = place.run(&model, consumer).await;
    let outside = crate::support::Outside::connect(&place.test().url).await;
    let lock = format!("BEGIN; SELECT id FROM executions WHERE id = '{held}' FOR UPDATE");
    outside.sql(&lock).await;
    let claimed = place.submit(2).await;
    assert_eq!(claimed.len(), 1);
    assert_eq!(claimed[0].lease.id, free);
    outside.sql("ROLLBACK").await;
    assert_eq!(place.submit(2).await.len(), 1);
}

#[tokio::test]
async fn what_was_cut_by_the_limit_is_not_touched() {
    let place = Place::open().await;
    for number in 0..4 {
        let model = place.model(number).await;
        let consumer = place.consumer(number).await;
        place.runs(&model, consumer, 3).await;
    }
    let claim = Claim {
        limit: 5,
        ..a_claim(submissions(5))
    };
    assert_eq!(place.executions.claim(&claim).await.unwrap().len(), 5);
    let untouched = "executions WHERE stage = 'created' AND lease_until IS NULL \
        AND lease_epoch = 0 AND strikes = 0 AND attempts = 0";
    assert_eq!(place.count(untouched).await, 7);
    assert_eq!(place.count("provider_attempts").await, 5);
}

#[tokio::test]
async fn an_attempt_that_is_put_back_keeps_its_number() {
    let place = Place::open().await;
    let first = place.submitting().await;
    let undone = Advance {
        attempts: vec![attempt(&first, AttemptState::Undone)],
        then: Then::After(Duration::ZERO),
        ..advance(&first, Stage::Created)
    };
    place.executions.advance(&undone).await.unwrap();
    let second = place.submit(1).await.remove(0);
    let numbers: Vec<_> = second.state.attempts.iter().map(|one| one.number).collect();
    assert_eq!(numbers, [1, 2]);
    assert_eq!(second.lease.epoch, 2);
    assert_eq!(second.state.attempts[0].called_at, first.now);
}
