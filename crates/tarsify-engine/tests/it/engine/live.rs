//! Following executions: everything once, in order, to the end, whoever is cut off and when.

use std::time::Duration;

use serde_json::json;
use tarsify_domain::Scope;
use tarsify_domain::execution::{EventKind, LogPlace, LoggedEvent};
use tarsify_domain::id::{ConsumerId, ExecutionId};
use tarsify_engine::{FollowError, Followed, Following, FollowingAll, ReadError};
use tarsify_testing::clock::MOMENT;
use tokio::time::timeout;

use super::workshop::{PATIENCE, Workshop};

/// What is given until the end, or until nothing comes for a while.
async fn to_the_end(mut following: Following) -> Vec<(i64, EventKind)> {
    let mut given = Vec::new();
    loop {
        let next = timeout(PATIENCE, following.next()).await;
        match next.expect("it goes on").unwrap() {
            Followed::Event(event) => given.push((event.place.seq, event.kind)),
            Followed::End => return given,
        }
    }
}

async fn heard(following: &mut FollowingAll) -> LoggedEvent {
    let next = timeout(PATIENCE, following.next()).await;
    match next.expect("something happens").unwrap() {
        Followed::Event(event) => LoggedEvent::clone(&event),
        Followed::End => panic!("there is no end of everything"),
    }
}

fn busy() -> Workshop {
    let workshop = Workshop::open();
    workshop.model("echo", "echo", json!({}));
    workshop.behave("echo", json!({"progressSteps": 3}));
    workshop
}

#[tokio::test]
async fn a_run_is_followed_from_any_event_to_its_end() {
    let mut workshop = busy();
    let (scope, id) = workshop.submit("echo", json!({"prompt": "x"})).await;
    let live = workshop.engine.follow(scope, id, 0).await.unwrap();
    workshop.run_workers();
    let _time = workshop.keep_time();
    let whole = to_the_end(live).await;
    assert_eq!(whole.first(), Some(&(1, EventKind::Queued)));
    assert_eq!(whole.last().unwrap().1, EventKind::Completed);
    let numbers: Vec<_> = whole.iter().map(|(seq, _)| *seq).collect();
    assert_eq!(numbers, (1..).take(whole.len()).collect::<Vec<_>>());
    let stored = workshop.store.events(id);
    let stored: Vec<_> = stored.iter().map(|event| (event.seq, event.kind)).collect();
    assert_eq!(whole, stored);
    for (place, (seq, _)) in whole.iter().enumerate() {
        let rest = workshop.engine.follow(scope, id, *seq).await.unwrap();
        assert_eq!(to_the_end(rest).await, whole[place + 1..]);
    }
    workshop.close().await;
}

#[tokio::test]
async fn many_who_are_cut_off_again_and_again_see_everything_once() {
    let mut workshop = busy();
    let mut runs = Vec::new();
    for _ in 0..20 {
        runs.push(workshop.submit("echo", json!({"prompt": "x"})).await);
    }
    workshop.run_workers();
    let _time = workshop.keep_time();
    let mut followers = tokio::task::JoinSet::new();
    for follower in 0..100_usize {
        let (scope, id) = runs[follower % runs.len()];
        let engine = workshop.engine.clone();
        followers.spawn(async move {
            let mut last = 0;
            let mut given = Vec::new();
            // Cut off after each of so many events, and for good only by the end.
            loop {
                let mut following = engine.follow(scope, id, last).await.unwrap();
                for _ in 0..=(follower % 3) {
                    match timeout(PATIENCE, following.next()).await.unwrap().unwrap() {
                        Followed::Event(event) => {
                            last = event.place.seq;
                            given.push((last, event.kind));
                        }
                        Followed::End => return (id, given),
                    }
                }
            }
        });
    }
    while let Some(joined) = followers.join_next().await {
        let (id, given) = joined.unwrap();
        let stored = workshop.store.events(id);
        let stored: Vec<_> = stored.iter().map(|event| (event.seq, event.kind)).collect();
        assert_eq!(given, stored);
    }
    workshop.close().await;
}

