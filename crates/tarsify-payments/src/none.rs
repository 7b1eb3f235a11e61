//! The provider of whoever has configured none: it takes nothing, pays nothing and believes
//! nobody.

use async_trait::async_trait;
use tarsify_domain::clock::Timestamp;
use tarsify_domain::id::DeveloperId;
use tarsify_domain::payments::{
    AccountRef, Checkout, CheckoutRequest, EventError, OnboardingLink, PaymentError,
    PaymentProvider, ReceivedEvent, TransferOutcome, TransferRequest,
};
use tarsify_domain::text::EmailAddress;

/// No payment provider.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoPayments;

#[async_trait]
impl PaymentProvider for NoPayments {
    async fn open_checkout(&self, _: &CheckoutRequest) -> Result<Checkout, PaymentError> {
        Err(PaymentError::NotConfigured)
    }

    async fn open_account(
        &self,
        _: DeveloperId,
        _: Option<&EmailAddress>,
    ) -> Result<AccountRef, PaymentError> {
        Err(PaymentError::NotConfigured)
    }

    async fn link_onboarding(
        &self,
        _: &AccountRef,
        _: &str,
        _: &str,
    ) -> Result<OnboardingLink, PaymentError> {
        Err(PaymentError::NotConfigured)
    }

    async fn transfer(&self, _: &TransferRequest) -> Result<TransferOutcome, PaymentError> {
        Err(PaymentError::NotConfigured)
    }

    fn read_event(
        &self,
        _: Option<&str>,
        _: &[u8],
        _: Timestamp,
    ) -> Result<ReceivedEvent, EventError> {
        Err(EventError::NotConfigured)
    }
}
