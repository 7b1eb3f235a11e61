//! What consumers and developers have in common in the store.

use tarsify_domain::Misfit;
use tarsify_domain::people::{PersonStatus, Role};

/// The indexes that keep an identity and an e-mail address to one person of a realm.
pub(crate) const TAKEN: [&str; 2] = ["identities_pkey", "people_email_unique"];

/// Reads a stored status.
pub(crate) fn status(word: &str) -> Result<PersonStatus, Misfit> {
    match word {
        "ACTIVE" => Ok(PersonStatus::Active),
        "DISABLED" => Ok(PersonStatus::Disabled),
        _ => Err(Misfit::new("enum", "must be one of: ACTIVE DISABLED")),
    }
}

/// Reads a stored role.
pub(crate) fn role(word: &str) -> Result<Role, Misfit> {
    match word {
        "USER" => Ok(Role::User),
        "ADMIN" => Ok(Role::Admin),
        _ => Err(Misfit::new("enum", "must be one of: USER ADMIN")),
    }
}

/// The word a role is stored as.
pub(crate) const fn role_word(role: Role) -> &'static str {
    match role {
        Role::User => "USER",
        Role::Admin => "ADMIN",
    }
}
