//! The emulator over real connections: every operation, every fault, webhooks and workers.

#[cfg(test)]
mod control;
#[cfg(test)]
mod demos;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod operations;
#[cfg(test)]
mod stripe;
#[cfg(test)]
mod support;
#[cfg(test)]
mod webhooks;
#[cfg(test)]
mod workers;
