//! The client of Stripe. Every question that has an effect carries a key of ours, so that asking
//! again is harmless; what the operator has to mend is never put down as a refusal.

mod account;
mod ask;
mod checkout;
mod cleaner;
mod form;
mod judged;
mod line;
mod settings;
mod transfer;

use std::fmt;

use async_trait::async_trait;
use tarsify_domain::clock::Timestamp;
use tarsify_domain::id::DeveloperId;
use tarsify_domain::payments::{
    AccountRef, Checkout, CheckoutRequest, EventError, OnboardingLink, PaymentError,
    PaymentProvider, ReceivedEvent, TransferOutcome, TransferRequest,
};
use tarsify_domain::text::EmailAddress;

use crate::{event, signature};
use ask::Asker;
use checkout::Pages;

pub use settings::{StripeError, StripeSettings};

/// Stripe.
pub struct Stripe {
    asker: Asker,
    pages: Pages,
    webhook_secrets: Vec<String>,
}

impl fmt::Debug for Stripe {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Stripe")
            .field("base_url", &self.asker.base().as_str())
            .finish_non_exhaustive()
    }
}

impl Stripe {
    /// The Stripe account that these settings lead to.
    ///
    /// # Errors
    /// When an address, the key or a secret is none, when the key would travel unencrypted, or
    /// when the machine has no certificates to trust.
    pub fn with_settings(settings: StripeSettings) -> Result<Self, StripeError> {
        let asker = Asker::new(&settings)?;
        settings::check_secrets(&settings.webhook_secrets)?;
        settings::check_page(&settings.success_url)?;
        settings::check_page(&settings.cancel_url)?;
        Ok(Self {
            asker,
            pages: Pages {
                success: settings.success_url,
                cancel: settings.cancel_url,
            },
            webhook_secrets: settings.webhook_secrets,
        })
    }
}

#[async_trait]
impl PaymentProvider for Stripe {
    async fn open_checkout(&self, request: &CheckoutRequest) -> Result<Checkout, PaymentError> {
        let question = checkout::question(request, &self.pages);
        checkout::read(&self.asker.ask(&question).await?)
    }

    async fn open_account(
        &self,
        developer: DeveloperId,
        email: Option<&EmailAddress>,
    ) -> Result<AccountRef, PaymentError> {
        let question = account::question(developer, email);
        account::read(&self.asker.ask(&question).await?)
    }

    async fn link_onboarding(
        &self,
        account: &AccountRef,
        return_url: &str,
        refresh_url: &str,
    ) -> Result<OnboardingLink, PaymentError> {
        let question = account::link_question(account, return_url, refresh_url);
        account::read_link(&self.asker.ask(&question).await?)
    }

    async fn transfer(&self, request: &TransferRequest) -> Result<TransferOutcome, PaymentError> {
        if request.may_have_been_sent {
            let question = transfer::search(request);
            // Whatever goes wrong here, nothing is known of the transfer.
            let found = self.asker.ask(&question).await.map_err(not_seen)?;
            if let Some(transfer) = transfer::read_found(&found, request)? {
                return Ok(TransferOutcome::Made(transfer));
            }
        }
        match self.asker.ask(&transfer::question(request)).await {
            Ok(made) => Ok(TransferOutcome::Made(transfer::read(&made)?)),
            Err(PaymentError::Refused(why)) => Ok(TransferOutcome::Refused(why)),
            Err(error) => Err(error),
        }
    }

    fn read_event(
        &self,
        signature: Option<&str>,
        body: &[u8],
        now: Timestamp,
    ) -> Result<ReceivedEvent, EventError> {
        signature::verify(signature, body, &self.webhook_secrets, now)?;
        event::read(body)
    }
}

fn not_seen(error: PaymentError) -> PaymentError {
    match error {
        PaymentError::Refused(why) | PaymentError::Unavailable(why) => PaymentError::Unavailable(
            format!("whether the transfer was made could not be looked up: {why}"),
        ),
        PaymentError::NotConfigured => PaymentError::NotConfigured,
    }
}

/// An answer that lacks what is needed: what was asked for may have been done.
fn unreadable(what: &str) -> PaymentError {
    PaymentError::Unavailable(format!("its answer cannot be understood: {what}"))
}
