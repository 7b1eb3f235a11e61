//! Wallets, statements and the check of everything, where the ledger is the database's own. Money
//! is moved here by the ledger's own functions, without an engine.

mod adjustments;
mod append_only;
mod books;
mod checkpoints;
mod corruptions;
mod holds;
mod invariants;
mod people;
mod receipts;
mod refunds;
mod second_opinion;
mod statement;
