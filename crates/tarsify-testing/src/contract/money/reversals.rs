//! Money that goes back to cards.

use tarsify_domain::execution::Ending;
use tarsify_domain::ledger::EntryKind;
use tarsify_domain::payments::{EventOutcome, PurchaseStatus, Verdict};

use super::events::{Bought, Buying, bought, opened, paid, status};
use super::world::{MoneyWorld, new_reference};
use crate::fake::{Account, RunEnd};

pub(super) async fn a_card_refund_takes_its_part(world: MoneyWorld) {
    let carla = world.consumer(0).await;
    let bought = bought(&world, carla, Buying::of(500, 1_000, 0)).await;
    assert_eq!(
        world.tell(bought.refunded(200)).await,
        EventOutcome::Applied
    );
    let wallet = world.wallet(carla).await;
    assert_eq!(wallet.available.get(), 600_000);
    assert_eq!(wallet.lifetime_purchased.get(), 600);
    assert_eq!(status(&world, bought.id).await, PurchaseStatus::Paid);
    world.tell(bought.refunded(500)).await;
    assert_eq!(world.wallet(carla).await, Default::default());
    assert_eq!(status(&world, bought.id).await, PurchaseStatus::Refunded);
    assert_eq!(world.balance(Account::Clearing).await, 0);
}

pub(super) async fn totals_grow_and_never_shrink(world: MoneyWorld) {
    let carla = world.consumer(0).await;
    let bought = bought(&world, carla, Buying::of(500, 500, 0)).await;
    world.tell(bought.refunded(300)).await;
    world.tell(bought.refunded(100)).await;
    assert_eq!(
        world.wallet(carla).await.available.get(),
        200_000,
        "the smaller total was the earlier one"
    );
    world.tell(bought.refunded(400)).await;
    assert_eq!(world.wallet(carla).await.available.get(), 100_000);
    world.tell(bought.refunded(9_999)).await;
    assert_eq!(world.wallet(carla).await.available.get(), 0);
    assert_eq!(status(&world, bought.id).await, PurchaseStatus::Refunded);
}

pub(super) async fn a_reversal_before_its_payment_is_remembered(world: MoneyWorld) {
    let carla = world.consumer(0).await;
    let buying = Buying::of(500, 500, 0);
    let cases: [(i64, Option<Verdict>, i64, PurchaseStatus); 4] = [
        (200, None, 200_000, PurchaseStatus::Disputed),
        (500, None, 0, PurchaseStatus::Disputed),
        (100, Some(Verdict::Won), 400_000, PurchaseStatus::Paid),
        (100, Some(Verdict::Lost), 300_000, PurchaseStatus::Disputed),
    ];
    let mut before = 0;
    for (number, (cents, verdict, left, then)) in (0..).zip(cases) {
        let new = opened(&world, carla, buying).await;
        let payment = new_reference!(PaymentRef, "pi");
        let his = Bought {
            id: new.id,
            payment: payment.clone(),
        };
        let dispute = format!("dp_early_{number}");
        assert_eq!(
            world.tell(his.refunded(100)).await,
            EventOutcome::Remembered
        );
        let disputed = his.disputed(&dispute, cents);
        assert_eq!(world.tell(disputed).await, EventOutcome::Remembered);
        if let Some(verdict) = verdict {
            let closed = his.closed(&dispute, cents, verdict);
            assert_eq!(world.tell(closed).await, EventOutcome::Remembered);
        }
        assert_eq!(world.wallet(carla).await.available.get(), before);
        let outcome = world.tell(paid(new.id, &payment, 500)).await;
        assert_eq!(outcome, EventOutcome::Applied);
        let after = world.wallet(carla).await.available.get();
        assert_eq!(after - before, left, "{cents} disputed, {verdict:?}");
        assert_eq!(status(&world, new.id).await, then);
        before = after;
    }
    assert_eq!(world.balance(Account::Loss).await, 0);
}

