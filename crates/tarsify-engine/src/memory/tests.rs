//! What the in-memory store offers beyond the contract of every store.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::FutureExt as _;
use serde_json::json;
use tarsify_domain::execution::{
    Advance, AttemptState, Claim, Claimed, EndReason, ExecutionQueue, ExecutionRepository,
    NewExecution, RunnableModel, Settlement, Stage, Then, Work, Written,
};
use tarsify_domain::id::{ConsumerId, ExecutionId};
use tarsify_domain::money::{Millicredits, Price};
use tarsify_domain::{Clock, Credits, Timestamp};
use tarsify_testing::TestClock;
use tarsify_testing::builders::{
    advance, attempt, attempt_with_job, completion, idempotency_claim, new_run, new_token,
    runnable_model, settlement,
};
use tarsify_testing::clock::MOMENT;
use time::Duration;

use super::{MemoryStore, Wallet};

/// The answer of a future that never waits.
fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("the store waited")
}

/// A consumer who can spend 1,000 credits.
fn funded(store: &MemoryStore) -> ConsumerId {
    let consumer = ConsumerId::new(MOMENT);
    store.grant(consumer, Credits::new(1_000));
    consumer
}

struct Bench {
    store: MemoryStore,
    clock: TestClock,
    model: Arc<RunnableModel>,
    consumer: ConsumerId,
}

impl Bench {
    fn new() -> Self {
        let clock = TestClock::new();
        let store = MemoryStore::with_clock(Arc::new(clock.clone()));
        let model = runnable_model();
        store.add_model(model.clone());
        let consumer = funded(&store);
        Self {
            store,
            clock,
            model: Arc::new(model),
            consumer,
        }
    }

    fn admit(&self, new: &NewExecution) -> ExecutionId {
        let admitted = now(self.store.admit(new)).unwrap();
        assert!(!admitted.is_replay);
        admitted.execution.summary.id
    }

    fn run(&self) -> ExecutionId {
        self.admit(&new_run(&self.model, self.consumer))
    }

    fn claim(&self, work: Work) -> Vec<Claimed> {
        let claim = Claim {
            work,
            limit: 10,
            lease: std::time::Duration::from_secs(30),
            allowance: 10,
            allowances: std::collections::HashMap::new(),
        };
        now(self.store.claim(&claim)).unwrap()
    }

    fn submit(&self) -> Claimed {
        self.claim(Work::Submit(vec![new_token()])).remove(0)
    }

    fn settle(&self, settlement: &Settlement) {
        let written = now(self.store.settle(settlement)).unwrap();
        assert!(matches!(written, Written::Applied { .. }));
    }
}

#[test]
fn what_ended_is_forgotten_with_all_that_belongs_to_it() {
    let bench = Bench::new();
    let keyed = NewExecution {
        idempotency: Some(idempotency_claim()),
        ..new_run(&bench.model, bench.consumer)
    };
    let ended = bench.admit(&keyed);
    let claimed = bench.submit();
    let end = completion(&claimed, json!(1));
    bench.settle(&end);
    let waiting = bench.run();
    assert_eq!((bench.store.len(), bench.store.is_empty()), (2, false));
    assert_eq!(bench.store.forget_ended(), 1);
    assert_eq!(bench.store.forget_ended(), 0);
    assert_eq!(bench.store.len(), 1);
    assert_eq!(bench.store.events(ended), []);
    assert_eq!(bench.store.events(waiting).len(), 1);
    assert!(now(bench.store.find_report(ended)).unwrap().is_none());
    assert_eq!(bench.store.runs_of_model(bench.model.id), 1);
    assert_eq!(bench.store.runs_of_consumer(bench.consumer), 1);
    // Its key and its job are free again.
    bench.admit(&keyed);
    for _ in 0..2 {
        let claimed = bench.submit();
        let mut accepted = advance(&claimed, Stage::Queued);
        accepted.attempts = end.attempts.clone();
        if claimed.lease.id == ended {
            now(bench.store.advance(&accepted)).unwrap();
        }
    }
    let report = now(bench.store.find_report(ended)).unwrap().unwrap();
    assert_eq!(report.attempts[0].attempt.job, end.attempts[0].job);
}

#[test]
fn what_has_a_job_left_is_not_forgotten() {
    let bench = Bench::new();
    let id = bench.run();
    let claimed = bench.submit();
    bench.settle(&Settlement {
        attempts: vec![attempt_with_job(&claimed, AttemptState::Orphaned)],
        has_orphans: true,
        ..settlement(&claimed, EndReason::Deadline)
    });
    assert_eq!(bench.store.forget_ended(), 0);
    let claimed = bench.claim(Work::Look).remove(0);
    assert_eq!(bench.store.forget_ended(), 0);
    let over = Advance {
        attempts: vec![attempt(&claimed, AttemptState::Over)],
        then: Then::Rest,
        ..advance(&claimed, Stage::Ended)
    };
    now(bench.store.advance(&over)).unwrap();
    assert_eq!(bench.store.forget_ended(), 1);
    assert_eq!(bench.store.events(id), []);
    assert!(bench.store.is_empty());
}

