//! The life of tars models: who may do what to them, when, and what is left behind.

mod create;
mod lifecycle;
mod publish;
mod races;
mod remove;
mod revise;
mod tenants;
mod versions;
