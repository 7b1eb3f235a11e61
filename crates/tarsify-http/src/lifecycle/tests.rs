//! Who came when, and when he should come back.

use std::time::Duration;

use tokio::time::timeout;

use super::*;

fn came_late(connection: &Extensions) -> bool {
    connection.get::<Connection>().unwrap().came_late()
}

#[test]
fn connections_are_counted_and_those_that_came_late_are_known() {
    let lifecycle = Lifecycle::default();
    let (mut early, mut noticed, mut late) = Default::default();
    lifecycle.meet(&mut early);
    lifecycle.drain();
    lifecycle.meet(&mut noticed);
    lifecycle.turn_away();
    lifecycle.meet(&mut late);
    let seen = [&early, &noticed, &late].map(came_late);
    assert_eq!(seen, [false, false, true]);
    assert_eq!(lifecycle.connections(), 3);
    drop((early, late));
    assert_eq!(lifecycle.connections(), 1);
}

#[tokio::test]
async fn ten_thousand_who_are_sent_off_come_back_one_after_the_other() {
    let lifecycle = Lifecycle::default();
    lifecycle.drain();
    let too_early = timeout(Duration::from_millis(5), lifecycle.sent_off()).await;
    assert!(too_early.is_err(), "they follow until they are turned away");
    lifecycle.turn_away();
    let mut moments = Vec::new();
    for _ in 0..10_000 {
        moments.push(lifecycle.sent_off().await.as_millis());
    }
    let farewell = Lifecycle::FAREWELL.as_millis();
    assert!(moments[0] > farewell, "before it he would be turned away");
    let seen = (moments[0] - farewell, moments[9_999] - farewell);
    assert_eq!(seen, (200, 5_199));
    assert!(moments.is_sorted());
    let most = moments.chunk_by(|one, other| one == other).map(<[_]>::len);
    assert_eq!(most.max(), Some(2), "of them come in the same millisecond");
    lifecycle.sent_off.store(u32::MAX, Ordering::Relaxed);
    assert_eq!(lifecycle.sent_off().await, LATEST_RETURN);
}
