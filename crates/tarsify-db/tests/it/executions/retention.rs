//! What is removed of runs that ended long ago, what is not, and how little at a time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tarsify_db::{PgLedgerVerifier, PgRetention, PgWalletRepository};
use tarsify_domain::Scope;
use tarsify_domain::execution::{
    EndReason, EventLog, Execution, ExecutionQueue, ExecutionRepository, Found, LogPlace,
    NewExecution,
};
use tarsify_domain::id::ExecutionId;
use tarsify_domain::ledger::{LedgerVerifier, WalletRepository};
use tarsify_domain::retention::{Perishable, Removal, Removed, Retention};
use tarsify_testing::aging::AGE_RUN;
use tarsify_testing::builders::{idempotency_claim, new_run, settlement};

use super::place::Place;
use crate::support::Outside;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A place in which runs can grow old.
struct Archive {
    place: Place,
    retention: PgRetention,
}

impl Archive {
    async fn open() -> Self {
        let place = Place::open().await;
        place.sql(AGE_RUN).await;
        let retention = PgRetention::new(place.test().database.clone());
        Self { place, retention }
    }

    /// So many runs that completed, whose provider said something, and whose events did.
    async fn completed(&self, count: usize) -> Vec<ExecutionId> {
        let place = &self.place;
        let model = place.model(1).await;
        let consumer = place.consumer(1).await;
        place.runs(&model, consumer, count).await;
        let submitted = place.submit(count).await;
        let mut ids = Vec::new();
        for claimed in &submitted {
            place.complete(claimed).await;
            ids.push(claimed.lease.id);
        }
        place
            .sql("UPDATE provider_attempts SET exchanges = '[{\"said\": \"ours\"}]'")
            .await;
        place
            .sql("UPDATE execution_events SET data = '{\"stage\": \"ours\"}' WHERE seq = 1")
            .await;
        ids
    }

    async fn age(&self, id: ExecutionId, days: u32) -> ExecutionId {
        let aged = format!("SELECT age_run('{id}', {days})");
        self.place.sql(&aged).await[0].parse().unwrap()
    }

    /// Removes what is older than so many days, at most so many runs of it.
    async fn remove(&self, what: Perishable, days: u32, limit: u32) -> Option<Removed> {
        let removal = Removal {
            what,
            age: days * DAY,
            limit,
            rest: Duration::ZERO,
        };
        self.retention.remove(&removal).await.unwrap()
    }

    async fn found(&self, id: ExecutionId) -> Execution {
        match self.place.executions.find(Scope::System, id).await.unwrap() {
            Found::Here(execution) => execution,
            other => panic!("{id} is not here: {other:?}"),
        }
    }

    async fn has_payloads(&self, id: ExecutionId) -> bool {
        let run = self.found(id).await;
        let report = self.place.executions.find_report(id).await.unwrap();
        let report = report.unwrap();
        let kept = self
            .place
            .sql(&format!(
                "SELECT concat(payload, concealed, progress, output, \
                    (SELECT string_agg(data::text, '' ORDER BY seq) FROM execution_events \
                        WHERE execution_id = x.id)) \
                 FROM executions x WHERE id = '{id}'"
            ))
            .await;
        if run.payloads_removed_at.is_none() {
            assert!(!run.inputs.is_empty());
            assert!(!report.attempts[0].exchanges.is_empty());
            return true;
        }
        assert!(run.inputs.is_empty() && run.output.is_none(), "{run:?}");
        assert!(report.attempts[0].exchanges.is_empty(), "{report:?}");
        assert!(
            kept[0].chars().all(|sign| "{}null".contains(sign)),
            "{kept:?}"
        );
        false
    }

    async fn events(&self, id: ExecutionId) -> usize {
        let read = &self.place.executions;
        let history = read.read_history(Scope::System, id, 0, 100).await.unwrap();
        match history {
            Found::Here(history) => history.events.len(),
            other => panic!("{id} is not here: {other:?}"),
        }
    }

