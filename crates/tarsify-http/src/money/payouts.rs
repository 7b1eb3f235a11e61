//! Paying developers.

mod wire;

use actix_web::web::Data;
use tarsify_domain::earnings::Payouts;
use tarsify_domain::id::PayoutId;

pub(crate) use wire::{ConnectStripeIn, OnboardingOut, PayoutOut, PayoutsQueryIn, RequestPayoutIn};

use crate::envelope::{Listed, Made, Success};
use crate::error::ApiError;
use crate::extract::{Named, Query, RegisteredDeveloper, Valid};

/// Makes a page on which the caller tells the payment provider who he is.
pub(crate) async fn connect_stripe(
    payouts: Data<Payouts>,
    RegisteredDeveloper(developer): RegisteredDeveloper,
    Valid(body): Valid<ConnectStripeIn>,
) -> Result<Success<OnboardingOut>, ApiError> {
    let ConnectStripeIn {
        return_url,
        refresh_url,
    } = body;
    let link = payouts.connect(&developer, &return_url, &refresh_url);
    Ok(Success(link.await?.into()))
}

/// Lists the caller's payouts, newest first.
pub(crate) async fn list_payouts(
    payouts: Data<Payouts>,
    RegisteredDeveloper(developer): RegisteredDeveloper,
    Query(PayoutsQueryIn { status, page }): Query<PayoutsQueryIn>,
) -> Result<Listed<PayoutOut>, ApiError> {
    let found = payouts.list(developer.id, status, &page).await?;
    Ok(Listed::new(found, &page))
}

/// Asks for a payout: its amount is reserved at once and sent soon.
pub(crate) async fn request_payout(
    payouts: Data<Payouts>,
    RegisteredDeveloper(developer): RegisteredDeveloper,
    Named(id): Named,
    Valid(RequestPayoutIn { amount }): Valid<RequestPayoutIn>,
) -> Result<Made<PayoutOut>, ApiError> {
    let id = id.map(PayoutId::from_uuid);
    let payout = payouts.request(&developer, amount, id).await?;
    Ok(Made {
        location: None,
        body: payout.into(),
    })
}
