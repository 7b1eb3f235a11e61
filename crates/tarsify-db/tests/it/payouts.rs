//! What developers earn until it is on their accounts.

mod earnings;
mod outbox;
mod requests;
