//! What is wrong with a file, told so that it can be mended: which entry, which field, why.

use std::collections::BTreeSet;
use std::fmt;

/// A file that cannot be used: its name and all that is wrong with it, one fault a line.
#[derive(Debug, thiserror::Error)]
#[error("{file} has {}:{}", Count(.faults.len()), Lines(.faults))]
pub(crate) struct ContentError {
    file: String,
    faults: Vec<Fault>,
}

impl ContentError {
    pub(super) fn new(file: &str, faults: Vec<Fault>) -> Self {
        Self {
            file: file.to_owned(),
            faults,
        }
    }
}

/// One thing wrong with a file.
#[derive(Debug)]
pub(super) struct Fault {
    /// The entry and its field; empty for the whole file.
    place: String,
    message: String,
}

impl Fault {
    pub(super) fn of_file(message: impl Into<String>) -> Self {
        Self {
            place: String::new(),
            message: message.into(),
        }
    }

    pub(super) fn new(kind: &str, name: &str, field: &str, message: String) -> Self {
        Self {
            place: format!("{kind} {name}, {field}"),
            message,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, message } = self;
        match place.as_str() {
            "" => formatter.write_str(message),
            place => write!(formatter, "{place}: {message}"),
        }
    }
}

/// The content, if nothing is wrong with it.
pub(super) fn complete<T>(file: &str, faults: Vec<Fault>, content: T) -> Result<T, ContentError> {
    if faults.is_empty() {
        return Ok(content);
    }
    Err(ContentError::new(file, faults))
}

/// What must differ between the entries of one kind.
pub(super) struct Names<'a> {
    field: &'static str,
    seen: BTreeSet<&'a str>,
}

impl<'a> Names<'a> {
    pub(super) const fn new(field: &'static str) -> Self {
        Self {
            field,
            seen: BTreeSet::new(),
        }
    }

    pub(super) fn add(
        &mut self,
        kind: &'static str,
        entry: &str,
        name: &'a str,
        faults: &mut Vec<Fault>,
    ) {
        if !self.seen.insert(name) {
            let message = format!("is {name:?} in an earlier entry too: give each its own");
            faults.push(Fault::new(kind, entry, self.field, message));
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.seen.contains(name)
    }

    pub(super) fn listed(&self) -> String {
        let names: Vec<&str> = self.seen.iter().copied().collect();
        names.join(", ")
    }
}

struct Count(usize);

impl fmt::Display for Count {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            1 => formatter.write_str("1 fault"),
            many => write!(formatter, "{many} faults"),
        }
    }
}

struct Lines<'a>(&'a [Fault]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|fault| write!(formatter, "\n  {fault}"))
    }
}
