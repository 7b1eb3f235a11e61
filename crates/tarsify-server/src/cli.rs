//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use crate::config::{EnvironmentVariables, Role};

/// The open backend of a marketplace for AI models.
///
/// Settings come from environment variables and files; `tarsify config` shows them all.
#[derive(Debug, Parser)]
#[command(name = "tarsify", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the REST API and run models until SIGTERM or Ctrl-C.
    #[command(
        after_help = "Example:\n  DATABASE_URL=postgresql://tarsify@db/tarsify tarsify serve --port 8080\n\nAny number of processes of any role share one database:\n  tarsify serve --role api\n  tarsify serve --role worker --port 8081\n\nSIGTERM lets go of everybody and of the runs in hand within 25 seconds; a second one leaves at once.\n\nExit codes: 0 it was asked to stop and did, 1 it failed, 2 the configuration cannot be used, 3 the database needs `tarsify migrate`, 130 it was asked to stop twice."
    )]
    Serve {
        /// What this process does.
        #[arg(long)]
        role: Option<Role>,
        /// The port to listen on; 0 takes any free one.
        #[arg(long)]
        port: Option<u16>,
    },
    /// Serve a market full of examples from a private database, and print how to walk through it.
    #[command(after_help = "Example:\n  tarsify demo --port 8081")]
    Demo {
        /// The port to listen on; 0 takes any free one.
        #[arg(long)]
        port: Option<u16>,
    },
    /// Bring the database to the schema that this version needs.
    #[command(
        after_help = "Example:\n  DATABASE_URL=postgresql://tarsify@db/tarsify tarsify migrate\n\nExit codes: 0 the schema has all that this version needs, 3 it lacks something (--check), 1 it could not be read or changed."
    )]
    Migrate {
        /// Only say what is missing; change nothing.
        #[arg(long)]
        check: bool,
    },
    /// Add the endpoints and base models of a catalogue file; what is there already stays as it is.
    #[command(
        after_help = "Example:\n  RUNPOD_EP_SDXL=abc123 tarsify seed\n  tarsify seed --file my-catalog.toml"
    )]
    Seed {
        /// The catalogue; the built-in one when it is not named.
        #[arg(long)]
        file: Option<PathBuf>,
    },
    /// Print a token of a local identity, good for a day. Development only.
    #[command(
        after_help = "Example:\n  curl -H \"Authorization: Bearer $(tarsify token consumer)\" http://127.0.0.1:8080/api/marketplace/auth/me"
    )]
    Token {
        /// Who it is for.
        kind: TokenKind,
        /// Whose it is.
        #[arg(long)]
        email: Option<String>,
    },
    /// Make a registered developer an administrator, or an ordinary developer again.
    #[command(after_help = "Example:\n  tarsify admin grant grace@example.com")]
    Admin {
        /// Which of both.
        action: AdminAction,
        /// The developer's e-mail address.
        email: String,
    },
    /// Sum up all money again and say where it is not right.
    #[command(
        after_help = "Example:\n  tarsify ledger verify\n\nExit codes: 0 all is right, 1 something is not, or could not be looked at."
    )]
    Ledger {
        /// What to do.
        action: LedgerAction,
        /// For scripts.
        #[arg(long)]
        json: bool,
    },
    /// Look at everything that this installation needs and say what is wrong.
    #[command(
        after_help = "Example:\n  tarsify doctor --json\n\nExit codes: 0 all is well, 1 something is not."
    )]
    Doctor {
        /// For scripts.
        #[arg(long)]
        json: bool,
    },
    /// Show the effective configuration, and where each value comes from.
    #[command(after_help = "Example:\n  tarsify config --json")]
    Config {
        /// For scripts.
        #[arg(long)]
        json: bool,
    },
    /// Stand in for RunPod: takes jobs, runs demo models or official workers, fails on demand.
    #[command(
        after_help = "Example:\n  tarsify emulator &\n  curl -s http://127.0.0.1:8090/v2/demo-vllm/runsync -H 'Content-Type: application/json' -d '{\"input\":{\"prompt\":\"Hello\"}}'"
    )]
    Emulator {
        /// Where to listen. Anything but this machine itself needs a key.
        #[arg(long, default_value = "127.0.0.1:8090")]
        listen: SocketAddr,
        /// What callers and workers have to send; nothing when it is not given.
        #[arg(long)]
        api_key: Option<String>,
        /// A JSON file with the behaviour of endpoints.
        #[arg(long)]
        script: Option<PathBuf>,
    },
    /// Print the OpenAPI document.
    #[command(
        after_help = "Example:\n  tarsify openapi > openapi.json\n  tarsify openapi --markdown > API.md"
    )]
    Openapi {
        /// As a page for people instead of JSON.
        #[arg(long)]
        markdown: bool,
    },
}

/// Whom a token is for.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum TokenKind {
    /// Runs models.
    Consumer,
    /// Makes models.
    Developer,
    /// Runs the installation.
    Admin,
}

/// What happens to a developer's role.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum AdminAction {
    /// He becomes an administrator.
    Grant,
    /// He becomes an ordinary developer.
    Revoke,
}

/// What is done with the ledger.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum LedgerAction {
    /// Replays every transfer and compares.
    Verify,
}

impl Command {
    /// Hands what was said on the command line to the configuration, above everything else.
    pub(crate) fn put_into(&self, variables: &mut EnvironmentVariables) {
        if let Self::Serve {
            port: Some(port), ..
        }
        | Self::Demo { port: Some(port) } = self
        {
            variables.insert("TARSIFY__SERVER__PORT".to_owned(), port.to_string());
        }
        let role = match self {
            Self::Serve { role, .. } => *role,
            // Nobody else would do the work.
            Self::Demo { .. } => Some(Role::All),
            _ => None,
        };
        if let Some(role) = role {
            let role = role.as_str().to_owned();
            variables.insert("TARSIFY__SERVER__ROLE".to_owned(), role);
        }
    }
}
