//! What administrators give and take.

use tarsify_domain::id::{ConsumerId, GrantId};
use tarsify_domain::ledger::{Adjustment, AdjustmentAmount, AdjustmentError};

use super::world::{MoneyWorld, actor, reason};
use crate::clock::MOMENT;
use crate::fake::Account;

#[track_caller]
fn assert_insufficient<T: std::fmt::Debug>(
    result: Result<T, AdjustmentError>,
    (wanted, has): (i64, i64),
) {
    match result {
        Err(AdjustmentError::Insufficient {
            required,
            available,
        }) => assert_eq!((required.get(), available.get()), (wanted, has)),
        other => panic!("expected Insufficient, not {other:?}"),
    }
}

pub(super) async fn credits_are_given_and_taken(world: MoneyWorld) {
    let carla = world.consumer(0).await;
    let wallet = world.adjust(carla, 50).await.unwrap();
    assert_eq!(wallet.available.get(), 50_000);
    assert_eq!(world.balance(Account::Promo).await, -50_000);
    let wallet = world.adjust(carla, -20).await.unwrap();
    assert_eq!(wallet.available.get(), 30_000);
    assert_eq!(world.wallet(carla).await, wallet);
    assert_eq!(wallet.lifetime_purchased.get(), 0);
}

pub(super) async fn all_can_be_taken_and_no_more(world: MoneyWorld) {
    let carla = world.consumer(10).await;
    assert_insufficient(world.adjust(carla, -11).await, (11, 10));
    assert_eq!(world.wallet(carla).await.available.get(), 10_000);
    let wallet = world.adjust(carla, -10).await.unwrap();
    assert_eq!(wallet.available.get(), 0);
    assert_insufficient(world.adjust(carla, -1).await, (1, 0));
    assert_eq!(world.statement(carla).await.len(), 2);
}

pub(super) async fn what_is_set_aside_is_not_taken(world: MoneyWorld) {
    let carla = world.consumer(100).await;
    let model = world.props.model(world.developer().await, 60).await;
    world.begin(&model, carla).await;
    assert_insufficient(world.adjust(carla, -41).await, (41, 40));
    let wallet = world.adjust(carla, -40).await.unwrap();
    assert_eq!((wallet.available.get(), wallet.held.get()), (0, 60_000));
}

pub(super) async fn an_unknown_consumer_gets_nothing(world: MoneyWorld) {
    let dora = world.developer().await;
    for nobody in [ConsumerId::new(MOMENT), ConsumerId::from_uuid(dora.uuid())] {
        for credits in [5, -5] {
            let refusal = world.adjust(nobody, credits).await;
            assert!(
                matches!(refusal, Err(AdjustmentError::NoConsumer)),
                "{refusal:?}"
            );
        }
        assert_eq!(world.props.audit(nobody.uuid()).await, []);
    }
    assert_eq!(world.balance(Account::Promo).await, 0);
}

pub(super) async fn who_did_it_and_why_is_remembered(world: MoneyWorld) {
    let carla = world.consumer(0).await;
    world.adjust(carla, 50).await.unwrap();
    assert_insufficient(world.adjust(carla, -51).await, (51, 50));
    let audit = world.props.audit(carla.uuid()).await;
    assert_eq!(
        audit,
        [Some("a case wants it".to_owned())],
        "what was refused was not done"
    );
}

pub(super) async fn the_same_id_is_one_adjustment(world: MoneyWorld) {
    let carla = world.consumer(0).await;
    for (credits, left) in [(50, 50_000), (-50, 0)] {
        let adjustment = Adjustment {
            id: GrantId::new(MOMENT),
            consumer: carla,
            amount: AdjustmentAmount::parse(credits).unwrap(),
            reason: reason("twice"),
            actor: actor(),
        };
        for _ in 0..2 {
            let wallet = world.wallets.adjust(&adjustment).await.unwrap();
            assert_eq!(wallet.available.get(), left, "{credits}");
        }
        assert_eq!(world.wallet(carla).await.available.get(), left);
    }
    assert_eq!(world.props.audit(carla.uuid()).await.len(), 2);
}
