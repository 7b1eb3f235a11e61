//! How a payout looks on the wire.

use serde::Serialize;
use tarsify_domain::earnings::{Payout, PayoutStatus};
use tarsify_domain::payments::OnboardingLink;
use tarsify_domain::{Credits, PageRequest};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::extract::{Body, Fields, QueryFields, QueryIn, integer, text};
use crate::money::wire::{self, page_address};
use crate::wire::Moment;

/// Where the payment provider sends a developer afterwards.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) struct ConnectStripeIn {
    /// The page for when he has finished: an http or https address.
    #[schema(max_length = 2048, example = "https://studio.example.com/payouts")]
    pub(super) return_url: String,
    /// The page for when the link was used before or too late, which asks for a new one: an http
    /// or https address.
    #[schema(
        max_length = 2048,
        example = "https://studio.example.com/payouts/connect"
    )]
    pub(super) refresh_url: String,
}

impl Body for ConnectStripeIn {
    fn read(fields: &mut Fields) -> Option<Self> {
        let return_url = fields.required("returnUrl", text(page_address));
        let refresh_url = fields.required("refreshUrl", text(page_address));
        Some(Self {
            return_url: return_url?,
            refresh_url: refresh_url?,
        })
    }
}

/// A page on which a developer tells the payment provider who he is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OnboardingOut {
    /// Where it is; it can be used once.
    #[schema(example = "https://connect.stripe.com/setup/e/acct_1a2b3c/x7y8z9")]
    onboarding_url: String,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T08:35:00.000Z")]
    expires_at: Moment,
}

impl From<OnboardingLink> for OnboardingOut {
    fn from(link: OnboardingLink) -> Self {
        let OnboardingLink { url, expires_at } = link;
        Self {
            onboarding_url: url,
            expires_at: Moment(expires_at),
        }
    }
}

/// Which payouts a developer wants to see.
pub(crate) struct PayoutsQueryIn {
    pub(super) status: Option<PayoutStatus>,
    pub(super) page: PageRequest,
}

impl QueryIn for PayoutsQueryIn {
    fn read(query: &mut QueryFields) -> Option<Self> {
        let status = query.optional("status", PayoutStatus::parse);
        let page = query.page(Payout::ORDER);
        Some(Self { status, page })
    }
}

/// How much a developer wants to be paid.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) struct RequestPayoutIn {
    /// Whole credits; one is a US cent.
    #[schema(value_type = i64, minimum = 1, maximum = 1_000_000_000, example = 5_000)]
    pub(super) amount: Credits,
}

impl Body for RequestPayoutIn {
    fn read(fields: &mut Fields) -> Option<Self> {
        let amount = fields.required("amount", integer(Payout::parse_amount));
        Some(Self { amount: amount? })
    }
}

/// A payout.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PayoutOut {
    #[schema(example = "0198b2c4-d5e6-7f80-91a2-b3c4d5e6f712")]
    id: Uuid,
    /// Whole credits; one is a US cent.
    #[schema(example = 5_000)]
    amount: i64,
    #[schema(schema_with = wire::payout_status)]
    status: &'static str,
    /// Why it failed; its amount may be paid out again.
    #[schema(example = json!(null))]
    failure_reason: Option<String>,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T08:30:00.000Z")]
    requested_at: Moment,
    /// When it was paid or failed.
    #[schema(value_type = Option<String>, format = DateTime, example = json!(null))]
    completed_at: Option<Moment>,
}

impl From<Payout> for PayoutOut {
    fn from(payout: Payout) -> Self {
        let Payout {
            id,
            developer: _,
            amount,
            status,
            transfer: _,
            failure,
            requested_at,
            ended_at,
        } = payout;
        Self {
            id: id.uuid(),
            amount: amount.get(),
            status: status.as_str(),
            failure_reason: failure,
            requested_at: Moment(requested_at),
            completed_at: ended_at.map(Moment),
        }
    }
}
