//! Packages and purchases, and what the payment provider tells, in any order and any number of
//! times.

mod events;
mod orders;
mod packages;
mod reversals;
