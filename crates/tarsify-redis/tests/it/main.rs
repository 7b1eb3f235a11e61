//! Both adapters against a Redis of their own that is killed, emptied and frozen under them.

#[cfg(test)]
mod bus;
#[cfg(test)]
mod connection;
#[cfg(test)]
mod limiter;
#[cfg(test)]
mod rule;
#[cfg(test)]
mod support;
