//! The accounts of developers, and the pages on which they complete them. The platform answers
//! for what they owe, and Stripe for who they are.

use serde_json::Value;
use tarsify_domain::clock::Timestamp;
use tarsify_domain::id::DeveloperId;
use tarsify_domain::payments::{AccountRef, OnboardingLink, PaymentError};
use tarsify_domain::text::EmailAddress;

use super::form::{Form, Method, Question};
use super::unreadable;

pub(super) fn question(developer: DeveloperId, email: Option<&EmailAddress>) -> Question {
    let form = Form::default()
        .with("controller[stripe_dashboard][type]", "express")
        .with("controller[fees][payer]", "application")
        .with("controller[losses][payments]", "application")
        .with("controller[requirement_collection]", "stripe")
        .with("capabilities[transfers][requested]", "true")
        .with("metadata[developer_id]", developer)
        .with_some("email", email.map(EmailAddress::as_str));
    Question {
        name: "open_account",
        method: Method::Post,
        path: "accounts",
        form,
        key: Some(format!("account:{developer}")),
    }
}

pub(super) fn read(account: &Value) -> Result<AccountRef, PaymentError> {
    let id = account.get("id").and_then(Value::as_str);
    let reference = id.and_then(|id| AccountRef::parse(id).ok());
    reference.ok_or_else(|| unreadable("the account has no id"))
}

/// It has no key: every page can be used once, so a second one is wanted.
pub(super) fn link_question(account: &AccountRef, return_url: &str, refresh_url: &str) -> Question {
    let form = Form::default()
        .with("account", account.as_str())
        .with("return_url", return_url)
        .with("refresh_url", refresh_url)
        .with("type", "account_onboarding");
    Question {
        name: "link_onboarding",
        method: Method::Post,
        path: "account_links",
        form,
        key: None,
    }
}

pub(super) fn read_link(link: &Value) -> Result<OnboardingLink, PaymentError> {
    let url = link.get("url").and_then(Value::as_str);
    let until = link.get("expires_at").and_then(Value::as_i64);
    let until = until.and_then(|seconds| Timestamp::from_unix_timestamp(seconds).ok());
    match (url, until) {
        (Some(url), Some(expires_at)) => Ok(OnboardingLink {
            url: url.to_owned(),
            expires_at,
        }),
        _ => Err(unreadable("the account link has no address or no end")),
    }
}
