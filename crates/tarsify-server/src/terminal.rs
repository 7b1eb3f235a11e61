//! What a command says to the person at the terminal.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Context;

/// Says something that was asked for.
pub(crate) fn say(text: &str) -> anyhow::Result<ExitCode> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{}", text.trim_end()).and_then(|()| out.flush()) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        // `tarsify config | head` is no failure.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        Err(error) => Err(error).context("nothing can be written to the standard output"),
    }
}

/// Says what happens meanwhile, beside what was asked for.
pub(crate) fn remark(text: &str) {
    // Nobody is there to be told that nobody can be told.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Says what is wrong.
pub(crate) fn complain(text: &str) {
    remark(text.trim_end());
}
