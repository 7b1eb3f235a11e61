//! How much there is to do, and what it costs to know.

use std::time::Duration;

use tarsify_db::PgPulse;

use super::place::Place;
use super::plans::{old_place, used_by};

async fn pulse(place: &Place) -> tarsify_db::Pulse {
    let database = place.test().database.clone();
    PgPulse::new(database).take().await.unwrap()
}

#[tokio::test]
async fn an_empty_installation_has_nothing_to_do() {
    let place = Place::open().await;
    let nothing = tarsify_db::Pulse {
        waiting: 0,
        active: 0,
        oldest_waiting: None,
        overdue: 0,
        failed: 0,
        holds: 0,
        held_credits: 0,
        outbox: Vec::new(),
    };
    assert_eq!(pulse(&place).await, nothing);
}

#[tokio::test]
async fn what_waits_what_works_and_what_failed_are_told_apart() {
    let place = Place::open().await;
    let model = place.model(1).await;
    let consumer = place.consumer(1).await;
    place.runs(&model, consumer, 5).await;
    assert_eq!(place.submit(2).await.len(), 2);
    let older = "UPDATE executions SET created_at = created_at - interval '10 minutes' \
        WHERE stage = 'created'";
    place.unseen(older).await;
    let now = pulse(&place).await;
    assert_eq!((now.waiting, now.active, now.failed), (3, 2, 0));
    let price = u64::try_from(model.price.credits().get()).unwrap();
    assert_eq!((now.holds, now.held_credits), (5, 5 * price));
    let waited = now.oldest_waiting.unwrap();
    let ten = Duration::from_secs(600);
    assert!(waited >= ten && waited < ten * 2, "{waited:?}");

    assert_eq!(now.overdue, 0);
    let late = "UPDATE executions SET created_at = created_at - interval '1 hour', \
            deadline_at = now() - interval '61 seconds' \
        WHERE stage = 'submitting'";
    place.unseen(late).await;
    assert_eq!(pulse(&place).await.overdue, 2);

    let end = |status: &str, ago: &str, count: u32| {
        format!(
            "UPDATE executions SET stage = 'ended', status = '{status}', reason = 'lost', \
                completed_at = now() - interval '{ago}', lease_until = NULL \
             WHERE id IN (SELECT id FROM executions WHERE stage <> 'ended' LIMIT {count})"
        )
    };
    place.unseen(&end("FAILED", "2 hours", 1)).await;
    place.unseen(&end("FAILED", "59 minutes", 1)).await;
    place.unseen(&end("TIMED_OUT", "1 second", 1)).await;
    place.unseen(&end("CANCELLED", "1 second", 2)).await;
    let now = pulse(&place).await;
    assert_eq!((now.waiting, now.active, now.failed), (0, 0, 2));
    assert_eq!((now.holds, now.oldest_waiting), (0, None));
}

#[tokio::test]
async fn what_could_not_be_sent_is_told_by_its_kind() {
    let place = Place::open().await;
    let messages = "INSERT INTO outbox (id, lane, kind, subject_id, next_attempt_at, last_error, \
            created_at, done_at) \
         SELECT gen_random_uuid(), 'lane ' || n, CASE n % 2 WHEN 0 THEN 'payout' ELSE 'letter' END, \
            gen_random_uuid(), now(), CASE WHEN n > 6 THEN 'no answer' END, \
            now() - n * interval '1 minute', CASE WHEN n = 10 THEN now() END \
         FROM generate_series(1, 10) AS n";
    place.unseen(messages).await;
    let mut outbox = pulse(&place).await.outbox;
    outbox.sort_by(|one, other| one.kind.cmp(&other.kind));
    let told: Vec<_> = outbox
        .iter()
        .map(|one| {
            (
                one.kind.as_str(),
                one.waiting,
                one.failed,
                one.oldest.as_secs() / 60,
            )
        })
        .collect();
    assert_eq!(told, [("letter", 5, 2, 9), ("payout", 4, 1, 8)]);
}

#[tokio::test]
async fn money_from_nowhere_is_told() {
    let place = Place::open().await;
    let model = place.model(1).await;
    let consumer = place.consumer(1).await;
    place.runs(&model, consumer, 3).await;
    let pulse = PgPulse::new(place.test().database.clone());
    assert_eq!(pulse.imbalance().await.unwrap(), 0);
    let forge =
        "UPDATE ledger_accounts SET balance = balance + 7 WHERE kind = 'consumer_available'";
    place.unseen(forge).await;
    assert_eq!(pulse.imbalance().await.unwrap(), 7);
}

#[tokio::test]
async fn what_has_ended_costs_nothing() {
    let place = old_place().await;
    for (index, most) in [
        ("executions_deadline_index", 700),
        // All that ended there failed: no more than the newest thousand are looked at.
        ("executions_status_index", 1_100),
    ] {
        let used = used_by(&place, index, async |database| {
            let pulse = PgPulse::new(database);
            for _ in 0..8 {
                pulse.take().await.unwrap();
            }
        })
        .await;
        assert!(used.scans >= 8, "{index} was used {} times", used.scans);
        assert!(
            used.entries <= most * used.scans,
            "{index}: {} entries were read in {} scans",
            used.entries,
            used.scans
        );
        assert_eq!(used.table_scans, 0, "{index}: the table was read through");
    }
}
