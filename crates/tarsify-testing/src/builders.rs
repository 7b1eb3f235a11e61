//! Plausible values to start a test from. Whatever must be unique is numbered by one counter,
//! so two calls never collide; a test changes what it is about by struct update:
//! `TarsModel { price: price(5), ..tars_model(&base, developer) }`.

use std::sync::atomic::{AtomicU64, Ordering};

use tarsify_domain::money::Price;
use tarsify_domain::page::{Limit, PageNumber, PageRequest, Position};
use tarsify_domain::text::{Description, EmailAddress, Name, PersonName, SearchText, Slug, Title};

mod catalog;
mod executions;
mod people;

pub use catalog::{
    base_model, endpoint, new_base_model, new_endpoint, new_tars_model, overrides, tars_model,
    text_to_image_schema,
};
pub use executions::{
    advance, attempt, attempt_with_job, completion, idempotency_claim, new_job, new_run,
    new_test_run, new_token, object, runnable, runnable_model, settlement,
};
pub use people::{identity, identity_key, issuer, new_consumer, new_developer};

/// A number that no other call in this process gets.
#[must_use]
pub fn unique() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

macro_rules! parsed {
    ($($(#[$doc:meta])* $function:ident -> $type:ident;)+) => {
        $(
            $(#[$doc])*
            ///
            /// # Panics
            /// When the text does not fit the type: the test is wrong.
            #[must_use]
            pub fn $function(text: &str) -> $type {
                $type::parse(text).expect(concat!("a test wants a good ", stringify!($type)))
            }
        )+
    };
}

parsed! {
    /// The text as a slug.
    slug -> Slug;
    /// The text as a title.
    title -> Title;
    /// The text as a description.
    description -> Description;
    /// The text as the name of an endpoint or base model.
    name -> Name;
    /// The text as the name of a person.
    person_name -> PersonName;
    /// The text as an e-mail address.
    email -> EmailAddress;
    /// The text as something to search for.
    search_text -> SearchText;
}

/// The amount as a price.
///
/// # Panics
/// When it is out of bounds: the test is wrong.
#[must_use]
pub fn price(credits: i64) -> Price {
    Price::parse(credits).expect("a test wants a good Price")
}

/// The page with this number, of at most `limit` items.
///
/// # Panics
/// When either is out of bounds: the test is wrong.
#[must_use]
pub fn page(number: i64, limit: i64) -> PageRequest {
    PageRequest {
        position: Position::Number(PageNumber::parse(number).expect("a test wants a good page")),
        limit: Limit::parse(limit).expect("a test wants a good Limit"),
    }
}
