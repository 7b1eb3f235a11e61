//! What is wrong with a configuration, told so that it can be mended: key, value, origin, fault, remedy.
//! A secret never enters a fault.

use std::fmt::{self, Display, Formatter};
use std::path::PathBuf;

use serde_json::Value;

use super::keys::{Key, Secrecy};
use super::secret::{MASK, masked};

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// Nowhere: no layer sets the key.
    Unset,
    /// A file built into the binary.
    BuiltIn(&'static str),
    /// The file named by `TARSIFY_CONFIG`.
    File(PathBuf),
    /// An environment variable.
    Variable(String),
}

impl Display for Source {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unset => formatter.write_str("unset"),
            Self::BuiltIn(name) => formatter.write_str(name),
            Self::File(path) => write!(formatter, "{}", path.display()),
            Self::Variable(name) => formatter.write_str(name),
        }
    }
}

/// What is wrong with a value and how to mend it, before key and origin are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// Continues "the value ..."; must not repeat the value, which may be secret.
    pub(super) problem: String,
    /// A sentence in the imperative, without its full stop.
    pub(super) remedy: String,
}

impl Wrong {
    pub(super) fn new(problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            problem: problem.into(),
            remedy: remedy.into(),
        }
    }
}

/// One thing wrong with the configuration; `Display` is its line in the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    subject: String,
    shown: Option<String>,
    source: Source,
    wrong: Wrong,
}

impl Fault {
    /// A fault in the value of a key; a secret value is masked here.
    pub(super) fn in_value(key: &Key, value: &Value, source: &Source, wrong: Wrong) -> Self {
        let shown = match key.secrecy {
            Secrecy::Open => masked(value).to_string(),
            Secrecy::Password | Secrecy::Secret => MASK.to_owned(),
        };
        Self {
            subject: key.path.to_owned(),
            shown: Some(shown),
            source: source.clone(),
            wrong,
        }
    }

    /// A fault about something whose value is absent or unknown to us, and so not shown.
    pub(super) fn without_value(subject: impl Into<String>, source: Source, wrong: Wrong) -> Self {
        Self {
            subject: subject.into(),
            shown: None,
            source,
            wrong,
        }
    }
}

impl Display for Fault {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.subject)?;
        if let Some(shown) = &self.shown {
            write!(formatter, " = {shown}")?;
        }
        if self.source != Source::Unset {
            write!(formatter, " (from {})", self.source)?;
        }
        write!(formatter, " {}. {}.", self.wrong.problem, self.wrong.remedy)
    }
}

/// Every fault of a configuration; `Display` is the report, one line each.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) struct Faults(pub(crate) Vec<Fault>);

impl Display for Faults {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => formatter.write_str("the configuration has 1 fault:")?,
            count => write!(formatter, "the configuration has {count} faults:")?,
        }
        self.0
            .iter()
            .try_for_each(|fault| write!(formatter, "\n  - {fault}"))
    }
}
