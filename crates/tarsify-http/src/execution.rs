//! Runs of models: for the consumers who start them, for the developers who try their own, for
//! administrators, and for the providers who call back.

pub(crate) mod admin;
pub(crate) mod callback;
mod claim;
mod inputs;
pub(crate) mod live;
pub(crate) mod run;
mod runs;
pub(crate) mod studio;
mod wire;
