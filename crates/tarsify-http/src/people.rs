//! Consumers' and developers' own profiles.

pub(crate) mod consumer;
pub(crate) mod developer;
