//! How a developer's profile looks on the wire.

use serde::Serialize;
use tarsify_domain::Patch;
use tarsify_domain::people::{Developer, DeveloperProfile};
use tarsify_domain::text::{AvatarUrl, Bio, Country, EmailAddress, PersonName};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::extract::{Body, Fields, text};
use crate::wire::Moment;

/// What a developer says of himself when he registers.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) struct RegisterDeveloperIn {
    /// Must be the e-mail address of the token when it is sent.
    #[schema(value_type = Option<String>, max_length = 255, example = "grace@example.com")]
    pub(super) email: Option<EmailAddress>,
    /// The name the market shows; taken from the token when it is not sent.
    #[schema(value_type = Option<String>, min_length = 2, max_length = 100, example = "Grace Hopper")]
    pub(super) display_name: Option<PersonName>,
}

impl Body for RegisterDeveloperIn {
    const MAY_BE_ABSENT: bool = true;

    fn read(fields: &mut Fields) -> Option<Self> {
        let email = fields.optional("email", text(EmailAddress::parse));
        let display_name = fields.optional("displayName", text(PersonName::parse));
        Some(Self {
            email,
            display_name,
        })
    }
}

/// What a developer changes of his profile: absent keeps, null clears.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) struct UpdateDeveloperIn {
    /// The name the market shows.
    #[schema(value_type = Option<String>, min_length = 2, max_length = 100, example = "Grace Hopper")]
    display_name: Patch<PersonName>,
    /// An http or https address of his picture.
    #[schema(value_type = Option<String>, max_length = 2048, example = "https://example.com/grace.png")]
    avatar_url: Patch<AvatarUrl>,
    /// What he says about himself.
    #[schema(value_type = Option<String>, max_length = 500, example = "I make pictures out of words.")]
    bio: Patch<Bio>,
    /// The two letters of his country (ISO 3166-1).
    #[schema(value_type = Option<String>, min_length = 2, max_length = 2, example = "US")]
    country: Patch<Country>,
    /// Where messages about payouts go.
    #[schema(value_type = Option<String>, max_length = 255, example = "grace@example.com")]
    payout_email: Patch<EmailAddress>,
}

impl Body for UpdateDeveloperIn {
    fn read(fields: &mut Fields) -> Option<Self> {
        let display_name = fields.patch("displayName", text(PersonName::parse));
        let avatar_url = fields.patch("avatarUrl", text(AvatarUrl::parse));
        let bio = fields.patch("bio", text(Bio::parse));
        let country = fields.patch("country", text(Country::parse));
        let payout_email = fields.patch("payoutEmail", text(EmailAddress::parse));
        Some(Self {
            display_name,
            avatar_url,
            bio,
            country,
            payout_email,
        })
    }
}

impl From<UpdateDeveloperIn> for DeveloperProfile {
    fn from(body: UpdateDeveloperIn) -> Self {
        let UpdateDeveloperIn {
            display_name,
            avatar_url,
            bio,
            country,
            payout_email,
        } = body;
        Self {
            display_name,
            avatar_url,
            bio,
            country,
            payout_email,
        }
    }
}

/// What makes a developer's profile complete.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) struct CompleteProfileIn {
    /// The name the market shows.
    #[schema(value_type = String, min_length = 2, max_length = 100, example = "Grace Hopper")]
    display_name: PersonName,
    /// What he says about himself.
    #[schema(value_type = Option<String>, max_length = 500, example = "I make pictures out of words.")]
    bio: Patch<Bio>,
    /// Where messages about payouts go.
    #[schema(value_type = Option<String>, max_length = 255, example = "grace@example.com")]
    payout_email: Patch<EmailAddress>,
    /// The two letters of his country (ISO 3166-1).
    #[schema(value_type = Option<String>, min_length = 2, max_length = 2, example = "US")]
    country: Patch<Country>,
}

impl Body for CompleteProfileIn {
    fn read(fields: &mut Fields) -> Option<Self> {
        let display_name = fields.required("displayName", text(PersonName::parse));
        let bio = fields.patch("bio", text(Bio::parse));
        let payout_email = fields.patch("payoutEmail", text(EmailAddress::parse));
        let country = fields.patch("country", text(Country::parse));
        Some(Self {
            display_name: display_name?,
            bio,
            payout_email,
            country,
        })
    }
}

impl From<CompleteProfileIn> for DeveloperProfile {
    fn from(body: CompleteProfileIn) -> Self {
        let CompleteProfileIn {
            display_name,
            bio,
            payout_email,
            country,
        } = body;
        Self {
            display_name: Patch::Set(display_name),
            avatar_url: Patch::Keep,
            bio,
            country,
            payout_email,
        }
    }
}

/// A developer's own profile.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeveloperOut {
    #[schema(example = "0198b2c4-d5e6-7f80-91a2-b3c4d5e6f709")]
    id: Uuid,
    /// Who he is at the issuer of his tokens.
    #[schema(example = "developer:grace@example.com")]
    firebase_uid: String,
    #[schema(example = "grace@example.com")]
    email: Option<String>,
    #[schema(example = "Grace Hopper")]
    display_name: Option<String>,
    #[schema(example = "https://example.com/grace.png")]
    avatar_url: Option<String>,
    #[schema(example = "I make pictures out of words.")]
    bio: Option<String>,
    #[schema(example = "US")]
    country: Option<String>,
    #[schema(example = "grace@example.com")]
    payout_email: Option<String>,
    stripe_account_id: Option<String>,
    /// Whether he may be paid.
    #[schema(example = false)]
    verified: bool,
    #[schema(example = true)]
    profile_complete: bool,
    /// Whole credits.
    #[schema(example = 0)]
    total_earnings: i64,
    /// Whole credits.
    #[schema(example = 0)]
    pending_payout: i64,
    #[schema(example = 1)]
    model_count: u64,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T08:30:00.000Z")]
    created_at: Moment,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T08:30:00.000Z")]
    updated_at: Moment,
}

impl From<Developer> for DeveloperOut {
    fn from(developer: Developer) -> Self {
        let Developer {
            id,
            subject,
            email,
            display_name,
            avatar_url,
            bio,
            country,
            payout_email,
            stripe_account_id,
            is_verified,
            profile_is_complete,
            role: _,
            status: _,
            tokens_valid_after: _,
            total_earnings,
            pending_payout,
            model_count,
            version: _,
            created_at,
            updated_at,
        } = developer;
        Self {
            id: id.uuid(),
            firebase_uid: subject,
            email: email.map(|email| email.to_string()),
            display_name: display_name.map(|name| name.to_string()),
            avatar_url: avatar_url.map(|url| url.as_str().to_owned()),
            bio: bio.map(|bio| bio.to_string()),
            country: country.map(|country| country.as_str().to_owned()),
            payout_email: payout_email.map(|email| email.to_string()),
            stripe_account_id,
            verified: is_verified,
            profile_complete: profile_is_complete,
            total_earnings: total_earnings.get(),
            pending_payout: pending_payout.get(),
            model_count,
            created_at: Moment(created_at),
            updated_at: Moment(updated_at),
        }
    }
}
