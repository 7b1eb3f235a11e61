//! Payouts, from what is payable to the developer's account.

use std::sync::Arc;

use tarsify_domain::RepoError;
use tarsify_domain::earnings::{NewPayout, Payout, PayoutEnd, PayoutError, PayoutStatus};
use tarsify_domain::id::{DeveloperId, PayoutId};
use tarsify_domain::money::Credits;
use tarsify_domain::payments::{EventOutcome, PaymentEvent, Verdict};
use tokio::task::JoinSet;

use super::events::{Buying, bought};
use super::world::{MoneyWorld, new_reference};
use crate::builders::page;
use crate::clock::MOMENT;
use crate::contract::check::{assert_conflict, assert_newest_first, whole_list};
use crate::fake::Account;

async fn listed(world: &MoneyWorld, developer: DeveloperId) -> Vec<Payout> {
    let all = page(1, 100);
    let list = world.payouts.list(developer, None, &all).await;
    list.unwrap().items
}

pub(super) async fn a_payout_is_reserved_and_paid(world: MoneyWorld) {
    let dora = world.rich_payee(70_000).await;
    let payout = world.request(dora, 50).await.unwrap();
    assert_eq!((payout.developer, payout.amount.get()), (dora, 50));
    assert_eq!(payout.status, PayoutStatus::Pending);
    assert_eq!((&payout.transfer, &payout.failure), (&None, &None));
    assert_eq!(world.accounts(dora).await, [0, 20_000, 50_000, 0]);
    assert_eq!(listed(&world, dora).await, std::slice::from_ref(&payout));
    let clearing = world.balance(Account::Clearing).await;
    let transfer = new_reference!(TransferRef, "tr");
    let paid = PayoutEnd::Paid(transfer.clone());
    world.payouts.finish(payout.id, &paid).await.unwrap();
    assert_eq!(world.accounts(dora).await, [0, 20_000, 0, 0]);
    assert_eq!(world.balance(Account::Clearing).await, clearing + 50_000);
    let ended = listed(&world, dora).await.remove(0);
    assert_eq!(ended.status, PayoutStatus::Paid);
    assert_eq!(ended.transfer, Some(transfer));
    assert!(ended.ended_at.is_some_and(|at| at >= payout.requested_at));
    let earned = world.earned(dora).await;
    assert_eq!(
        (earned.paid_out.get(), earned.total().get()),
        (50_000, 70_000)
    );
}

pub(super) async fn a_failed_one_gives_everything_back(world: MoneyWorld) {
    let dora = world.rich_payee(70_000).await;
    let payout = world.request(dora, 70).await.unwrap();
    let failed = PayoutEnd::Failed("account_closed".to_owned());
    world.payouts.finish(payout.id, &failed).await.unwrap();
    assert_eq!(world.accounts(dora).await, [0, 70_000, 0, 0]);
    let ended = listed(&world, dora).await.remove(0);
    assert_eq!(ended.status, PayoutStatus::Failed);
    assert_eq!(ended.failure.as_deref(), Some("account_closed"));
    assert_eq!(ended.transfer, None);
    world.request(dora, 70).await.unwrap();
}

pub(super) async fn no_more_than_is_payable(world: MoneyWorld) {
    let dora = world.rich_payee(700).await;
    world.enrich(dora, 70_000).await;
    let waiting = world.props.model(dora, 100).await;
    world.run(&waiting, world.consumer(100).await).await;
    for (wanted, has) in [(71, 70), (1_000_000_000, 70)] {
        match world.request(dora, wanted).await {
            Err(PayoutError::Insufficient {
                required,
                available,
            }) => assert_eq!((required.get(), available.get()), (wanted, has)),
            other => panic!("expected Insufficient, not {other:?}"),
        }
    }
    assert_eq!(listed(&world, dora).await, []);
    world.request(dora, 70).await.unwrap();
    assert_eq!(world.accounts(dora).await, [70_000, 700, 70_000, 0]);
}

