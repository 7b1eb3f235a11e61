//! Rules between keys: what production demands and refuses, what development must not show to strangers.
//! They look at each value by itself, so that they are told together with faults elsewhere.

use std::net::IpAddr;

use serde_json::Value;
use tarsify_domain::retention::Perishable;
use url::{Host, Url};

use super::fault::Wrong;
use super::keys::{self, Key, Place};
use super::reader::Reader;

/// Notes every broken rule.
pub(super) fn check(reader: &mut Reader) {
    check_projects_differ(reader);
    check_stripe_is_heard(reader);
    check_retention_outlives_runs(reader);
    // An unknown environment has its own fault; to guess which rules hold would only add misleading ones.
    match reader.text(&keys::ENVIRONMENT) {
        Some("production") => check_production(reader),
        Some("development") => check_development(reader),
        _ => {}
    }
}

/// Google signs every project's tokens with the same keys: one project for both would make every consumer a developer.
fn check_projects_differ(reader: &mut Reader) {
    let users = reader.text(&keys::USERS_PROJECT);
    if users.is_some() && users == reader.text(&keys::DEVS_PROJECT) {
        let problem =
            "is the consumers' project too, so that every consumer could sign in as a developer";
        let remedy =
            "Set FIREBASE_USERS_PROJECT_ID and FIREBASE_DEVS_PROJECT_ID to two different projects";
        reader.refuse(&keys::DEVS_PROJECT, Wrong::new(problem, remedy));
    }
}

/// What is paid is granted when Stripe says so, and only then.
fn check_stripe_is_heard(reader: &mut Reader) {
    let is_heard = reader
        .entry(&keys::STRIPE_WEBHOOK_SECRETS)
        .is_some_and(|entry| match &entry.value {
            Value::Array(secrets) => !secrets.is_empty(),
            Value::String(text) => !text.trim().is_empty(),
            _ => true,
        });
    if reader.is_given(&keys::STRIPE_KEY) && !is_heard {
        let problem = "is not set although STRIPE_SECRET_KEY is: nobody would get what he paid for";
        let remedy = "Set STRIPE_WEBHOOK_SECRETS to the signing secret of the webhook endpoint that leads to /api/webhooks/stripe (two, separated by a comma, while you rotate them)";
        reader.refuse(&keys::STRIPE_WEBHOOK_SECRETS, Wrong::new(problem, remedy));
    }
}

/// Somebody may still follow a run that was accepted more recently, and begins with its first event.
fn check_retention_outlives_runs(reader: &mut Reader) {
    for key in [&keys::RETENTION_EVENTS, &keys::RETENTION_PAYLOADS] {
        let days = reader.entry(key).and_then(|entry| entry.value.as_u64());
        if days.is_some_and(|days| (1..Perishable::LEAST_DAYS).contains(&days)) {
            let least = Perishable::LEAST_DAYS;
            let problem = format!(
                "is less than {least} days, which is how long a run may take: a week of work and a day of waiting"
            );
            let remedy = format!("Give {least} or more, or 0 to keep everything for ever");
            reader.refuse(key, Wrong::new(problem, remedy));
        }
    }
}

fn check_production(reader: &mut Reader) {
    for key in [
        &keys::DATABASE_URL,
        &keys::USERS_PROJECT,
        &keys::DEVS_PROJECT,
    ] {
        if !reader.is_given(key) {
            let remedy = format!("Set {}", key.known_variable());
            reader.refuse(
                key,
                Wrong::new("is not set, and production needs it", remedy),
            );
        }
    }
    for key in keys::ALL {
        if key.place == Place::DevelopmentOnly && is_used(reader, key) {
            let remedy = "Unset it, or set TARSIFY_ENV=development on a machine of your own";
            reader.refuse(
                key,
                Wrong::new("is a local convenience, which production refuses", remedy),
            );
        }
    }
    check_encrypted(
        reader,
        &keys::JWKS_URL,
        "is http: whoever sits on the way could serve keys of their own and sign in as anybody",
        "Give an https URL, or unset it for Google's",
    );
    check_encrypted(
        reader,
        &keys::BASE_URL,
        "is http: whoever sits on the way could read the key and every input and result",
        "Give an https URL, or unset it for RunPod's; http is for this machine only",
    );
    check_encrypted(
        reader,
        &keys::STRIPE_BASE_URL,
        "is http: whoever sits on the way could read the key and move money",
        "Give an https URL, or unset it for Stripe's; http is for this machine only",
    );
}

fn check_encrypted(reader: &mut Reader, key: &Key, problem: &str, remedy: &str) {
    let url = reader.text(key).and_then(|text| Url::parse(text).ok());
    if url.is_some_and(|url| url.scheme() == "http" && !is_this_machine(&url)) {
        reader.refuse(key, Wrong::new(problem, remedy));
    }
}

/// Whether somebody asked for the convenience: its default is no request, and neither is an explicit "no".
fn is_used(reader: &Reader, key: &Key) -> bool {
    reader.is_chosen(key) && reader.entry(key).is_some_and(|entry| entry.value != false)
}

/// Whether nothing that is sent there leaves this machine.
pub(super) fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

fn check_development(reader: &mut Reader) {
    let host: Option<IpAddr> = reader.text(&keys::HOST).and_then(|text| text.parse().ok());
    let is_public = host.is_some_and(|host| !host.to_canonical().is_loopback());
    let is_allowed = reader
        .entry(&keys::ALLOW_PUBLIC_DEVELOPMENT)
        .is_some_and(|entry| entry.value == true);
    if is_public && !is_allowed {
        let problem = "would open development, with its local tokens, to other machines";
        let remedy = "Set TARSIFY_ENV=production, or TARSIFY_ALLOW_PUBLIC_DEVELOPMENT=1 \
            if everybody who can reach it may be an admin, or listen on 127.0.0.1";
        reader.refuse(&keys::HOST, Wrong::new(problem, remedy));
    }
}
