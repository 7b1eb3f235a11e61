//! What the caller decides: the data folder, where binaries may be found, how durable writes are.

use std::ffi::OsString;
use std::path::PathBuf;

/// How a private server is started. This crate reads no environment variable itself.
#[derive(Debug, Clone)]
pub struct LocalPostgresSettings {
    /// The folder that keeps everything, for example `.tarsify`; made when absent.
    pub data_dir: PathBuf,
    /// The folder with `postgres` and `initdb`, from `PG_BIN`; nothing else is looked at when it is set.
    pub binaries: Option<PathBuf>,
    /// The caller's `PATH`.
    pub search_path: Option<OsString>,
    /// How much a crash of the machine may cost. The process that starts the server decides for those that join.
    pub durability: Durability,
}

/// What a crash of the machine may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Nothing that was committed: `fsync` is on.
    Durable,
    /// Everything: `fsync`, `synchronous_commit` and `full_page_writes` are off. For tests.
    Volatile,
}
