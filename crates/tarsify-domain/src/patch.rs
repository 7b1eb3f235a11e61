//! A partial update of one optional field.

/// What a caller wants of a field that may be empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Patch<T> {
    /// He did not mention it.
    #[default]
    Keep,
    /// He wants it empty.
    Clear,
    /// He wants this value.
    Set(T),
}

impl<T> Patch<T> {
    /// Applies the wish to the field.
    pub fn apply(self, field: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Clear => *field = None,
            Self::Set(value) => *field = Some(value),
        }
    }
}

/// Replaces `field` when there is something to replace it with.
pub(crate) fn replace<T>(field: &mut T, wanted: Option<T>) {
    if let Some(value) = wanted {
        *field = value;
    }
}