pub(super) async fn a_bonus_goes_back_in_proportion(world: MoneyWorld) {
    let carla = world.consumer(0).await;
    let bought = bought(&world, carla, Buying::of(300, 1_000, 100)).await;
    world.tell(bought.refunded(100)).await;
    // A third of each, rounded down by itself.
    assert_eq!(
        world.wallet(carla).await.available.get(),
        1_100_000 - 333_333 - 33_333
    );
    assert_eq!(world.balance(Account::Promo).await, -100_000 + 33_333);
    world.tell(bought.refunded(200)).await;
    world.tell(bought.refunded(300)).await;
    assert_eq!(
        world.wallet(carla).await.available.get(),
        0,
        "all parts together are the whole"
    );
    assert_eq!(world.balance(Account::Promo).await, 0);
}

pub(super) async fn what_was_spent_is_lost(world: MoneyWorld) {
    let carla = world.consumer(0).await;
    let bought = bought(&world, carla, Buying::of(500, 500, 100)).await;
    let model = world.props.model(world.developer().await, 450).await;
    world.run(&model, carla).await;
    world.tell(bought.refunded(500)).await;
    // 150 were left: they go for what was paid, before the bonus.
    assert_eq!(world.wallet(carla).await.available.get(), 0);
    assert_eq!(world.balance(Account::Loss).await, -350_000);
    assert_eq!(world.balance(Account::Clearing).await, 0);
    assert_eq!(world.balance(Account::Promo).await, -100_000);
    assert_eq!(status(&world, bought.id).await, PurchaseStatus::Refunded);
}

pub(super) async fn a_won_dispute_gives_everything_back(world: MoneyWorld) {
    let carla = world.consumer(0).await;
    let bought = bought(&world, carla, Buying::of(500, 500, 100)).await;
    let model = world.props.model(world.developer().await, 300).await;
    world.run(&model, carla).await;
    let before = world.props.balances().await;
    world.tell(bought.disputed("dp_won", 500)).await;
    assert_eq!(world.wallet(carla).await.available.get(), 0);
    assert_eq!(world.balance(Account::Loss).await, -200_000);
    assert_eq!(status(&world, bought.id).await, PurchaseStatus::Disputed);
    assert_eq!(world.wallet(carla).await.lifetime_purchased.get(), 0);
    let won = bought.closed("dp_won", 500, Verdict::Won);
    assert_eq!(world.tell(won).await, EventOutcome::Applied);
    assert_eq!(world.props.balances().await, before);
    assert_eq!(status(&world, bought.id).await, PurchaseStatus::Paid);
    assert_eq!(world.wallet(carla).await.lifetime_purchased.get(), 600);
}

pub(super) async fn a_dispute_may_end_before_it_begins(world: MoneyWorld) {
    let carla = world.consumer(0).await;
    for (verdict, left, then) in [
        (Verdict::Won, 500_000, PurchaseStatus::Paid),
        (Verdict::Lost, 300_000, PurchaseStatus::Disputed),
    ] {
        let before = world.wallet(carla).await.available.get();
        let bought = bought(&world, carla, Buying::of(500, 500, 0)).await;
        let dispute = format!("dp_first_{}", verdict.as_str());
        let closed = bought.closed(&dispute, 200, verdict);
        assert_eq!(world.tell(closed).await, EventOutcome::Applied);
        let late = bought.disputed(&dispute, 200);
        assert_eq!(world.tell(late).await, EventOutcome::Repeated);
        let after = world.wallet(carla).await.available.get();
        assert_eq!(
            (after - before, status(&world, bought.id).await),
            (left, then)
        );
    }
}

pub(super) async fn a_lost_dispute_takes_nothing_more(world: MoneyWorld) {
    let carla = world.consumer(0).await;
    let bought = bought(&world, carla, Buying::of(500, 500, 0)).await;
    world.tell(bought.disputed("dp_lost", 500)).await;
    let before = world.props.balances().await;
    let lost = bought.closed("dp_lost", 500, Verdict::Lost);
    assert_eq!(world.tell(lost).await, EventOutcome::Applied);
    assert_eq!(world.props.balances().await, before);
    assert_eq!(status(&world, bought.id).await, PurchaseStatus::Disputed);
    assert_eq!(
        world.purchases.claw_back(10).await.unwrap(),
        0,
        "he still had it all"
    );
}

