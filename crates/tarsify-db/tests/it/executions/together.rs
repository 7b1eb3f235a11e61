//! Admissions that are written in one statement: each is answered for himself, and those who wait
//! for each other never do so in a circle.

use std::sync::Arc;

use futures_util::future::{FutureExt, join_all};
use tarsify_db::{Database, DatabaseSettings, PgExecutionRepository};
use tarsify_domain::RepoError;
use tarsify_domain::execution::{
    AdmitError, Admitted, ExecutionRepository, NewExecution, Requester, RunnableModel,
};
use tarsify_domain::id::{ConsumerId, ExecutionId};
use tarsify_domain::money::Credits;
use tarsify_domain::people::{ConsumerRepository, NewConsumer};
use tarsify_testing::builders::{idempotency_claim, new_run, new_test_run, price};
use tarsify_testing::clock::MOMENT;
use tokio::join;

use super::crowd::{assert_sound, deadlocks};
use super::place::Place;
use crate::support::Outside;
use crate::things::new_consumer;

type Answer = Result<Admitted, AdmitError>;

/// Somebody with exactly so many credits.
async fn with_credits(place: &Place, number: i64, credits: i64) -> ConsumerId {
    let new = NewConsumer {
        welcome: Credits::new(credits),
        ..new_consumer(number)
    };
    place.shop.consumers.register(&new).await.unwrap().id
}

/// The model, for nothing.
fn free(model: &RunnableModel) -> Arc<RunnableModel> {
    Arc::new(RunnableModel {
        price: price(0),
        ..model.clone()
    })
}

fn with_key(new: NewExecution) -> NewExecution {
    NewExecution {
        idempotency: Some(idempotency_claim()),
        ..new
    }
}

/// Two statements of one each that wait for what somebody outside has, so that whoever comes after
/// them stands in line.
struct HeldUp {
    outside: Outside,
    first: [NewExecution; 2],
}

impl HeldUp {
    async fn new(place: &Place, model: &Arc<RunnableModel>) -> Self {
        let outside = Outside::connect(&place.test().url).await;
        let people = [place.consumer(901).await, place.consumer(902).await];
        let [one, other] = people;
        let lock = format!(
            "BEGIN; SELECT id FROM ledger_accounts WHERE owner_id IN ('{one}', '{other}') FOR UPDATE"
        );
        outside.sql(&lock).await;
        let first = people.map(|consumer| new_run(model, consumer));
        Self { outside, first }
    }

    /// Does something while both wait, and what is left of it when they no longer do.
    async fn meanwhile<T>(self, place: &Place, then: impl AsyncFnOnce(Outside) -> T) -> T {
        let [one, other] = &self.first;
        let admit = async |new| place.executions.admit(new).await.unwrap();
        let second = async {
            until_waiting(place, 1).await;
            admit(other).await
        };
        let work = async {
            until_waiting(place, 2).await;
            then(self.outside).await
        };
        join!(admit(one), second, work).2
    }

    /// The answers of all who were in line when the two went on.
    async fn admit(self, place: &Place, all: &[NewExecution]) -> Vec<Answer> {
        let work = async |outside: Outside| {
            let crowd = all.iter().map(|new| place.executions.admit(new));
            join!(join_all(crowd), outside.sql("COMMIT")).0
        };
        self.meanwhile(place, work).await
    }
}

/// Waits until so many wait for a lock.
async fn until_waiting(place: &Place, many: usize) {
    let waiting = "SELECT count(*) FROM pg_stat_activity \
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while place.sql(waiting).await != [many.to_string()] {
        tokio::task::yield_now().await;
    }
}

/// How many statements wrote these, each of which is a transaction.
async fn statements(place: &Place, all: &[NewExecution]) -> i64 {
    let ids = all.iter().map(|new| format!("'{}'", new.id));
    let ids = ids.collect::<Vec<_>>().join(", ");
    let written = format!("(SELECT DISTINCT xmin::text FROM executions WHERE id IN ({ids})) w");
    place.count(&written).await
}

/// What somebody was told.
fn told(answer: &Answer) -> String {
    match answer {
        Ok(admitted) if admitted.is_replay => {
            format!("replay of {}", admitted.execution.summary.id)
        }
        Ok(admitted) => format!("accepted as {}", admitted.execution.summary.id),
        Err(AdmitError::InsufficientCredits {
            required,
            available,
        }) => format!("has {} of {}", available.get(), required.get()),
        Err(AdmitError::Repo(RepoError::Conflict)) => "conflict".to_owned(),
        Err(AdmitError::Repo(_)) => "failure".to_owned(),
        Err(other) => format!("{other:?}"),
    }
}

