//! The client of Stripe against a stand-in over real connections: what is asked, repeated, looked
//! up and believed.

#[cfg(test)]
mod checkout;
#[cfg(test)]
mod events;
#[cfg(test)]
mod payouts;
#[cfg(test)]
mod support;
