//! Packages of credits on offer.

use tarsify_domain::id::PackageId;
use tarsify_domain::payments::{CreditPackage, PackageAmounts, Shown};
use tarsify_domain::{Credits, Version};

use super::world::{MoneyWorld, actor};
use crate::clock::MOMENT;
use crate::contract::check::assert_stale;

fn package(price_cents: i64) -> CreditPackage {
    CreditPackage {
        id: PackageId::new(MOMENT),
        amounts: PackageAmounts {
            credits: Credits::new(700),
            bonus: Credits::new(70),
            price_cents,
        },
        currency: "usd".to_owned(),
        is_popular: false,
        is_active: true,
        version: Version::FIRST,
        created_at: MOMENT,
        updated_at: MOMENT,
    }
}

async fn prices(world: &MoneyWorld, which: Shown) -> Vec<i64> {
    let packages = world.packages.list(which).await.unwrap();
    let prices = packages.iter().map(|package| package.amounts.price_cents);
    prices.collect()
}

pub(super) async fn every_store_begins_with_five(world: MoneyWorld) {
    let packages = world.packages.list(Shown::OnOffer).await.unwrap();
    let told: Vec<_> = packages
        .iter()
        .map(|package| (package.amounts.credits.get(), package.is_popular))
        .collect();
    assert_eq!(
        told,
        [
            (500, false),
            (1_000, true),
            (2_500, false),
            (5_000, false),
            (10_000, false)
        ]
    );
    for CreditPackage {
        amounts, currency, ..
    } in packages
    {
        assert_eq!(amounts.price_cents, amounts.credits.get());
        assert_eq!((amounts.bonus, currency.as_str()), (Credits::ZERO, "usd"));
    }
}

pub(super) async fn the_cheapest_is_first(world: MoneyWorld) {
    let (cheap, twin) = (package(50), package(1_000));
    for package in [&twin, &cheap] {
        world.packages.create(package, &actor()).await.unwrap();
        let found = world.packages.find(package.id).await.unwrap();
        assert_eq!(found.as_ref(), Some(package));
    }
    let expected = [50, 500, 1_000, 1_000, 2_500, 5_000, 10_000];
    assert_eq!(prices(&world, Shown::OnOffer).await, expected);
    let nothing = world.packages.find(PackageId::new(MOMENT)).await.unwrap();
    assert_eq!(nothing, None);
}

pub(super) async fn what_is_withdrawn_is_not_on_offer(world: MoneyWorld) {
    let mut offer = world.packages.list(Shown::OnOffer).await.unwrap();
    let first = CreditPackage {
        is_active: false,
        updated_at: MOMENT,
        ..offer.remove(0)
    };
    let withdrawn = world.packages.revise(&first, &actor()).await.unwrap();
    assert_eq!(withdrawn.version, first.version.next());
    let expected = [1_000, 2_500, 5_000, 10_000];
    assert_eq!(prices(&world, Shown::OnOffer).await, expected);
    assert_eq!(prices(&world, Shown::All).await.len(), 5);
    let found = world.packages.find(first.id).await.unwrap();
    assert_eq!(found, Some(withdrawn));
}

pub(super) async fn a_revision_of_an_old_version_is_stale(world: MoneyWorld) {
    let first = package(700);
    world.packages.create(&first, &actor()).await.unwrap();
    let dearer = CreditPackage {
        amounts: PackageAmounts {
            price_cents: 800,
            ..first.amounts
        },
        is_popular: true,
        ..first.clone()
    };
    let revised = world.packages.revise(&dearer, &actor()).await.unwrap();
    let expected = CreditPackage {
        version: first.version.next(),
        ..dearer.clone()
    };
    assert_eq!(revised, expected);
    assert_stale(world.packages.revise(&dearer, &actor()).await);
    let stranger = CreditPackage {
        id: PackageId::new(MOMENT),
        ..dearer
    };
    assert_stale(world.packages.revise(&stranger, &actor()).await);
    let found = world.packages.find(first.id).await.unwrap();
    assert_eq!(found, Some(expected));
}

pub(super) async fn changes_are_remembered(world: MoneyWorld) {
    let first = package(700);
    world.packages.create(&first, &actor()).await.unwrap();
    world.packages.revise(&first, &actor()).await.unwrap();
    assert_stale(world.packages.revise(&first, &actor()).await);
    let audit = world.props.audit(first.id.uuid()).await;
    assert_eq!(audit, [None, None], "it was made and changed once");
}
