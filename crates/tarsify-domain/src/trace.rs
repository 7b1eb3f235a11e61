//! What links what happens in one place to what it came from in another: the parent of a trace, in
//! the form of the W3C's `traceparent`. Anything that has not exactly that form is refused.

use std::fmt;

/// The target of every span that is there for traces. Nothing else has it, and no module's path begins
/// with it, so that whoever writes the log, or sends traces, can tell them apart.
pub const TRACES: &str = "tarsify_spans";

/// Where in a trace something came from: the trace, the span in it, and whether it is recorded.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TraceParent(String);

/// A text is no trace parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a trace parent: 00-, 32 hexadecimal digits, -, 16 more, -, and two more, in lower case, neither id all zeros"
)]
pub struct TraceParentError;

impl TraceParent {
    /// How long it is, and how long it ever is.
    pub const LENGTH: usize = 55;

    /// Takes the form of version 00, and no other.
    ///
    /// # Errors
    /// When the text is anything else.
    pub fn parse(text: &str) -> Result<Self, TraceParentError> {
        // The length first: nothing is looked at of what is far too long.
        if text.len() != Self::LENGTH {
            return Err(TraceParentError);
        }
        let mut parts = text.split('-');
        let has_form = parts.next() == Some("00")
            && parts.next().is_some_and(|trace| is_id(trace, 32))
            && parts.next().is_some_and(|span| is_id(span, 16))
            && parts.next().is_some_and(|flags| is_hex(flags, 2))
            && parts.next().is_none();
        if has_form {
            Ok(Self(text.to_owned()))
        } else {
            Err(TraceParentError)
        }
    }

    /// As it stands in a header.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

fn is_id(text: &str, length: usize) -> bool {
    is_hex(text, length) && text.bytes().any(|digit| digit != b'0')
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length
        && text
            .bytes()
            .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests;
