//! Pages to pay on, and accounts of developers.

use tarsify_domain::id::DeveloperId;
use tarsify_domain::payments::{AccountRef, PaymentError, PaymentProvider};
use tarsify_domain::text::EmailAddress;
use tarsify_emulator::stripe::{StripeFault, StripeOperation};
use tarsify_payments::{NoPayments, Stripe};

use crate::support::{Lab, now, payout, request, settings};

const CREATE: StripeOperation = StripeOperation::CreateCheckout;

#[tokio::test]
async fn a_page_is_opened_for_the_purchase() {
    let lab = Lab::open();
    let request = request();
    let checkout = lab.stripe.open_checkout(&request).await.unwrap();
    let session = &lab.emulator.sessions()[0];
    let id = request.purchase.id.to_string();
    assert_eq!(session["id"], checkout.reference.as_str());
    assert_eq!(session["url"], checkout.url);
    assert_eq!(session["amount_total"], 1_000);
    assert_eq!(session["client_reference_id"], id);
    assert_eq!(session["metadata"]["purchase_id"], id);
    assert_eq!(session["customer_email"], "ada@example.com");
}

#[tokio::test]
async fn asking_again_opens_no_second_page() {
    let lab = Lab::open();
    let request = request();
    let first = lab.stripe.open_checkout(&request).await.unwrap();
    let second = lab.stripe.open_checkout(&request).await.unwrap();
    assert_eq!(first, second);
    assert_eq!(lab.emulator.sessions().len(), 1);
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_at_once() {
    let lab = Lab::open();
    lab.emulator.fail(CREATE, StripeFault::HangAfter, 1);
    lab.stripe.open_checkout(&request()).await.unwrap();
    assert_eq!(
        (lab.emulator.calls(CREATE), lab.emulator.sessions().len()),
        (2, 1)
    );
    lab.emulator.fail(CREATE, StripeFault::Down, 2);
    lab.stripe.open_checkout(&request()).await.unwrap();
    assert_eq!(
        (lab.emulator.calls(CREATE), lab.emulator.sessions().len()),
        (5, 2)
    );
}

#[tokio::test]
async fn it_does_not_ask_for_ever() {
    let lab = Lab::open();
    lab.emulator.fail(CREATE, StripeFault::Down, 9);
    let error = lab.stripe.open_checkout(&request()).await.unwrap_err();
    assert!(
        matches!(&error, PaymentError::Unavailable(why) if why.contains("503")),
        "{error}"
    );
    assert_eq!(lab.emulator.calls(CREATE), 3);
}

#[tokio::test]
async fn a_refusal_is_told_and_a_wrong_key_is_none() {
    let lab = Lab::open();
    lab.emulator.fail(CREATE, StripeFault::Refused, 1);
    let error = lab.stripe.open_checkout(&request()).await.unwrap_err();
    assert!(matches!(&error, PaymentError::Refused(_)), "{error}");
    let mut wrong = settings(lab.emulator.base_url());
    wrong.secret_key = "sk_test_wrong".to_owned();
    let wrong = Stripe::with_settings(wrong).unwrap();
    let error = wrong.open_checkout(&request()).await.unwrap_err();
    assert!(matches!(&error, PaymentError::Unavailable(_)), "{error}");
}

#[tokio::test]
async fn nobody_there_is_no_refusal() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let stripe = Stripe::with_settings(settings(&format!("http://{address}"))).unwrap();
    let error = stripe.open_checkout(&request()).await.unwrap_err();
    assert!(matches!(&error, PaymentError::Unavailable(_)), "{error}");
}

#[tokio::test]
async fn a_developer_has_one_account_and_many_links() {
    let lab = Lab::open();
    let developer = DeveloperId::new(now());
    let email = EmailAddress::parse("ada@example.com").unwrap();
    let account = lab
        .stripe
        .open_account(developer, Some(&email))
        .await
        .unwrap();
    let again = lab
        .stripe
        .open_account(developer, Some(&email))
        .await
        .unwrap();
    assert_eq!(account, again);
    let accounts = lab.emulator.accounts();
    assert_eq!(accounts.len(), 1);
    assert_eq!(
        accounts[0]["metadata"]["developer_id"],
        developer.to_string()
    );
    let link = || {
        let (back, over) = (
            "https://studio.example/done",
            "https://studio.example/again",
        );
        lab.stripe.link_onboarding(&account, back, over)
    };
    let (first, second) = (link().await.unwrap(), link().await.unwrap());
    assert_ne!(first.url, second.url);
    assert!(first.expires_at.unix_timestamp() > 1_700_000_000);
    let nobody = AccountRef::parse("acct_nobody").unwrap();
    let refused = lab
        .stripe
        .link_onboarding(&nobody, "https://a.b", "https://a.b")
        .await;
    assert!(
        matches!(refused, Err(PaymentError::Refused(_))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn without_a_provider_nothing_is_done() {
    let lab = Lab::open();
    let not = PaymentError::NotConfigured;
    let account = AccountRef::parse("acct_1").unwrap();
    let developer = DeveloperId::new(now());
    assert_eq!(NoPayments.open_checkout(&request()).await.unwrap_err(), not);
    assert_eq!(
        NoPayments.open_account(developer, None).await.unwrap_err(),
        not
    );
    assert_eq!(
        NoPayments
            .link_onboarding(&account, "x", "y")
            .await
            .unwrap_err(),
        not
    );
    assert_eq!(NoPayments.transfer(&payout(&lab)).await.unwrap_err(), not);
    assert!(NoPayments.read_event(Some("t=1"), b"{}", now()).is_err());
}
