//! `tarsify token`: local identities for people at a development machine.

use std::process::ExitCode;

use anyhow::{Context, bail};
use tarsify_auth::{LocalIdentities, LocalKind};
use tarsify_domain::Clock;
use tarsify_domain::text::EmailAddress;
use time::Duration;

use crate::cli::TokenKind;
use crate::clock::SystemClock;
use crate::config::Config;
use crate::platform::local_identities;
use crate::terminal;

/// How long a local token is good.
const LIFETIME: Duration = Duration::hours(24);

pub(crate) fn run(
    config: &Config,
    kind: TokenKind,
    email: Option<&str>,
) -> anyhow::Result<ExitCode> {
    let Some(identities) = local_identities(config)? else {
        bail!(
            "there are no local identities in production: sign in at the Firebase project instead"
        );
    };
    let (kind, usual) = match kind {
        TokenKind::Consumer => (LocalKind::Consumer, "consumer@example.com"),
        TokenKind::Developer => (LocalKind::Developer, "developer@example.com"),
        TokenKind::Admin => (LocalKind::Admin, "admin@example.com"),
    };
    let email = EmailAddress::parse(email.unwrap_or(usual)).context("--email cannot be used")?;
    terminal::say(&issue(&identities, kind, &email)?)
}

/// A token that is good from now on.
pub(crate) fn issue(
    identities: &LocalIdentities,
    kind: LocalKind,
    email: &EmailAddress,
) -> anyhow::Result<String> {
    identities
        .issue(kind, email, LIFETIME, SystemClock.now())
        .context("no token can be issued")
}
