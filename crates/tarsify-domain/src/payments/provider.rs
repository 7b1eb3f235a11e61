//! The port to whoever takes money from consumers and brings it to developers.

use async_trait::async_trait;

use crate::clock::Timestamp;
use crate::id::{DeveloperId, PayoutId};
use crate::money::Credits;
use crate::payments::{
    AccountRef, CheckoutRef, EventError, PaymentEvent, Purchase, ReceivedEvent, TransferRef,
};
use crate::text::EmailAddress;

/// What is to be paid for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckoutRequest {
    /// The purchase; its id makes repetitions harmless.
    pub purchase: Purchase,
    /// Who pays, as far as we know.
    pub email: Option<EmailAddress>,
}

/// A page on which a purchase is paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkout {
    /// Its id at the provider.
    pub reference: CheckoutRef,
    /// Where it is.
    pub url: String,
}

/// A page on which a developer tells the provider who he is. It can be used once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnboardingLink {
    /// Where it is.
    pub url: String,
    /// Until when.
    pub expires_at: Timestamp,
}

/// A payout that is to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferRequest {
    /// The payout; its id makes repetitions harmless.
    pub payout: PayoutId,
    /// Where to.
    pub account: AccountRef,
    /// How much; a credit is a cent.
    pub amount: Credits,
    /// Whether it may have been sent before, so that it has to be looked for first.
    pub may_have_been_sent: bool,
}

/// What became of a payout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransferOutcome {
    /// The money is on the developer's account.
    Made(TransferRef),
    /// The provider refuses it for good, for this reason.
    Refused(String),
}

/// Why the provider did not do what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PaymentError {
    /// No payment provider is configured.
    #[error("no payment provider is configured")]
    NotConfigured,
    /// It refused.
    #[error("the payment provider refused: {0}")]
    Refused(String),
    /// It cannot be reached, or its answer was lost; asking again is harmless.
    #[error("the payment provider cannot be reached: {0}")]
    Unavailable(String),
}

/// Takes money and brings money. Asking twice for the same thing has one effect.
#[async_trait]
pub trait PaymentProvider: Send + Sync {
    /// Opens a page on which the purchase is paid.
    async fn open_checkout(&self, request: &CheckoutRequest) -> Result<Checkout, PaymentError>;

    /// Makes an account for a developer, to which he can be paid.
    async fn open_account(
        &self,
        developer: DeveloperId,
        email: Option<&EmailAddress>,
    ) -> Result<AccountRef, PaymentError>;

    /// Makes a page on which the developer completes his account. Afterwards it leads to
    /// `return_url`; to `refresh_url` when it is used a second time or too late.
    async fn link_onboarding(
        &self,
        account: &AccountRef,
        return_url: &str,
        refresh_url: &str,
    ) -> Result<OnboardingLink, PaymentError>;

    /// Sends a payout. `Unavailable` also means that it may have been sent.
    async fn transfer(&self, request: &TransferRequest) -> Result<TransferOutcome, PaymentError>;

    /// Checks and reads a message of the provider, which came with this signature.
    ///
    /// # Errors
    /// When it is not the provider's, too old, or cannot be understood.
    fn read_event(
        &self,
        signature: Option<&str>,
        body: &[u8],
        now: Timestamp,
    ) -> Result<ReceivedEvent, EventError>;
}

/// A message as a provider would send it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedMessage {
    /// What proves where it comes from.
    pub signature: String,
    /// What it says.
    pub body: Vec<u8>,
}

/// The built-in provider of the local mode: whoever uses its pages makes it send the messages that
/// a real one would, and these go the same way.
pub trait TestPayments: Send + Sync {
    /// The message about this event.
    fn message(&self, event: &PaymentEvent, now: Timestamp) -> SignedMessage;
}
