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

/// Reads the log to its end, in one page.
fn read(hub: &Hub, page: LogPage) -> Vec<Arc<LoggedEvent>> {
    let mut reading = Reading::default();
    let fresh = hub.dispatch(&mut reading, page);
    hub.finish(reading);
    fresh
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
    let first = read(&hub, page(std::slice::from_ref(&quick), 11));
    assert_eq!(places(&first), [quick.place]);
    assert_eq!(hub.position(), Some(11), "it is read on from there");
    assert_eq!(heard(&mut one), [quick.place]);
    assert_eq!(heard(&mut all), [], "what comes before it may still come");
    // Nothing new, and still not settled.
    let again = read(&hub, page(std::slice::from_ref(&quick), 11));
    assert_eq!(places(&again), []);
    let both = [slow.clone(), quick.clone()];
    let second = read(&hub, page(&both, 13));
    assert_eq!(places(&second), [slow.place], "the other one was told");
    assert_eq!(heard(&mut one), []);
    assert_eq!(heard(&mut all), [slow.place, quick.place]);
    assert_eq!(hub.position(), Some(13));
}

#[test]
fn what_is_settled_between_two_pages_is_told_in_order_the_next_time() {
    let hub = Hub::default();
    hub.begin_at(1);
    let events: Vec<_> = (1..=4).map(|turn| event(turn, run(), 1)).collect();
    let mut all = hub.join(Topic::Scope(Scope::System));
    let mut one = hub.join(Topic::Execution(events[3].place.execution));
    // The second one is written when the first page was read already.
    let mut reading = Reading::default();
    let first = [events[0].clone(), events[2].clone()];
    assert_eq!(hub.dispatch(&mut reading, page(&first, 2)).len(), 2);
    let second = std::slice::from_ref(&events[3]);
    assert_eq!(hub.dispatch(&mut reading, page(second, 5)).len(), 1);
    assert_eq!(reading.unsettled(), 2);
    assert_eq!(hub.position(), Some(1), "it was not read to its end yet");
    hub.finish(reading);
    assert_eq!(heard(&mut one), [events[3].place]);
    assert_eq!(heard(&mut all), [events[0].place]);
    assert_eq!(hub.position(), Some(2));
    let fresh = read(&hub, page(&events[1..], 5));
    assert_eq!(places(&fresh), [events[1].place]);
    assert_eq!(heard(&mut one), []);
    let rest: Vec<_> = events[1..].iter().map(|event| event.place).collect();
    assert_eq!(heard(&mut all), rest);
}

#[test]
fn what_was_not_read_to_the_end_is_read_again_and_told_once() {
    let hub = Hub::default();
    hub.begin_at(1);
    let events: Vec<_> = (1..=2).map(|turn| event(turn, run(), 1)).collect();
    let mut all = hub.join(Topic::Scope(Scope::System));
    let mut reading = Reading::default();
    hub.dispatch(&mut reading, page(&events[..1], 3));
    drop(reading);
    read(&hub, page(&events, 3));
    assert_eq!(heard(&mut all), [events[0].place, events[1].place]);
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
    read(&hub, page(&[mine.clone(), trial.clone()], 3));
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
        read(&hub, page(&[event(turn, followed, seq)], turn + 1));
        assert_eq!(heard(&mut quick).len(), 1);
    }
    for seq in 1..=i64::try_from(ROOM).unwrap() {
        assert_eq!(slow.hear().await.unwrap().place.seq, seq);
    }
    assert_eq!(slow.hear().await, None);
}
