//! What a consumer is told of a payload that does not fit. Only faults in values that he gave
//! and can change are told with their place and rule; all others are one sentence.

use std::collections::HashSet;

use jsonschema::ValidationError;
use serde_json::{Map, Value};
use tarsify_domain::catalog::ConfigOverrides;
use tarsify_domain::{Issue, Misfit};

use super::INPUTS;
use crate::concealed::concealed_names;
use crate::explain::{Fault, faults};
use crate::merge::is_blank;

/// Knows whose value stands in which field of the payload.
pub(super) struct Telling<'a> {
    overrides: &'a ConfigOverrides,
    user: &'a Map<String, Value>,
    concealed: HashSet<&'a str>,
}

impl<'a> Telling<'a> {
    /// For a payload merged from `user`, which names visible, declared fields only.
    pub(super) fn new(overrides: &'a ConfigOverrides, user: &'a Map<String, Value>) -> Self {
        Self {
            overrides,
            user,
            concealed: concealed_names(overrides),
        }
    }

    pub(super) fn issues(&self, error: &ValidationError<'_>) -> Vec<Issue> {
        faults(error)
            .into_iter()
            .map(|fault| self.issue(fault))
            .collect()
    }

    fn issue(&self, fault: Fault) -> Issue {
        let Some((field, is_field_itself)) = top_field(&fault.pointer) else {
            return if fault.code == "additionalProperties" {
                generic()
            } else {
                fault.into_issue().under(INPUTS)
            };
        };
        if fault.names_property && is_field_itself {
            // Only a missing field is the consumer's to mend: he could not have sent a surplus one.
            let told = fault.code == "required" && !self.concealed.contains(field.as_str());
            return if told {
                fault.into_issue().under(INPUTS)
            } else {
                generic()
            };
        }
        if !self.is_the_users(&field) {
            return generic();
        }
        if self.is_wrapped(&field) {
            let message = wrapped_message(&fault);
            return Fault { message, ..fault }.into_issue().under(INPUTS);
        }
        fault.into_issue().under(INPUTS)
    }

    /// Whether the payload's value is the one the consumer gave.
    fn is_the_users(&self, field: &str) -> bool {
        let is_in = |values: Option<&Map<String, Value>>| {
            values.is_some_and(|values| values.contains_key(field))
        };
        let Some(given) = self.user.get(field) else {
            return false;
        };
        let defaulted = is_blank(given) && is_in(self.overrides.default_inputs());
        !defaulted && !is_in(self.overrides.locked_inputs()) && !self.concealed.contains(field)
    }

    fn is_wrapped(&self, field: &str) -> bool {
        let added = self.overrides.prompt_prefix().len() + self.overrides.prompt_suffix().len();
        field == self.overrides.prompt_field() && added > 0
    }
}

/// The answer to every fault that the consumer did not make.
pub(super) fn generic() -> Issue {
    Misfit::new(
        "configuration",
        "do not work with this model's own settings: try other inputs, or tell its developer",
    )
    .at(INPUTS)
}

/// The answer when looking for each fault would take too long.
pub(super) fn too_large_to_tell() -> Issue {
    Misfit::new(
        "schema",
        "do not fit the model's input schema, and are too large or too deeply nested to say where: try simpler ones",
    )
    .at(INPUTS)
}

/// The name of the payload's field that a pointer leads into, and whether it ends there.
fn top_field(pointer: &str) -> Option<(String, bool)> {
    let rest = pointer.strip_prefix('/')?;
    let (name, is_field_itself) = match rest.split_once('/') {
        Some((name, _)) => (name, false),
        None => (rest, true),
    };
    Some((name.replace("~1", "/").replace("~0", "~"), is_field_itself))
}

fn wrapped_message(fault: &Fault) -> String {
    let rule = match fault.code.as_str() {
        "maxLength" => "is too long together with what the model adds: shorten it",
        "minLength" => "is too short: lengthen it",
        // The value's type is what it was before the wrap.
        "type" => return fault.message.clone(),
        _ => "does not have the form that the model expects: word it differently",
    };
    rule.to_owned()
}
