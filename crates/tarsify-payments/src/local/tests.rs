//! What the built-in provider answers, and that its messages are read as what they are about.

use tarsify_domain::id::{ConsumerId, PayoutId, PurchaseId};
use tarsify_domain::money::Credits;
use tarsify_domain::payments::{PaymentRef, Purchase, PurchaseStatus, Verdict};

use super::*;

struct Stopped(Timestamp);

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        self.0
    }
}

fn now() -> Timestamp {
    Timestamp::from_unix_timestamp(1_800_000_000).unwrap()
}

fn local() -> LocalPayments {
    let clock = Arc::new(Stopped(now()));
    LocalPayments::new([7; 32], "http://localhost:8080/", clock)
}

fn events() -> Vec<PaymentEvent> {
    let purchase = PurchaseId::new(now());
    let payout = PayoutId::new(now());
    let payment = PaymentRef::parse("pi_local_1").unwrap();
    let transfer = TransferRef::parse("tr_local_1").unwrap();
    let dispute = "dp_local_1".to_owned();
    let cents = 1_000;
    let updated = |can_be_paid| PaymentEvent::AccountUpdated {
        account: AccountRef::parse("acct_local_1").unwrap(),
        can_be_paid,
    };
    let closed = |verdict| PaymentEvent::DisputeClosed {
        payment: payment.clone(),
        dispute: dispute.clone(),
        cents,
        verdict,
    };
    let refunded = |total_cents| PaymentEvent::Refunded {
        payment: payment.clone(),
        total_cents,
    };
    vec![
        PaymentEvent::Paid {
            purchase,
            checkout: CheckoutRef::parse("cs_local_1").unwrap(),
            payment: payment.clone(),
            cents,
            currency: "usd".to_owned(),
        },
        PaymentEvent::Failed { purchase },
        PaymentEvent::Expired { purchase },
        refunded(400),
        refunded(1_000),
        PaymentEvent::Disputed {
            payment: payment.clone(),
            dispute: dispute.clone(),
            cents,
        },
        closed(Verdict::Won),
        closed(Verdict::Lost),
        updated(true),
        updated(false),
        PaymentEvent::TransferMade {
            payout,
            transfer: transfer.clone(),
        },
        PaymentEvent::TransferReversed { payout, transfer },
        PaymentEvent::Irrelevant,
    ]
}

#[test]
fn every_message_is_read_as_what_it_is_about() {
    let local = local();
    let mut ids = Vec::new();
    for event in events() {
        let message = local.message(&event, now());
        assert_eq!(message, local.message(&event, now()), "{event:?}");
        let received = local.read_event(Some(&message.signature), &message.body, now());
        let received = received.unwrap();
        assert_eq!(received.event, event);
        assert!(received.id.starts_with("evt_local_"), "{}", received.id);
        ids.push(received.id);
    }
    let many = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), many);
}

#[test]
fn the_id_of_a_message_tells_no_moment_but_for_accounts() {
    let local = local();
    let id = |event: &PaymentEvent, at| {
        let message = local.message(event, at);
        local
            .read_event(Some(&message.signature), &message.body, at)
            .unwrap()
            .id
    };
    let later = now() + Duration::from_secs(3_600);
    for event in events() {
        let is_about_an_account = matches!(event, PaymentEvent::AccountUpdated { .. });
        let differs = id(&event, now()) != id(&event, later);
        assert_eq!(differs, is_about_an_account, "{event:?}");
    }
}

#[test]
fn only_its_own_messages_are_believed() {
    let (local, clock) = (local(), Arc::new(Stopped(now())));
    let other = LocalPayments::new([8; 32], "http://localhost:8080", clock.clone());
    let event = PaymentEvent::Irrelevant;
    let forged = other.message(&event, now());
    let read = local.read_event(Some(&forged.signature), &forged.body, now());
    assert!(matches!(read, Err(EventError::Forged(_))));
    let old = local.message(&event, now() - Duration::from_secs(301));
    let read = local.read_event(Some(&old.signature), &old.body, now());
    assert!(matches!(read, Err(EventError::Forged(_))));
    assert!(local.read_event(None, &old.body, now()).is_err());
    let generated = LocalPayments::generate("http://localhost", clock).unwrap();
    let message = generated.message(&event, now());
    assert!(
        local
            .read_event(Some(&message.signature), &message.body, now())
            .is_err()
    );
    assert!(!format!("{generated:?}").contains("whsec"));
}

#[tokio::test]
async fn its_pages_are_ours_and_the_same_each_time() {
    let local = local();
    let purchase = PurchaseId::new(now());
    let request = CheckoutRequest {
        purchase: Purchase {
            id: purchase,
            consumer: ConsumerId::new(now()),
            package: None,
            credits: Credits::new(500),
            bonus: Credits::ZERO,
            price_cents: 500,
            currency: "usd".to_owned(),
            status: PurchaseStatus::Pending,
            checkout_url: None,
            paid_at: None,
            created_at: now(),
        },
        email: None,
    };
    let checkout = local.open_checkout(&request).await.unwrap();
    assert_eq!(
        checkout.url,
        format!("http://localhost:8080/local/checkout/{purchase}")
    );
    assert_eq!(local.open_checkout(&request).await.unwrap(), checkout);
}

#[tokio::test]
async fn a_developer_is_known_and_paid_at_once() {
    let local = local();
    let developer = DeveloperId::new(now());
    let account = local.open_account(developer, None).await.unwrap();
    assert_eq!(account.as_str(), format!("acct_local_{developer}"));
    let back = "https://studio.example/payouts?a=1&b=ü";
    let link = local.link_onboarding(&account, back, "x").await.unwrap();
    assert_eq!(
        link.url,
        format!(
            "http://localhost:8080/local/onboarding/acct_local_{developer}?return=https%3A%2F%2Fstudio.example%2Fpayouts%3Fa%3D1%26b%3D%C3%BC"
        )
    );
    assert!(link.expires_at > now());
    let payout = PayoutId::new(now());
    let request = TransferRequest {
        payout,
        account,
        amount: Credits::new(5_000),
        may_have_been_sent: true,
    };
    let made = TransferRef::parse(&format!("tr_local_{payout}")).unwrap();
    for _ in 0..2 {
        let sent = local.transfer(&request).await;
        assert_eq!(sent, Ok(TransferOutcome::Made(made.clone())));
    }
}
