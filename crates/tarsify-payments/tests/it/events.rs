//! Messages: a stand-in signs them, and they are believed and understood.

use tarsify_domain::clock::Timestamp;
use tarsify_domain::payments::{
    EventError, PaymentEvent, PaymentProvider, ReceivedEvent, TransferOutcome, Verdict,
};
use tarsify_emulator::stripe::{
    DisputeStep, Payouts, SessionEnd, StripeMessage, TransferStep, sign,
};

use crate::support::{Lab, SECRET, now, payout, request};

fn read(lab: &Lab, message: &StripeMessage) -> ReceivedEvent {
    let signature = sign(SECRET, &message.body, now().unix_timestamp());
    let read = lab
        .stripe
        .read_event(Some(&signature), &message.body, now());
    read.unwrap()
}

#[tokio::test]
async fn the_life_of_a_purchase_is_understood() {
    let lab = Lab::open();
    let request = request();
    let checkout = lab.stripe.open_checkout(&request).await.unwrap();
    let purchase = request.purchase.id;
    let end = |end| {
        let message = lab.emulator.end_session(checkout.reference.as_str(), end);
        read(&lab, &message.unwrap())
    };
    assert_eq!(end(SessionEnd::Unpaid).event, PaymentEvent::Irrelevant);
    assert_eq!(
        end(SessionEnd::Failed).event,
        PaymentEvent::Failed { purchase }
    );
    let paid = end(SessionEnd::Succeeded);
    assert_eq!(paid.kind, "checkout.session.async_payment_succeeded");
    let PaymentEvent::Paid {
        purchase: which,
        checkout: page,
        payment,
        cents,
        currency,
    } = paid.event
    else {
        panic!("it is not paid");
    };
    assert_eq!(
        (which, page, cents, currency.as_str()),
        (purchase, checkout.reference.clone(), 1_000, "usd")
    );
    let refunded = lab.emulator.refund(payment.as_str(), Some(300)).unwrap();
    let expected = PaymentEvent::Refunded {
        payment: payment.clone(),
        total_cents: 300,
    };
    assert_eq!(read(&lab, &refunded).event, expected);
    for (step, verdict) in [
        (DisputeStep::Created, None),
        (DisputeStep::FundsWithdrawn, None),
        (DisputeStep::FundsReinstated, Some(Verdict::Won)),
        (DisputeStep::Won, Some(Verdict::Won)),
        (DisputeStep::Lost, Some(Verdict::Lost)),
    ] {
        let message = lab.emulator.dispute(payment.as_str(), step).unwrap();
        let told = match read(&lab, &message).event {
            PaymentEvent::Disputed { payment: which, .. } if which == payment => None,
            PaymentEvent::DisputeClosed {
                payment: which,
                verdict,
                ..
            } if which == payment => Some(verdict),
            other => panic!("{step:?} is {other:?}"),
        };
        assert_eq!(told, verdict, "{step:?}");
    }
    let asked = lab
        .emulator
        .dispute(payment.as_str(), DisputeStep::WarningClosed)
        .unwrap();
    assert_eq!(read(&lab, &asked).event, PaymentEvent::Irrelevant);
    assert_eq!(
        end(SessionEnd::Expired).event,
        PaymentEvent::Expired { purchase }
    );
}

#[tokio::test]
async fn the_life_of_a_payout_is_understood() {
    let lab = Lab::open();
    let request = payout(&lab);
    let Ok(TransferOutcome::Made(transfer)) = lab.stripe.transfer(&request).await else {
        panic!("it was not made");
    };
    let tell = |step| {
        read(
            &lab,
            &lab.emulator.tell_transfer(transfer.as_str(), step).unwrap(),
        )
        .event
    };
    let (payout, transfer) = (request.payout, transfer.clone());
    let made = PaymentEvent::TransferMade {
        payout,
        transfer: transfer.clone(),
    };
    assert_eq!(tell(TransferStep::Created), made);
    assert_eq!(tell(TransferStep::Updated), PaymentEvent::Irrelevant);
    let reversed = PaymentEvent::TransferReversed {
        payout,
        transfer: transfer.clone(),
    };
    assert_eq!(tell(TransferStep::Reversed), reversed);
    for (payouts, can_be_paid) in [(Payouts::Disabled, false), (Payouts::Enabled, true)] {
        let message = lab.emulator.set_payouts("acct_1", payouts).unwrap();
        let updated = PaymentEvent::AccountUpdated {
            account: request.account.clone(),
            can_be_paid,
        };
        assert_eq!(read(&lab, &message).event, updated);
    }
}

#[test]
fn a_message_is_believed_by_its_signature_alone() {
    let lab = Lab::open();
    let message = lab
        .emulator
        .message("ping", &serde_json::json!({ "id": "x" }));
    let header = lab.emulator.signature(&message);
    let at = header[2..].split_once(',').unwrap().0.parse().unwrap();
    let at = Timestamp::from_unix_timestamp(at).unwrap();
    let read = lab.stripe.read_event(Some(&header), &message.body, at);
    assert_eq!(read.unwrap().id, message.id());
    let mut changed = message.body.clone();
    changed[8] ^= 1;
    let refused = lab.stripe.read_event(Some(&header), &changed, at);
    assert!(matches!(refused, Err(EventError::Forged(_))));
    let refused = lab.stripe.read_event(None, &message.body, at);
    assert!(matches!(refused, Err(EventError::Forged(_))));
    let late = at + std::time::Duration::from_secs(301);
    let refused = lab.stripe.read_event(Some(&header), &message.body, late);
    assert!(matches!(refused, Err(EventError::Forged(_))));
    let signature = sign(SECRET, b"{}", at.unix_timestamp());
    let unreadable = lab.stripe.read_event(Some(&signature), b"{}", at);
    assert!(matches!(unreadable, Err(EventError::Unreadable(_))));
}
