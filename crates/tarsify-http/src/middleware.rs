//! What happens around every handler.

pub(crate) mod access;
pub(crate) mod answer;
