//! Money: what consumers have and buy, what developers earn and are paid, and what
//! administrators and payment providers do with it.

pub(crate) mod admin;
pub(crate) mod analytics;
pub(crate) mod credits;
pub(crate) mod earnings;
pub(crate) mod local;
pub(crate) mod packages;
pub(crate) mod payouts;
pub(crate) mod purchases;
pub(crate) mod webhook;
mod wire;
