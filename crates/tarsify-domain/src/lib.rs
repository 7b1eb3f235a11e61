//! What a consumer, a developer, an endpoint, a base model, a tars model and an execution are, the
//! rules between them, the use cases that need no provider, and the ports they are built on.
//!
//! This crate names no database, no HTTP, no environment and never reads the clock: an
//! adapter for each of those is handed in.

pub mod audit;
pub mod catalog;
pub mod clock;
pub mod code;
pub mod earnings;
pub mod error;
pub mod execution;
pub mod health;
pub mod id;
pub mod idempotency;
pub mod ledger;
pub mod limits;
pub mod money;
pub mod page;
pub mod patch;
pub mod payments;
pub mod people;
pub mod retention;
pub mod scope;
pub mod text;
pub mod trace;
pub mod version;
mod words;

pub use clock::{Clock, Timestamp};
pub use code::ErrorCode;
pub use error::{Issue, Misfit, RepoError};
pub use money::Credits;
pub use page::{Cursor, Page, PageRequest};
pub use patch::Patch;
pub use scope::Scope;
pub use trace::TraceParent;
pub use version::{Expected, Version};
