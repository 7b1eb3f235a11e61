//! What is told of the money of one run.

use tarsify_domain::Scope;
use tarsify_domain::execution::{ExecutionStatus, Found};
use tarsify_domain::id::ExecutionId;
use tarsify_domain::ledger::{HoldState, Receipt, ReceiptKind};

use super::world::MoneyWorld;
use crate::builders::new_test_run;
use crate::clock::MOMENT;

async fn receipt(world: &MoneyWorld, scope: Scope, run: ExecutionId) -> Receipt {
    match world.wallets.find_receipt(scope, run).await.unwrap() {
        Found::Here(receipt) => receipt,
        other => panic!("{run} is not here: {other:?}"),
    }
}

fn movements(receipt: &Receipt) -> Vec<(ReceiptKind, i64)> {
    assert!(receipt.entries.is_sorted_by_key(|entry| entry.at));
    let entries = receipt.entries.iter();
    entries
        .map(|entry| (entry.kind, entry.amount.get()))
        .collect()
}

pub(super) async fn a_hold_is_active_until_the_end(world: MoneyWorld) {
    let (dora, carla) = (world.developer().await, world.consumer(100).await);
    let model = world.props.model(dora, 25).await;
    let run = world.begin(&model, carla).await;
    let receipt = receipt(&world, Scope::Consumer(carla), run).await;
    assert_eq!(receipt.state, Some(HoldState::Active));
    assert_eq!((receipt.paid.get(), receipt.refunded.get()), (0, 0));
    assert_eq!(movements(&receipt), [(ReceiptKind::Hold, 25_000)]);
    assert_eq!(receipt.run.price.credits().get(), 25);
    assert_eq!(receipt.run.charged.get(), 0);
}

pub(super) async fn a_capture_is_one_movement(world: MoneyWorld) {
    let (dora, carla) = (world.developer().await, world.consumer(100).await);
    let model = world.props.model(dora, 25).await;
    let run = world.run(&model, carla).await;
    let receipt = receipt(&world, Scope::Consumer(carla), run).await;
    assert_eq!(receipt.state, Some(HoldState::Captured));
    assert_eq!((receipt.paid.get(), receipt.refunded.get()), (25_000, 0));
    assert_eq!(
        movements(&receipt),
        [(ReceiptKind::Hold, 25_000), (ReceiptKind::Capture, 25_000)]
    );
    assert_eq!(receipt.run.status, ExecutionStatus::Completed);
    assert_eq!(receipt.run.charged.get(), 25);
    assert_eq!(receipt.run.model.title, model.title);
}

pub(super) async fn a_release_costs_nothing(world: MoneyWorld) {
    let (dora, carla) = (world.developer().await, world.consumer(100).await);
    let model = world.props.model(dora, 25).await;
    let run = world.fail(&model, carla).await;
    let receipt = receipt(&world, Scope::System, run).await;
    assert_eq!(receipt.state, Some(HoldState::Released));
    assert_eq!((receipt.paid.get(), receipt.refunded.get()), (0, 0));
    assert_eq!(
        movements(&receipt),
        [(ReceiptKind::Hold, 25_000), (ReceiptKind::Release, 25_000)]
    );
    assert_eq!(receipt.run.charged.get(), 0);
}

pub(super) async fn refunds_are_told_one_by_one(world: MoneyWorld) {
    let (dora, carla) = (world.developer().await, world.consumer(100).await);
    let model = world.props.model(dora, 25).await;
    let run = world.run(&model, carla).await;
    world.refund(run, Some(4)).await.unwrap();
    world.refund(run, Some(1)).await.unwrap();
    let receipt = receipt(&world, Scope::Consumer(carla), run).await;
    assert_eq!(receipt.state, Some(HoldState::Captured));
    assert_eq!(
        (receipt.paid.get(), receipt.refunded.get()),
        (20_000, 5_000)
    );
    assert_eq!(
        movements(&receipt),
        [
            (ReceiptKind::Hold, 25_000),
            (ReceiptKind::Capture, 25_000),
            (ReceiptKind::Refund, 4_000),
            (ReceiptKind::Refund, 1_000),
        ]
    );
}

pub(super) async fn a_free_run_has_no_movements(world: MoneyWorld) {
    let (dora, carla) = (world.developer().await, world.consumer(0).await);
    let model = world.props.model(dora, 0).await;
    let run = world.run(&model, carla).await;
    let receipt = receipt(&world, Scope::Consumer(carla), run).await;
    assert_eq!(receipt.state, None);
    assert_eq!((receipt.paid.get(), receipt.refunded.get()), (0, 0));
    assert_eq!(movements(&receipt), []);
}

pub(super) async fn nobody_reads_a_strangers(world: MoneyWorld) {
    let (dora, carla) = (world.developer().await, world.consumer(100).await);
    let model = world.props.model(dora, 25).await;
    let run = world.run(&model, carla).await;
    let test = new_test_run(&model, 10);
    world.props.begin(&test).await.unwrap();
    let clara = world.consumer(0).await;
    let find = async |scope, run| world.wallets.find_receipt(scope, run).await.unwrap();
    assert_eq!(find(Scope::Consumer(clara), run).await, Found::Foreign);
    assert_eq!(
        find(Scope::Developer(dora), run).await,
        Found::Foreign,
        "who made the model reads nothing of who runs it"
    );
    assert_eq!(find(Scope::Consumer(carla), test.id).await, Found::Foreign);
    let own = receipt(&world, Scope::Developer(dora), test.id).await;
    assert_eq!((own.state, own.entries), (None, vec![]));
    let nothing = ExecutionId::new(MOMENT);
    assert_eq!(find(Scope::System, nothing).await, Found::Nowhere);
}
