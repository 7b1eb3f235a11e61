//! What surrounds handlers: one layer around the whole application, one around each handler,
//! and one around those that make something.

pub(crate) mod access;
pub(crate) mod answer;
pub(crate) mod late;
pub(crate) mod repetition;
mod traced;
