//! Payouts: whatever happens on the way, one is sent once.

use tarsify_domain::payments::{
    AccountRef, PaymentError, PaymentProvider, TransferOutcome, TransferRequest,
};
use tarsify_emulator::stripe::{StripeFault, StripeOperation};

use crate::support::{Lab, again, payout};

const CREATE: StripeOperation = StripeOperation::CreateTransfer;
const LIST: StripeOperation = StripeOperation::ListTransfers;

async fn made(lab: &Lab, request: &TransferRequest) -> String {
    match lab.stripe.transfer(request).await {
        Ok(TransferOutcome::Made(transfer)) => transfer.as_str().to_owned(),
        other => panic!("it was not made: {other:?}"),
    }
}

async fn unavailable(lab: &Lab, request: &TransferRequest) -> String {
    match lab.stripe.transfer(request).await {
        Err(PaymentError::Unavailable(why)) => why,
        other => panic!("it was available: {other:?}"),
    }
}

#[tokio::test]
async fn a_payout_is_sent_once() {
    let lab = Lab::open();
    let request = payout(&lab);
    let first = made(&lab, &request).await;
    assert_eq!(lab.emulator.calls(LIST), 0);
    assert_eq!(made(&lab, &request).await, first);
    assert_eq!(made(&lab, &again(&request)).await, first);
    let transfers = lab.emulator.transfers();
    assert_eq!(transfers.len(), 1);
    assert_eq!(transfers[0]["amount"], 5_000);
    assert_eq!(transfers[0]["currency"], "usd");
    assert_eq!(transfers[0]["destination"], "acct_1");
    assert_eq!(
        transfers[0]["metadata"]["payout_id"],
        request.payout.to_string()
    );
}

#[tokio::test]
async fn one_whose_answer_was_lost_is_found() {
    let lab = Lab::open();
    let request = payout(&lab);
    lab.emulator.fail(CREATE, StripeFault::HangAfter, 3);
    unavailable(&lab, &request).await;
    assert_eq!(lab.emulator.calls(CREATE), 3);
    // Days later, when no key would help.
    lab.emulator.forget_keys();
    let found = made(&lab, &again(&request)).await;
    assert_eq!(lab.emulator.calls(CREATE), 3);
    assert_eq!(lab.emulator.transfers().len(), 1);
    assert_eq!(lab.emulator.transfers()[0]["id"], found);
}

#[tokio::test]
async fn one_that_was_made_with_an_error_is_found() {
    let lab = Lab::open();
    let request = payout(&lab);
    lab.emulator.fail(CREATE, StripeFault::ErrorAfter, 1);
    let why = unavailable(&lab, &request).await;
    assert!(why.contains("500"), "{why}");
    // The second answer is a replay, and a third would be the same.
    assert_eq!(lab.emulator.calls(CREATE), 2);
    made(&lab, &again(&request)).await;
    assert_eq!(lab.emulator.transfers().len(), 1);
}

#[tokio::test]
async fn one_that_failed_before_its_effect_is_sent_when_the_key_is_free() {
    let lab = Lab::open();
    let request = payout(&lab);
    lab.emulator.fail(CREATE, StripeFault::ErrorBefore, 1);
    unavailable(&lab, &request).await;
    // No new key: what is kept may be an effect that cannot be seen yet.
    unavailable(&lab, &again(&request)).await;
    assert_eq!(lab.emulator.transfers().len(), 0);
    lab.emulator.forget_keys();
    made(&lab, &again(&request)).await;
    made(&lab, &again(&request)).await;
    assert_eq!(lab.emulator.transfers().len(), 1);
}

#[tokio::test]
async fn one_that_never_arrived_is_sent_at_the_next_try() {
    let lab = Lab::open();
    let request = payout(&lab);
    lab.emulator.fail(CREATE, StripeFault::Down, 3);
    unavailable(&lab, &request).await;
    made(&lab, &again(&request)).await;
    assert_eq!(lab.emulator.transfers().len(), 1);
}

#[tokio::test]
async fn nothing_is_sent_while_it_cannot_be_looked_up() {
    let lab = Lab::open();
    let request = payout(&lab);
    for (fault, tries) in [
        (StripeFault::Down, 3),
        (StripeFault::Refused, 1),
        (StripeFault::TooMany, 1),
    ] {
        lab.emulator.fail(LIST, fault, tries);
        unavailable(&lab, &again(&request)).await;
    }
    assert_eq!(lab.emulator.calls(LIST), 5);
    assert_eq!(lab.emulator.calls(CREATE), 0);
}

#[tokio::test]
async fn the_operators_faults_fail_no_payout() {
    let lab = Lab::open();
    let request = payout(&lab);
    for fault in [StripeFault::BalanceInsufficient, StripeFault::TooMany] {
        lab.emulator.fail(CREATE, fault, 1);
        let why = unavailable(&lab, &request).await;
        assert!(!why.contains("tries"), "{why}");
        lab.emulator.forget_keys();
    }
    made(&lab, &again(&request)).await;
    assert_eq!(lab.emulator.transfers().len(), 1);
}

#[tokio::test]
async fn a_refused_payout_is_refused() {
    let lab = Lab::open();
    let request = payout(&lab);
    lab.emulator.fail(CREATE, StripeFault::Refused, 1);
    let outcome = lab.stripe.transfer(&request).await;
    let Ok(TransferOutcome::Refused(why)) = outcome else {
        panic!("it was not refused: {outcome:?}");
    };
    assert!(why.starts_with("account_closed: "), "{why}");
    let nobody = TransferRequest {
        payout: tarsify_domain::id::PayoutId::new(crate::support::now()),
        account: AccountRef::parse("acct_nobody").unwrap(),
        ..request
    };
    let outcome = lab.stripe.transfer(&nobody).await;
    assert!(
        matches!(outcome, Ok(TransferOutcome::Refused(_))),
        "{outcome:?}"
    );
    assert_eq!(lab.emulator.transfers().len(), 0);
}

#[tokio::test]
async fn another_question_under_the_same_key_is_no_refusal() {
    let lab = Lab::open();
    let request = payout(&lab);
    made(&lab, &request).await;
    let other = TransferRequest {
        amount: tarsify_domain::money::Credits::new(6_000),
        ..request
    };
    unavailable(&lab, &other).await;
    let why = unavailable(&lab, &again(&other)).await;
    assert!(why.contains("of another amount"), "{why}");
    assert_eq!(lab.emulator.transfers().len(), 1);
}

#[tokio::test]
async fn two_at_a_time_send_one() {
    let lab = Lab::open();
    let request = payout(&lab);
    lab.emulator.fail(CREATE, StripeFault::Slow, 1);
    let (one, two) = tokio::join!(lab.stripe.transfer(&request), lab.stripe.transfer(&request));
    for outcome in [one, two] {
        assert!(
            matches!(
                outcome,
                Ok(TransferOutcome::Made(_)) | Err(PaymentError::Unavailable(_))
            ),
            "{outcome:?}"
        );
    }
    made(&lab, &again(&request)).await;
    assert_eq!(lab.emulator.transfers().len(), 1);
}
