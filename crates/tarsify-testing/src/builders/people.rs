//! Identities, consumers and developers to start a test from.

use tarsify_domain::Credits;
use tarsify_domain::id::{ConsumerId, DeveloperId};
use tarsify_domain::people::{IdentityKey, NewConsumer, NewDeveloper, Realm, VerifiedIdentity};
use time::Duration;

use super::{email, person_name, unique};
use crate::clock::MOMENT;

/// Who vouches for a realm in tests.
#[must_use]
pub const fn issuer(realm: Realm) -> &'static str {
    match realm {
        Realm::Consumers => "https://issuer.example.com/consumers",
        Realm::Developers => "https://issuer.example.com/developers",
    }
}

/// Names somebody at the realm's issuer.
#[must_use]
pub fn identity_key(realm: Realm, subject: &str) -> IdentityKey {
    IdentityKey {
        realm,
        issuer: issuer(realm).to_owned(),
        subject: subject.to_owned(),
    }
}

/// Somebody who signed in at [`MOMENT`] for an hour. The e-mail address is made from the
/// subject, so the same person has the same one each time.
#[must_use]
pub fn identity(realm: Realm, subject: &str) -> VerifiedIdentity {
    let mailbox: String = subject
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '.' })
        .collect();
    VerifiedIdentity {
        key: identity_key(realm, subject),
        email: Some(email(&format!("{mailbox}@example.com"))),
        email_is_verified: true,
        name: Some(format!("{subject} of the token")),
        authenticated_at: MOMENT,
        expires_at: MOMENT + Duration::hours(1),
    }
}

/// What is stored of a consumer who registers at [`MOMENT`].
#[must_use]
pub fn new_consumer(subject: &str) -> NewConsumer {
    let number = unique();
    NewConsumer {
        id: ConsumerId::new(MOMENT),
        key: identity_key(Realm::Consumers, subject),
        email: Some(email(&format!("consumer{number}@example.com"))),
        email_is_verified: true,
        name: Some(person_name(&format!("Carla Consumer {number}"))),
        welcome: Credits::ZERO,
        registered_at: MOMENT,
    }
}

/// What is stored of a developer who registers at [`MOMENT`].
#[must_use]
pub fn new_developer(subject: &str) -> NewDeveloper {
    let number = unique();
    NewDeveloper {
        id: DeveloperId::new(MOMENT),
        key: identity_key(Realm::Developers, subject),
        email: Some(email(&format!("developer{number}@example.com"))),
        email_is_verified: true,
        display_name: Some(person_name(&format!("Dora Developer {number}"))),
        registered_at: MOMENT,
    }
}
