//! What has to leave: leased, in order within its lane, until it is done.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tarsify_domain::earnings::{Delivery, PayoutEnd, Sent};
use tarsify_domain::id::PayoutId;
use tokio::task::JoinSet;

use super::world::{MoneyWorld, new_reference};

const LEASE: Duration = Duration::from_secs(60);

const fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

async fn claim(world: &MoneyWorld) -> Vec<Delivery> {
    world.outbox.claim(100, LEASE).await.unwrap()
}

fn payouts(deliveries: &[Delivery]) -> Vec<PayoutId> {
    let payouts = deliveries.iter().map(|delivery| delivery.transfer.payout);
    payouts.collect()
}

async fn finish(world: &MoneyWorld, payout: PayoutId) {
    let paid = PayoutEnd::Paid(new_reference!(TransferRef, "tr"));
    world.payouts.finish(payout, &paid).await.unwrap();
}

pub(super) async fn a_payout_is_delivered_until_it_ends(world: MoneyWorld) {
    let dora = world.rich_payee(70_000).await;
    let account = world.verify(dora).await;
    assert_eq!(claim(&world).await, []);
    let payout = world.request(dora, 10).await.unwrap();
    assert_eq!(world.outbox.claim(0, LEASE).await.unwrap(), []);
    for attempts in 0..3 {
        let mut claimed = claim(&world).await;
        let delivery = claimed.remove(0);
        assert_eq!((claimed, delivery.attempts), (vec![], attempts));
        let transfer = &delivery.transfer;
        assert_eq!((transfer.payout, transfer.amount.get()), (payout.id, 10));
        assert_eq!(transfer.account, account);
        assert_eq!(transfer.may_have_been_sent, attempts > 0);
        let deferred = world.outbox.defer(&delivery, "no answer", seconds(10));
        assert_eq!(deferred.await.unwrap(), Sent::Noted);
        world.props.pass(seconds(9)).await;
        assert_eq!(claim(&world).await, [], "it rests");
        world.props.pass(seconds(2)).await;
    }
    let last = claim(&world).await.remove(0);
    finish(&world, payout.id).await;
    let late = world.outbox.defer(&last, "too late", seconds(1)).await;
    assert_eq!(late.unwrap(), Sent::Refused);
    world.props.pass(seconds(1_000)).await;
    assert_eq!(claim(&world).await, []);
}

pub(super) async fn a_lane_is_in_order(world: MoneyWorld) {
    let dora = world.rich_payee(70_000).await;
    let mut expected = Vec::new();
    for _ in 0..3 {
        expected.push(world.request(dora, 10).await.unwrap().id);
    }
    for payout in expected {
        let claimed = claim(&world).await;
        assert_eq!(payouts(&claimed), [payout]);
        assert_eq!(claim(&world).await, [], "nothing passes it");
        let deferred = world.outbox.defer(&claimed[0], "no", seconds(10));
        deferred.await.unwrap();
        assert_eq!(claim(&world).await, [], "nor while it rests");
        world.props.pass(seconds(11)).await;
        assert_eq!(payouts(&claim(&world).await), [payout]);
        finish(&world, payout).await;
    }
    assert_eq!(claim(&world).await, []);
}

pub(super) async fn one_lane_keeps_no_other_waiting(world: MoneyWorld) {
    let dora = world.rich_payee(70_000).await;
    let dana = world.rich_payee(70_000).await;
    let first = world.request(dora, 10).await.unwrap().id;
    world.request(dora, 10).await.unwrap();
    let claimed = claim(&world).await;
    assert_eq!(payouts(&claimed), [first]);
    let other = world.request(dana, 10).await.unwrap().id;
    assert_eq!(payouts(&claim(&world).await), [other]);
    let deferred = world.outbox.defer(&claimed[0], "no", seconds(600));
    deferred.await.unwrap();
    finish(&world, other).await;
    let next = world.request(dana, 10).await.unwrap().id;
    assert_eq!(payouts(&claim(&world).await), [next]);
}

pub(super) async fn a_lease_that_ran_out_is_given_again(world: MoneyWorld) {
    let dora = world.rich_payee(70_000).await;
    world.request(dora, 10).await.unwrap();
    let first = claim(&world).await.remove(0);
    world.props.pass(seconds(59)).await;
    assert_eq!(claim(&world).await, []);
    world.props.pass(seconds(2)).await;
    let second = claim(&world).await.remove(0);
    assert_eq!(second.id, first.id);
    assert!(second.epoch > first.epoch);
    assert!(second.transfer.may_have_been_sent, "nobody knows");
}

pub(super) async fn an_old_lease_defers_nothing(world: MoneyWorld) {
    let dora = world.rich_payee(70_000).await;
    world.request(dora, 10).await.unwrap();
    let first = claim(&world).await.remove(0);
    world.props.pass(seconds(61)).await;
    let second = claim(&world).await.remove(0);
    let defer = async |delivery| {
        world
            .outbox
            .defer(delivery, "no", seconds(1))
            .await
            .unwrap()
    };
    assert_eq!(defer(&first).await, Sent::Refused);
    assert_eq!(defer(&second).await, Sent::Noted);
    assert_eq!(defer(&second).await, Sent::Refused, "it was given back");
}

pub(super) async fn two_workers_never_share(world: MoneyWorld) {
    for _ in 0..6 {
        let developer = world.rich_payee(7_000).await;
        world.request(developer, 3).await.unwrap();
        world.request(developer, 3).await.unwrap();
    }
    let mut crowd = JoinSet::new();
    for _ in 0..6 {
        let outbox = Arc::clone(&world.outbox);
        crowd.spawn(async move { outbox.claim(2, LEASE).await.unwrap() });
    }
    let claimed = crowd.join_all().await.concat();
    let different: HashSet<_> = payouts(&claimed).into_iter().collect();
    assert_eq!(different.len(), claimed.len(), "none was given twice");
    let lanes: HashSet<_> = claimed
        .iter()
        .map(|delivery| delivery.transfer.account.clone())
        .collect();
    assert_eq!(lanes.len(), claimed.len(), "one of each lane");
}
