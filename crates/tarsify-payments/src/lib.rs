//! Takes money from consumers and brings it to developers: Stripe over HTTP, and the built-in
//! provider of the local mode. It keeps nothing and decides nothing about credits: what a payment
//! is worth is for the domain to say.

mod event;
mod local;
mod none;
mod signature;
mod stripe;

pub use local::{LocalPayments, LocalPaymentsError};
pub use none::NoPayments;
pub use stripe::{Stripe, StripeError, StripeSettings};
