//! Purchases before they are paid.

use tarsify_domain::payments::{Checkout, EventOutcome, Purchase, PurchaseStatus};
use tarsify_domain::{Credits, RepoError};
use time::Duration;

use super::events::{Buying, opened, paid, purchase, status};
use super::world::{MoneyWorld, days, new_reference};
use crate::clock::MOMENT;
use crate::contract::check::whole_list;

pub(super) async fn a_purchase_is_to_be_paid(world: MoneyWorld) {
    let carla = world.consumer(0).await;
    let new = Purchase {
        package: Some(
            world
                .packages
                .list(tarsify_domain::payments::Shown::All)
                .await
                .unwrap()[1]
                .id,
        ),
        ..purchase(carla, Buying::of(900, 1_000, 50))
    };
    world.purchases.open(&new).await.unwrap();
    let found = world.purchases.find(carla, new.id).await.unwrap();
    assert_eq!(found.as_ref(), Some(&new));
    let checkout = Checkout {
        reference: new_reference!(CheckoutRef, "cs"),
        url: "https://pay.example.com/1".to_owned(),
    };
    let attached = world.purchases.attach_checkout(new.id, &checkout);
    attached.await.unwrap();
    let expected = Purchase {
        checkout_url: Some(checkout.url.clone()),
        ..new.clone()
    };
    let found = world.purchases.find_any(new.id).await.unwrap();
    assert_eq!(found, Some(expected));
    assert_eq!(world.wallet(carla).await.available.get(), 0);
    assert_eq!(world.statement(carla).await, []);
    let nothing = purchase(carla, Buying::of(500, 500, 0));
    let attached = world.purchases.attach_checkout(nothing.id, &checkout);
    assert!(matches!(attached.await, Err(RepoError::Stale)));
}

pub(super) async fn nobody_finds_a_strangers(world: MoneyWorld) {
    let (carla, clara) = (world.consumer(0).await, world.consumer(0).await);
    let new = opened(&world, carla, Buying::of(500, 500, 0)).await;
    assert_eq!(world.purchases.find(clara, new.id).await.unwrap(), None);
    let found = world.purchases.find_any(new.id).await.unwrap();
    assert_eq!(found, Some(new));
    let nothing = purchase(carla, Buying::of(500, 500, 0)).id;
    assert_eq!(world.purchases.find(carla, nothing).await.unwrap(), None);
    assert_eq!(world.purchases.find_any(nothing).await.unwrap(), None);
}

pub(super) async fn one_without_a_page_fails(world: MoneyWorld) {
    let carla = world.consumer(0).await;
    let new = opened(&world, carla, Buying::of(500, 500, 0)).await;
    for _ in 0..2 {
        world.purchases.fail(new.id).await.unwrap();
        let found = world.purchases.find(carla, new.id).await.unwrap().unwrap();
        assert_eq!(found.status, PurchaseStatus::Failed);
    }
}

pub(super) async fn the_newest_is_first(world: MoneyWorld) {
    let (carla, clara) = (world.consumer(0).await, world.consumer(0).await);
    let mut expected = Vec::new();
    // Two of each second, whose order only their ids tell.
    for number in [3, 1, 4, 2, 1, 4] {
        let new = Purchase {
            credits: Credits::new(number),
            created_at: MOMENT + Duration::seconds(number),
            ..purchase(carla, Buying::of(500, 500, 0))
        };
        world.purchases.open(&new).await.unwrap();
        expected.push(new);
    }
    opened(&world, clara, Buying::of(500, 500, 0)).await;
    expected.sort_by_key(|new| std::cmp::Reverse((new.created_at, new.id)));
    let listed = whole_list(Purchase::ORDER, async |page| {
        world.purchases.list(carla, page).await
    });
    assert_eq!(listed.await, expected);
}

pub(super) async fn what_is_not_paid_in_time_expires(world: MoneyWorld) {
    let carla = world.consumer(0).await;
    let open = async || {
        let new = Purchase {
            created_at: world.props.now().await,
            ..purchase(carla, Buying::of(500, 500, 0))
        };
        world.purchases.open(&new).await.unwrap();
        new.id
    };
    let (first, second, third) = (open().await, open().await, open().await);
    let payment = new_reference!(PaymentRef, "pi");
    world.tell(paid(third, &payment, 500)).await;
    assert_eq!(world.purchases.expire(days(2), 10).await.unwrap(), 0);
    world.props.pass(days(3)).await;
    let young = open().await;
    assert_eq!(world.purchases.expire(days(2), 1).await.unwrap(), 1);
    assert_eq!(world.purchases.expire(days(2), 10).await.unwrap(), 1);
    assert_eq!(world.purchases.expire(days(2), 10).await.unwrap(), 0);
    for (id, then) in [
        (first, PurchaseStatus::Expired),
        (second, PurchaseStatus::Expired),
        (third, PurchaseStatus::Paid),
        (young, PurchaseStatus::Pending),
    ] {
        assert_eq!(status(&world, id).await, then);
    }
    let payment = new_reference!(PaymentRef, "pi");
    let outcome = world.tell(paid(first, &payment, 500)).await;
    assert_eq!(outcome, EventOutcome::Applied, "paid after all");
}