    /// What must hold of runs and of money does.
    async fn assert_sound(&self) {
        assert_eq!(self.place.broken().await, []);
        let verifier = PgLedgerVerifier::new(self.place.test().database.clone());
        let report = verifier.verify().await.unwrap();
        assert!(report.faults.is_empty(), "{report:?}");
    }
}

const fn all(executions: u64) -> Option<Removed> {
    Some(Removed {
        executions,
        is_last: true,
    })
}

#[tokio::test]
async fn payloads_of_old_runs_go_and_everything_else_stays() {
    let archive = Archive::open().await;
    let ids = archive.completed(3).await;
    let old = archive.age(ids[0], 31).await;
    let young = archive.age(ids[1], 29).await;
    let before = archive.found(old).await;
    assert_eq!(archive.remove(Perishable::Payloads, 30, 500).await, all(1));
    assert!(!archive.has_payloads(old).await);
    assert!(archive.has_payloads(young).await);
    assert!(archive.has_payloads(ids[2]).await);
    let after = archive.found(old).await;
    assert_eq!(after.summary, before.summary);
    assert_eq!(archive.events(old).await, 2, "events are kept for longer");
    archive.assert_sound().await;
    let wallets = PgWalletRepository::new(archive.place.test().database.clone());
    let receipt = wallets.find_receipt(Scope::System, old).await.unwrap();
    assert!(matches!(receipt, Found::Here(_)), "{receipt:?}");
    assert_eq!(archive.remove(Perishable::Payloads, 30, 500).await, all(0));
}

#[tokio::test]
async fn events_of_old_runs_go_and_everything_else_stays() {
    let archive = Archive::open().await;
    let ids = archive.completed(3).await;
    let old = archive.age(ids[0], 91).await;
    let young = archive.age(ids[1], 89).await;
    assert_eq!(archive.remove(Perishable::Events, 90, 500).await, all(1));
    let counts = [
        archive.events(old).await,
        archive.events(young).await,
        archive.events(ids[2]).await,
    ];
    assert_eq!(counts, [0, 2, 2]);
    assert!(archive.has_payloads(old).await, "nobody asked for that");
    archive.assert_sound().await;
    // Only what is removed may be missing, and only as a whole.
    let tell = "INSERT INTO execution_events (execution_id, seq, kind, data, at) VALUES";
    let place = &archive.place;
    place
        .sql(&format!("{tell} ('{old}', 2, 'completed', '{{}}', now())"))
        .await;
    let broken: Vec<_> = place.broken().await.iter().map(|one| one.name).collect();
    assert_eq!(broken, ["E4"]);
    place
        .sql(&format!(
            "DELETE FROM execution_events WHERE execution_id IN ('{old}', '{young}')"
        ))
        .await;
    let broken = place.broken().await;
    let names: Vec<_> = broken.iter().map(|one| one.name).collect();
    assert_eq!(names, ["E3", "E4"], "{broken:?}");
    assert!(broken.iter().all(|one| one.executions == [young]));
}

