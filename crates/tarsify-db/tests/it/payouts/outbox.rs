//! Deliveries: in order within a lane, never two at once, and again when a lease is over.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::future::join_all;
use tarsify_domain::earnings::{Delivery, Outbox, Sent};
use tarsify_domain::id::{DeveloperId, PayoutId};

use crate::bank::{Bank, EndedRun};

const LEASE: Duration = Duration::from_secs(60);

/// A developer with so many payouts of ten credits on their way.
async fn lane(bank: &Bank, many: i64) -> (DeveloperId, Vec<PayoutId>) {
    let (me, model) = (bank.consumer().await, bank.model().await);
    bank.verify(model.developer_id).await;
    bank.give(me, 1_000).await;
    bank.run(EndedRun {
        days_ago: 8,
        ..EndedRun::of(me, &model, 1_000)
    })
    .await;
    assert_eq!(bank.mature(7).await, 1);
    let mut payouts = Vec::new();
    for _ in 0..many {
        payouts.push(bank.request(model.developer_id, 10).await.unwrap().id);
    }
    (model.developer_id, payouts)
}

async fn claim(bank: &Bank) -> Vec<Delivery> {
    bank.outbox.claim(100, LEASE).await.unwrap()
}

fn payouts(deliveries: &[Delivery]) -> HashSet<PayoutId> {
    deliveries.iter().map(|one| one.transfer.payout).collect()
}

#[tokio::test]
async fn the_first_of_each_lane_in_order() {
    let bank = Bank::open().await;
    let (him, his) = lane(&bank, 3).await;
    let (_, hers) = lane(&bank, 2).await;
    assert_eq!(bank.outbox.claim(0, LEASE).await.unwrap(), []);
    let claimed = claim(&bank).await;
    assert_eq!(payouts(&claimed), HashSet::from([his[0], hers[0]]));
    let first = claimed
        .iter()
        .find(|one| one.transfer.payout == his[0])
        .unwrap();
    assert_eq!(
        (
            first.epoch,
            first.attempts,
            first.transfer.may_have_been_sent
        ),
        (1, 0, false)
    );
    assert_eq!(first.transfer.account.as_str(), format!("acct_{him}"));
    assert_eq!(first.transfer.amount.get(), 10);
    assert_eq!(claim(&bank).await, [], "both lanes are somebody's");
    bank.pay(his[0], "tr_1").await;
    assert_eq!(payouts(&claim(&bank).await), HashSet::from([his[1]]));
    bank.pay(hers[0], "tr_2").await;
    bank.pay(his[1], "tr_3").await;
    assert_eq!(
        payouts(&claim(&bank).await),
        HashSet::from([his[2], hers[1]])
    );
    bank.assert_sound().await;
}

#[tokio::test]
async fn one_that_is_deferred_keeps_its_own_lane_waiting_and_no_other() {
    let bank = Bank::open().await;
    let (_, his) = lane(&bank, 2).await;
    let (_, hers) = lane(&bank, 2).await;
    let claimed = claim(&bank).await;
    let first = claimed
        .iter()
        .find(|one| one.transfer.payout == his[0])
        .unwrap();
    let said = format!("it broke\0 {}", "ä".repeat(600));
    let noted = bank
        .outbox
        .defer(first, &said, Duration::from_secs(30))
        .await
        .unwrap();
    assert_eq!(noted, Sent::Noted);
    let kept = "SELECT format('%s %s', char_length(last_error), lease_until IS NULL) FROM outbox \
        WHERE last_error LIKE 'it broke%'";
    assert_eq!(bank.sql(kept).await, ["500 t"]);
    bank.pay(hers[0], "tr_1").await;
    assert_eq!(payouts(&claim(&bank).await), HashSet::from([hers[1]]));
    let again = bank
        .outbox
        .defer(first, "once more", Duration::ZERO)
        .await
        .unwrap();
    assert_eq!(again, Sent::Refused, "he gave it back");
    bank.sql("UPDATE outbox SET next_attempt_at = now() WHERE last_error IS NOT NULL")
        .await;
    let later = claim(&bank).await;
    assert_eq!(payouts(&later), HashSet::from([his[0]]));
    assert_eq!((later[0].epoch, later[0].attempts), (2, 1));
    assert!(later[0].transfer.may_have_been_sent);
    assert_eq!(
        bank.outbox
            .defer(first, "late", Duration::ZERO)
            .await
            .unwrap(),
        Sent::Refused
    );
    let mine = bank
        .outbox
        .defer(&later[0], "mine", Duration::ZERO)
        .await
        .unwrap();
    assert_eq!(mine, Sent::Noted);
    assert_eq!(payouts(&claim(&bank).await), HashSet::from([his[0]]));
    bank.assert_sound().await;
}

#[tokio::test]
async fn a_lease_that_is_over_gives_it_to_somebody_else() {
    let bank = Bank::open().await;
    let (_, his) = lane(&bank, 1).await;
    let first = claim(&bank).await.remove(0);
    bank.sql("UPDATE outbox SET lease_until = now() - interval '1 second'")
        .await;
    let second = claim(&bank).await.remove(0);
    assert_eq!((second.epoch, second.attempts), (2, 1));
    assert!(second.transfer.may_have_been_sent);
    assert_eq!(
        bank.outbox
            .defer(&first, "late", Duration::ZERO)
            .await
            .unwrap(),
        Sent::Refused
    );
    // Who comes late has sent it all the same, and says so.
    bank.pay(his[0], "tr_1").await;
    assert_eq!(
        bank.outbox
            .defer(&second, "late", Duration::ZERO)
            .await
            .unwrap(),
        Sent::Refused
    );
    bank.sql("UPDATE outbox SET lease_until = NULL, next_attempt_at = now()")
        .await;
    assert_eq!(claim(&bank).await, []);
    bank.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_never_get_the_same() {
    let bank = Bank::open().await;
    let mut his = HashSet::new();
    for _ in 0..12 {
        his.insert(lane(&bank, 2).await.1[0]);
    }
    let crowd = (0..20).map(|_| {
        let outbox = bank.outbox.clone();
        async move { outbox.claim(3, LEASE).await.unwrap() }
    });
    let mut claimed: Vec<_> = join_all(crowd).await.concat();
    claimed.extend(claim(&bank).await);
    assert_eq!(claimed.len(), 12);
    assert_eq!(payouts(&claimed), his);
    bank.assert_sound().await;
}
