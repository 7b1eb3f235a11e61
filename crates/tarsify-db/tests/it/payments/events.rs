//! Each message of the provider: good, told again, told by a crowd, and about nothing of ours.

use futures_util::future::join_all;
use tarsify_domain::id::{PayoutId, PurchaseId};
use tarsify_domain::page::{Limit, PageRequest};
use tarsify_domain::payments::{
    AccountRef, Checkout, CheckoutRef, EventOutcome, PaymentEvent, PurchaseRepository,
    PurchaseStatus, TransferRef, Verdict,
};

use crate::bank::{Bank, Bought, EndedRun, message, payment};
use crate::things::moment;

/// How many tell the same at once.
const CROWD: usize = 50;

#[tokio::test]
async fn a_purchase_is_kept_and_found_only_by_who_made_it() {
    let bank = Bank::open().await;
    let (me, other) = (bank.consumer().await, bank.consumer().await);
    let mine = bank.buy(me, 700, 5).await.purchase;
    assert_eq!(
        bank.purchases.find(me, mine.id).await.unwrap(),
        Some(mine.clone())
    );
    assert_eq!(bank.purchases.find(other, mine.id).await.unwrap(), None);
    assert_eq!(
        bank.purchases.find_any(mine.id).await.unwrap(),
        Some(mine.clone())
    );
    let checkout = Checkout {
        reference: CheckoutRef::parse("cs_1").unwrap(),
        url: "https://pay.example/1".to_owned(),
    };
    bank.purchases
        .attach_checkout(mine.id, &checkout)
        .await
        .unwrap();
    let found = bank.purchases.find_any(mine.id).await.unwrap().unwrap();
    assert_eq!(found.checkout_url.as_deref(), Some("https://pay.example/1"));
    let newest = bank.buy(me, 800, 0).await.purchase;
    bank.buy(other, 900, 0).await;
    let page = PageRequest {
        limit: Limit::parse(1).unwrap(),
        ..PageRequest::default()
    };
    let page = bank.purchases.list(me, &page).await.unwrap();
    assert_eq!((page.items, page.total), (vec![newest.clone()], 2));
    bank.purchases.fail(newest.id).await.unwrap();
    let found = bank.purchases.find_any(newest.id).await.unwrap().unwrap();
    assert_eq!(found.status, PurchaseStatus::Failed);
    bank.assert_sound().await;
}

#[tokio::test]
async fn a_payment_grants_what_was_bought_and_the_bonus_once() {
    let bank = Bank::open().await;
    let me = bank.consumer().await;
    let bought = bank.buy(me, 1_000, 50).await;
    let paid = message(bought.paid());
    assert_eq!(
        bank.purchases.apply(&paid).await.unwrap(),
        EventOutcome::Applied
    );
    assert_eq!(
        bank.purchases.apply(&paid).await.unwrap(),
        EventOutcome::Repeated
    );
    // The same payment under another name: a message of another kind tells it too.
    assert_eq!(bank.tell(bought.paid()).await, EventOutcome::Repeated);
    assert_eq!(bank.available(me).await, 1_050_000);
    assert_eq!(bank.platform("stripe_clearing").await, -1_000_000);
    assert_eq!(bank.platform("platform_promo").await, -50_000);
    let found = bank
        .purchases
        .find(me, bought.purchase.id)
        .await
        .unwrap()
        .unwrap();
    assert!(found.status == PurchaseStatus::Paid && found.paid_at.is_some());
    let counted = "SELECT purchase_count FROM consumers";
    assert_eq!(bank.sql(counted).await, ["1"]);
    let noted = "SELECT string_agg(outcome, ' ' ORDER BY outcome) FROM payment_events";
    assert_eq!(bank.sql(noted).await, ["applied repeated"]);
    bank.assert_sound().await;
}

#[tokio::test]
async fn a_payment_may_be_told_before_its_page_is_known() {
    let bank = Bank::open().await;
    let me = bank.consumer().await;
    let bought = bank.bought(me, 500).await;
    let checkout = Checkout {
        reference: CheckoutRef::parse("cs_late").unwrap(),
        url: "https://pay.example/late".to_owned(),
    };
    bank.purchases
        .attach_checkout(bought.purchase.id, &checkout)
        .await
        .unwrap();
    assert_eq!(bank.status(&bought).await, PurchaseStatus::Paid);
    // Also when we had given it up.
    let given_up = bank.buy(me, 600, 0).await;
    bank.purchases.fail(given_up.purchase.id).await.unwrap();
    assert_eq!(bank.tell(given_up.paid()).await, EventOutcome::Applied);
    assert_eq!(bank.status(&given_up).await, PurchaseStatus::Paid);
    assert_eq!(bank.available(me).await, 1_100_000);
    bank.assert_sound().await;
}

