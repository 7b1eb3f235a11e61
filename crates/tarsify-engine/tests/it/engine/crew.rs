//! Workers that come to others.

use std::time::Duration;

use serde_json::json;
use tarsify_domain::Clock;
use tarsify_domain::execution::Crew;
use tarsify_domain::id::WorkerId;
use tokio::time::{Instant, sleep, timeout};

use super::workshop::{PATIENCE, Workshop};

#[tokio::test]
async fn whoever_comes_to_others_takes_nothing_before_they_have_heard_of_it() {
    let mut workshop = Workshop::open();
    workshop.model("echo", "echo", json!({}));
    workshop.submit("echo", json!({"prompt": "x"})).await;
    let other = WorkerId::new(workshop.clock.now());
    assert_eq!(workshop.store.check_in(other).await.unwrap(), 1);
    let began = Instant::now();
    workshop.run_workers();
    let submitted = async {
        while workshop.emulator.counts("echo").of("run") == 0 {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, submitted).await.unwrap();
    let took = began.elapsed();
    assert!(
        took >= Duration::from_secs(1),
        "the first call after {took:?}"
    );
    workshop.close().await;
}
