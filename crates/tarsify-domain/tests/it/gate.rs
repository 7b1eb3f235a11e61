//! The gate: who is let in, who is not, and what he is told.

mod admin;
mod people;
mod reception;