#[tokio::test]
async fn what_cannot_be_followed_is_refused() {
    let workshop = busy();
    let (scope, id) = workshop.submit("echo", json!({"prompt": "x"})).await;
    let stranger = Scope::Consumer(ConsumerId::new(MOMENT));
    let nobodys = ExecutionId::new(MOMENT);
    let engine = &workshop.engine;
    let refusal = async |scope, id, after| match engine.follow(scope, id, after).await {
        Err(refusal) => refusal,
        Ok(_) => panic!("{id} is followed from {after}"),
    };
    assert!(matches!(
        refusal(stranger, id, 0).await,
        FollowError::Read(ReadError::NotOwned)
    ));
    assert!(matches!(
        refusal(scope, nobodys, 0).await,
        FollowError::Read(ReadError::NotFound)
    ));
    for after in [2, i64::MAX] {
        let refused = refusal(scope, id, after).await;
        assert!(matches!(refused, FollowError::Ahead), "{after}");
    }
    let place = LogPlace {
        turn: 7,
        execution: id,
        seq: 1,
    };
    let refused = engine.follow_all(stranger, Some(place)).await;
    assert!(matches!(refused.map(drop), Err(FollowError::Ahead)));
    workshop.close().await;
}

#[tokio::test]
async fn a_scope_hears_what_is_its_own_and_goes_on_where_it_was() {
    let mut workshop = busy();
    let before = workshop.submit("echo", json!({"prompt": "x"})).await;
    let mut all = workshop
        .engine
        .follow_all(Scope::System, None)
        .await
        .unwrap();
    let mut own = workshop.engine.follow_all(before.0, None).await.unwrap();
    let (scope, id) = workshop.submit("echo", json!({"prompt": "y"})).await;
    let mut other = workshop.engine.follow_all(scope, None).await.unwrap();
    workshop.run_workers();
    let _time = workshop.keep_time();
    let mut everything = Vec::new();
    loop {
        everything.push(heard(&mut all).await);
        let ended = everything.iter().filter(|event| event.kind.is_terminal());
        if ended.count() == 2 {
            break;
        }
    }
    assert!(everything.is_sorted_by_key(|event| event.place));
    // What happened before is not told, and what happens to others is not either.
    let first = heard(&mut own).await;
    assert_eq!(first.place.execution, before.1);
    assert_ne!(first.kind, EventKind::Queued);
    let its = everything
        .iter()
        .filter(|event| event.place.execution == id);
    let its: Vec<_> = its.cloned().collect();
    // What had happened and was not read yet is heard, too.
    for event in &its {
        assert_eq!(heard(&mut other).await, *event);
    }
    // Cut off after any event, nothing is lost and nothing comes twice.
    for (index, event) in everything.iter().enumerate() {
        let follow = workshop.engine.follow_all(Scope::System, Some(event.place));
        let mut again = follow.await.unwrap();
        for expected in &everything[index + 1..] {
            assert_eq!(heard(&mut again).await, *expected);
        }
        let more = timeout(Duration::from_millis(1), again.next()).await;
        assert!(more.is_err(), "{more:?}");
    }
    workshop.close().await;
}

#[tokio::test]
async fn who_takes_nothing_holds_up_nobody_and_misses_nothing() {
    let mut workshop = busy();
    let engine = workshop.engine.clone();
    let mut slow = engine.follow_all(Scope::System, None).await.unwrap();
    workshop.run_workers();
    let _time = workshop.keep_time();
    let mut runs = Vec::new();
    for _ in 0..120 {
        runs.push(workshop.submit("echo", json!({"prompt": "x"})).await);
    }
    let mut happened = 0;
    for (scope, id) in runs {
        let following = engine.follow(scope, id, 0).await.unwrap();
        happened += to_the_end(following).await.len();
    }
    // Far more than waits for anybody.
    assert!(happened > 300, "{happened}");
    let mut last = slow.place();
    for _ in 0..happened {
        let place = heard(&mut slow).await.place;
        assert!(last < place);
        last = place;
    }
    let more = timeout(Duration::from_millis(1), slow.next()).await;
    assert!(more.is_err(), "{more:?}");
    workshop.close().await;
}

#[tokio::test]
async fn who_heard_nothing_yet_can_go_on_from_where_he_came() {
    let workshop = busy();
    let engine = workshop.engine.clone();
    let (scope, _) = workshop.submit("echo", json!({"prompt": "x"})).await;
    engine.tell_followers().await.unwrap();
    let all = engine.follow_all(scope, None).await.unwrap();
    let place = all.place();
    drop(all);
    let (_, id) = workshop.submit("echo", json!({"prompt": "y"})).await;
    let mut again = engine.follow_all(Scope::System, Some(place)).await.unwrap();
    assert_eq!(again.place(), place);
    assert_eq!(heard(&mut again).await.place.execution, id);
    workshop.close().await;
}