pub(super) async fn nobody_is_paid_without_an_account(world: MoneyWorld) {
    let dora = world.developer().await;
    world.enrich(dora, 70_000).await;
    let is_refused = async || {
        let refusal = world.request(dora, 1).await;
        assert!(
            matches!(refusal, Err(PayoutError::NotVerified)),
            "{refusal:?}"
        );
    };
    is_refused().await;
    let account = new_reference!(AccountRef, "acct");
    let attached = world.payouts.attach_account(dora, &account).await.unwrap();
    assert_eq!(attached, account);
    is_refused().await;
    world.verify(dora).await;
    world.request(dora, 1).await.unwrap();
}

pub(super) async fn an_end_comes_once(world: MoneyWorld) {
    let dora = world.rich_payee(70_000).await;
    let paid = PayoutEnd::Paid(new_reference!(TransferRef, "tr"));
    let failed = PayoutEnd::Failed("no".to_owned());
    for (first, second) in [(&paid, &failed), (&failed, &paid)] {
        let payout = world.request(dora, 20).await.unwrap();
        world.payouts.finish(payout.id, first).await.unwrap();
        let ended = listed(&world, dora).await.remove(0);
        let balances = world.props.balances().await;
        for again in [first, second] {
            world.payouts.finish(payout.id, again).await.unwrap();
        }
        assert_eq!(listed(&world, dora).await.remove(0), ended);
        assert_eq!(world.props.balances().await, balances);
    }
    let nothing = world.payouts.finish(PayoutId::new(MOMENT), &failed).await;
    assert!(matches!(nothing, Err(RepoError::Internal(_))));
}

pub(super) async fn what_came_back_is_payable_again(world: MoneyWorld) {
    let dora = world.rich_payee(70_000).await;
    let transfer = new_reference!(TransferRef, "tr");
    let payout = world.request(dora, 70).await.unwrap();
    let paid = PayoutEnd::Paid(transfer.clone());
    world.payouts.finish(payout.id, &paid).await.unwrap();
    let reversed = PaymentEvent::TransferReversed {
        payout: payout.id,
        transfer,
    };
    assert_eq!(world.tell(reversed.clone()).await, EventOutcome::Applied);
    assert_eq!(world.accounts(dora).await, [0, 70_000, 0, 0]);
    let ended = listed(&world, dora).await.remove(0);
    assert_eq!(ended.status, PayoutStatus::Failed);
    assert!(ended.failure.is_some());
    assert_eq!(world.earned(dora).await.paid_out.get(), 0);
    assert_eq!(world.tell(reversed).await, EventOutcome::Repeated);
    assert_eq!(world.accounts(dora).await, [0, 70_000, 0, 0]);
}

pub(super) async fn another_transfer_brings_nothing_back(world: MoneyWorld) {
    let dora = world.rich_payee(70_000).await;
    let transfer = new_reference!(TransferRef, "tr");
    let payout = world.request(dora, 70).await.unwrap();
    let paid = PayoutEnd::Paid(transfer.clone());
    world.payouts.finish(payout.id, &paid).await.unwrap();
    let back = |transfer| PaymentEvent::TransferReversed {
        payout: payout.id,
        transfer,
    };
    let strange = back(new_reference!(TransferRef, "tr"));
    assert_eq!(world.tell(strange).await, EventOutcome::Repeated);
    assert_eq!(world.accounts(dora).await, [0; 4]);
    let ended = listed(&world, dora).await.remove(0);
    assert_eq!(ended.status, PayoutStatus::Paid);
    assert_eq!(world.tell(back(transfer)).await, EventOutcome::Applied);
    assert_eq!(world.accounts(dora).await, [0, 70_000, 0, 0]);
}

