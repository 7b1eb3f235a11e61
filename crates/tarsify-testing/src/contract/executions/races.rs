//! What holds when many do it at once.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::json;
use tarsify_domain::Scope;
use tarsify_domain::execution::{
    AdmitError, Advance, AttemptState, CancelAnswer, Claim, Claimed, EndReason, ExecutionFilter,
    Found, NewExecution, Stage, Work, Written,
};
use tarsify_domain::id::ExecutionId;
use tarsify_domain::idempotency::Begun;
use tokio::task::JoinSet;

use super::tally::complete;
use super::world::{
    ExecutionWorld, a_claim, assert_applied, assert_not_due, ids, seconds, submissions,
};
use crate::builders::{
    advance, attempt, completion, idempotency_claim, new_job, new_run, new_test_run, page,
    settlement,
};
use crate::clock::MOMENT;

/// Does so many things at once and answers what each came to, in no order.
async fn crowd<T, F>(count: usize, mut member: impl FnMut(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let mut members = JoinSet::new();
    for number in 0..count {
        members.spawn(member(number));
    }
    members.join_all().await
}

pub(super) async fn fifty_twins_are_one_execution(world: ExecutionWorld) {
    let model = world.model().await;
    let first = NewExecution {
        idempotency: Some(idempotency_claim()),
        ..new_run(&model, world.consumer().await)
    };
    let admitted = crowd(50, |_| {
        let twin = NewExecution {
            id: ExecutionId::new(MOMENT),
            ..first.clone()
        };
        let repository = Arc::clone(&world.repository);
        async move { repository.admit(&twin).await.unwrap() }
    });
    let admitted = admitted.await;
    let fresh = admitted.iter().filter(|one| !one.is_replay).count();
    assert_eq!(fresh, 1, "one of the twins is the first");
    let same = admitted.iter().map(|one| one.execution.summary.id);
    let same: HashSet<_> = same.collect();
    assert_eq!(same.len(), 1);
    let (filter, first_page) = (ExecutionFilter::default(), page(1, 10));
    let list = world.repository.list(Scope::System, &filter, &first_page);
    assert_eq!(list.await.unwrap().total, 1);
    assert_eq!(world.submit_all().await.len(), 1);
    for id in same {
        assert_eq!(world.story(id).await, ["queued"]);
    }
}

pub(super) async fn twins_hold_once_even_when_there_is_no_more(world: ExecutionWorld) {
    for _ in 0..3 {
        let model = world.model_for(25).await;
        let carla = world.consumer_with(49).await;
        let first = NewExecution {
            idempotency: Some(idempotency_claim()),
            ..new_run(&model, carla)
        };
        let admitted = crowd(20, |_| {
            let twin = NewExecution {
                id: ExecutionId::new(MOMENT),
                ..first.clone()
            };
            let repository = Arc::clone(&world.repository);
            async move { repository.admit(&twin).await }
        });
        // Nobody is told that there is too little: all of them are the one that was accepted.
        let admitted = admitted.await.into_iter().map(Result::unwrap);
        let admitted: Vec<_> = admitted.collect();
        let fresh = admitted.iter().filter(|one| !one.is_replay).count();
        assert_eq!(fresh, 1, "one of the twins is the first");
        assert_eq!(world.wallet(carla).await, (24_000, 25_000));
    }
}

pub(super) async fn a_crowd_spends_no_more_than_there_is(world: ExecutionWorld) {
    let model = world.model_for(25).await;
    // Room for seven, and nearly for an eighth.
    let carla = world.consumer_with(7 * 25 + 24).await;
    let admitted = crowd(64, |_| {
        let new = new_run(&model, carla);
        let repository = Arc::clone(&world.repository);
        async move {
            match repository.admit(&new).await {
                Ok(_) => true,
                Err(AdmitError::InsufficientCredits {
                    required,
                    available,
                }) => {
                    assert!(required.get() == 25 && available.get() == 24);
                    false
                }
                Err(other) => panic!("{other:?}"),
            }
        }
    });
    let admitted = admitted.await.into_iter().filter(|is_in| *is_in);
    assert_eq!(admitted.count(), 7);
    assert_eq!(world.wallet(carla).await, (24_000, 175_000));
    assert_eq!(world.submit_all().await.len(), 7);
}

pub(super) async fn a_price_is_resolved_once_whoever_ends_the_run(world: ExecutionWorld) {
    let model = world.model_for(25).await;
    let carla = world.consumer_with(1_000).await;
    let mut paid = 0;
    for _ in 0..10 {
        // Another one's price lies beside, for whoever would take or give too much.
        world.admit(&new_run(&model, carla)).await;
        world.admit(&new_run(&model, carla)).await;
        let claimed = world.submit().await;
        let id = claimed.lease.id;
        let good = completion(&claimed, json!("done"));
        let bad = settlement(&claimed, EndReason::Deadline);
        let (first, second, cancel) = tokio::join!(
            world.queue.settle(&good),
            world.queue.settle(&bad),
            world.repository.request_cancel(Scope::System, id),
        );
        let applied = [first.unwrap(), second.unwrap()];
        let applied = applied.iter().filter(|one| **one != Written::Refused);
        assert_eq!(applied.count(), 1);
        let cancel = cancel.unwrap();
        assert!(
            matches!(
                cancel,
                Found::Here(CancelAnswer::Requested(_) | CancelAnswer::TooLate(_))
            ),
            "{cancel:?}"
        );
        let charged = world.found(id).await.summary.charged.get();
        assert!(charged == 0 || charged == 25);
        paid += charged;
        let other = world.submit().await;
        let end = settlement(&other, EndReason::ProviderError);
        assert_applied(world.settle(&end).await);
        assert_eq!(world.wallet(carla).await, ((1_000 - paid) * 1_000, 0));
        assert_eq!(world.income(&model).await, (paid * 700, paid * 300));
    }
}

pub(super) async fn a_price_is_given_back_once_whoever_calls_off(world: ExecutionWorld) {
    let model = world.model_for(25).await;
    let carla = world.consumer_with(100).await;
    for _ in 0..5 {
        let id = world.admit(&new_run(&model, carla)).await.summary.id;
        let answers = crowd(8, |_| {
            let repository = Arc::clone(&world.repository);
            async move { repository.request_cancel(Scope::System, id).await.unwrap() }
        });
        let answers = answers.await;
        let is_end = |one: &&_| matches!(one, Found::Here(CancelAnswer::Ended(_)));
        assert_eq!(answers.iter().filter(is_end).count(), 1);
        assert_eq!(world.wallet(carla).await, (100_000, 0));
    }
    // And with a worker who takes it at the same moment.
    for _ in 0..10 {
        let id = world.admit(&new_run(&model, carla)).await.summary.id;
        let claim = a_claim(submissions(1));
        let (answer, claimed) = tokio::join!(
            world.repository.request_cancel(Scope::System, id),
            world.queue.claim(&claim),
        );
        answer.unwrap();
        for claimed in claimed.unwrap() {
            assert_eq!(world.wallet(carla).await, (75_000, 25_000));
            let end = settlement(&claimed, EndReason::CancelledByCaller);
            assert_applied(world.settle(&end).await);
        }
        assert_eq!(world.wallet(carla).await, (100_000, 0));
    }
}

pub(super) async fn the_quota_holds_in_a_crowd(world: ExecutionWorld) {
    let model = world.model().await;
    let admitted = crowd(20, |_| {
        let new = new_test_run(&model, 5);
        let repository = Arc::clone(&world.repository);
        async move {
            match repository.admit(&new).await {
                Ok(_) => true,
                Err(AdmitError::QuotaUsedUp(5)) => false,
                Err(other) => panic!("{other:?}"),
            }
        }
    });
    let admitted = admitted.await.into_iter().filter(|is_in| *is_in);
    assert_eq!(admitted.count(), 5);
}

/// Claims from several sides at once until there is nothing more, and sees that nobody was
/// claimed twice.
async fn claim_from_all_sides(world: &ExecutionWorld, claim: impl Fn() -> Claim) -> Vec<Claimed> {
    let mut all = Vec::new();
    loop {
        let claimed = crowd(4, |_| {
            let (queue, claim) = (Arc::clone(&world.queue), claim());
            async move { queue.claim(&claim).await.unwrap() }
        });
        let before = all.len();
        all.extend(claimed.await.into_iter().flatten());
        assert!(all.len() < 1_000, "there is no end to it");
        if all.len() == before {
            break;
        }
    }
    let distinct: HashSet<_> = ids(&all).into_iter().collect();
    assert_eq!(distinct.len(), all.len(), "somebody was claimed twice");
    all
}

pub(super) async fn two_claimers_never_share(world: ExecutionWorld) {
    let model = world.model().await;
    let consumer = world.consumer().await;
    world.runs(&model, consumer, 30).await;
    let claim = || a_claim(submissions(7));
    let claimed = claim_from_all_sides(&world, claim).await;
    assert_eq!(claimed.len(), 30);
    let is_first = |one: &Claimed| one.lease.epoch == 1 && one.state.attempts.len() == 1;
    assert!(claimed.iter().all(is_first));
}

pub(super) async fn two_lookers_never_share(world: ExecutionWorld) {
    let model = world.model().await;
    let consumer = world.consumer().await;
    world.runs(&model, consumer, 30).await;
    for _ in 0..30 {
        world.accept().await;
    }
    world.pass(seconds(61)).await;
    let claim = || Claim {
        limit: 7,
        ..a_claim(Work::Look)
    };
    assert_eq!(claim_from_all_sides(&world, claim).await.len(), 30);
    world.pass(seconds(600)).await;
    let claim = || Claim {
        limit: 7,
        ..a_claim(Work::Sweep)
    };
    assert_eq!(claim_from_all_sides(&world, claim).await.len(), 30);
}

pub(super) async fn submitting_and_calling_off_at_once_agree(world: ExecutionWorld) {
    for _ in 0..10 {
        let id = world.run().await;
        let claim = a_claim(submissions(1));
        let (answer, claimed) = tokio::join!(
            world.repository.request_cancel(Scope::System, id),
            world.queue.claim(&claim),
        );
        let (answer, claimed) = (answer.unwrap(), claimed.unwrap());
        let report = world.report(id).await;
        match answer {
            Found::Here(CancelAnswer::Ended(_)) => {
                assert_eq!(claimed, []);
                assert_eq!(report.stage, Stage::Ended);
                assert_eq!(world.submit_all().await, []);
            }
            Found::Here(CancelAnswer::Requested(_)) => {
                assert_eq!(ids(&claimed), [id]);
                assert_eq!(report.stage, Stage::Submitting);
                let lost = Advance {
                    attempts: vec![attempt(&claimed[0], AttemptState::Lost)],
                    ..advance(&claimed[0], Stage::Unknown)
                };
                let written = world.advance(&lost).await;
                assert_eq!(written, Written::Applied { is_due: true });
                let claimed = world.look().await;
                let end = settlement(&claimed, EndReason::CancelledByCaller);
                assert_applied(world.settle(&end).await);
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(world.story(id).await, ["queued", "cancelled"]);
    }
}

pub(super) async fn of_two_ends_one_counts(world: ExecutionWorld) {
    for _ in 0..10 {
        let claimed = world.looked_at().await;
        let id = claimed.lease.id;
        let good = completion(&claimed, json!("done"));
        let bad = settlement(&claimed, EndReason::Deadline);
        let (first, second) = tokio::join!(world.queue.settle(&good), world.queue.settle(&bad));
        let story = world.story(id).await;
        match (first.unwrap(), second.unwrap()) {
            (Written::Applied { .. }, Written::Refused) => {
                assert_eq!(story, ["queued", "completed"]);
            }
            (Written::Refused, Written::Applied { .. }) => {
                assert_eq!(story, ["queued", "timed_out"]);
                assert_eq!(world.found(id).await.output, None);
            }
            both => panic!("not one end but {both:?}"),
        }
    }
}

pub(super) async fn ending_and_calling_off_at_once_agree(world: ExecutionWorld) {
    for _ in 0..10 {
        let claimed = world.looked_at().await;
        let id = claimed.lease.id;
        let end = completion(&claimed, json!("done"));
        let (answer, written) = tokio::join!(
            world.repository.request_cancel(Scope::System, id),
            world.queue.settle(&end),
        );
        assert_applied(written.unwrap());
        match answer.unwrap() {
            Found::Here(CancelAnswer::Requested(_) | CancelAnswer::TooLate(_)) => {}
            other => panic!("{other:?}"),
        }
        assert_eq!(world.story(id).await, ["queued", "completed"]);
        assert_eq!(world.look_all().await, []);
    }
}

pub(super) async fn a_job_is_adopted_by_one_of_two(world: ExecutionWorld) {
    for _ in 0..10 {
        let mut pair = Vec::new();
        for _ in 0..2 {
            world.run().await;
            let claimed = world.submit().await;
            let lost = Advance {
                attempts: vec![attempt(&claimed, AttemptState::Lost)],
                ..advance(&claimed, Stage::Unknown)
            };
            assert_not_due(world.advance(&lost).await);
            pair.push(claimed.lease.id);
        }
        let job = new_job();
        let (first, second) = tokio::join!(
            world.queue.hint(pair[0], 1, Some(&job)),
            world.queue.hint(pair[1], 1, Some(&job)),
        );
        first.unwrap();
        second.unwrap();
        let mut owners = 0;
        for id in pair {
            let attempt = world.report(id).await.attempts.remove(0).attempt;
            owners += usize::from(attempt.job.as_ref() == Some(&job));
        }
        assert_eq!(owners, 1);
        assert_eq!(world.look_all().await.len(), 2, "both are due");
    }
}

pub(super) async fn one_of_a_crowd_takes_a_key(world: ExecutionWorld) {
    for _ in 0..3 {
        let claim = idempotency_claim();
        let begun = crowd(20, |_| {
            let (keys, claim) = (Arc::clone(&world.keys), claim.clone());
            async move { keys.begin(&claim, seconds(60)).await.unwrap() }
        });
        let begun = begun.await;
        let count = |wanted: &Begun| begun.iter().filter(|one| *one == wanted).count();
        assert_eq!((count(&Begun::Fresh), count(&Begun::Running)), (1, 19));
        world.pass(seconds(61)).await;
    }
}

pub(super) async fn a_crowd_counts_each_run_once(world: ExecutionWorld) {
    let model = world.model().await;
    let carla = world.consumer().await;
    complete(&world, &model, carla, 20).await;
    let mut counted = 0;
    for _ in 0..20 {
        let tallies = crowd(3, |_| {
            let queue = Arc::clone(&world.queue);
            async move { queue.tally(4).await.unwrap() }
        });
        counted += tallies.await.into_iter().sum::<u64>();
    }
    assert_eq!(counted, 20);
    assert_eq!(world.props.runs_of_model(model.id).await, 20);
    assert_eq!(world.props.runs_of_consumer(carla).await, 20);
}
