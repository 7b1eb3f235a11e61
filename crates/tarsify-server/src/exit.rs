//! What the exit code of a command says: 0 that it did what it was asked to, 1 that it failed, and
//! the few others that a script can do something about.

use std::process::ExitCode;

use crate::migrate::SchemaBehind;

/// The configuration has faults, or the command line does: the same again fails again.
const MISUSED: u8 = 2;
/// The database needs `tarsify migrate` first.
const SCHEMA_BEHIND: u8 = 3;
/// Asked to stop a second time while it stopped: what was in hand was left. As shells say of
/// whoever was interrupted.
const CUT_SHORT: u8 = 130;

/// How serving came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Served {
    /// With everything in order, or with what took too long left behind and named.
    ToTheEnd,
    /// Somebody did not want to wait for that.
    CutShort,
}

impl From<Served> for ExitCode {
    fn from(served: Served) -> Self {
        match served {
            Served::ToTheEnd => Self::SUCCESS,
            Served::CutShort => Self::from(CUT_SHORT),
        }
    }
}

/// What the configuration asks for cannot be done, which only turned out when it was tried.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Misconfigured(pub(crate) &'static str);

/// Of a configuration that cannot be used.
pub(crate) fn misused() -> ExitCode {
    ExitCode::from(MISUSED)
}

/// Of a command that failed so.
pub(crate) fn failed(error: &anyhow::Error) -> ExitCode {
    if error.is::<SchemaBehind>() {
        return ExitCode::from(SCHEMA_BEHIND);
    }
    if error.is::<Misconfigured>() {
        return misused();
    }
    ExitCode::FAILURE
}
