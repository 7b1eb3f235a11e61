//! Everything goes wrong, again and again, while people run models, follow them, call them off, buy
//! credits and have themselves paid: processes are killed, stopped and frozen, PostgreSQL drops
//! everybody or lets nobody in, Redis forgets, freezes and dies, GPUs and Stripe do what they do on
//! their worst days. In the end every promise is looked at. Short, always; for as long as anybody
//! likes, by `scripts/chaos`.

mod blows;
mod city;
mod people;

use crate::endurance::{all_ended, number};
use crate::support::assert_money_adds_up;

use blows::Director;
use city::City;
use people::{Crowd, Lived};

#[tokio::test]
async fn a_while_of_chaos_breaks_no_promise() {
    chaos(10).await;
}

#[tokio::test]
#[ignore = "minutes: scripts/chaos runs it"]
async fn an_age_of_chaos_breaks_no_promise() {
    let told = std::env::vars_os().find(|(name, _)| name == "CHAOS_ROUNDS");
    let rounds = told.and_then(|(_, rounds)| rounds.to_str()?.parse().ok());
    chaos(rounds.unwrap_or(120)).await;
}

async fn chaos(rounds: u32) {
    let mut city = City::found().await;
    let crowd = Crowd::come(&city);
    let mut director = Director::new();
    for _ in 0..rounds {
        director.strike(&mut city).await;
    }
    director.heal(&city).await;
    let lived = crowd.leave().await;
    city.pays_what_it_owes().await;
    all_ended(&city.workshop).await;
    // Whoever follows to the end needs somebody to follow.
    let seen = lived.watched().await;
    let jobs = city.workshop.gpus.given("echo").await;
    let counts = city.workshop.gpus.counts("echo").await;
    assert!(
        counts["repeated"].is_null(),
        "an attempt was made twice: {counts}"
    );
    assert_all_is_kept(&city, &lived, (usize::try_from(jobs).unwrap(), &seen));
    assert_money_adds_up(&city.workshop);
    let doctor = city.workshop.place.run(&["doctor"]).await;
    assert!(doctor.out.contains("ok     invariants"), "{}", doctor.out);
    let verified = city.workshop.place.run(&["ledger", "verify"]).await;
    verified.assert_code(0);
    city.close().await;
    director.assert_all_was_tried(rounds);
}

/// Nothing that anybody was promised is gone, and nothing is there twice.
fn assert_all_is_kept(city: &City, lived: &Lived, (jobs, seen): (usize, &[(String, Vec<String>)])) {
    let store = &city.workshop.store;
    let runs = store.sql("SELECT id FROM executions");
    let runs: Vec<&str> = runs.lines().collect();
    let lost: Vec<_> = lived
        .runs
        .iter()
        .filter(|run| !runs.contains(&run.as_str()))
        .collect();
    assert!(lost.is_empty(), "lost: {lost:?}");
    let most = lived.runs.len() + lived.unanswered;
    assert!(
        runs.len() <= most,
        "{} runs, of {most} that were asked for",
        runs.len()
    );
    let ends = number(
        &city.workshop,
        "SELECT count(*) FROM execution_events WHERE kind IN ('completed', 'failed', 'timed_out', 'cancelled')",
    );
    assert_eq!(ends, runs.len(), "each has one end");
    for (run, seen) in seen {
        let told = store.sql(&format!(
            "SELECT string_agg(seq || ' ' || kind, ',' ORDER BY seq) FROM execution_events WHERE execution_id = '{run}'"
        ));
        assert_eq!(seen.join(","), told, "{run}");
    }
    // A call that was not written down first could be made twice.
    let attempts = number(&city.workshop, "SELECT count(*) FROM provider_attempts");
    assert!(jobs > 0, "nothing was done");
    assert!(
        jobs <= attempts,
        "{jobs} jobs, {attempts} attempts on record"
    );
    assert!(lived.bought > 0, "nobody bought anything");
    let paid = "SELECT count(*) FROM purchases WHERE status = 'PAID'";
    assert_eq!(
        number(&city.workshop, paid),
        lived.bought,
        "each purchase that was paid counts once"
    );
    city.assert_paid_once();
    let completed = city.workshop.executions("status = 'COMPLETED'");
    assert!(
        completed * 3 > runs.len(),
        "only {completed} of {} completed",
        runs.len()
    );
}
