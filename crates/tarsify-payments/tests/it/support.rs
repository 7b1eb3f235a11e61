//! A stand-in of Stripe with a client for it, and things to ask for.

use std::time::Duration;

use tarsify_domain::clock::Timestamp;
use tarsify_domain::id::{ConsumerId, PayoutId, PurchaseId};
use tarsify_domain::money::Credits;
use tarsify_domain::payments::{
    AccountRef, CheckoutRequest, Purchase, PurchaseStatus, TransferRequest,
};
use tarsify_domain::text::EmailAddress;
use tarsify_emulator::stripe::{StripeEmulator, StripeSettings as EmulatorSettings};
use tarsify_payments::{Stripe, StripeSettings};

pub(crate) const SECRET: &str = "whsec_lab";

pub(crate) struct Lab {
    pub(crate) emulator: StripeEmulator,
    pub(crate) stripe: Stripe,
}

pub(crate) fn settings(base_url: &str) -> StripeSettings {
    StripeSettings {
        secret_key: "sk_test_lab".to_owned(),
        webhook_secrets: vec!["whsec_new".to_owned(), SECRET.to_owned()],
        base_url: base_url.to_owned(),
        success_url: "https://tarsify.example/paid".to_owned(),
        cancel_url: "https://tarsify.example/credits".to_owned(),
        request_timeout: Duration::from_millis(400),
        ..StripeSettings::default()
    }
}

impl Lab {
    pub(crate) fn open() -> Self {
        let emulator = EmulatorSettings {
            secret_key: "sk_test_lab".to_owned(),
            webhook_secret: SECRET.to_owned(),
            ..EmulatorSettings::default()
        };
        let emulator = StripeEmulator::start(emulator).unwrap();
        let stripe = Stripe::with_settings(settings(emulator.base_url())).unwrap();
        Self { emulator, stripe }
    }
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from_unix_timestamp(1_800_000_000).unwrap()
}

pub(crate) fn request() -> CheckoutRequest {
    CheckoutRequest {
        purchase: Purchase {
            id: PurchaseId::new(now()),
            consumer: ConsumerId::new(now()),
            package: None,
            credits: Credits::new(1_000),
            bonus: Credits::new(50),
            price_cents: 1_000,
            currency: "usd".to_owned(),
            status: PurchaseStatus::Pending,
            checkout_url: None,
            paid_at: None,
            created_at: now(),
        },
        email: Some(EmailAddress::parse("ada@example.com").unwrap()),
    }
}

/// A payout to an account that can be paid.
pub(crate) fn payout(lab: &Lab) -> TransferRequest {
    lab.emulator.add_account("acct_1");
    TransferRequest {
        payout: PayoutId::new(now()),
        account: AccountRef::parse("acct_1").unwrap(),
        amount: Credits::new(5_000),
        may_have_been_sent: false,
    }
}

/// The same, tried once more.
pub(crate) fn again(request: &TransferRequest) -> TransferRequest {
    TransferRequest {
        may_have_been_sent: true,
        ..request.clone()
    }
}