pub(super) async fn no_more_goes_back_than_was_paid(world: MoneyWorld) {
    let carla = world.consumer(7).await;
    let bought = bought(&world, carla, Buying::of(500, 500, 0)).await;
    world.tell(bought.refunded(300)).await;
    world.tell(bought.disputed("dp_all", 500)).await;
    assert_eq!(
        world.wallet(carla).await.available.get(),
        7_000,
        "only what had not gone back yet"
    );
    world.tell(bought.refunded(500)).await;
    assert_eq!(world.wallet(carla).await.available.get(), 7_000);
    assert_eq!(world.balance(Account::Clearing).await, 0);
    assert_eq!(world.balance(Account::Loss).await, 0);
}

/// What can be spent and what the platform has lost and given away, in millicredits.
async fn standing(world: &MoneyWorld, consumer: tarsify_domain::id::ConsumerId) -> (i64, i64, i64) {
    (
        world.wallet(consumer).await.available.get(),
        world.balance(Account::Loss).await,
        world.balance(Account::Promo).await,
    )
}

pub(super) async fn what_was_refunded_is_not_won_back(world: MoneyWorld) {
    let carla = world.consumer(0).await;
    let mut before = 0;
    // The refund before the dispute, while it is open, and after it.
    for order in [[0, 1, 2], [1, 0, 2], [1, 2, 0]] {
        let bought = bought(&world, carla, Buying::of(500, 500, 100)).await;
        let dispute = format!("dp_{}", bought.id);
        let story = [
            bought.refunded(200),
            bought.disputed(&dispute, 500),
            bought.closed(&dispute, 500, Verdict::Won),
        ];
        for place in order {
            let outcome = world.tell(story[place].clone()).await;
            assert_eq!(outcome, EventOutcome::Applied, "{place} of {order:?}");
        }
        // Three fifths of what was bought and of what came with it.
        let (wallet, lost, given) = standing(&world, carla).await;
        assert_eq!((wallet - before, lost), (360_000, 0), "{order:?}");
        assert_eq!(given, -(wallet / 6), "{order:?}");
        assert_eq!(status(&world, bought.id).await, PurchaseStatus::Paid);
        before = wallet;
    }
    let purchased = world.wallet(carla).await.lifetime_purchased;
    assert_eq!(purchased.get(), 3 * 360);
}

pub(super) async fn a_dispute_is_won_when_all_was_refunded(world: MoneyWorld) {
    let carla = world.consumer(0).await;
    let bought = bought(&world, carla, Buying::of(500, 500, 100)).await;
    world.tell(bought.disputed("dp_inquiry", 500)).await;
    world.tell(bought.refunded(500)).await;
    assert_eq!(status(&world, bought.id).await, PurchaseStatus::Disputed);
    let won = bought.closed("dp_inquiry", 500, Verdict::Won);
    assert_eq!(world.tell(won).await, EventOutcome::Applied);
    assert_eq!(standing(&world, carla).await, (0, 0, 0));
    assert_eq!(status(&world, bought.id).await, PurchaseStatus::Refunded);
}

pub(super) async fn of_two_disputes_each_is_won_by_itself(world: MoneyWorld) {
    let carla = world.consumer(0).await;
    let bought = bought(&world, carla, Buying::of(500, 1_000, 100)).await;
    world.tell(bought.disputed("dp_small", 200)).await;
    world.tell(bought.disputed("dp_large", 500)).await;
    assert_eq!(standing(&world, carla).await, (0, 0, 0));
    let small = bought.closed("dp_small", 200, Verdict::Won);
    assert_eq!(world.tell(small).await, EventOutcome::Applied);
    assert_eq!(
        standing(&world, carla).await,
        (0, 0, 0),
        "the other one is about everything"
    );
    assert_eq!(status(&world, bought.id).await, PurchaseStatus::Disputed);
    let large = bought.closed("dp_large", 500, Verdict::Won);
    assert_eq!(world.tell(large).await, EventOutcome::Applied);
    assert_eq!(standing(&world, carla).await, (1_100_000, 0, -100_000));
    assert_eq!(status(&world, bought.id).await, PurchaseStatus::Paid);
}

