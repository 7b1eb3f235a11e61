//! What the payment provider tells has its effect once, whatever it is.

use std::sync::Arc;
use std::time::Duration;

use tarsify_domain::Credits;
use tarsify_domain::id::{ConsumerId, PayoutId, PurchaseId};
use tarsify_domain::payments::{
    EventOutcome, PaymentEvent, PaymentRef, Purchase, PurchaseStatus, ReceivedEvent, Verdict,
};
use tokio::task::JoinSet;

use super::world::{MoneyWorld, new_reference, told};
use crate::clock::MOMENT;
use crate::fake::Account;

/// What is bought.
#[derive(Debug, Clone, Copy)]
pub(super) struct Buying {
    cents: i64,
    credits: i64,
    bonus: i64,
}

impl Buying {
    pub(super) const fn of(cents: i64, credits: i64, bonus: i64) -> Self {
        Self {
            cents,
            credits,
            bonus,
        }
    }
}

/// A paid purchase.
pub(super) struct Bought {
    pub(super) id: PurchaseId,
    pub(super) payment: PaymentRef,
}

impl Bought {
    pub(super) fn refunded(&self, total_cents: i64) -> PaymentEvent {
        PaymentEvent::Refunded {
            payment: self.payment.clone(),
            total_cents,
        }
    }

    pub(super) fn disputed(&self, dispute: &str, cents: i64) -> PaymentEvent {
        PaymentEvent::Disputed {
            payment: self.payment.clone(),
            dispute: dispute.to_owned(),
            cents,
        }
    }

    pub(super) fn closed(&self, dispute: &str, cents: i64, verdict: Verdict) -> PaymentEvent {
        PaymentEvent::DisputeClosed {
            payment: self.payment.clone(),
            dispute: dispute.to_owned(),
            cents,
            verdict,
        }
    }
}

/// A purchase that nobody has stored yet.
pub(super) fn purchase(consumer: ConsumerId, buying: Buying) -> Purchase {
    Purchase {
        id: PurchaseId::new(MOMENT),
        consumer,
        package: None,
        credits: Credits::new(buying.credits),
        bonus: Credits::new(buying.bonus),
        price_cents: buying.cents,
        currency: "usd".to_owned(),
        status: PurchaseStatus::Pending,
        checkout_url: None,
        paid_at: None,
        created_at: MOMENT,
    }
}

/// A purchase that is to be paid.
pub(super) async fn opened(world: &MoneyWorld, consumer: ConsumerId, buying: Buying) -> Purchase {
    let new = purchase(consumer, buying);
    world.purchases.open(&new).await.unwrap();
    new
}

/// The message that so much of a purchase was paid.
pub(super) fn paid(purchase: PurchaseId, payment: &PaymentRef, cents: i64) -> PaymentEvent {
    PaymentEvent::Paid {
        purchase,
        checkout: new_reference!(CheckoutRef, "cs"),
        payment: payment.clone(),
        cents,
        currency: "usd".to_owned(),
    }
}

/// A purchase that is paid.
pub(super) async fn bought(world: &MoneyWorld, consumer: ConsumerId, buying: Buying) -> Bought {
    let new = opened(world, consumer, buying).await;
    let payment = new_reference!(PaymentRef, "pi");
    let outcome = world.tell(paid(new.id, &payment, buying.cents)).await;
    assert_eq!(outcome, EventOutcome::Applied);
    Bought {
        id: new.id,
        payment,
    }
}

pub(super) async fn status(world: &MoneyWorld, id: PurchaseId) -> PurchaseStatus {
    let found = world.purchases.find_any(id).await.unwrap();
    found.expect("the purchase is there").status
}