fn accepted(new: &NewExecution) -> String {
    format!("accepted as {}", new.id)
}

/// What a consumer has and has set aside, and the part of the developer in his holds.
async fn wallet(place: &Place, of: Requester) -> String {
    let Requester::Consumer(consumer) = of else {
        return "none".to_owned();
    };
    let wallet = format!(
        "SELECT format('%s + %s at %s', a.balance / 1000, b.balance / 1000, ( \
            SELECT string_agg(h.developer_bps::text, ' ') FROM holds h \
            WHERE h.consumer_id = a.owner_id)) \
         FROM ledger_accounts a JOIN ledger_accounts b ON b.owner_id = a.owner_id \
         WHERE a.owner_id = '{consumer}' AND a.kind = 'consumer_available' \
            AND b.kind = 'consumer_held'"
    );
    place.sql(&wallet).await.remove(0)
}

/// Somebody who asks, and what he is to be told and to have afterwards.
struct Case {
    new: NewExecution,
    told: String,
    wallet: String,
}

/// What everybody has to begin with, in credits.
const WELCOME: i64 = 1_000;

/// Consumers who are accepted, with limits and keys and without. The first of them has the
/// developer's own address.
async fn good_cases(place: &Place, model: &Arc<RunnableModel>) -> Vec<Case> {
    let cost = model.price.credits().get();
    let mut cases = Vec::new();
    for number in 1..=35 {
        let consumer = with_credits(place, number, WELCOME).await;
        let new = NewExecution {
            max_concurrent_runs: (number % 2 == 0).then_some(2),
            idempotency: (number % 3 == 0).then(idempotency_claim),
            ..new_run(model, consumer)
        };
        let share = if number == 1 { 0 } else { 7_000 };
        cases.push(Case {
            told: accepted(&new),
            wallet: format!("{} + {cost} at {share}", WELCOME - cost),
            new,
        });
    }
    cases
}

/// Those of them who are not, each for a reason of his own.
async fn spoil(place: &Place, model: &Arc<RunnableModel>, cases: &mut [Case]) {
    let cost = model.price.credits().get();
    let [poor, changed, same, other, full] = [8, 13, 19, 23, 29];

    let consumer = with_credits(place, 50, cost - 1).await;
    cases[poor].new.requester = Requester::Consumer(consumer);
    cases[poor].told = format!("has {} of {cost}", cost - 1);
    cases[poor].wallet = format!("{} + 0 at ", cost - 1);

    let stale = place.model(2).await;
    let revise = "UPDATE base_models SET version = version + 1 WHERE id = ";
    let revise = format!("{revise}'{}'", stale.base_model.id);
    place.sql(&revise).await;
    cases[changed].new.model = stale;
    cases[changed].told = "ModelChanged".to_owned();
    cases[changed].wallet = format!("{WELCOME} + 0 at ");

    for twin in [same, other] {
        cases[twin].new = with_key(cases[twin].new.clone());
        place.executions.admit(&cases[twin].new).await.unwrap();
    }
    cases[same].told = format!("replay of {}", cases[same].new.id);
    cases[same].new.id = ExecutionId::new(MOMENT);
    cases[other].told = "KeyReused".to_owned();
    cases[other].new.id = ExecutionId::new(MOMENT);
    let claim = cases[other].new.idempotency.as_mut().unwrap();
    claim.fingerprint = [8; 32];

    let earlier = NewExecution {
        id: ExecutionId::new(MOMENT),
        idempotency: None,
        ..cases[full].new.clone()
    };
    place.executions.admit(&earlier).await.unwrap();
    cases[full].new.max_concurrent_runs = Some(1);
    cases[full].told = "TooManyAtOnce(1)".to_owned();
}

