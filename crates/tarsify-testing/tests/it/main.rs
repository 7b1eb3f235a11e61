//! The fakes keep the contract, and the rest of this crate does what it says.

mod authenticator;
mod contract;
mod database;
mod limits;
mod money;
mod store;