pub(super) async fn of_two_disputes_one_is_lost(world: MoneyWorld) {
    let carla = world.consumer(0).await;
    let bought = bought(&world, carla, Buying::of(500, 500, 0)).await;
    world.tell(bought.disputed("dp_gone", 200)).await;
    world.tell(bought.disputed("dp_kept", 500)).await;
    for (dispute, cents, verdict) in [
        ("dp_gone", 200, Verdict::Lost),
        ("dp_kept", 500, Verdict::Won),
    ] {
        let closed = bought.closed(dispute, cents, verdict);
        assert_eq!(world.tell(closed).await, EventOutcome::Applied);
    }
    assert_eq!(standing(&world, carla).await, (300_000, 0, 0));
    assert_eq!(status(&world, bought.id).await, PurchaseStatus::Disputed);
    assert_eq!(world.purchases.claw_back(10).await.unwrap(), 0);
}

pub(super) async fn what_is_won_covers_the_platforms_loss_first(world: MoneyWorld) {
    let carla = world.consumer(0).await;
    let bought = bought(&world, carla, Buying::of(500, 500, 0)).await;
    let model = world.props.model(world.developer().await, 400).await;
    world.run(&model, carla).await;
    world.tell(bought.disputed("dp_first", 300)).await;
    assert_eq!(standing(&world, carla).await.1, -200_000);
    world.adjust(carla, 200).await.unwrap();
    world.tell(bought.disputed("dp_second", 200)).await;
    assert_eq!(standing(&world, carla).await, (0, -200_000, -200_000));
    // The first took a hundred from her and the second two hundred: she gets as much back in
    // all, and after the platform.
    world
        .tell(bought.closed("dp_second", 200, Verdict::Won))
        .await;
    assert_eq!(standing(&world, carla).await, (0, 0, -200_000));
    world
        .tell(bought.closed("dp_first", 300, Verdict::Won))
        .await;
    assert_eq!(standing(&world, carla).await, (300_000, 0, -200_000));
}

pub(super) async fn what_a_lost_dispute_cost_is_not_won_back(world: MoneyWorld) {
    let carla = world.consumer(0).await;
    let bought = bought(&world, carla, Buying::of(500, 500, 0)).await;
    let model = world.props.model(world.developer().await, 500).await;
    world.run(&model, carla).await;
    world.tell(bought.disputed("dp_lost", 200)).await;
    world
        .tell(bought.closed("dp_lost", 200, Verdict::Lost))
        .await;
    world.adjust(carla, 300).await.unwrap();
    world.tell(bought.disputed("dp_won", 300)).await;
    assert_eq!(standing(&world, carla).await, (0, -200_000, -300_000));
    world.tell(bought.closed("dp_won", 300, Verdict::Won)).await;
    assert_eq!(
        standing(&world, carla).await,
        (300_000, -200_000, -300_000),
        "the developers give that"
    );
    assert_eq!(world.purchases.claw_back(10).await.unwrap(), 1);
    assert_eq!(standing(&world, carla).await, (300_000, -60_000, -300_000));
}

pub(super) async fn a_bonus_comes_back_as_far_as_it_went(world: MoneyWorld) {
    let carla = world.consumer(0).await;
    let bought = bought(&world, carla, Buying::of(300, 300, 100)).await;
    let model = world.props.model(world.developer().await, 80).await;
    world.run(&model, carla).await;
    // 320 are left: 300 for what was paid, and 20 of the 100 of the bonus.
    world.tell(bought.disputed("dp_bonus", 300)).await;
    assert_eq!(standing(&world, carla).await, (0, 0, -80_000));
    world.tell(bought.refunded(100)).await;
    assert_eq!(standing(&world, carla).await, (0, 0, -80_000));
    world
        .tell(bought.closed("dp_bonus", 300, Verdict::Won))
        .await;
    // A third of the bonus may stay away, and less than that did.
    assert_eq!(standing(&world, carla).await, (200_000, 0, -80_000));
    world.tell(bought.disputed("dp_again", 200)).await;
    assert_eq!(standing(&world, carla).await, (0, 0, -80_000));
}