#[tokio::test]
async fn too_little_or_other_money_grants_nothing() {
    let bank = Bank::open().await;
    let me = bank.consumer().await;
    let bought = bank.buy(me, 1_000, 50).await;
    assert_eq!(
        bank.tell(bought.paid_with(999, "usd")).await,
        EventOutcome::Underpaid
    );
    assert_eq!(
        bank.tell(bought.paid_with(1_000, "eur")).await,
        EventOutcome::Underpaid
    );
    assert_eq!(
        bank.tell(bought.paid_with(-1, "usd")).await,
        EventOutcome::Underpaid
    );
    assert_eq!(bank.status(&bought).await, PurchaseStatus::Pending);
    assert_eq!(bank.available(me).await, 0);
    assert_eq!(
        bank.tell(bought.paid_with(1_000, "USD")).await,
        EventOutcome::Applied
    );
    assert_eq!(bank.available(me).await, 1_050_000);
    bank.assert_sound().await;
}

#[tokio::test]
async fn a_second_payment_grants_nothing_more() {
    let bank = Bank::open().await;
    let me = bank.consumer().await;
    let bought = bank.bought(me, 1_000).await;
    let twice = Bought {
        payment: payment("pi_another"),
        ..bought
    };
    assert_eq!(bank.tell(twice.paid()).await, EventOutcome::PaidTwice);
    assert_eq!(bank.available(me).await, 1_000_000);
    bank.assert_sound().await;
}

#[tokio::test]
async fn what_is_not_paid_fails_or_expires_and_nothing_else_does() {
    let bank = Bank::open().await;
    let me = bank.consumer().await;
    let failed = bank.buy(me, 500, 0).await;
    let purchase = failed.purchase.id;
    assert_eq!(
        bank.tell(PaymentEvent::Failed { purchase }).await,
        EventOutcome::Applied
    );
    assert_eq!(bank.status(&failed).await, PurchaseStatus::Failed);
    assert_eq!(
        bank.tell(PaymentEvent::Expired { purchase }).await,
        EventOutcome::Repeated
    );
    assert_eq!(bank.status(&failed).await, PurchaseStatus::Failed);
    let expired = bank.buy(me, 500, 0).await;
    let purchase = expired.purchase.id;
    assert_eq!(
        bank.tell(PaymentEvent::Expired { purchase }).await,
        EventOutcome::Applied
    );
    assert_eq!(bank.status(&expired).await, PurchaseStatus::Expired);
    let paid = bank.bought(me, 500).await;
    let purchase = paid.purchase.id;
    assert_eq!(
        bank.tell(PaymentEvent::Failed { purchase }).await,
        EventOutcome::Repeated
    );
    assert_eq!(
        bank.tell(PaymentEvent::Expired { purchase }).await,
        EventOutcome::Repeated
    );
    assert_eq!(bank.status(&paid).await, PurchaseStatus::Paid);
    bank.assert_sound().await;
}

#[tokio::test]
async fn what_is_about_nothing_of_ours_is_noted_and_changes_nothing() {
    let bank = Bank::open().await;
    let me = bank.consumer().await;
    let bought = bank.buy(me, 500, 0).await;
    let purchase = PurchaseId::new(moment(77_777));
    let stranger = Bought {
        purchase: tarsify_domain::payments::Purchase {
            id: purchase,
            ..bought.purchase
        },
        payment: payment("pi_stranger"),
    };
    let payout = PayoutId::new(moment(77_777));
    let transfer = TransferRef::parse("tr_stranger").unwrap();
    let account = AccountRef::parse("acct_stranger").unwrap();
    use EventOutcome::{Irrelevant, Remembered, Unknown};
    let told = [
        (stranger.paid(), Unknown),
        (PaymentEvent::Failed { purchase }, Unknown),
        (PaymentEvent::Expired { purchase }, Unknown),
        (stranger.refunded(100), Remembered),
        (stranger.refunded(0), Irrelevant),
        (stranger.disputed("a", 100), Remembered),
        (stranger.disputed("b", 0), Irrelevant),
        (stranger.closed("c", 100, Verdict::Lost), Remembered),
        (
            PaymentEvent::AccountUpdated {
                account,
                can_be_paid: true,
            },
            Unknown,
        ),
        (
            PaymentEvent::TransferMade {
                payout,
                transfer: transfer.clone(),
            },
            Unknown,
        ),
        (PaymentEvent::TransferReversed { payout, transfer }, Unknown),
        (PaymentEvent::Irrelevant, Irrelevant),
    ];
    for (event, outcome) in told {
        let received = message(event);
        assert_eq!(
            bank.purchases.apply(&received).await.unwrap(),
            outcome,
            "{received:?}"
        );
        let again = bank.purchases.apply(&received).await.unwrap();
        assert_eq!(again, EventOutcome::Repeated, "{received:?}");
    }
    assert_eq!(
        bank.sql("SELECT count(*) FROM payment_events").await,
        ["12"]
    );
    assert_eq!(
        bank.sql("SELECT count(*) FROM ledger_transfers").await,
        ["0"]
    );
    assert_eq!(bank.purchases.claw_back(10).await.unwrap(), 0);
    bank.assert_sound().await;
}