#[tokio::test]
async fn what_has_not_ended_is_passed_by_and_comes_later() {
    let archive = Archive::open().await;
    let place = &archive.place;
    let ids = archive.completed(3).await;
    let model = place.model_again(1).await;
    let consumer = place.consumer(2).await;
    let open = place.run(&model, consumer).await;
    let open = archive.age(open, 45).await;
    // Its deadline is still to come.
    place
        .unseen(&format!(
            "UPDATE executions SET deadline_at = now() + interval '1 hour' WHERE id = '{open}'"
        ))
        .await;
    // It was accepted long ago and has ended only lately.
    let slow = archive.age(ids[0], 40).await;
    place
        .unseen(&format!(
            "UPDATE executions SET completed_at = now() - interval '29 days' WHERE id = '{slow}'"
        ))
        .await;
    // Its job has still to be called off.
    let orphan = archive.age(ids[1], 41).await;
    place
        .unseen(&format!(
            "UPDATE executions SET next_action_at = now() WHERE id = '{orphan}'"
        ))
        .await;
    let old = archive.age(ids[2], 35).await;
    for what in [Perishable::Payloads, Perishable::Events] {
        assert_eq!(archive.remove(what, 30, 500).await, all(1), "{what:?}");
    }
    assert_eq!(
        (archive.events(old).await, archive.events(open).await),
        (0, 1)
    );
    assert!(archive.has_payloads(slow).await && archive.has_payloads(orphan).await);
    archive.assert_sound().await;
    let waiting = place.count("retention_stragglers").await;
    assert_eq!(waiting, 6);
    // They end, and grow old.
    place
        .executions
        .request_cancel(Scope::System, open)
        .await
        .unwrap();
    place
        .unseen(
            "UPDATE executions SET completed_at = now() - interval '31 days', \
                next_action_at = NULL WHERE payloads_removed_at IS NULL",
        )
        .await;
    for what in [Perishable::Payloads, Perishable::Events] {
        let step = archive.remove(what, 30, 2).await.unwrap();
        assert_eq!((step.executions, step.is_last), (2, false), "{what:?}");
        assert_eq!(archive.remove(what, 30, 2).await, all(1), "{what:?}");
    }
    assert_eq!(place.count("execution_events").await, 0);
    assert_eq!(
        place
            .count("executions WHERE payloads_removed_at IS NULL")
            .await,
        0
    );
    assert_eq!(place.count("retention_stragglers").await, 0);
    archive.assert_sound().await;
}

#[tokio::test]
async fn the_oldest_come_first_a_few_at_a_time() {
    let archive = Archive::open().await;
    let ids = archive.completed(5).await;
    let mut aged = Vec::new();
    for (id, days) in ids.into_iter().zip([31, 35, 33, 34, 32]) {
        aged.push((days, archive.age(id, days).await));
    }
    aged.sort_by(|one, other| other.cmp(one));
    for (step, count) in [(2, 2), (4, 2), (5, 1)] {
        let removed = archive.remove(Perishable::Payloads, 30, 2).await.unwrap();
        assert_eq!((removed.executions, removed.is_last), (count, step == 5));
        for (place, (_, id)) in aged.iter().enumerate() {
            assert_eq!(archive.has_payloads(*id).await, place >= step);
        }
    }
}

#[tokio::test]
async fn several_at_once_remove_everything_once() {
    let archive = Arc::new(Archive::open().await);
    for id in archive.completed(40).await {
        archive.age(id, 100).await;
    }
    let remover = |number: usize| {
        let archive = Arc::clone(&archive);
        async move {
            let mut count = 0;
            let mut is_over = false;
            while !is_over {
                let what = Perishable::ALL[number % 2];
                match archive.remove(what, 30, 3).await {
                    Some(removed) => {
                        count += removed.executions;
                        is_over = removed.is_last;
                    }
                    None => tokio::task::yield_now().await,
                }
            }
            count
        }
    };
    let counts = join_all((0..6).map(remover)).await;
    assert_eq!(counts.iter().sum::<u64>(), 80, "{counts:?}");
    assert_eq!(archive.place.count("execution_events").await, 0);
    archive.assert_sound().await;
}

#[tokio::test]
async fn nobody_waits_for_who_is_at_it_or_rests() {
    let archive = Archive::open().await;
    for id in archive.completed(2).await {
        archive.age(id, 100).await;
    }
    let other = Outside::connect(&archive.place.test().url).await;
    other
        .sql("BEGIN; SELECT kind FROM retention WHERE kind = 'payloads' FOR UPDATE")
        .await;
    assert_eq!(archive.remove(Perishable::Payloads, 30, 500).await, None);
    let resting = Removal {
        what: Perishable::Events,
        age: 30 * DAY,
        limit: 1,
        rest: Duration::from_secs(3_600),
    };
    let removed = archive.retention.remove(&resting).await.unwrap();
    assert_eq!(removed.map(|removed| removed.executions), Some(1));
    assert_eq!(archive.remove(Perishable::Events, 30, 500).await, None);
    other.sql("COMMIT").await;
    assert_eq!(archive.remove(Perishable::Payloads, 30, 500).await, all(2));
}