pub(super) async fn a_payment_grants_credits_and_bonus(world: MoneyWorld) {
    let carla = world.consumer(0).await;
    let bought = bought(&world, carla, Buying::of(900, 1_000, 50)).await;
    let wallet = world.wallet(carla).await;
    assert_eq!(wallet.available.get(), 1_050_000);
    assert_eq!(wallet.lifetime_purchased.get(), 1_050);
    assert_eq!(world.balance(Account::Clearing).await, -1_000_000);
    assert_eq!(world.balance(Account::Promo).await, -50_000);
    let found = world.purchases.find(carla, bought.id).await.unwrap();
    let found = found.unwrap();
    assert_eq!(found.status, PurchaseStatus::Paid);
    assert!(found.paid_at.is_some());
}

pub(super) async fn every_message_counts_once(world: MoneyWorld) {
    let carla = world.consumer(1_000).await;
    let dora = world.rich_payee(70_000).await;
    let account = world.verify(dora).await;
    let (first, second) = (
        opened(&world, carla, Buying::of(500, 500, 0)).await,
        opened(&world, carla, Buying::of(500, 500, 0)).await,
    );
    let third = opened(&world, carla, Buying::of(500, 500, 0)).await;
    let payment = new_reference!(PaymentRef, "pi");
    let payouts = [
        world.request(dora, 10).await.unwrap(),
        world.request(dora, 10).await.unwrap(),
    ];
    let transfer = new_reference!(TransferRef, "tr");
    let his = Bought {
        id: first.id,
        payment: payment.clone(),
    };
    let story = [
        paid(first.id, &payment, 500),
        PaymentEvent::Failed {
            purchase: second.id,
        },
        PaymentEvent::Expired { purchase: third.id },
        his.refunded(100),
        his.disputed("dp_once", 300),
        his.closed("dp_once", 300, Verdict::Won),
        PaymentEvent::AccountUpdated {
            account,
            can_be_paid: false,
        },
        PaymentEvent::TransferMade {
            payout: payouts[0].id,
            transfer: transfer.clone(),
        },
        PaymentEvent::TransferReversed {
            payout: payouts[1].id,
            transfer: new_reference!(TransferRef, "tr"),
        },
    ];
    for event in story {
        let message = told(event);
        let outcome = world.purchases.apply(&message).await.unwrap();
        assert_eq!(outcome, EventOutcome::Applied, "{message:?}");
        let balances = world.props.balances().await;
        for _ in 0..2 {
            let again = world.purchases.apply(&message).await.unwrap();
            assert_eq!(again, EventOutcome::Repeated, "{message:?}");
        }
        assert_eq!(world.props.balances().await, balances, "{message:?}");
    }
    let nothing = told(PaymentEvent::Irrelevant);
    let outcome = world.purchases.apply(&nothing).await.unwrap();
    assert_eq!(outcome, EventOutcome::Irrelevant);
    let outcome = world.purchases.apply(&nothing).await.unwrap();
    assert_eq!(outcome, EventOutcome::Repeated);
}

pub(super) async fn a_payment_counts_once_whatever_tells_it(world: MoneyWorld) {
    let carla = world.consumer(0).await;
    let bought = bought(&world, carla, Buying::of(500, 500, 0)).await;
    let again = paid(bought.id, &bought.payment, 500);
    assert_eq!(world.tell(again).await, EventOutcome::Repeated);
    for event in [bought.refunded(200), bought.disputed("dp_twice", 100)] {
        assert_eq!(world.tell(event.clone()).await, EventOutcome::Applied);
        assert_eq!(world.tell(event).await, EventOutcome::Repeated);
    }
    let closed = bought.closed("dp_twice", 100, Verdict::Lost);
    assert_eq!(world.tell(closed.clone()).await, EventOutcome::Applied);
    assert_eq!(world.tell(closed).await, EventOutcome::Repeated);
    let won = bought.closed("dp_twice", 100, Verdict::Won);
    assert_eq!(
        world.tell(won).await,
        EventOutcome::Contradicted,
        "a dispute ends once"
    );
    assert_eq!(world.wallet(carla).await.available.get(), 200_000);
}

