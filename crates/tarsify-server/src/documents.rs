//! `tarsify openapi`.

use std::process::ExitCode;

use crate::terminal;

pub(crate) fn print(markdown: bool) -> anyhow::Result<ExitCode> {
    if markdown {
        return terminal::say(&tarsify_http::markdown());
    }
    terminal::say(&serde_json::to_string_pretty(&tarsify_http::document())?)
}