#[tokio::test]
async fn who_follows_is_told_where_he_cannot_go_on() {
    let archive = Archive::open().await;
    let ids = archive.completed(3).await;
    let executions = &archive.place.executions;
    let events = executions.read_log(LogPlace::before(0), 100).await;
    let events = events.unwrap().events;
    let places: Vec<_> = events.iter().map(|event| event.place).collect();
    let last = places[places.len() - 1];
    // Other tests on the same server may be in the way for a moment.
    let mut settled = 0;
    while settled <= last.turn {
        settled = executions.settled().await.unwrap();
    }
    let between = LogPlace::before(settled);
    // The first run of all is the last to go, and what came after its first event goes before.
    let first = places[0];
    let old = archive.age(ids[1], 91).await;
    let replay = async |after: LogPlace| {
        let replayed = executions.replay_log(Scope::System, after, 100).await;
        replayed.unwrap().map(|events| events.len())
    };
    assert_eq!(replay(first).await, Some(5));
    assert_eq!(replay(LogPlace::before(first.turn)).await, Some(6));
    archive.remove(Perishable::Events, 90, 500).await;
    assert_eq!(replay(first).await, None, "it would leave a gap");
    assert_eq!(replay(LogPlace::before(first.turn)).await, None);
    assert_eq!(replay(last).await, Some(0));
    assert_eq!(replay(between).await, Some(0));
    let history = executions.read_history(Scope::System, old, 1, 100).await;
    match history.unwrap() {
        Found::Here(history) => {
            assert!(
                history.has_ended && history.events.is_empty(),
                "{history:?}"
            );
            assert_eq!(history.last, 2);
        }
        other => panic!("{other:?}"),
    }
    // On another server the turns begin anew.
    archive
        .place
        .sql("UPDATE retention SET removed_turn = '900000000000' WHERE kind = 'events'")
        .await;
    assert_eq!(replay(last).await, None);
    executions.settle_restored().await.unwrap();
    assert_eq!(replay(last).await, Some(0));
}

#[tokio::test]
async fn a_request_that_is_repeated_finds_its_run_without_payloads() {
    let archive = Archive::open().await;
    let place = &archive.place;
    let model = place.model(1).await;
    let new = NewExecution {
        idempotency: Some(idempotency_claim()),
        ..new_run(&model, place.consumer(1).await)
    };
    place.executions.admit(&new).await.unwrap();
    let claimed = place.submit(1).await.remove(0);
    let failed = settlement(&claimed, EndReason::ProviderError);
    place.executions.settle(&failed).await.unwrap();
    let old = archive.age(new.id, 31).await;
    assert_eq!(archive.remove(Perishable::Payloads, 30, 500).await, all(1));
    let again = place.executions.admit(&new).await.unwrap();
    assert!(again.is_replay && again.execution.summary.id == old);
    assert!(again.execution.payloads_removed_at.is_some());
    assert!(again.execution.inputs.is_empty() && again.execution.output.is_none());
}

#[tokio::test]
async fn what_is_of_no_use_any_more_is_swept_up() {
    let archive = Archive::open().await;
    let place = &archive.place;
    archive.completed(1).await;
    let waiting = place
        .run(&place.model(2).await, place.consumer(2).await)
        .await;
    for sql in [
        "INSERT INTO stream_tokens SELECT decode(md5(n::text), 'hex'), x.id, \
            now() + n * interval '1 minute' FROM executions x, generate_series(-3, 2) n \
            WHERE x.stage = 'ended'",
        "INSERT INTO test_run_quota SELECT d.id, (now() AT TIME ZONE 'UTC')::date - n, 1 \
            FROM developers d, generate_series(0, 4) n",
        "INSERT INTO endpoint_calls SELECT e.id, now() - n * interval '4 minutes', 1 \
            FROM endpoints e, generate_series(0, 4) n",
        "INSERT INTO watched_runs SELECT id, now() - interval '2 hours' FROM executions",
    ] {
        place.sql(sql).await;
    }
    assert_eq!(archive.retention.sweep(1).await.unwrap(), 4);
    assert_eq!(archive.retention.sweep(100).await.unwrap(), 11);
    assert_eq!(archive.retention.sweep(100).await.unwrap(), 0);
    // What was told of a run is known until it ends.
    let watched = format!("watched_runs WHERE execution_id = '{waiting}'");
    assert_eq!(place.count(&watched).await, 1);
    let left = [
        place.count("stream_tokens").await,
        place.count("test_run_quota").await,
        place.count("endpoint_calls").await,
    ];
    assert_eq!(left, [2, 4, 6]);
}

