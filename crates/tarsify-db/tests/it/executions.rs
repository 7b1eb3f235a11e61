//! Executions in PostgreSQL: what only a database can get wrong. What every store has to do is
//! in the contract suite.

mod admission;
mod claims;
mod constraints;
mod contract;
mod crowd;
mod guards;
mod invariants;
mod limits;
mod log;
mod place;
mod plans;
mod tally;
mod writes;