pub(super) async fn equals_that_waited_have_an_order(world: MoneyWorld) {
    let carla = world.consumer(0).await;
    let new = opened(&world, carla, Buying::of(500, 500, 0)).await;
    let payment = new_reference!(PaymentRef, "pi");
    let his = Bought {
        id: new.id,
        payment: payment.clone(),
    };
    // Told in the opposite order.
    for event in [
        his.refunded(150),
        his.disputed("dp_b", 150),
        his.disputed("dp_a", 150),
        his.disputed("dp_0", 160),
    ] {
        assert_eq!(world.tell(event).await, EventOutcome::Remembered);
    }
    world.tell(paid(new.id, &payment, 500)).await;
    let statement = world.statement(carla).await;
    let lines = statement.iter().rev();
    let lines: Vec<_> = lines.map(|line| (line.kind, line.amount.get())).collect();
    // The smaller first, of equals the disputes, and the last one finds only what is left.
    let expected = [
        (EntryKind::Purchase, 500_000),
        (EntryKind::Chargeback, -150_000),
        (EntryKind::Chargeback, -150_000),
        (EntryKind::CardRefund, -150_000),
        (EntryKind::Chargeback, -50_000),
    ];
    assert_eq!(lines, expected);
    world.tell(his.closed("dp_b", 150, Verdict::Won)).await;
    world.tell(his.closed("dp_a", 150, Verdict::Won)).await;
    assert_eq!(standing(&world, carla).await, (190_000, 0, 0));
}

pub(super) async fn what_a_run_gives_back_is_taken_after_all(world: MoneyWorld) {
    let carla = world.consumer(0).await;
    let bought = bought(&world, carla, Buying::of(500, 500, 0)).await;
    let model = world.props.model(world.developer().await, 300).await;
    let runs = [
        world.begin(&model, carla).await,
        world.begin(&cheap(&world, 100).await, carla).await,
    ];
    world.tell(bought.refunded(450)).await;
    assert_eq!(standing(&world, carla).await, (0, -350_000, 0));
    // What began afterwards holds other credits.
    world.adjust(carla, 60).await.unwrap();
    let later = world.begin(&cheap(&world, 60).await, carla).await;
    let failure = RunEnd::without_result(Ending::Failed);
    world.props.end(later, failure).await;
    assert_eq!(standing(&world, carla).await, (60_000, -350_000, -60_000));
    for (run, left) in runs.into_iter().zip([(60_000, -50_000), (110_000, 0)]) {
        world.props.end(run, failure).await;
        let (wallet, lost, _) = standing(&world, carla).await;
        assert_eq!((wallet, lost), left);
    }
    let statement = world.statement(carla).await;
    assert_eq!(statement[0].kind, EntryKind::Chargeback);
    assert_eq!(statement[0].amount.get(), -50_000);
}

async fn cheap(
    world: &MoneyWorld,
    credits: i64,
) -> std::sync::Arc<tarsify_domain::execution::RunnableModel> {
    let developer = world.developer().await;
    world.props.model(developer, credits).await
}

pub(super) async fn what_was_covered_is_not_taken_from_a_run(world: MoneyWorld) {
    let carla = world.consumer(0).await;
    let bought = bought(&world, carla, Buying::of(500, 500, 0)).await;
    let run = world.begin(&cheap(&world, 250).await, carla).await;
    world.tell(bought.disputed("dp_had", 250)).await;
    world.tell(bought.disputed("dp_held", 250)).await;
    assert_eq!(standing(&world, carla).await, (0, -250_000, 0));
    // What is won covers what the platform lost, and so nobody owes that any more.
    world.tell(bought.closed("dp_had", 250, Verdict::Won)).await;
    assert_eq!(standing(&world, carla).await, (0, 0, 0));
    let failure = RunEnd::without_result(Ending::Failed);
    world.props.end(run, failure).await;
    assert_eq!(standing(&world, carla).await, (250_000, 0, 0));
    world
        .tell(bought.closed("dp_held", 250, Verdict::Won))
        .await;
    assert_eq!(standing(&world, carla).await, (500_000, 0, 0));
}
