//! Workers that come at the same moment know of each other.

use std::time::Duration;

use tarsify_domain::execution::Crew;
use tarsify_domain::id::WorkerId;
use tarsify_testing::clock::MOMENT;

use super::place::Place;
use crate::support::Outside;

#[tokio::test]
async fn who_comes_second_waits_for_the_first_and_counts_it() {
    let place = Place::open().await;
    let first = Outside::connect(&place.test().url).await;
    let come = "SELECT check_in(gen_random_uuid(), interval '10 seconds')";
    first.sql("BEGIN").await;
    assert_eq!(first.sql(come).await, ["1"]);
    let second = place.executions.check_in(WorkerId::new(MOMENT));
    let commit = async {
        let waiting = "SELECT count(*) FROM pg_stat_activity \
            WHERE datname = current_database() AND wait_event = 'advisory'";
        for _ in 0..500 {
            if place.sql(waiting).await == ["1"] {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        first.sql("COMMIT").await;
    };
    let (count, ()) = tokio::join!(second, commit);
    assert_eq!(count.unwrap(), 2);
}