pub(super) async fn too_little_grants_nothing(world: MoneyWorld) {
    let carla = world.consumer(0).await;
    let new = opened(&world, carla, Buying::of(500, 500, 0)).await;
    let payment = new_reference!(PaymentRef, "pi");
    let outcome = world.tell(paid(new.id, &payment, 499)).await;
    assert_eq!(outcome, EventOutcome::Underpaid);
    assert_eq!(world.wallet(carla).await.balance().get(), 0);
    assert_eq!(status(&world, new.id).await, PurchaseStatus::Pending);
    let outcome = world.tell(paid(new.id, &payment, 501)).await;
    assert_eq!(outcome, EventOutcome::Applied, "more is enough");
    assert_eq!(world.wallet(carla).await.balance().get(), 500_000);
}

pub(super) async fn another_currency_grants_nothing(world: MoneyWorld) {
    let carla = world.consumer(0).await;
    let new = opened(&world, carla, Buying::of(500, 500, 0)).await;
    let in_currency = |name: &str| match paid(new.id, &new_reference!(PaymentRef, "pi"), 500) {
        PaymentEvent::Paid {
            purchase,
            checkout,
            payment,
            cents,
            currency: _,
        } => PaymentEvent::Paid {
            purchase,
            checkout,
            payment,
            cents,
            currency: name.to_owned(),
        },
        other => other,
    };
    for strange in ["eur", "", "us"] {
        let outcome = world.tell(in_currency(strange)).await;
        assert_eq!(outcome, EventOutcome::Underpaid, "{strange}");
    }
    assert_eq!(world.wallet(carla).await.balance().get(), 0);
    let outcome = world.tell(in_currency("USD")).await;
    assert_eq!(outcome, EventOutcome::Applied);
}

pub(super) async fn a_second_payment_grants_nothing(world: MoneyWorld) {
    let carla = world.consumer(0).await;
    let bought = bought(&world, carla, Buying::of(500, 500, 0)).await;
    let other = new_reference!(PaymentRef, "pi");
    let outcome = world.tell(paid(bought.id, &other, 500)).await;
    assert_eq!(outcome, EventOutcome::PaidTwice);
    assert_eq!(world.wallet(carla).await.balance().get(), 500_000);
}

pub(super) async fn what_was_given_up_may_be_paid_after_all(world: MoneyWorld) {
    let carla = world.consumer(0).await;
    let failed = opened(&world, carla, Buying::of(500, 500, 0)).await.id;
    let expired = opened(&world, carla, Buying::of(500, 500, 0)).await.id;
    world.tell(PaymentEvent::Failed { purchase: failed }).await;
    world
        .tell(PaymentEvent::Expired { purchase: expired })
        .await;
    assert_eq!(status(&world, failed).await, PurchaseStatus::Failed);
    assert_eq!(status(&world, expired).await, PurchaseStatus::Expired);
    for purchase in [failed, expired] {
        let payment = new_reference!(PaymentRef, "pi");
        let outcome = world.tell(paid(purchase, &payment, 500)).await;
        assert_eq!(outcome, EventOutcome::Applied);
        assert_eq!(status(&world, purchase).await, PurchaseStatus::Paid);
    }
    assert_eq!(world.wallet(carla).await.balance().get(), 1_000_000);
}

pub(super) async fn what_is_paid_is_not_given_up(world: MoneyWorld) {
    let carla = world.consumer(0).await;
    let purchase = bought(&world, carla, Buying::of(500, 500, 0)).await.id;
    for late in [
        PaymentEvent::Failed { purchase },
        PaymentEvent::Expired { purchase },
    ] {
        assert_eq!(world.tell(late).await, EventOutcome::Repeated);
    }
    world.purchases.fail(purchase).await.unwrap();
    assert_eq!(status(&world, purchase).await, PurchaseStatus::Paid);
    assert_eq!(world.wallet(carla).await.balance().get(), 500_000);
}

