//! What happened long ago costs nobody who follows what happens now.

use std::time::Duration;

use tarsify_domain::Scope;
use tarsify_domain::execution::{EventLog, LogPlace};

use super::place::Place;
use super::plans::{old_place, used};

/// Who follows everything, or all of his runs, and was cut off a little while ago.
const MISSED: u64 = 40;

/// A place where each of many runs was told of three times, in many turns.
async fn told_place() -> (Place, LogPlace) {
    let place = old_place().await;
    let tell = "INSERT INTO execution_events (execution_id, seq, kind, data, at, turn) \
         SELECT x.id, seq, 'progress', '{}', x.created_at, (3 + x.n / 40)::text::xid8 \
         FROM (SELECT id, created_at, row_number() OVER (ORDER BY created_at) AS n \
               FROM executions WHERE stage = 'ended') x, generate_series(1, 3) AS seq";
    place.unseen(tell).await;
    place.sql("VACUUM ANALYZE execution_events").await;
    let last = place
        .sql(
            "SELECT format('%s %s %s', turn, execution_id, seq) FROM execution_events \
             WHERE turn <= '502' ORDER BY turn DESC, execution_id DESC, seq DESC LIMIT 1",
        )
        .await;
    let parts: Vec<&str> = last[0].split(' ').collect();
    let last = LogPlace {
        turn: parts[0].parse().unwrap(),
        execution: parts[1].parse().unwrap(),
        seq: parts[2].parse().unwrap(),
    };
    (place, last)
}

#[tokio::test]
async fn the_log_is_read_from_where_it_was_left() {
    let (place, last) = told_place().await;
    let before = LogPlace::before(last.turn);
    for after in [last, before] {
        let read = used(&place, "execution_events_turn_index", async |log| {
            log.read_log(after, 5_000).await.unwrap();
        });
        let read = read.await;
        assert_eq!(read.table_scans, 0);
        assert!(read.scans >= 1, "{}", read.scans);
        assert!(read.entries <= 200, "{}", read.entries);
        let replayed = used(&place, "execution_events_turn_index", async |log| {
            let missed = log.replay_log(Scope::System, after, 200).await.unwrap();
            assert!(missed.is_some());
        });
        let replayed = replayed.await;
        assert_eq!(replayed.table_scans, 0);
        assert!(replayed.entries <= 200, "{}", replayed.entries);
    }
}

#[tokio::test]
async fn what_a_consumer_missed_is_found_by_his_own_runs() {
    let (place, last) = told_place().await;
    let since = LogPlace::before(last.turn.saturating_sub(MISSED));
    let consumer = place.consumer(7).await;
    let model = place.model(7).await;
    place.run(&model, consumer).await;
    // Whoever else writes to the same server may be in the way for a moment.
    let scope = Scope::Consumer(consumer);
    while place
        .executions
        .replay_log(scope, since, 200)
        .await
        .unwrap()
        == Some(vec![])
    {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for index in ["executions_pkey", "execution_events_pkey"] {
        let read = used(&place, index, async |log| {
            let missed = log.replay_log(scope, since, 200).await.unwrap();
            assert_eq!(missed.unwrap().len(), 1);
        });
        let read = read.await;
        assert_eq!(read.table_scans, 0, "{index}");
        assert!(read.entries <= 200, "{index} {}", read.entries);
    }
}
