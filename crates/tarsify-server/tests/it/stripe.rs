//! Stripe through the real binary: whatever it does, refuses, loses or says twice, everybody gets
//! exactly what he is due, and everything adds up.

mod buying;
mod endurance;
mod leaving;
mod paying_out;
mod repeating;
mod reversing;
mod signing;
mod trade;