#[test]
fn test_runs_do_not_keep_counted_runs_from_being_forgotten() {
    let bench = Bench::new();
    for new in [
        tarsify_testing::builders::new_test_run(&bench.model, 5),
        new_run(&bench.model, bench.consumer),
    ] {
        bench.admit(&new);
        bench.settle(&completion(&bench.submit(), json!(1)));
    }
    assert_eq!(bench.store.forget_ended(), 2);
    assert_eq!(bench.store.runs_of_model(bench.model.id), 1);
    assert_eq!(now(bench.store.tally(10)).unwrap(), 0);
}

#[test]
fn credits_are_given_and_never_taken_by_a_grant() {
    let store = MemoryStore::new();
    let consumer = funded(&store);
    for given in [0, -1, -1_000, i64::MIN] {
        store.grant(consumer, Credits::new(given));
    }
    let wallet = |available| Wallet {
        available: Millicredits::new(available),
        held: Millicredits::ZERO,
    };
    assert_eq!(store.wallet(consumer), wallet(1_000_000));
    store.grant(consumer, Credits::new(5));
    assert_eq!(store.wallet(consumer), wallet(1_005_000));
    assert_eq!(store.wallet(ConsumerId::new(MOMENT)), wallet(0));
    store.grant(consumer, Credits::new(i64::MAX));
    assert_eq!(store.wallet(consumer), wallet(i64::MAX));
}

#[test]
fn what_was_paid_stays_paid_when_its_run_is_forgotten() {
    let bench = Bench::new();
    let price = bench.model.price.credits().millicredits().get();
    let wallet = |available, held| Wallet {
        available: Millicredits::new(available),
        held: Millicredits::new(held),
    };
    bench.run();
    bench.settle(&completion(&bench.submit(), json!(1)));
    bench.run();
    assert_eq!(bench.store.forget_ended(), 1);
    let left = wallet(1_000_000 - 2 * price, price);
    assert_eq!(bench.store.wallet(bench.consumer), left);
    let earned = bench.store.earned(bench.model.developer_id);
    let kept = bench.store.revenue();
    assert_eq!(earned, Millicredits::new(price * 7 / 10));
    assert_eq!(earned.get() + kept.get(), price);
}

#[test]
fn without_a_price_nobody_needs_credits() {
    let bench = Bench::new();
    let free = RunnableModel {
        price: Price::parse(0).unwrap(),
        version: bench.model.version.next(),
        ..RunnableModel::clone(&bench.model)
    };
    bench.store.add_model(free.clone());
    let stranger = ConsumerId::new(MOMENT);
    bench.admit(&new_run(&Arc::new(free), stranger));
    assert_eq!(bench.store.wallet(stranger), Wallet::default());
}

#[test]
fn clones_are_the_same_store() {
    let bench = Bench::new();
    let id = bench.run();
    let clone = bench.store.clone();
    assert_eq!(clone.events(id), bench.store.events(id));
    assert_eq!(clone.events(id)[0].at, MOMENT);
}

#[test]
fn a_clock_that_is_set_back_claims_nothing_early() {
    let bench = Bench::new();
    let early = bench.run();
    bench.clock.advance(Duration::minutes(5));
    bench.run();
    assert_eq!(bench.submit().lease.id, early);
    bench.clock.advance(-Duration::minutes(1));
    assert_eq!(bench.claim(Work::Submit(vec![new_token()])), []);
    bench.clock.advance(Duration::minutes(1));
    assert_eq!(bench.claim(Work::Submit(vec![new_token()])).len(), 1);
}

#[test]
fn no_wait_is_too_long_for_the_clock() {
    let bench = Bench::new();
    let forever = NewExecution {
        deadline_in: std::time::Duration::MAX,
        ..new_run(&bench.model, bench.consumer)
    };
    bench.admit(&forever);
    let claimed = bench.submit();
    let mut accepted = advance(&claimed, Stage::Queued);
    accepted.then = Then::After(std::time::Duration::MAX);
    let written = now(bench.store.advance(&accepted)).unwrap();
    assert_eq!(written, Written::Applied { is_due: false });
}

/// Panics once, while the store is locked.
struct Faulty(AtomicBool);

impl Clock for Faulty {
    fn now(&self) -> Timestamp {
        assert!(!self.0.swap(false, Ordering::SeqCst), "out of order");
        MOMENT
    }
}

#[test]
fn a_panic_under_the_lock_does_not_end_the_store() {
    let store = MemoryStore::with_clock(Arc::new(Faulty(AtomicBool::new(true))));
    let model = runnable_model();
    store.add_model(model.clone());
    let new = new_run(&Arc::new(model), funded(&store));
    let panic = catch_unwind(AssertUnwindSafe(|| now(store.admit(&new))));
    assert!(panic.is_err());
    now(store.admit(&new)).unwrap();
    assert_eq!(store.len(), 1);
}

#[test]
fn the_system_tells_the_time_unless_somebody_else_does() {
    let store = MemoryStore::default();
    let model = runnable_model();
    store.add_model(model.clone());
    let new = new_run(&Arc::new(model), funded(&store));
    let admitted = now(store.admit(&new)).unwrap();
    assert!(admitted.execution.summary.created_at > MOMENT);
}
