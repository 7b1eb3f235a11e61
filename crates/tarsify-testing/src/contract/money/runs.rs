//! What a run does to the money of its consumer and its developer.

use std::sync::Arc;

use tarsify_domain::Credits;
use tarsify_domain::execution::{AdmitError, Ending};
use tarsify_domain::id::ConsumerId;
use tarsify_domain::ledger::{EntryKind, Wallet};
use tarsify_domain::people::NewConsumer;

use super::world::MoneyWorld;
use crate::builders::{new_consumer, new_developer, new_run, new_test_run};
use crate::clock::MOMENT;
use crate::fake::{Account, RunEnd};

pub(super) async fn a_stranger_has_nothing(world: MoneyWorld) {
    let nobody = ConsumerId::new(MOMENT);
    assert_eq!(world.wallet(nobody).await, Wallet::default());
    assert_eq!(world.statement(nobody).await, []);
}

pub(super) async fn welcome_credits_can_be_spent(world: MoneyWorld) {
    let carla = NewConsumer {
        welcome: Credits::new(10),
        ..new_consumer("carla")
    };
    world.props.consumer(&carla).await;
    let wallet = world.wallet(carla.id).await;
    assert_eq!((wallet.available.get(), wallet.held.get()), (10_000, 0));
    assert_eq!(wallet.lifetime_purchased, Credits::ZERO, "it was a gift");
    let model = world.props.model(world.developer().await, 10).await;
    world.run(&model, carla.id).await;
    assert_eq!(world.wallet(carla.id).await.balance().get(), 0);
    let lines = world.statement(carla.id).await;
    let kinds: Vec<_> = lines.iter().map(|line| line.kind).collect();
    assert_eq!(kinds, [EntryKind::Hold, EntryKind::Welcome]);
    assert_eq!(lines[1].subject.id, carla.id.uuid());
    assert_eq!(world.balance(Account::Promo).await, -10_000);
}

pub(super) async fn a_hold_is_set_aside(world: MoneyWorld) {
    let (dora, carla) = (world.developer().await, world.consumer(100).await);
    let model = world.props.model(dora, 25).await;
    world.begin(&model, carla).await;
    let wallet = world.wallet(carla).await;
    assert_eq!(
        (wallet.available.get(), wallet.held.get()),
        (75_000, 25_000)
    );
    assert_eq!(wallet.balance().get(), 100_000);
    assert_eq!(wallet.lifetime_spent, Credits::ZERO, "not before the end");
    assert_eq!(world.accounts(dora).await, [0; 4]);
}

pub(super) async fn a_result_is_paid_for(world: MoneyWorld) {
    let (dora, carla) = (world.developer().await, world.consumer(100).await);
    let model = world.props.model(dora, 25).await;
    world.run(&model, carla).await;
    let wallet = world.wallet(carla).await;
    assert_eq!((wallet.available.get(), wallet.held.get()), (75_000, 0));
    assert_eq!(wallet.lifetime_spent.get(), 25);
    assert_eq!(world.accounts(dora).await, [17_500, 0, 0, 0]);
    assert_eq!(world.balance(Account::Revenue).await, 7_500);
}

pub(super) async fn without_a_result_everything_is_given_back(world: MoneyWorld) {
    let (dora, carla) = (world.developer().await, world.consumer(100).await);
    let model = world.props.model(dora, 25).await;
    let before = world.props.balances().await;
    for ending in [Ending::Failed, Ending::TimedOut, Ending::Cancelled] {
        let run = world.begin(&model, carla).await;
        world.props.end(run, RunEnd::without_result(ending)).await;
        assert_eq!(world.props.balances().await, before, "{ending:?}");
    }
    assert_eq!(world.wallet(carla).await.lifetime_spent, Credits::ZERO);
}

pub(super) async fn too_little_is_refused_and_changes_nothing(world: MoneyWorld) {
    let (dora, carla) = (world.developer().await, world.consumer(49).await);
    let model = world.props.model(dora, 25).await;
    world.begin(&model, carla).await;
    let before = world.props.balances().await;
    let refused = new_run(&model, carla);
    let refusal = world.props.begin(&refused).await.unwrap_err();
    let AdmitError::InsufficientCredits {
        required,
        available,
    } = refusal
    else {
        panic!("{refusal:?}");
    };
    assert_eq!((required.get(), available.get()), (25, 24));
    assert_eq!(world.props.balances().await, before);
    assert_eq!(world.statement(carla).await.len(), 2);
}

pub(super) async fn the_developers_part_is_rounded_down(world: MoneyWorld) {
    let (dora, carla) = (world.developer().await, world.consumer(10).await);
    let model = world.props.model(dora, 1).await;
    let share = tarsify_domain::money::Share::parse(3_333).unwrap();
    let odd = tarsify_domain::execution::NewExecution {
        developer_share: share,
        ..new_run(&model, carla)
    };
    world.props.begin(&odd).await.unwrap();
    world.props.end(odd.id, RunEnd::RESULT).await;
    assert_eq!(world.accounts(dora).await, [333, 0, 0, 0]);
    assert_eq!(world.balance(Account::Revenue).await, 667);
}

pub(super) async fn free_runs_and_test_runs_move_nothing(world: MoneyWorld) {
    let (dora, carla) = (world.developer().await, world.consumer(10).await);
    let free = world.props.model(dora, 0).await;
    let dear = world.props.model(dora, 1_000).await;
    let before = world.props.balances().await;
    world.run(&free, carla).await;
    world.fail(&free, carla).await;
    let test = new_test_run(&dear, 10);
    world.props.begin(&test).await.unwrap();
    world.props.end(test.id, RunEnd::RESULT).await;
    assert_eq!(world.props.balances().await, before);
}

pub(super) async fn who_runs_his_own_model_earns_nothing(world: MoneyWorld) {
    let dora = new_developer("dora");
    world.props.developer(&dora).await;
    let verified = NewConsumer {
        email: dora.email.clone(),
        ..new_consumer("dora too")
    };
    let unverified = NewConsumer {
        email_is_verified: false,
        ..NewConsumer {
            id: new_consumer("x").id,
            key: new_consumer("somebody else").key,
            ..verified.clone()
        }
    };
    let model = world.props.model(dora.id, 10).await;
    for (consumer, earned) in [(&verified, 0), (&unverified, 7_000)] {
        world.props.consumer(consumer).await;
        world.adjust(consumer.id, 10).await.unwrap();
        world.run(&Arc::clone(&model), consumer.id).await;
        assert_eq!(world.wallet(consumer.id).await.balance().get(), 0);
        assert_eq!(world.accounts(dora.id).await, [earned, 0, 0, 0]);
    }
    assert_eq!(world.balance(Account::Revenue).await, 13_000);
}