/// Two developers who try their own models, and a consumer who needs no credits.
async fn other_cases(place: &Place, model: &Arc<RunnableModel>) -> Vec<Case> {
    let none = "none".to_owned();
    let used_up = with_key(new_test_run(&place.model(3).await, 0));
    let tried = with_key(new_test_run(&place.model(4).await, 1));
    let gratis = new_run(&free(model), with_credits(place, 51, 0).await);
    [
        (used_up, Some("QuotaUsedUp(0)"), none.clone()),
        (tried, None, none),
        (gratis, None, "0 + 0 at ".to_owned()),
    ]
    .map(|(new, refusal, wallet)| Case {
        told: refusal.map_or_else(|| accepted(&new), str::to_owned),
        wallet,
        new,
    })
    .into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn all_at_once_are_each_answered_for_themselves() {
    let place = Place::open().await;
    let model = place.model(1).await;
    let mut cases = good_cases(&place, &model).await;
    spoil(&place, &model, &mut cases).await;
    cases.extend(other_cases(&place, &model).await);
    let all: Vec<_> = cases.iter().map(|case| case.new.clone()).collect();
    let before = place.count("executions").await;

    let held_up = HeldUp::new(&place, &model).await;
    let answers = held_up.admit(&place, &all).await;

    for (number, (case, answer)) in cases.iter().zip(&answers).enumerate() {
        assert_eq!(told(answer), case.told, "{number}");
        let wallet = wallet(&place, case.new.requester).await;
        assert_eq!(wallet, case.wallet, "{number}");
    }
    let is_new = |answer: &Answer| answer.as_ref().is_ok_and(|one| !one.is_replay);
    assert_eq!(answers.iter().filter(|answer| is_new(answer)).count(), 32);
    let written = statements(&place, &all).await;
    assert_eq!(written, 2, "statements for {} admissions", all.len());
    // With the two who were held up.
    let whole = "executions x JOIN execution_events v ON v.execution_id = x.id AND v.seq = 1 \
        JOIN tars_models t ON t.id = x.tars_model_id AND t.developer_id = x.developer_id";
    assert_eq!(place.count(whole).await, before + 32 + 2);
    assert_eq!(place.sql("SELECT used FROM test_run_quota").await, ["1"]);
    let keys = cases.iter().zip(&answers);
    let keys = keys.filter(|(case, answer)| case.new.idempotency.is_some() && is_new(answer));
    let keys = i64::try_from(keys.count()).unwrap();
    assert_eq!(place.count("idempotency_keys").await, keys + 2);
    assert_sound(&place).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_fails_for_one_fails_for_nobody_else() {
    let place = Place::open().await;
    let model = place.model(1).await;
    let mut all = Vec::new();
    for number in 1..=20 {
        all.push(with_key(new_run(&model, place.consumer(number).await)));
    }
    let mut expected: Vec<_> = all.iter().map(accepted).collect();
    // His id is somebody else's, one is nobody, and one is told so when he does not pay as well.
    all[5].id = place.run(&model, place.consumer(21).await).await;
    expected[5] = "conflict".to_owned();
    all[11].requester = Requester::Consumer(ConsumerId::new(MOMENT));
    expected[11] = "failure".to_owned();
    all[17].id = all[5].id;
    all[17].model = free(&model);
    expected[17] = "conflict".to_owned();
    let answers = HeldUp::new(&place, &model).await.admit(&place, &all).await;
    let heard: Vec<_> = answers.iter().map(told).collect();
    assert_eq!(heard, expected);
    assert_eq!(place.count("executions").await, 17 + 3);
    assert_eq!(place.count("holds").await, 17 + 3);
    assert_eq!(place.count("idempotency_keys").await, 17);
    assert_sound(&place).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_one_consumer_in_line_as_many_are_accepted_as_fit() {
    let place = Place::open().await;
    let model = place.model(1).await;
    let consumer = place.consumer(1).await;
    let gratis = free(&model);
    let all: Vec<_> = (0..20)
        .map(|number| NewExecution {
            max_concurrent_runs: Some(6),
            ..new_run(if number % 2 == 0 { &gratis } else { &model }, consumer)
        })
        .collect();
    let answers = HeldUp::new(&place, &model).await.admit(&place, &all).await;
    let accepted = answers.iter().filter(|answer| answer.is_ok()).count();
    assert_eq!(accepted, 6);
    let turns = format!(
        "SELECT fair_rank FROM executions WHERE consumer_id = '{consumer}' ORDER BY fair_rank"
    );
    let turns = place.sql(&turns).await;
    assert_eq!(turns, ["0", "1", "2", "3", "4", "5"], "each has its turn");
    assert_sound(&place).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_gives_up_waiting_in_line_is_not_admitted() {
    let place = Place::open().await;
    let model = place.model(1).await;
    let (gone, stays) = (
        new_run(&model, place.consumer(1).await),
        new_run(&model, place.consumer(2).await),
    );
    let held_up = HeldUp::new(&place, &model).await;
    let work = async |outside: Outside| {
        let mut leaving = Box::pin(place.executions.admit(&gone));
        assert!(leaving.as_mut().now_or_never().is_none());
        let staying = place.executions.admit(&stays);
        let leaves = async {
            drop(leaving);
            outside.sql("COMMIT").await
        };
        join!(staying, leaves).0
    };
    let stayed = held_up.meanwhile(&place, work).await;
    assert_eq!(told(&stayed), accepted(&stays));
    let found = format!("executions WHERE id = '{}'", gone.id);
    assert_eq!(place.count(&found).await, 0);
    assert_eq!(place.count("executions").await, 3);
    assert_sound(&place).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn crowds_in_opposite_order_never_wait_in_a_circle() {
    let place = Place::open().await;
    let model = place.model(1).await;
    let gratis = free(&model);
    let settings = DatabaseSettings::new(&place.test().url);
    let elsewhere = Database::connect(&settings).await.unwrap();
    let elsewhere = PgExecutionRepository::new(elsewhere);
    let mut people = Vec::new();
    for number in 1..=48 {
        people.push(place.consumer(number).await);
    }
    let rounds = 8;
    for _ in 0..rounds {
        let here = people
            .iter()
            .enumerate()
            .map(|(number, who)| match number % 3 {
                // Some wait for their turns, some only for their accounts, some only for their keys.
                0 => NewExecution {
                    max_concurrent_runs: Some(1_000),
                    ..new_run(&model, *who)
                },
                1 => new_run(&model, *who),
                _ => with_key(new_run(&gratis, *who)),
            });
        let here: Vec<_> = here.collect();
        let there = here.iter().rev().map(|new| NewExecution {
            id: ExecutionId::new(MOMENT),
            ..new.clone()
        });
        let there: Vec<_> = there.collect();
        let (here, there) = join!(
            join_all(here.iter().map(|new| place.executions.admit(new))),
            join_all(there.iter().map(|new| elsewhere.admit(new))),
        );
        for answer in here.into_iter().chain(there) {
            answer.unwrap();
        }
    }
    assert_eq!(place.count("executions").await, rounds * (2 * 32 + 16));
    assert_eq!(place.count("holds").await, rounds * 2 * 32);
    assert_eq!(deadlocks(&place).await, 0);
    assert_sound(&place).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_statements_take_the_turns_of_the_same_people_in_one_order() {
    let place = Place::open().await;
    let model = place.model(1).await;
    let (one, other) = (place.consumer(1).await, place.consumer(2).await);
    let limited = |who| NewExecution {
        max_concurrent_runs: Some(5),
        ..new_run(&model, who)
    };
    // As many as go together, and then the same two the other way round.
    let mut all = vec![limited(one), limited(other)];
    for number in 3..=32 {
        all.push(new_run(&model, place.consumer(number).await));
    }
    all.extend([limited(other), limited(one)]);
    let turns = Outside::connect(&place.test().url).await;
    turns
        .sql(&format!(
            "SELECT pg_advisory_lock(7, hashtext(id)) FROM (VALUES ('{one}'), ('{other}')) v (id)"
        ))
        .await;
    let work = async |outside: Outside| {
        let crowd = all.iter().map(|new| place.executions.admit(new));
        let release = async {
            outside.sql("COMMIT").await;
            let waiting = "pg_stat_activity \
                WHERE datname = current_database() AND wait_event = 'advisory'";
            while place.count(waiting).await < 2 {
                tokio::task::yield_now().await;
            }
            turns.sql("SELECT pg_advisory_unlock_all()").await;
        };
        join!(join_all(crowd), release).0
    };
    let held_up = HeldUp::new(&place, &model).await;
    let answers = held_up.meanwhile(&place, work).await;
    let heard: Vec<_> = answers.iter().map(told).collect();
    assert_eq!(heard, all.iter().map(accepted).collect::<Vec<_>>());
    assert_eq!(statements(&place, &all).await, 2);
    assert_eq!(deadlocks(&place).await, 0);
}

#[tokio::test]
async fn holds_of_the_same_or_of_nobody_are_refused_together() {
    let place = Place::open().await;
    let model = place.model(1).await;
    let consumer = place.consumer(1).await;
    let nobody = ConsumerId::new(MOMENT);
    for other in [consumer, nobody] {
        let held = format!(
            "SELECT hold_all(ARRAY[gen_random_uuid(), gen_random_uuid()], \
                ARRAY['{consumer}', '{other}']::uuid[], array_fill('{developer}'::uuid, '{{2}}'), \
                array_fill('{model}'::uuid, '{{2}}'), '{{10, 10}}', '{{7000, 7000}}')",
            developer = model.developer_id,
            model = model.id,
        );
        let refusal = place.test().refusal(&held).await;
        assert_eq!(refusal.as_deref(), Some("hold_all_consumers"));
    }
    assert_sound(&place).await;
}
