//! Each test has a database of its own, made from a template that is made once.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use tarsify_testing::database::TestDatabase;

const TEMPLATE: &str = "tarsify_testing_empty";

static MADE: AtomicU32 = AtomicU32::new(0);

async fn create() -> TestDatabase {
    TestDatabase::create(TEMPLATE, async |url: String| {
        assert!(url.contains(TEMPLATE), "{url}");
        MADE.fetch_add(1, Ordering::SeqCst);
        Ok::<_, Infallible>(())
    })
    .await
}

#[tokio::test]
async fn databases_differ_and_their_template_is_made_once_at_most() {
    let databases = [create().await, create().await, TestDatabase::empty().await];
    let urls: BTreeSet<_> = databases.iter().map(TestDatabase::url).collect();
    assert_eq!(urls.len(), 3);
    assert!(MADE.load(Ordering::SeqCst) <= 1);
}

#[test]
fn the_server_outlives_the_runtime_of_the_test_that_started_it() {
    let with_its_own_runtime = || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(create()).url().to_owned()
    };
    let first = thread::spawn(with_its_own_runtime).join().unwrap();
    let second = thread::spawn(with_its_own_runtime).join().unwrap();
    assert_ne!(first, second);
}

#[test]
fn a_template_that_cannot_be_made_stops_the_test_and_says_why() {
    let attempt = thread::spawn(|| {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let never = TestDatabase::create("tarsify_testing_broken", async |_url| {
            Err::<(), _>("the third migration is wrong")
        });
        runtime.block_on(never).url().to_owned()
    });
    let panic = attempt.join().unwrap_err();
    let message = panic.downcast_ref::<String>().unwrap();
    assert!(
        message.contains("the third migration is wrong"),
        "{message}"
    );
}
