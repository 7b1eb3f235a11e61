//! Everything goes wrong, again and again, while people run models, follow them, call them off, buy
//! credits and have themselves paid: processes are killed, stopped and frozen, PostgreSQL drops
//! everybody or lets nobody in, Redis forgets, freezes and dies, GPUs and Stripe do what they do on
//! their worst days. In the end every promise is looked at. Short, always; for as long as anybody
//! likes, by `scripts/chaos`.

mod blows;
mod city;
mod people;

use crate::endurance::{all_ended, number};
use crate::support::{DEAR, assert_money_adds_up};

use blows::Director;
use city::{CLICKERS, City};
use people::{Crowd, Lived};

/// What each consumer is welcomed with.
const WELCOME: i64 = 1_000_000;

/// What runs cost.
const SPENT: &str =
    "coalesce(sum(e.price_credits), 0) FROM executions e WHERE e.status = 'COMPLETED'";

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
    assert_each_has_his_own(&city, &lived);
    city.close().await;
    director.assert_all_was_tried(rounds);
}

/// Nothing that anybody was promised is gone, and nothing is there twice.
fn assert_all_is_kept(city: &City, lived: &Lived, (jobs, seen): (usize, &[(String, Vec<String>)])) {
    let store = &city.workshop.store;
    let runs = store.sql("SELECT id || ' ' || (inputs->>'prompt') FROM executions");
    let runs: Vec<&str> = runs.lines().collect();
    let lost: Vec<_> = lived
        .runs
        .iter()
        .filter(|(run, asked)| !runs.contains(&format!("{run} {asked}").as_str()))
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
    assert!(lived.bought.purchases > 0, "nobody bought anything");
    let paid = "SELECT count(*) FROM purchases WHERE status = 'PAID'";
    assert_eq!(
        number(&city.workshop, paid),
        lived.bought.purchases,
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

/// Everybody has what his own runs made, and the money that is his and no more. It is reckoned from
/// what the people remember, how their runs ended and what left the bank: a ledger can add up and
/// still give somebody too much.
fn assert_each_has_his_own(city: &City, lived: &Lived) {
    let workshop = &city.workshop;
    let others = workshop.store.sql(
        "SELECT id, inputs, output FROM executions WHERE status = 'COMPLETED' \
            AND output->>'prompt' IS DISTINCT FROM inputs->>'prompt' LIMIT 5",
    );
    assert_eq!(others, "", "the result of another run");
    let sum = |sql: &str| workshop.store.sql(sql).parse::<i64>().unwrap();
    let had = workshop.store.sql(&format!(
        "SELECT (SELECT sum(a.balance) FROM ledger_accounts a WHERE a.owner_id = c.id) \
            + 1000 * (SELECT {SPENT} AND e.consumer_id = c.id) FROM consumers c ORDER BY 1"
    ));
    let welcomed = 1_000 * WELCOME;
    let mut expected = [welcomed; CLICKERS].map(|credits| credits.to_string());
    expected[CLICKERS - 1] = (welcomed + 1_000 * lived.bought.credits).to_string();
    assert_eq!(
        had,
        expected.join("\n"),
        "had, with what he spent; one of them {:?}",
        lived.bought
    );
    let spent = sum(&format!("SELECT {SPENT}"));
    let sent: i64 = city.sent().iter().sum();
    let (price, earned) = DEAR;
    assert_eq!(
        sum("SELECT sum(balance) FROM ledger_accounts WHERE kind LIKE 'developer%'"),
        1_000 * spent * earned / price - 1_000 * sent,
        "earned of {spent}, of which {sent} were sent"
    );
    let told = workshop.store.sql(
        "SELECT execution_id, kind FROM execution_events WHERE kind IN ('accepted', 'started') \
            GROUP BY execution_id, kind HAVING count(*) > 1 LIMIT 5",
    );
    assert_eq!(told, "", "told twice");
    // Who knows of a job looks at it, whether or not he is called back: only whose answers were lost
    // has nothing but his deadline. Each of the few looks may have failed now and then.
    let forgotten = workshop.executions(
        "reason = 'deadline' AND EXISTS (\
            SELECT FROM execution_events v WHERE v.execution_id = executions.id AND v.kind = 'accepted')",
    );
    let few = 1 + lived.runs.len() / 50;
    assert!(
        forgotten <= few,
        "{forgotten} of {} waited for their deadlines though their jobs were known",
        lived.runs.len()
    );
}
