//! A payment provider that does what tests tell it. Its messages are plain: whatever is signed
//! with [`FakePayments::GOOD`] is its own.

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tarsify_domain::Timestamp;
use tarsify_domain::id::DeveloperId;
use tarsify_domain::payments::{
    AccountRef, Checkout, CheckoutRef, CheckoutRequest, EventError, OnboardingLink, PaymentError,
    PaymentEvent, PaymentProvider, ReceivedEvent, SignedMessage, TestPayments, TransferOutcome,
    TransferRef, TransferRequest,
};
use tarsify_domain::text::EmailAddress;
use time::Duration;

mod message;

/// How the provider answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mood {
    /// It does what it is asked for.
    #[default]
    Obliging,
    /// It refuses.
    Refusing,
    /// It cannot be reached.
    Unreachable,
    /// There is none.
    NotConfigured,
}

/// Takes no money and brings none.
#[derive(Default)]
pub struct FakePayments(Mutex<State>);

#[derive(Default)]
struct State {
    mood: Mood,
    checkouts: Vec<CheckoutRequest>,
    transfers: Vec<TransferRequest>,
}

impl FakePayments {
    /// The one signature that proves anything.
    pub const GOOD: &'static str = "good";

    /// An obliging provider.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers so from now on.
    pub fn set(&self, mood: Mood) {
        self.lock().mood = mood;
    }

    /// What pages were asked for so far, successful or not.
    #[must_use]
    pub fn checkouts(&self) -> Vec<CheckoutRequest> {
        self.lock().checkouts.clone()
    }

    /// What transfers were asked for so far, successful or not.
    #[must_use]
    pub fn transfers(&self) -> Vec<TransferRequest> {
        self.lock().transfers.clone()
    }

    /// A message with this id about this event, to be sent with [`FakePayments::GOOD`].
    #[must_use]
    pub fn body(&self, id: &str, event: &PaymentEvent) -> Vec<u8> {
        message::write(id, event)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn oblige(&self) -> Result<(), PaymentError> {
        match self.mood {
            Mood::Obliging => Ok(()),
            Mood::Refusing => Err(PaymentError::Refused("card_declined".to_owned())),
            Mood::Unreachable => Err(PaymentError::Unavailable("no answer".to_owned())),
            Mood::NotConfigured => Err(PaymentError::NotConfigured),
        }
    }
}

#[async_trait]
impl PaymentProvider for FakePayments {
    async fn open_checkout(&self, request: &CheckoutRequest) -> Result<Checkout, PaymentError> {
        let mut state = self.lock();
        state.checkouts.push(request.clone());
        state.oblige()?;
        let purchase = request.purchase.id;
        let reference = CheckoutRef::parse(&format!("cs_fake_{purchase}"));
        Ok(Checkout {
            reference: reference.expect("an id is a good reference"),
            url: format!("https://pay.example.com/checkout/{purchase}"),
        })
    }

    async fn open_account(
        &self,
        developer: DeveloperId,
        _email: Option<&EmailAddress>,
    ) -> Result<AccountRef, PaymentError> {
        self.lock().oblige()?;
        let account = AccountRef::parse(&format!("acct_fake_{developer}"));
        Ok(account.expect("an id is a good reference"))
    }

    async fn link_onboarding(
        &self,
        account: &AccountRef,
        _return_url: &str,
        _refresh_url: &str,
    ) -> Result<OnboardingLink, PaymentError> {
        self.lock().oblige()?;
        Ok(OnboardingLink {
            url: format!("https://pay.example.com/onboarding/{}", account.as_str()),
            expires_at: crate::clock::MOMENT + Duration::minutes(5),
        })
    }

    async fn transfer(&self, request: &TransferRequest) -> Result<TransferOutcome, PaymentError> {
        let mut state = self.lock();
        state.transfers.push(request.clone());
        match state.mood {
            Mood::Refusing => Ok(TransferOutcome::Refused("account_closed".to_owned())),
            Mood::Obliging | Mood::Unreachable | Mood::NotConfigured => {
                state.oblige()?;
                let transfer = TransferRef::parse(&format!("tr_fake_{}", request.payout));
                let transfer = transfer.expect("an id is a good reference");
                Ok(TransferOutcome::Made(transfer))
            }
        }
    }

    fn read_event(
        &self,
        signature: Option<&str>,
        body: &[u8],
        _now: Timestamp,
    ) -> Result<ReceivedEvent, EventError> {
        if self.lock().mood == Mood::NotConfigured {
            return Err(EventError::NotConfigured);
        }
        match signature {
            Some(Self::GOOD) => {
                message::read(body).ok_or(EventError::Unreadable("no message of the fake's"))
            }
            Some(_) => Err(EventError::Forged("the signature is not good")),
            None => Err(EventError::Forged("there is no signature")),
        }
    }
}

impl TestPayments for FakePayments {
    fn message(&self, event: &PaymentEvent, _now: Timestamp) -> SignedMessage {
        SignedMessage {
            signature: Self::GOOD.to_owned(),
            body: message::write(&message::id(event), event),
        }
    }
}
