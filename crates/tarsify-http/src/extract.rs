//! What handlers are given: bodies, queries, path parameters, preconditions and people, each
//! checked before the handler runs.

pub(crate) mod effect;
pub(crate) mod fields;
pub(crate) mod json;
pub(crate) mod key;
pub(crate) mod later;
pub(crate) mod path;
pub(crate) mod people;
pub(crate) mod precondition;
pub(crate) mod prefer;
pub(crate) mod query;
pub(crate) mod valid;

pub(crate) use effect::Named;
pub(crate) use fields::{Fields, boolean, integer, json_value, text};
pub(crate) use key::RepetitionKey;
pub(crate) use later::Later;
pub(crate) use path::{PathId, PathSlug};
pub(crate) use people::{Administrator, RegisteredConsumer, RegisteredDeveloper, VerifiedCaller};
pub(crate) use precondition::IfMatch;
pub(crate) use query::{Query, QueryFields, QueryIn};
pub(crate) use valid::{Body, Valid};
