//! A private PostgreSQL server made from the binaries on this machine, for Tarsify's local mode and for tests.
//!
//! Every process that starts it on one data folder shares one server. One of them supervises it and restarts it
//! when it dies; another takes over when the supervisor goes. The server stops when its last user is gone, however
//! that user went. It listens on a Unix socket in a private folder only, never on a port.
//!
//! | File | Holds |
//! |---|---|
//! | `server` | [`LocalPostgres`]: start, url, stop |
//! | `place` | where cluster, socket and locks live, and as which user the server runs |
//! | `binaries` | finding PostgreSQL on this machine |
//! | `cluster` | making the cluster, checking its version |
//! | `guard` | the small shell script that outlives us and stops the server after its last user |
//! | `supervisor` | starting, watching and restarting the server |
//! | `postmaster` | whether a server runs on the cluster, and how to signal it |
//! | `template` | template databases and their clones, for tests |

mod binaries;
mod cluster;
mod command;
mod error;
mod guard;
mod lock;
mod log;
mod place;
mod postmaster;
mod psql;
mod server;
mod settings;
mod supervisor;
mod template;

pub use error::LocalPostgresError;
pub use server::LocalPostgres;
pub use settings::{Durability, LocalPostgresSettings};
