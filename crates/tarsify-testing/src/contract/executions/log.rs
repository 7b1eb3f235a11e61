//! What happened is read once, in one order, by whom it concerns.

use std::time::Duration;

use tarsify_domain::Scope;
use tarsify_domain::execution::{
    EventKind, ExecutionSummary, Found, History, LogPlace, LoggedEvent,
};
use tarsify_domain::id::ExecutionId;

use super::world::{ExecutionWorld, assert_applied};
use crate::builders::{completion, new_run, new_test_run};
use crate::clock::MOMENT;

/// All events, once all of them are settled: whoever else writes to the store may be in the way
/// for a moment.
async fn everything(world: &ExecutionWorld) -> Vec<LoggedEvent> {
    loop {
        let page = world
            .log
            .read_log(LogPlace::before(0), 1_000)
            .await
            .unwrap();
        let mut turns = page.events.iter().map(|event| event.place.turn);
        if turns.all(|turn| turn < page.settled) {
            assert!(world.log.settled().await.unwrap() >= page.settled);
            return page.events;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn places(events: &[LoggedEvent]) -> Vec<LogPlace> {
    events.iter().map(|event| event.place).collect()
}

async fn history(world: &ExecutionWorld, id: ExecutionId, after: i64, limit: u32) -> History {
    let read = world.log.read_history(Scope::System, id, after, limit);
    match read.await.unwrap() {
        Found::Here(history) => history,
        other => panic!("{other:?}"),
    }
}

pub(super) async fn a_history_is_read_on_from_anywhere(world: ExecutionWorld) {
    let claimed = world.looked_at().await;
    let id = claimed.lease.id;
    let before = history(&world, id, 0, 10).await;
    assert!(!before.has_ended);
    assert_applied(world.settle(&completion(&claimed, 1.into())).await);
    let whole = history(&world, id, 0, 10).await;
    let kinds: Vec<_> = whole.events.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [EventKind::Queued, EventKind::Completed]);
    let numbers: Vec<_> = whole.events.iter().map(|event| event.place.seq).collect();
    assert_eq!(
        (numbers, whole.last, whole.has_ended),
        (vec![1, 2], 2, true)
    );
    let first = history(&world, id, 0, 1).await;
    assert_eq!((first.events, first.last), (whole.events[..1].to_vec(), 2));
    let rest = history(&world, id, 1, 10).await;
    assert_eq!(rest.events, whole.events[1..]);
    for after in [2, 3, i64::MAX] {
        let nothing = history(&world, id, after, 10).await;
        assert_eq!((nothing.events, nothing.last), (vec![], 2), "{after}");
    }
}

pub(super) async fn a_history_is_shown_to_whom_it_concerns(world: ExecutionWorld) {
    let (model, consumer) = (world.model().await, world.consumer_with(1_000).await);
    let run = world.admit(&new_run(&model, consumer)).await.summary;
    let trial = world.admit(&new_test_run(&model, 10)).await.summary;
    let stranger = Scope::Consumer(world.consumer().await);
    let owner = Scope::Developer(model.developer_id);
    for (scope, id, is_seen) in [
        (Scope::Consumer(consumer), run.id, true),
        (Scope::Consumer(consumer), trial.id, false),
        (stranger, run.id, false),
        (owner, run.id, false),
        (owner, trial.id, true),
        (Scope::System, run.id, true),
        (Scope::System, trial.id, true),
    ] {
        let found = world.log.read_history(scope, id, 0, 10).await.unwrap();
        assert_eq!(matches!(found, Found::Here(_)), is_seen, "{scope:?} {id}");
        assert_eq!(found == Found::Foreign, !is_seen, "{scope:?} {id}");
    }
    let nobodys = ExecutionId::new(MOMENT);
    let found = world.log.read_history(Scope::System, nobodys, 0, 10);
    assert_eq!(found.await.unwrap(), Found::Nowhere);
}

async fn busy(world: &ExecutionWorld) -> (Scope, Scope, [ExecutionSummary; 3]) {
    let (model, consumer) = (world.model().await, world.consumer_with(1_000).await);
    let other = world.consumer_with(1_000).await;
    let mine = world.admit(&new_run(&model, consumer)).await.summary;
    let theirs = world.admit(&new_run(&model, other)).await.summary;
    let trial = world.admit(&new_test_run(&model, 10)).await.summary;
    for id in [theirs.id, mine.id, trial.id] {
        let cancel = world.repository.request_cancel(Scope::System, id);
        cancel.await.unwrap();
    }
    (
        Scope::Consumer(consumer),
        Scope::Developer(model.developer_id),
        [mine, theirs, trial],
    )
}

pub(super) async fn the_log_has_everything_once_and_in_order(world: ExecutionWorld) {
    let (_, _, summaries) = busy(&world).await;
    let events = everything(&world).await;
    let mut sorted = places(&events);
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(places(&events), sorted);
    for summary in &summaries {
        let its = |event: &&LoggedEvent| event.place.execution == summary.id;
        let kinds: Vec<_> = events.iter().filter(its).map(|event| event.kind).collect();
        assert_eq!(kinds, [EventKind::Queued, EventKind::Cancelled]);
        for event in events.iter().filter(its) {
            assert_eq!(event.consumer, summary.consumer_id);
            assert_eq!(event.tester, summary.tester_id);
        }
    }
    assert_eq!(events.len(), 6);
    // Every part of it, read from the turn of any event on, and from any event on.
    for (index, event) in events.iter().enumerate() {
        let from = LogPlace::before(event.place.turn);
        for (after, index) in [(from, index), (event.place, index + 1)] {
            for limit in 1..=7 {
                let page = world.log.read_log(after, limit).await.unwrap();
                let many = page.events.len();
                assert_eq!(page.events, events[index..index + many]);
                let limit = usize::try_from(limit).unwrap();
                assert_eq!(many, limit.min(events.len() - index));
            }
        }
    }
    let settled = LogPlace::before(world.log.settled().await.unwrap());
    let page = world.log.read_log(settled, 10).await.unwrap();
    assert_eq!(page.events, []);
}

pub(super) async fn what_a_scope_missed_is_told_again(world: ExecutionWorld) {
    let (consumer, developer, _) = busy(&world).await;
    let events = everything(&world).await;
    for scope in [consumer, developer, Scope::System] {
        let seen: Vec<_> = events
            .iter()
            .filter(|event| event.is_seen_by(scope))
            .cloned()
            .collect();
        for (index, event) in seen.iter().enumerate() {
            for limit in [1, 2, 100] {
                let missed = world.log.replay_log(scope, event.place, limit);
                let missed = missed.await.unwrap().unwrap();
                let rest = &seen[index + 1..];
                let limit = usize::try_from(limit).unwrap();
                let expected = &rest[..rest.len().min(limit)];
                assert_eq!(missed, expected, "{scope:?}");
            }
        }
        // Who came between two turns has missed all that came after.
        let settled = world.log.settled().await.unwrap();
        let first = seen[0].place.turn;
        for (turn, expected) in [(0, &seen[..]), (first, &seen[..]), (settled, &[])] {
            let place = LogPlace::before(turn);
            let missed = world.log.replay_log(scope, place, 100).await.unwrap();
            assert_eq!(missed.unwrap(), expected, "{scope:?} {turn}");
        }
    }
}

pub(super) async fn a_place_where_the_scope_has_nothing_is_refused(world: ExecutionWorld) {
    let (consumer, _, _) = busy(&world).await;
    let events = everything(&world).await;
    let mut places: Vec<_> = events
        .iter()
        .filter(|event| !event.is_seen_by(consumer))
        .map(|event| event.place)
        .collect();
    let own = events.iter().find(|event| event.is_seen_by(consumer));
    let own = own.unwrap().place;
    places.extend([
        LogPlace { seq: 9, ..own },
        LogPlace {
            turn: own.turn + 1_000_000,
            ..own
        },
        LogPlace {
            turn: 0,
            seq: 0,
            ..own
        },
        LogPlace::before(own.turn + 1_000_000),
        LogPlace {
            turn: u64::MAX,
            seq: i64::MAX,
            execution: ExecutionId::new(MOMENT),
        },
    ]);
    for place in places {
        let missed = world.log.replay_log(consumer, place, 10).await.unwrap();
        assert_eq!(missed, None, "{place:?}");
    }
}
