//! The log while others write: what is settled, and what is only seen.

use std::time::Duration;

use tarsify_domain::Scope;
use tarsify_domain::execution::{EventLog, LogPage, LogPlace, LoggedEvent};

use super::place::Place;
use crate::support::Outside;

impl Place {
    async fn log_from(&self, turn: u64) -> LogPage {
        let from = LogPlace::before(turn);
        self.executions.read_log(from, 100).await.unwrap()
    }

    /// The whole log, once nobody else is in the way.
    async fn settled_log(&self) -> LogPage {
        loop {
            let page = self.log_from(0).await;
            let mut turns = page.events.iter().map(|event| event.place.turn);
            if turns.all(|turn| turn < page.settled) {
                return page;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

#[tokio::test]
async fn what_is_written_late_comes_in_its_turn_and_is_not_missed() {
    let place = Place::open().await;
    let (model, consumer) = (place.model(1).await, place.consumer(1).await);
    let run = place.run(&model, consumer).await;
    let before = place.settled_log().await;
    let last = before.events.last().unwrap().place;
    let slow = Outside::connect(&place.test().url).await;
    let quick = Outside::connect(&place.test().url).await;
    let event = |seq: i64| {
        format!(
            "INSERT INTO execution_events (execution_id, seq, kind, data, at) \
             VALUES ('{run}', {seq}, 'progress', '{{}}', now())"
        )
    };
    // It has its turn, and nobody sees what it is about to write.
    slow.sql("BEGIN; SELECT pg_current_xact_id()").await;
    quick.sql(&event(102)).await;
    let early = place.log_from(before.settled).await;
    assert_eq!(early.events.len(), 1);
    assert!(early.events[0].place.turn >= early.settled);
    let replayed = place.executions.replay_log(Scope::System, last, 100).await;
    assert_eq!(replayed.unwrap(), Some(vec![]), "it would leave a gap");
    slow.sql(&event(101)).await;
    slow.sql("COMMIT").await;
    let whole = place.settled_log().await;
    let late: Vec<LoggedEvent> = whole.events[before.events.len()..].to_vec();
    assert_eq!((late[0].place.seq, late[1].place.seq), (101, 102));
    assert!(late[0].place.turn >= early.settled, "it is read from there");
    let replayed = place.executions.replay_log(Scope::System, last, 100).await;
    assert_eq!(replayed.unwrap(), Some(late));
}

#[tokio::test]
async fn events_from_a_dump_are_settled_before_all_others() {
    let place = Place::open().await;
    let (model, consumer) = (place.model(1).await, place.consumer(1).await);
    place.run(&model, consumer).await;
    place
        .sql("UPDATE execution_events SET turn = '900000000000'")
        .await;
    let page = place.log_from(0).await;
    assert!(page.events[0].place.turn >= page.settled);
    for _ in 0..2 {
        place.executions.settle_restored().await.unwrap();
        let page = place.settled_log().await;
        assert_eq!((page.events.len(), page.events[0].place.turn), (1, 0));
    }
    place.run(&model, consumer).await;
    place.executions.settle_restored().await.unwrap();
    let turns = place.settled_log().await.events;
    assert!(turns[1].place.turn > 0);
}