#[tokio::test]
async fn an_account_may_be_paid_as_the_provider_says() {
    let bank = Bank::open().await;
    let model = bank.model().await;
    bank.verify(model.developer_id).await;
    let account = AccountRef::parse(&format!("acct_{}", model.developer_id)).unwrap();
    let seen = "SELECT format('%s %s', d.is_verified, p.version) FROM developers d \
        JOIN people p ON p.id = d.id";
    for (can_be_paid, expected) in [(true, "t 1"), (false, "f 2"), (false, "f 2"), (true, "t 3")] {
        let account = account.clone();
        let event = PaymentEvent::AccountUpdated {
            account,
            can_be_paid,
        };
        assert_eq!(bank.tell(event).await, EventOutcome::Applied);
        assert_eq!(bank.sql(seen).await, [expected]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_crowd_that_tells_the_same_has_one_effect() {
    let bank = Bank::open().await;
    let me = bank.consumer().await;
    let model = bank.model().await;
    let bought = bank.buy(me, 1_000, 50).await;
    let purchase = bought.purchase.id;
    let account = AccountRef::parse(&format!("acct_{}", model.developer_id)).unwrap();
    bank.verify(model.developer_id).await;
    let payout = bank.payout_in_flight(me, &model).await;
    let transfer = TransferRef::parse("tr_1").unwrap();
    let told = [
        bought.paid(),
        PaymentEvent::Failed { purchase },
        bought.refunded(300),
        bought.disputed("a", 700),
        bought.closed("a", 700, Verdict::Won),
        PaymentEvent::AccountUpdated {
            account,
            can_be_paid: false,
        },
        PaymentEvent::TransferMade {
            payout,
            transfer: transfer.clone(),
        },
        PaymentEvent::TransferReversed { payout, transfer },
        PaymentEvent::Irrelevant,
    ];
    for event in told {
        let is_void = matches!(event, PaymentEvent::Failed { .. });
        let first = if event == PaymentEvent::Irrelevant {
            EventOutcome::Irrelevant
        } else {
            EventOutcome::Applied
        };
        // Half of them is one message, the others each their own about the same.
        let one = message(event.clone());
        let crowd = (0..CROWD).map(|number| {
            let received = if number % 2 == 0 {
                one.clone()
            } else {
                message(event.clone())
            };
            let purchases = bank.purchases.clone();
            async move { purchases.apply(&received).await.unwrap() }
        });
        let outcomes = join_all(crowd).await;
        let applied = outcomes.iter().filter(|one| **one == first).count();
        let expected = match first {
            EventOutcome::Irrelevant => CROWD / 2 + 1,
            _ if is_void => 0,
            // Each says again what it may, which is no change.
            _ if matches!(event, PaymentEvent::AccountUpdated { .. }) => CROWD / 2 + 1,
            _ => 1,
        };
        assert_eq!(applied, expected, "{event:?}: {outcomes:?}");
        let rest = outcomes
            .iter()
            .filter(|one| **one == EventOutcome::Repeated)
            .count();
        assert_eq!(rest, CROWD - expected, "{event:?}: {outcomes:?}");
    }
    assert_eq!(bank.available(me).await, 735_000);
    assert_eq!(bank.status(&bought).await, PurchaseStatus::Paid);
    assert_eq!(bank.purse(model.developer_id).await, [0, 7_000_000, 0, 0]);
    bank.assert_sound().await;
}

impl Bank {
    /// A payout that is on its way, of all that the developer earned by one run.
    async fn payout_in_flight(
        &self,
        consumer: tarsify_domain::id::ConsumerId,
        model: &tarsify_domain::catalog::TarsModel,
    ) -> PayoutId {
        self.give(consumer, 10_000).await;
        let run = EndedRun {
            days_ago: 8,
            ..EndedRun::of(consumer, model, 10_000)
        };
        self.run(run).await;
        self.mature(7).await;
        self.request(model.developer_id, 7_000).await.unwrap().id
    }
}
