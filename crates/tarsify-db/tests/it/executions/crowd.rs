//! Money in a crowd: as many runs as there is room for, one end for each, and nobody who waits for
//! somebody who waits for him. Each has a long version, which is ignored.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;
use tarsify_db::{Database, DatabaseSettings, PgExecutionRepository};
use tarsify_domain::Scope;
use tarsify_domain::execution::{
    AdmitError, Claimed, EndReason, ExecutionQueue, ExecutionRepository, RunnableModel, Written,
};
use tarsify_domain::id::ConsumerId;
use tarsify_domain::money::Credits;
use tarsify_domain::people::{ConsumerRepository, NewConsumer};
use tarsify_testing::builders::{completion, new_run, settlement};
use tokio::task::JoinSet;

use super::place::Place;
use crate::support::Outside;
use crate::things::new_consumer;

const PEOPLE: usize = 64;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn there_is_room_for_exactly_as_many_as_the_balance_covers() {
    room_for_k(12).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "a minute: scripts/endurance"]
async fn there_is_room_for_exactly_as_many_in_a_thousand_rounds() {
    room_for_k(1_000).await;
}

/// In each round 64 want to run at the same moment on a balance that covers `k` of them.
async fn room_for_k(rounds: i64) {
    let place = Place::open().await;
    let model = place.model(1).await;
    let price = model.price.credits().get();
    let settings = DatabaseSettings::new(&place.test().url);
    let elsewhere = Database::connect(&settings).await.unwrap();
    let processes = [
        Arc::clone(&place.executions),
        Arc::new(PgExecutionRepository::new(elsewhere)),
    ];
    for round in 0..rounds {
        // Sometimes none, sometimes all, and a rest that buys nothing.
        let k = usize::try_from(round * 7 % 66).unwrap();
        let covers = i64::try_from(k).unwrap() * price + round % price;
        let new = NewConsumer {
            welcome: Credits::new(covers),
            ..new_consumer(1_000 + round)
        };
        let consumer = place.shop.consumers.register(&new).await.unwrap().id;
        let crowd = (0..PEOPLE).map(|number| {
            let executions = &processes[number % 2];
            let new = new_run(&model, consumer);
            async move { executions.admit(&new).await }
        });
        let answers = join_all(crowd).await;
        let accepted = answers.iter().filter(|answer| answer.is_ok()).count();
        let expected = k.min(PEOPLE);
        assert_eq!(accepted, expected, "round {round}");
        for answer in answers.into_iter().filter_map(Result::err) {
            let AdmitError::InsufficientCredits {
                required,
                available,
            } = answer
            else {
                panic!("round {round}: {answer}");
            };
            assert_eq!(required, model.price.credits());
            assert!(available < required, "{available:?}");
        }
        let held = format!(
            "SELECT count(*) || ' of ' || coalesce(sum(amount), 0) FROM holds \
             WHERE state = 'active' AND consumer_id = '{consumer}'"
        );
        let expected = i64::try_from(expected).unwrap();
        let held = place.sql(&held).await;
        assert_eq!(
            held,
            [format!("{expected} of {}", expected * price * 1_000)]
        );
        let left = place.executions.find_funds(consumer).await.unwrap();
        assert_eq!(left, Credits::new(covers - expected * price));
    }
    assert_sound(&place).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_races_to_an_end_resolves_the_hold_once() {
    race_to_the_end(150).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "a minute: scripts/endurance"]
async fn whoever_races_to_an_end_resolves_ten_thousand_holds_once() {
    race_to_the_end(10_000).await;
}

async fn race_to_the_end(runs: usize) {
    let place = Place::open().await;
    let model = place.model(1).await;
    let price = model.price.credits().get();
    let new = NewConsumer {
        welcome: Credits::new(price * i64::try_from(runs).unwrap()),
        ..new_consumer(1)
    };
    let consumer = place.shop.consumers.register(&new).await.unwrap().id;
    let mut done = 0;
    while done < runs {
        let batch = (runs - done).min(50);
        place.runs(&model, consumer, batch).await;
        let claimed = place.submit(batch).await;
        assert_eq!(claimed.len(), batch);
        join_all(claimed.iter().map(|claimed| race(&place, claimed))).await;
        done += batch;
    }
    let ends = place
        .sql(
            "SELECT count(*) FROM (\
                SELECT ref_id FROM ledger_transfers WHERE ref_type = 'execution' GROUP BY ref_id \
                HAVING count(*) FILTER (WHERE kind = 'release') \
                    + count(*) FILTER (WHERE kind = 'capture_platform') = 1\
             ) resolved",
        )
        .await;
    assert_eq!(ends, [runs.to_string()]);
    assert_eq!(place.count("holds WHERE state = 'active'").await, 0);
    assert_sound(&place).await;
}

/// A worker ends it with a result, twice, another one without, and its consumer calls it off.
async fn race(place: &Place, claimed: &Claimed) {
    let executions = &place.executions;
    let good = completion(claimed, json!({"url": "https://results.example/1.png"}));
    let bad = settlement(claimed, EndReason::ProviderError);
    let (first, second, third, _asked) = tokio::join!(
        executions.settle(&good),
        executions.settle(&bad),
        executions.settle(&good),
        executions.request_cancel(Scope::System, claimed.lease.id),
    );
    let ends = [first, second, third].map(|written| written.unwrap());
    let applied = ends
        .iter()
        .filter(|written| matches!(written, Written::Applied { .. }));
    assert_eq!(applied.count(), 1, "{ends:?}");
}

/// Legs that name the same accounts in every order, by many at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn groups_in_any_order_never_wait_in_a_circle() {
    let place = Place::open().await;
    let mut accounts = Vec::new();
    for number in 1..=3 {
        let consumer = place.consumer(number).await;
        place
            .sql(&format!(
                "SELECT grant_credits(gen_random_uuid(), '{consumer}', 1000000000, 'a test')"
            ))
            .await;
        accounts.push(format!(
            "ledger_account('{consumer}', 'consumer_available')"
        ));
    }
    let circles = [
        [0, 1, 2],
        [2, 1, 0],
        [1, 0, 2],
        [0, 2, 1],
        [2, 0, 1],
        [1, 2, 0],
    ];
    let mut crowd = JoinSet::new();
    for circle in circles {
        let outside = Outside::connect(&place.test().url).await;
        let [a, b, c] = circle.map(|at| accounts[at].clone());
        crowd.spawn(async move {
            for _ in 0..150 {
                outside
                    .sql(&format!(
                        "SELECT ledger_must_post('refund', gen_random_uuid(), ARRAY[\
                            ROW('refund_pending', {a}, {b}, 10), \
                            ROW('refund_payable', {b}, {c}, 20), \
                            ROW('refund_platform', {c}, {a}, 30)]::ledger_leg[])"
                    ))
                    .await;
            }
        });
    }
    crowd.join_all().await;
    assert_eq!(deadlocks(&place).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn all_flows_together_never_wait_in_a_circle() {
    mixed_load(Duration::from_secs(4)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "two minutes: scripts/endurance"]
async fn all_flows_together_never_wait_in_a_circle_for_long() {
    mixed_load(Duration::from_secs(120)).await;
}

/// Everything that moves money, at the same moment, about few people.
async fn mixed_load(lasting: Duration) {
    let place = Place::open().await;
    let mut models = Vec::new();
    for number in 1..=3 {
        models.push(place.model(number).await);
    }
    let mut consumers = Vec::new();
    for number in 1..=4 {
        let new = NewConsumer {
            // Little enough that some of what is taken back is gone.
            welcome: Credits::new(500),
            ..new_consumer(number)
        };
        consumers.push(place.shop.consumers.register(&new).await.unwrap().id);
    }
    place
        .sql("UPDATE developers SET is_verified = true, stripe_account_id = 'acct_' || id")
        .await;
    let is_over = Arc::new(AtomicBool::new(false));
    let mut crowd = JoinSet::new();
    for number in 0..6 {
        let runner = Runner {
            executions: Arc::clone(&place.executions),
            models: models.clone(),
            consumers: consumers.clone(),
            number,
        };
        crowd.spawn(runner.run(Arc::clone(&is_over)));
    }
    for statement in flows(&consumers) {
        let outside = Outside::connect(&place.test().url).await;
        let is_over = Arc::clone(&is_over);
        crowd.spawn(async move {
            while !is_over.load(Ordering::Relaxed) {
                outside.sql(&statement).await;
            }
        });
    }
    let (tallies, tallied) = (Arc::clone(&place.executions), Arc::clone(&is_over));
    crowd.spawn(async move {
        while !tallied.load(Ordering::Relaxed) {
            tallies.tally(50).await.unwrap();
        }
    });
    let begun = Instant::now();
    let mut seen = Vec::new();
    // A fault is a fault at any moment, not only in the end. A machine with much else to do needs
    // longer for every flow to have had its turn.
    while begun.elapsed() < lasting || (seen.len() < 22 && begun.elapsed() < lasting * 10) {
        assert_sound(&place).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        seen = place
            .sql("SELECT DISTINCT kind FROM ledger_transfers ORDER BY kind")
            .await;
    }
    is_over.store(true, Ordering::Relaxed);
    crowd.join_all().await;
    assert_eq!(deadlocks(&place).await, 0);
    assert!(seen.len() >= 22, "{seen:?}");
    assert_sound(&place).await;
}

/// Somebody who admits and ends runs.
struct Runner {
    executions: Arc<PgExecutionRepository>,
    models: Vec<Arc<RunnableModel>>,
    consumers: Vec<ConsumerId>,
    number: usize,
}

impl Runner {
    async fn run(self, is_over: Arc<AtomicBool>) {
        let Self {
            executions,
            models,
            consumers,
            mut number,
        } = self;
        while !is_over.load(Ordering::Relaxed) {
            let new = new_run(&models[number % 3], consumers[number % 4]);
            match executions.admit(&new).await {
                Ok(_) | Err(AdmitError::InsufficientCredits { .. }) => {}
                Err(error) => panic!("{error}"),
            }
            let claim = super::place::a_claim(super::place::submissions(4));
            for claimed in executions.claim(&claim).await.unwrap() {
                let end = if number.is_multiple_of(4) {
                    settlement(&claimed, EndReason::ProviderError)
                } else {
                    completion(&claimed, json!(number))
                };
                executions.settle(&end).await.unwrap();
            }
            number += 1;
        }
    }
}

/// The other flows, each for a connection of its own.
fn flows(consumers: &[ConsumerId]) -> Vec<String> {
    let mut statements: Vec<String> = Vec::new();
    for who in consumers {
        statements.push(format!(
            "SELECT grant_credits(gen_random_uuid(), '{who}', \
                CASE WHEN random() < 0.5 THEN 5000 ELSE -5000 END, 'a test')"
        ));
        statements.push(format!(
            "INSERT INTO purchases (id, consumer_id, credits, bonus_credits, price_cents, \
                currency, created_at, updated_at) \
             SELECT gen_random_uuid(), '{who}', 500, 50, 500, 'usd', now(), now() FROM pg_sleep(0.02)"
        ));
    }
    let others = [
        // So that some of what is taken back is gone.
        "SELECT grant_credits(gen_random_uuid(), owner_id, -(balance / 1000 * 1000), 'a test') \
         FROM ledger_accounts, pg_sleep(0.05) \
         WHERE kind = 'consumer_available' AND balance >= 1000 ORDER BY random() LIMIT 1",
        "SELECT pay_purchase(id, 'pi_' || id, 500, 'usd') FROM purchases \
         WHERE paid_at IS NULL ORDER BY random() LIMIT 1",
        "SELECT reverse_payment(gen_random_uuid(), payment_ref, 'refund', payment_ref || ':250', 250) \
         FROM purchases WHERE paid_at IS NOT NULL ORDER BY random() LIMIT 1",
        "SELECT reverse_payment(gen_random_uuid(), payment_ref, 'dispute', 'dp_' || id, 500) \
         FROM purchases WHERE paid_at IS NOT NULL ORDER BY random() LIMIT 1",
        "SELECT close_dispute(gen_random_uuid(), payment_ref, 'dp_' || id, 500, \
            CASE WHEN random() < 0.5 THEN 'won' ELSE 'lost' END) \
         FROM purchases WHERE status = 'DISPUTED' ORDER BY random() LIMIT 1",
        "SELECT claw_back(id) FROM reversals WHERE verdict = 'lost' AND clawed_at IS NULL \
         ORDER BY random() LIMIT 1",
        "SELECT refund_run(gen_random_uuid(), execution_id, \
            CASE WHEN random() < 0.5 THEN 1000 END, 'a test') \
         FROM holds WHERE state = 'captured' ORDER BY random() LIMIT 1",
        "SELECT mature_earnings(id, now(), 20) FROM developers ORDER BY random() LIMIT 1",
        // Not more than others end.
        "SELECT request_payout(gen_random_uuid(), id, 1000) FROM developers, pg_sleep(0.05) \
         ORDER BY random() LIMIT 1",
        "SELECT finish_payout(id, (ARRAY['paid', 'failed', 'returned'])[1 + floor(random() * 3)], \
            'tr_' || id, 'a test') FROM payouts \
         ORDER BY status = 'PENDING' AND requested_at < now() - interval '10 seconds' DESC, \
            random() LIMIT 1",
        "SELECT ledger_frontier()",
    ];
    statements.extend(others.map(str::to_owned));
    statements
}

/// What the server has counted, once it has heard of everything.
pub(super) async fn deadlocks(place: &Place) -> i64 {
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let counted = place
        .sql("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        .await;
    counted[0].parse().unwrap()
}

pub(super) async fn assert_sound(place: &Place) {
    let faults = place
        .sql("SELECT rule || ' ' || subject || ': ' || detail FROM ledger_faults LIMIT 5")
        .await;
    assert_eq!(faults, Vec::<String>::new());
    assert_eq!(place.broken().await, []);
}
