//! The adapters against a real PostgreSQL.

#[cfg(test)]
mod analytics;
#[cfg(test)]
mod bank;
#[cfg(test)]
mod base_model;
#[cfg(test)]
mod catalog_version;
#[cfg(test)]
mod connections;
#[cfg(test)]
mod constraints;
#[cfg(test)]
mod contract;
#[cfg(test)]
mod endpoint;
#[cfg(test)]
mod executions;
#[cfg(test)]
mod ledger;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod market;
#[cfg(test)]
mod migrations;
#[cfg(test)]
mod money;
#[cfg(test)]
mod paging;
#[cfg(test)]
mod payments;
#[cfg(test)]
mod payouts;
#[cfg(test)]
mod people;
#[cfg(test)]
mod plans;
#[cfg(test)]
mod releases;
#[cfg(test)]
mod search;
#[cfg(test)]
mod seed;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tars_model;
#[cfg(test)]
mod things;
#[cfg(test)]
mod tls;