pub(super) async fn what_comes_back_pays_what_is_owed(world: MoneyWorld) {
    let dora = world.payee().await;
    let carla = world.consumer(0).await;
    let bought = bought(&world, carla, Buying::of(200, 200, 0)).await;
    let model = world.props.model(dora, 100).await;
    world.run(&model, carla).await;
    world.run(&model, carla).await;
    world.mature_all().await;
    let failing = world.request(dora, 60).await.unwrap();
    let returning = world.request(dora, 80).await.unwrap();
    let transfer = new_reference!(TransferRef, "tr");
    let paid = PayoutEnd::Paid(transfer.clone());
    world.payouts.finish(returning.id, &paid).await.unwrap();
    world.tell(bought.disputed("dp_owed", 100)).await;
    let lost = bought.closed("dp_owed", 100, Verdict::Lost);
    world.tell(lost).await;
    world.purchases.claw_back(10).await.unwrap();
    assert_eq!(world.accounts(dora).await, [0, 0, 60_000, -70_000]);
    let failed = PayoutEnd::Failed("no".to_owned());
    world.payouts.finish(failing.id, &failed).await.unwrap();
    assert_eq!(world.accounts(dora).await, [0, 0, 0, -10_000]);
    let back = PaymentEvent::TransferReversed {
        payout: returning.id,
        transfer,
    };
    assert_eq!(world.tell(back).await, EventOutcome::Applied);
    assert_eq!(world.accounts(dora).await, [0, 70_000, 0, 0]);
}

pub(super) async fn the_same_id_is_one_payout(world: MoneyWorld) {
    let dora = world.rich_payee(70_000).await;
    let new = NewPayout {
        id: PayoutId::new(MOMENT),
        developer: dora,
        amount: Credits::new(50),
    };
    let first = world.payouts.request(&new).await.unwrap();
    assert_eq!(world.payouts.request(&new).await.unwrap(), first);
    assert_eq!(world.accounts(dora).await, [0, 20_000, 50_000, 0]);
    let failed = PayoutEnd::Failed("no".to_owned());
    world.payouts.finish(new.id, &failed).await.unwrap();
    let again = world.payouts.request(&new).await.unwrap();
    assert_eq!(again.status, PayoutStatus::Failed, "as it is by now");
    assert_eq!(world.accounts(dora).await, [0, 70_000, 0, 0]);
}

pub(super) async fn money_that_went_by_another_transfer_is_told(world: MoneyWorld) {
    let dora = world.rich_payee(70_000).await;
    let transfer = new_reference!(TransferRef, "tr");
    let (paid, failed) = (
        world.request(dora, 20).await.unwrap().id,
        world.request(dora, 30).await.unwrap().id,
    );
    let end = PayoutEnd::Paid(transfer.clone());
    world.payouts.finish(paid, &end).await.unwrap();
    let end = PayoutEnd::Failed("no".to_owned());
    world.payouts.finish(failed, &end).await.unwrap();
    let balances = world.props.balances().await;
    let made = |payout, transfer| PaymentEvent::TransferMade { payout, transfer };
    let other = new_reference!(TransferRef, "tr");
    for (event, outcome) in [
        (made(paid, transfer), EventOutcome::Repeated),
        (made(paid, other.clone()), EventOutcome::Contradicted),
        (made(failed, other), EventOutcome::Contradicted),
    ] {
        assert_eq!(world.tell(event.clone()).await, outcome, "{event:?}");
    }
    assert_eq!(world.props.balances().await, balances);
}

