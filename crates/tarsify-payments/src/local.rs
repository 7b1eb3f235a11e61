//! The built-in provider of the local mode. No money moves: its pages are ours, and what they
//! tell is written and signed as Stripe would, so that it goes the same way as the real thing.

mod letter;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tarsify_domain::clock::{Clock, Timestamp};
use tarsify_domain::id::DeveloperId;
use tarsify_domain::payments::{
    AccountRef, Checkout, CheckoutRef, CheckoutRequest, EventError, OnboardingLink, PaymentError,
    PaymentEvent, PaymentProvider, ReceivedEvent, SignedMessage, TestPayments, TransferOutcome,
    TransferRef, TransferRequest,
};
use tarsify_domain::text::EmailAddress;
use url::form_urlencoded::byte_serialize;

use crate::{event, signature};

/// How long a page for a developer is said to be good for.
const LINK_LASTS: Duration = Duration::from_secs(5 * 60);

/// The built-in provider of the local mode.
pub struct LocalPayments {
    secrets: [String; 1],
    public_url: String,
    clock: Arc<dyn Clock>,
}

/// Why there is no built-in provider.
#[derive(Debug, thiserror::Error)]
pub enum LocalPaymentsError {
    /// The machine gives no random bytes for its secret.
    #[error("the built-in payment provider has no secret: the machine gives no random bytes")]
    Random(#[source] getrandom::Error),
}

impl fmt::Debug for LocalPayments {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("LocalPayments")
            .field("public_url", &self.public_url)
            .finish_non_exhaustive()
    }
}

impl LocalPayments {
    /// Signs with this secret; its pages are below this address of ours.
    #[must_use]
    pub fn new(secret: [u8; 32], public_url: &str, clock: Arc<dyn Clock>) -> Self {
        Self {
            secrets: [format!("whsec_local_{}", hex::encode(secret))],
            public_url: public_url.trim_end_matches('/').to_owned(),
            clock,
        }
    }

    /// The same with a secret that nobody else has.
    ///
    /// # Errors
    /// When the machine gives no random bytes.
    pub fn generate(public_url: &str, clock: Arc<dyn Clock>) -> Result<Self, LocalPaymentsError> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(LocalPaymentsError::Random)?;
        Ok(Self::new(secret, public_url, clock))
    }
}

#[async_trait]
impl PaymentProvider for LocalPayments {
    async fn open_checkout(&self, request: &CheckoutRequest) -> Result<Checkout, PaymentError> {
        let purchase = request.purchase.id;
        let reference = format!("cs_local_{purchase}");
        Ok(Checkout {
            reference: made(CheckoutRef::parse(&reference))?,
            url: format!("{}/local/checkout/{purchase}", self.public_url),
        })
    }

    async fn open_account(
        &self,
        developer: DeveloperId,
        _: Option<&EmailAddress>,
    ) -> Result<AccountRef, PaymentError> {
        made(AccountRef::parse(&format!("acct_local_{developer}")))
    }

    async fn link_onboarding(
        &self,
        account: &AccountRef,
        return_url: &str,
        _: &str,
    ) -> Result<OnboardingLink, PaymentError> {
        let escaped = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
        let (account, return_url) = (escaped(account.as_str()), escaped(return_url));
        let url = format!(
            "{}/local/onboarding/{account}?return={return_url}",
            self.public_url
        );
        Ok(OnboardingLink {
            url,
            expires_at: self.clock.now() + LINK_LASTS,
        })
    }

    async fn transfer(&self, request: &TransferRequest) -> Result<TransferOutcome, PaymentError> {
        let transfer = format!("tr_local_{}", request.payout);
        Ok(TransferOutcome::Made(made(TransferRef::parse(&transfer))?))
    }

    fn read_event(
        &self,
        signature: Option<&str>,
        body: &[u8],
        now: Timestamp,
    ) -> Result<ReceivedEvent, EventError> {
        signature::verify(signature, body, &self.secrets, now)?;
        event::read(body)
    }
}

impl TestPayments for LocalPayments {
    fn message(&self, event: &PaymentEvent, now: Timestamp) -> SignedMessage {
        let body = letter::about(event, now).to_string().into_bytes();
        let [secret] = &self.secrets;
        SignedMessage {
            signature: signature::sign(secret, &body, now),
            body,
        }
    }
}

/// What is made of one of our ids always fits.
fn made<T, E: fmt::Display>(reference: Result<T, E>) -> Result<T, PaymentError> {
    reference.map_err(|misfit| PaymentError::Refused(misfit.to_string()))
}

#[cfg(test)]
mod tests;