/// A hundred thousand old runs with five events and one attempt each.
const MANY: &str = "\
    INSERT INTO executions (\
        id, kind, consumer_id, developer_id, tars_model_id, tars_model_version, base_model_id, \
        endpoint_id, provider, provider_endpoint_id, status, stage, price_credits, \
        inputs, payload, concealed, output, timeout_seconds, created_at, deadline_at, \
        completed_at, last_seq, fair_rank, touched_at, attempts) \
    SELECT (left(first_id_since(at)::text, 13) || '-7' || substr(gen_random_uuid()::text, 16))::uuid, \
        'RUN', x.consumer_id, x.developer_id, x.tars_model_id, x.tars_model_version, \
        x.base_model_id, x.endpoint_id, x.provider, x.provider_endpoint_id, 'COMPLETED', 'ended', 0, \
        json_build_object('prompt', repeat(md5(n::text), 8)), \
        json_build_object('prompt', repeat(md5(n::text), 16)), '{}', \
        json_build_object('text', repeat(md5(n::text), 32)), 600, at, at + interval '1 hour', \
        at + interval '9 seconds', 5, 0, at, 1 \
    FROM executions x, generate_series(1, 100000) n \
    CROSS JOIN LATERAL (SELECT now() - interval '200 days' + n * interval '50 seconds' AS at) m; \
    INSERT INTO execution_events (execution_id, seq, kind, data, at) \
    SELECT x.id, n, CASE n WHEN 1 THEN 'queued' WHEN 5 THEN 'completed' ELSE 'progress' END, \
        CASE WHEN n IN (1, 5) THEN '{}' ELSE '{\"fraction\": 0.5}' END::json, x.created_at \
    FROM executions x, generate_series(1, 5) n WHERE x.price_credits = 0; \
    INSERT INTO provider_attempts \
        (execution_id, number, state, provider, job_id, token_hash, called_at, exchanges) \
    SELECT x.id, 1, 'won', x.provider, x.id::text, sha256('x'), x.created_at, \
        '[{\"at\": \"2026-01-05T10:00:00.000000Z\", \"operation\": \"run\", \"httpStatus\": 200, \
           \"tookMs\": 84, \"said\": \"IN_QUEUE\"}]' \
    FROM executions x WHERE x.price_credits = 0";

#[tokio::test]
#[ignore = "needs the machine for itself, and prints"]
#[expect(clippy::print_stdout, reason = "the figures are for who runs it")]
async fn a_hundred_thousand_runs_are_removed_faster_than_they_came() {
    let archive = Archive::open().await;
    archive.completed(1).await;
    let begun = Instant::now();
    archive.place.sql(MANY).await;
    let written = begun.elapsed().as_secs_f64();
    archive.place.sql("VACUUM ANALYZE").await;
    println!("100,000 runs with 5 events each were inserted in bulk in {written:.1} s");
    for what in [Perishable::Payloads, Perishable::Events] {
        let (begun, mut slowest) = (Instant::now(), 0.0_f64);
        let (mut count, mut is_over) = (0, false);
        while !is_over {
            let step = Instant::now();
            let removed = archive.remove(what, 8, 500).await.unwrap();
            slowest = slowest.max(step.elapsed().as_secs_f64());
            count += removed.executions;
            is_over = removed.is_last;
        }
        let took = begun.elapsed().as_secs_f64();
        println!(
            "{}: of {count} runs in {took:.1} s, {:.1} times as long as inserting them; the slowest step took {slowest:.3} s",
            what.as_str(),
            took / written
        );
        assert_eq!(count, 100_000);
    }
    archive.assert_sound().await;
}