pub(super) async fn a_message_may_end_it_first(world: MoneyWorld) {
    let dora = world.rich_payee(70_000).await;
    let made = world.request(dora, 20).await.unwrap();
    let transfer = new_reference!(TransferRef, "tr");
    let told = PaymentEvent::TransferMade {
        payout: made.id,
        transfer: transfer.clone(),
    };
    assert_eq!(world.tell(told).await, EventOutcome::Applied);
    let paid = PayoutEnd::Paid(transfer.clone());
    world.payouts.finish(made.id, &paid).await.unwrap();
    let first = listed(&world, dora).await.remove(0);
    assert_eq!(
        (first.status, first.transfer),
        (PayoutStatus::Paid, Some(transfer))
    );
    let returned = world.request(dora, 30).await.unwrap();
    let transfer = new_reference!(TransferRef, "tr");
    let back = PaymentEvent::TransferReversed {
        payout: returned.id,
        transfer: transfer.clone(),
    };
    assert_eq!(world.tell(back).await, EventOutcome::Applied);
    let late = PaymentEvent::TransferMade {
        payout: returned.id,
        transfer,
    };
    assert_eq!(world.tell(late).await, EventOutcome::Repeated);
    assert_eq!(world.accounts(dora).await, [0, 50_000, 0, 0]);
}

pub(super) async fn one_account_is_one_developers(world: MoneyWorld) {
    let (dora, dana) = (world.developer().await, world.developer().await);
    let first = new_reference!(AccountRef, "acct");
    let second = new_reference!(AccountRef, "acct");
    let attach = async |developer, account| world.payouts.attach_account(developer, account).await;
    assert_eq!(attach(dora, &first).await.unwrap(), first);
    assert_eq!(attach(dora, &second).await.unwrap(), first, "the first");
    assert_conflict(attach(dana, &first).await);
    assert_eq!(attach(dana, &second).await.unwrap(), second);
    let nobody = attach(DeveloperId::new(MOMENT), &first).await;
    assert!(matches!(nobody, Err(RepoError::Stale)), "{nobody:?}");
}

pub(super) async fn they_are_listed_newest_first_and_by_status(world: MoneyWorld) {
    let (dora, dana) = (
        world.rich_payee(70_000).await,
        world.rich_payee(70_000).await,
    );
    world.request(dana, 1).await.unwrap();
    let mut payouts = Vec::new();
    for credits in 1..=6 {
        payouts.push(world.request(dora, credits).await.unwrap());
    }
    for (payout, place) in payouts.iter().zip(0..6) {
        let end = match place % 3 {
            0 => continue,
            1 => PayoutEnd::Paid(new_reference!(TransferRef, "tr")),
            _ => PayoutEnd::Failed("no".to_owned()),
        };
        world.payouts.finish(payout.id, &end).await.unwrap();
    }
    let whole = async |status| {
        let list = whole_list(Payout::ORDER, async |page| {
            world.payouts.list(dora, status, page).await
        });
        let list = list.await;
        assert_newest_first(list.iter().map(|payout| payout.requested_at));
        let amounts = list.iter().map(|payout| payout.amount.get());
        amounts.collect::<Vec<_>>()
    };
    assert_eq!(whole(None).await, [6, 5, 4, 3, 2, 1]);
    assert_eq!(whole(Some(PayoutStatus::Pending)).await, [4, 1]);
    assert_eq!(whole(Some(PayoutStatus::Paid)).await, [5, 2]);
    assert_eq!(whole(Some(PayoutStatus::Failed)).await, [6, 3]);
}

pub(super) async fn a_crowd_gets_no_more_than_there_is(world: MoneyWorld) {
    let dora = world.rich_payee(70_000).await;
    let mut crowd = JoinSet::new();
    for _ in 0..20 {
        let payouts = Arc::clone(&world.payouts);
        crowd.spawn(async move {
            let new = NewPayout {
                id: PayoutId::new(MOMENT),
                developer: dora,
                amount: Credits::new(20),
            };
            payouts.request(&new).await.is_ok()
        });
    }
    let accepted = crowd.join_all().await.into_iter().filter(|is_ok| *is_ok);
    assert_eq!(accepted.count(), 3);
    assert_eq!(world.accounts(dora).await, [0, 10_000, 60_000, 0]);
    assert_eq!(listed(&world, dora).await.len(), 3);
}
