//! Questions to Stripe: the way, the fields, and the key that makes a repetition harmless.

use url::form_urlencoded::Serializer;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Question {
    /// What it is called in logs.
    pub(super) name: &'static str,
    pub(super) method: Method,
    /// Below `/v1/`.
    pub(super) path: &'static str,
    pub(super) form: Form,
    /// None where a repetition is harmless without.
    pub(super) key: Option<String>,
}

/// Whether it is to have an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Post,
}

/// The fields of a question, in their order: the same question is the same bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Form(Vec<(&'static str, String)>);

impl Form {
    /// The same with one field more.
    pub(super) fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.0.push((name, value.to_string()));
        self
    }

    /// The same with one field more, if there is a value.
    pub(super) fn with_some(self, name: &'static str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// As it is written in a body or an address.
    pub(super) fn encoded(&self) -> String {
        Serializer::new(String::new())
            .extend_pairs(&self.0)
            .finish()
    }

    #[cfg(test)]
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(field, _)| *field == name);
        found.map(|(_, value)| value.as_str())
    }
}
