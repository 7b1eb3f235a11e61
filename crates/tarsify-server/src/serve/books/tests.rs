//! How often something is done, and until when.

use std::sync::atomic::{AtomicU32, Ordering};

use super::*;

/// Far longer than any test takes.
const LONG: Duration = Duration::from_secs(3_600);

#[tokio::test]
async fn what_failed_is_done_again_after_the_pause_for_failures_and_then_at_its_pace() {
    let (stop, times) = (CancellationToken::new(), AtomicU32::new(0));
    let done = tokio::sync::Notify::new();
    let pace = Pace::every(LONG).or_after_failure(Duration::from_millis(1));
    let repeating = repeat("it waits", pace, &stop, || async {
        let before = times.fetch_add(1, Ordering::Relaxed);
        if before < 2 {
            return Err(RepoError::Conflict);
        }
        done.notify_one();
        Ok(())
    });
    let watching = async {
        timeout(Duration::from_secs(60), done.notified())
            .await
            .expect("it is done a third time");
        stop.cancel();
    };
    tokio::join!(repeating, watching);
    assert_eq!(times.into_inner(), 3, "after success it waits for an hour");
}
