//! Every route over fakes, from the request's bytes to the answer's.

#[cfg(test)]
mod access;
#[cfg(test)]
mod bodies;
#[cfg(test)]
mod callbacks;
#[cfg(test)]
mod cancels;
#[cfg(test)]
mod compression;
#[cfg(test)]
mod conditional;
#[cfg(test)]
mod cors;
#[cfg(test)]
mod credit_packages;
#[cfg(test)]
mod credits;
#[cfg(test)]
mod docs;
#[cfg(test)]
mod earnings;
#[cfg(test)]
mod errors;
#[cfg(test)]
mod executions;
#[cfg(test)]
mod failures;
#[cfg(test)]
mod fields;
#[cfg(test)]
mod headers;
#[cfg(test)]
mod health;
#[cfg(test)]
mod inputs;
#[cfg(test)]
mod leaving;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod live;
#[cfg(test)]
mod local_pages;
#[cfg(test)]
mod logs;
#[cfg(test)]
mod market_cache;
#[cfg(test)]
mod metrics;
#[cfg(test)]
mod openapi;
#[cfg(test)]
mod order;
#[cfg(test)]
mod paging;
#[cfg(test)]
mod payouts;
#[cfg(test)]
mod people;
#[cfg(test)]
mod preconditions;
#[cfg(test)]
mod purchases;
#[cfg(test)]
mod queries;
#[cfg(test)]
mod races;
#[cfg(test)]
mod refunds;
#[cfg(test)]
mod repetition;
#[cfg(test)]
mod runs;
#[cfg(test)]
mod schemas;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod stripe;
#[cfg(test)]
mod successes;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tcp;
#[cfg(test)]
mod test_runs;
#[cfg(test)]
mod waits;