pub(super) async fn what_is_nobodys_is_unknown(world: MoneyWorld) {
    let purchase = PurchaseId::new(MOMENT);
    let payout = PayoutId::new(MOMENT);
    let transfer = new_reference!(TransferRef, "tr");
    for event in [
        paid(purchase, &new_reference!(PaymentRef, "pi"), 500),
        PaymentEvent::Failed { purchase },
        PaymentEvent::Expired { purchase },
        PaymentEvent::AccountUpdated {
            account: new_reference!(AccountRef, "acct"),
            can_be_paid: true,
        },
        PaymentEvent::TransferMade {
            payout,
            transfer: transfer.clone(),
        },
        PaymentEvent::TransferReversed { payout, transfer },
    ] {
        let outcome = world.tell(event.clone()).await;
        assert_eq!(outcome, EventOutcome::Unknown, "{event:?}");
    }
}

pub(super) async fn an_account_is_opened_and_closed_for_payouts(world: MoneyWorld) {
    let dora = world.rich_payee(70_000).await;
    let account = world.verify(dora).await;
    for can_be_paid in [true, false, true] {
        let event = PaymentEvent::AccountUpdated {
            account: account.clone(),
            can_be_paid,
        };
        assert_eq!(world.tell(event).await, EventOutcome::Applied);
        let payout = world.request(dora, 1).await;
        assert_eq!(payout.is_ok(), can_be_paid, "{payout:?}");
    }
}

pub(super) async fn what_was_told_of_an_account_last_stays(world: MoneyWorld) {
    let dora = world.rich_payee(70_000).await;
    let account = world.verify(dora).await;
    for (second, can_be_paid, outcome, is_paid) in [
        (20, false, EventOutcome::Applied, false),
        (10, true, EventOutcome::Outdated, false),
        (19, true, EventOutcome::Outdated, false),
        // The provider's clock has no more than seconds.
        (20, true, EventOutcome::Applied, true),
        (19, false, EventOutcome::Outdated, true),
        (30, false, EventOutcome::Applied, false),
    ] {
        let message = ReceivedEvent {
            told_at: MOMENT + Duration::from_secs(second),
            ..told(PaymentEvent::AccountUpdated {
                account: account.clone(),
                can_be_paid,
            })
        };
        let came_of_it = world.purchases.apply(&message).await.unwrap();
        assert_eq!(came_of_it, outcome, "{second}");
        let payout = world.request(dora, 1).await;
        assert_eq!(payout.is_ok(), is_paid, "{second}: {payout:?}");
    }
}

pub(super) async fn a_crowd_of_the_same_message_counts_once(world: MoneyWorld) {
    let carla = world.consumer(0).await;
    let new = opened(&world, carla, Buying::of(500, 500, 20)).await;
    let payment = new_reference!(PaymentRef, "pi");
    let his = Bought {
        id: new.id,
        payment: payment.clone(),
    };
    for event in [
        paid(new.id, &payment, 500),
        his.refunded(100),
        his.disputed("dp_crowd", 250),
        his.closed("dp_crowd", 250, Verdict::Won),
    ] {
        let (same, mut crowd) = (told(event.clone()), JoinSet::new());
        for number in 0..20 {
            // Half of them bring the same message, half the same in another one.
            let message = if number % 2 == 0 {
                same.clone()
            } else {
                told(event.clone())
            };
            let purchases = Arc::clone(&world.purchases);
            crowd.spawn(async move { purchases.apply(&message).await.unwrap() });
        }
        let outcomes = crowd.join_all().await;
        let applied = outcomes.iter().filter(|one| **one == EventOutcome::Applied);
        assert_eq!(applied.count(), 1, "{event:?}: {outcomes:?}");
    }
    assert_eq!(world.wallet(carla).await.balance().get(), 416_000);
}
