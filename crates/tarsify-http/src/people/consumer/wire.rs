//! How a consumer's profile looks on the wire.

use serde::Serialize;
use tarsify_domain::Patch;
use tarsify_domain::people::{Consumer, ConsumerProfile};
use tarsify_domain::text::{AvatarUrl, EmailAddress, PersonName};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::extract::{Body, Fields, text};
use crate::wire::Moment;

/// What a consumer says of himself when he registers.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) struct RegisterConsumerIn {
    /// Must be the e-mail address of the token when it is sent.
    #[schema(value_type = Option<String>, max_length = 255, example = "ada@example.com")]
    pub(super) email: Option<EmailAddress>,
    /// Taken from the token when it is not sent.
    #[schema(value_type = Option<String>, min_length = 2, max_length = 100, example = "Ada Lovelace")]
    pub(super) name: Option<PersonName>,
}

impl Body for RegisterConsumerIn {
    const MAY_BE_ABSENT: bool = true;

    fn read(fields: &mut Fields) -> Option<Self> {
        let email = fields.optional("email", text(EmailAddress::parse));
        let name = fields.optional("name", text(PersonName::parse));
        Some(Self { email, name })
    }
}

/// What a consumer changes of his profile: absent keeps, null clears.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) struct UpdateConsumerIn {
    /// The name he is shown by.
    #[schema(value_type = Option<String>, min_length = 2, max_length = 100, example = "Ada Lovelace")]
    name: Patch<PersonName>,
    /// An http or https address of his picture.
    #[schema(value_type = Option<String>, max_length = 2048, example = "https://example.com/ada.png")]
    avatar_url: Patch<AvatarUrl>,
}

impl Body for UpdateConsumerIn {
    fn read(fields: &mut Fields) -> Option<Self> {
        let name = fields.patch("name", text(PersonName::parse));
        let avatar_url = fields.patch("avatarUrl", text(AvatarUrl::parse));
        Some(Self { name, avatar_url })
    }
}

impl From<UpdateConsumerIn> for ConsumerProfile {
    fn from(body: UpdateConsumerIn) -> Self {
        let UpdateConsumerIn { name, avatar_url } = body;
        Self { name, avatar_url }
    }
}

/// A consumer's own profile.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ConsumerOut {
    #[schema(example = "0198b2c4-d5e6-7f80-91a2-b3c4d5e6f708")]
    id: Uuid,
    /// Who he is at the issuer of his tokens.
    #[schema(example = "consumer:ada@example.com")]
    firebase_uid: String,
    #[schema(example = "ada@example.com")]
    email: Option<String>,
    #[schema(example = "Ada Lovelace")]
    name: Option<String>,
    #[schema(example = "https://example.com/ada.png")]
    avatar_url: Option<String>,
    /// What he can spend and what is set aside for his running runs.
    #[schema(example = 0)]
    credits_balance: i64,
    #[schema(example = 0)]
    run_count: u64,
    #[schema(example = 0)]
    purchase_count: u64,
    #[schema(example = 0)]
    total_credits_spent: i64,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T08:30:00.000Z")]
    created_at: Moment,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T08:30:00.000Z")]
    updated_at: Moment,
}

impl From<Consumer> for ConsumerOut {
    fn from(consumer: Consumer) -> Self {
        let Consumer {
            id,
            subject,
            email,
            name,
            avatar_url,
            status: _,
            tokens_valid_after: _,
            credits_balance,
            run_count,
            purchase_count,
            total_credits_spent,
            version: _,
            created_at,
            updated_at,
        } = consumer;
        Self {
            id: id.uuid(),
            firebase_uid: subject,
            email: email.map(|email| email.to_string()),
            name: name.map(|name| name.to_string()),
            avatar_url: avatar_url.map(|url| url.as_str().to_owned()),
            credits_balance: credits_balance.get(),
            run_count,
            purchase_count,
            total_credits_spent: total_credits_spent.get(),
            created_at: Moment(created_at),
            updated_at: Moment(updated_at),
        }
    }
}
