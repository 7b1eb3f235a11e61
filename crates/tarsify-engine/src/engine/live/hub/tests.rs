//! Who hears what, and when, while turns are not settled yet.

use serde_json::Map;
use tarsify_domain::execution::EventKind;
use time::OffsetDateTime;

use super::*;

fn run() -> ExecutionId {
    ExecutionId::new(OffsetDateTime::UNIX_EPOCH)
}

fn event(turn: u64, execution: ExecutionId, seq: i64) -> LoggedEvent {
    LoggedEvent {
        place: LogPlace {
            turn,
            execution,
            seq,
        },
        kind: EventKind::Progress,
        data: Map::new(),
        at: OffsetDateTime::UNIX_EPOCH,
        consumer: None,
        tester: None,
    }
}

fn page(events: &[LoggedEvent], settled: u64) -> LogPage {
    LogPage {
        events: events.to_vec(),
        settled,
    }
}

fn places(events: &[Arc<LoggedEvent>]) -> Vec<LogPlace> {
    events.iter().map(|event| event.place).collect()
}

/// What waits to be heard.
fn heard(line: &mut Line) -> Vec<LogPlace> {
    let mut heard = Vec::new();
    while let Ok(event) = line.events.try_recv() {
        heard.push(event.place);
    }
    heard
}

#[test]
fn an_unsettled_event_is_heard_by_who_follows_its_run_and_later_by_all_in_order() {
    let hub = Hub::default();
    hub.begin_at(10);
    let (slow, quick) = (event(11, run(), 1), event(12, run(), 1));
    let mut one = hub.join(Topic::Execution(quick.place.execution));
    let mut all = hub.join(Topic::Scope(Scope::System));
    let first = hub.dispatch(page(std::slice::from_ref(&quick), 11));
    assert_eq!(places(&first), [quick.place]);
    assert_eq!(hub.position(), Some(11), "it is read on from there");
    assert_eq!(heard(&mut one), [quick.place]);
    assert_eq!(heard(&mut all), [], "what comes before it may still come");
    // Nothing new, and still not settled.
    let again = hub.dispatch(page(std::slice::from_ref(&quick), 11));
    assert_eq!(places(&again), []);
    let both = [slow.clone(), quick.clone()];
    let second = hub.dispatch(page(&both, 13));
    assert_eq!(places(&second), [slow.place], "the other one was told");
    assert_eq!(heard(&mut one), []);
    assert_eq!(heard(&mut all), [slow.place, quick.place]);
    assert_eq!(hub.position(), Some(13));
}

#[test]
fn a_full_page_is_read_on_from_its_last_turn_and_nothing_is_told_twice() {
    let hub = Hub::default();
    hub.begin_at(1);
    let shared = run();
    let many: Vec<_> = (1..=u64::from(BATCH))
        .map(|turn| event(turn, run(), 1))
        .chain([event(u64::from(BATCH), shared, 9)])
        .take(usize::try_from(BATCH).unwrap())
        .collect();
    hub.dispatch(page(&many, 9_000));
    assert_eq!(hub.position(), Some(u64::from(BATCH)));
    let mut all = hub.join(Topic::Scope(Scope::System));
    let last = many.last().unwrap().clone();
    let next = event(u64::from(BATCH) + 1, run(), 1);
    let fresh = hub.dispatch(page(&[last, next.clone()], 9_000));
    assert_eq!(places(&fresh), [next.place]);
    assert_eq!(heard(&mut all), [next.place]);
    assert_eq!(hub.position(), Some(9_000));
}

#[test]
fn a_scope_hears_of_its_own() {
    let hub = Hub::default();
    hub.begin_at(1);
    let consumer = ConsumerId::new(OffsetDateTime::UNIX_EPOCH);
    let developer = DeveloperId::new(OffsetDateTime::UNIX_EPOCH);
    let mine = LoggedEvent {
        consumer: Some(consumer),
        ..event(1, run(), 1)
    };
    let trial = LoggedEvent {
        tester: Some(developer),
        ..event(2, run(), 1)
    };
    let stranger = ConsumerId::new(OffsetDateTime::UNIX_EPOCH);
    let mut lines = [
        Scope::Consumer(consumer),
        Scope::Consumer(stranger),
        Scope::Developer(developer),
        Scope::System,
    ]
    .map(|scope| hub.join(Topic::Scope(scope)));
    hub.dispatch(page(&[mine.clone(), trial.clone()], 3));
    let heard = lines.each_mut().map(heard);
    let (mine, trial) = (mine.place, trial.place);
    assert_eq!(heard, [vec![mine], vec![], vec![trial], vec![mine, trial]]);
}

#[test]
fn who_leaves_is_forgotten() {
    let hub = Hub::default();
    let topics = [
        Topic::Execution(run()),
        Topic::Scope(Scope::Consumer(ConsumerId::new(OffsetDateTime::UNIX_EPOCH))),
        Topic::Scope(Scope::Developer(DeveloperId::new(
            OffsetDateTime::UNIX_EPOCH,
        ))),
        Topic::Scope(Scope::System),
    ];
    for topic in topics {
        assert!(hub.is_empty());
        let (first, second) = (hub.join(topic), hub.join(topic));
        drop(first);
        assert!(!hub.is_empty(), "{topic:?}");
        drop(second);
    }
    assert!(hub.is_empty());
}

#[tokio::test]
async fn who_takes_nothing_is_let_go_with_what_he_has() {
    let hub = Hub::default();
    hub.begin_at(1);
    let followed = run();
    let topic = Topic::Execution(followed);
    let (mut slow, mut quick) = (hub.join(topic), hub.join(topic));
    let room = u64::try_from(ROOM).unwrap();
    for turn in 1..=room + 1 {
        let seq = i64::try_from(turn).unwrap();
        hub.dispatch(page(&[event(turn, followed, seq)], turn + 1));
        assert_eq!(heard(&mut quick).len(), 1);
    }
    for seq in 1..=i64::try_from(ROOM).unwrap() {
        assert_eq!(slow.hear().await.unwrap().place.seq, seq);
    }
    assert_eq!(slow.hear().await, None);
}
