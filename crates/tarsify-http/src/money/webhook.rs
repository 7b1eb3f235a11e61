//! What the payment provider tells. Its signature is the credential: nothing of a message is
//! believed, or logged, before it was checked, and its body never is.

use actix_web::HttpRequest;
use actix_web::http::header::HeaderName;
use actix_web::web::{Data, Payload};
use serde::Serialize;
use tarsify_domain::payments::{EventOutcome, Purchases, ReceivedEvent};
use utoipa::ToSchema;

use crate::envelope::Success;
use crate::error::ApiError;
use crate::extract::valid::read_at_most;

/// Bytes that a message may have.
const MOST_BYTES: usize = 512 * 1_024;
const STRIPE_SIGNATURE: HeaderName = HeaderName::from_static("stripe-signature");

/// A message that need not be sent again.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventReceivedOut {
    /// Always true.
    #[schema(example = true)]
    received: bool,
}

/// Takes a message of Stripe.
pub(crate) async fn receive_stripe_event(
    request: HttpRequest,
    body: Payload,
    purchases: Data<Purchases>,
) -> Result<Success<EventReceivedOut>, ApiError> {
    let body = read_at_most(&request, body.into_inner(), MOST_BYTES).await?;
    let signature = request.headers().get(STRIPE_SIGNATURE);
    let signature = signature.and_then(|value| value.to_str().ok());
    let (received, outcome) = purchases.receive(signature, &body).await?;
    note(&received, outcome);
    Ok(Success(EventReceivedOut { received: true }))
}

/// Tells the operator of what he may have to look into.
pub(super) fn note(received: &ReceivedEvent, outcome: EventOutcome) {
    let (event, kind) = (received.id.as_str(), received.kind.as_str());
    match outcome {
        EventOutcome::Applied
        | EventOutcome::Repeated
        | EventOutcome::Outdated
        | EventOutcome::Irrelevant => {}
        EventOutcome::Remembered => tracing::info!(
            event,
            kind,
            "a message about a payment that is not known yet is kept until it is"
        ),
        EventOutcome::Contradicted => tracing::error!(
            event,
            kind,
            "a message says the contrary of an earlier one, and was not followed: look at both at the payment provider"
        ),
        EventOutcome::Unknown => {
            tracing::warn!(event, kind, "a message is about nothing that is known here");
        }
        EventOutcome::Underpaid => tracing::warn!(
            event,
            kind,
            "less than the price was paid, or in another currency; nothing was granted"
        ),
        EventOutcome::PaidTwice => tracing::warn!(
            event,
            kind,
            "a purchase was paid once more; nothing more was granted, refund the second payment"
        ),
    }
}
