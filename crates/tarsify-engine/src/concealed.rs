//! The names of inputs that consumers must not learn of.

use std::collections::HashSet;

use tarsify_domain::catalog::ConfigOverrides;

/// The fields that leave the payload.
pub(crate) fn hidden_names(overrides: &ConfigOverrides) -> HashSet<&str> {
    overrides.hidden_fields().collect()
}

/// The fields that consumers neither see nor send: hidden and secret ones.
pub(crate) fn concealed_names(overrides: &ConfigOverrides) -> HashSet<&str> {
    let secret = overrides.secret_inputs().into_iter().flatten();
    overrides
        .hidden_fields()
        .chain(secret.map(|(name, _)| name.as_str()))
        .collect()
}
