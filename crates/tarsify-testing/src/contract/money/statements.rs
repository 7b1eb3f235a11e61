//! What consumers read of what happened to their credits.

use tarsify_domain::id::ConsumerId;
use tarsify_domain::ledger::{EntryKind, StatementEntry};
use tarsify_domain::payments::{PaymentEvent, Verdict};

use super::events::{Buying, bought};
use super::world::{MoneyWorld, days};
use crate::contract::check::{assert_newest_first, whole_list};

/// A consumer to whom everything has happened that there is, and what that was, oldest first.
async fn lived(world: &MoneyWorld) -> (ConsumerId, Vec<(EntryKind, i64)>) {
    let carla = world.consumer(0).await;
    let model = world.props.model(world.developer().await, 10).await;
    let first = bought(world, carla, Buying::of(500, 1_000, 100)).await;
    let second = bought(world, carla, Buying::of(500, 500, 0)).await;
    world.adjust(carla, 50).await.unwrap();
    world.adjust(carla, -20).await.unwrap();
    let run = world.run(&model, carla).await;
    world.fail(&model, carla).await;
    world.refund(run, Some(4)).await.unwrap();
    let half = PaymentEvent::Refunded {
        payment: first.payment.clone(),
        total_cents: 250,
    };
    world.tell(half).await;
    world.tell(second.disputed("dp_lived", 500)).await;
    world
        .tell(second.closed("dp_lived", 500, Verdict::Won))
        .await;
    let lines = vec![
        (EntryKind::Purchase, 1_000_000),
        (EntryKind::Bonus, 100_000),
        (EntryKind::Purchase, 500_000),
        (EntryKind::Adjustment, 50_000),
        (EntryKind::Adjustment, -20_000),
        (EntryKind::Hold, -10_000),
        (EntryKind::Hold, -10_000),
        (EntryKind::Release, 10_000),
        (EntryKind::Refund, 4_000),
        (EntryKind::CardRefund, -550_000),
        (EntryKind::Chargeback, -500_000),
        (EntryKind::ChargebackReturned, 500_000),
    ];
    (carla, lines)
}

pub(super) async fn every_flow_has_its_line(world: MoneyWorld) {
    let (carla, expected) = lived(&world).await;
    let mut lines = world.statement(carla).await;
    lines.reverse();
    let told: Vec<_> = lines
        .iter()
        .map(|line| (line.kind, line.amount.get()))
        .collect();
    assert_eq!(told, expected);
    let subjects: Vec<_> = lines.iter().map(|line| line.subject.kind).collect();
    assert_eq!(
        subjects,
        [
            "purchase",
            "purchase",
            "purchase",
            "grant",
            "grant",
            "execution",
            "execution",
            "execution",
            "refund",
            "reversal",
            "reversal",
            "reversal"
        ]
    );
    for line in &lines {
        let is_about_a_run = ["execution", "refund"].contains(&line.subject.kind);
        assert_eq!(line.model_title.is_some(), is_about_a_run, "{line:?}");
    }
}

pub(super) async fn a_statement_adds_up(world: MoneyWorld) {
    let (carla, _) = lived(&world).await;
    let lines = world.statement(carla).await;
    assert_newest_first(lines.iter().map(|line| line.created_at));
    let mut balance = world.wallet(carla).await.available.get();
    for StatementEntry {
        amount,
        balance_after,
        ..
    } in &lines
    {
        assert_eq!(balance_after.get(), balance);
        balance -= amount.get();
    }
    assert_eq!(balance, 0, "it begins with nothing");
    assert!(lines.is_sorted_by(|newer, older| newer.id > older.id));
}

pub(super) async fn a_refund_is_one_line_wherever_it_came_from(world: MoneyWorld) {
    let dora = world.rich_payee(7_000).await;
    let carla = world.consumer(20).await;
    let model = world.props.model(dora, 20).await;
    let run = world.run(&model, carla).await;
    // Of the 14 credits that the developer has to give, 7 wait and 7 are payable.
    world.props.pass(days(8)).await;
    world.earnings.mature(days(7), 100).await.unwrap();
    world.request(dora, 14).await.unwrap();
    let fresh = world.props.model(dora, 10).await;
    world.run(&fresh, world.consumer(10).await).await;
    assert_eq!(world.accounts(dora).await, [7_000, 7_000, 14_000, 0]);
    world.refund(run, None).await.unwrap();
    assert_eq!(world.accounts(dora).await, [0, 0, 14_000, 0]);
    let lines = world.statement(carla).await;
    let refund = &lines[0];
    assert_eq!(
        (refund.kind, refund.amount.get(), refund.balance_after.get()),
        (EntryKind::Refund, 20_000, 20_000)
    );
    assert_eq!(lines.len(), 3);
    assert_eq!(refund.model_title.as_deref(), Some(model.title.as_str()));
}

pub(super) async fn statements_page_both_ways(world: MoneyWorld) {
    let (carla, expected) = lived(&world).await;
    let lines = whole_list(StatementEntry::ORDER, async |page| {
        world.wallets.list_statement(carla, None, page).await
    });
    let kinds = lines.await.into_iter().map(|line| line.kind);
    let expected = expected.into_iter().rev().map(|(kind, _)| kind);
    assert!(kinds.eq(expected));
}

pub(super) async fn statements_filter_by_kind(world: MoneyWorld) {
    let (carla, expected) = lived(&world).await;
    for kind in EntryKind::ALL {
        let lines = whole_list(StatementEntry::ORDER, async |page| {
            let list = world.wallets.list_statement(carla, Some(*kind), page);
            list.await
        });
        let amounts: Vec<_> = lines.await.iter().map(|line| line.amount.get()).collect();
        let expected = expected.iter().rev().filter(|(its, _)| its == kind);
        let expected: Vec<_> = expected.map(|(_, amount)| *amount).collect();
        assert_eq!(amounts, expected, "{kind:?}");
    }
}

pub(super) async fn everybody_reads_his_own(world: MoneyWorld) {
    let (carla, _) = lived(&world).await;
    let clara = world.consumer(7).await;
    assert_eq!(world.statement(clara).await.len(), 1);
    let his = world.statement(carla).await;
    let hers = world.statement(clara).await;
    assert!(hers.iter().all(|line| !his.contains(line)));
}
