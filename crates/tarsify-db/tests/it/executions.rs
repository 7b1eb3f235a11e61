//! Executions in PostgreSQL: what only a database can get wrong. What every store has to do is
//! in the contract suite.

mod admission;
mod claims;
mod constraints;
mod contract;
mod crew;
mod crowd;
mod guards;
mod invariants;
mod leases_together;
mod limits;
mod listed;
mod log;
mod log_plans;
mod place;
mod plans;
mod pulse;
mod retention;
mod tally;
mod together;
mod write_plans;
mod writes;
