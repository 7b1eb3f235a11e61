//! Whether prefix and suffix have a text field to wrap, and leave room in it.

use serde_json::Value;
use tarsify_domain::catalog::ConfigOverrides;
use tarsify_domain::{Issue, Misfit};

use crate::document::{Document, Reach};
use crate::explain::clip;

/// How far a property's schema is looked into for its type.
const DEEPEST_LOOK: usize = 16;

pub(super) fn prompt_issues(document: &Document<'_>, overrides: &ConfigOverrides) -> Vec<Issue> {
    let is_named = overrides
        .as_object()
        .get("promptField")
        .is_some_and(Value::is_string);
    let prefix = overrides.prompt_prefix();
    let suffix = overrides.prompt_suffix();
    let wrap = if prefix.is_empty() {
        "/promptSuffix"
    } else {
        "/promptPrefix"
    };
    let is_wrapped = !prefix.is_empty() || !suffix.is_empty();
    if !is_named && !is_wrapped {
        return Vec::new();
    }
    let field = overrides.prompt_field();
    let path = if is_named { "/promptField" } else { wrap };
    let places = document.property(field, Reach::Possible);
    if places.is_empty() {
        return match is_missed(document, overrides, is_named) {
            true => vec![missing(field, is_named).at(path)],
            false => Vec::new(),
        };
    }
    let certain = document.property(field, Reach::Certain);
    if !certain
        .iter()
        .all(|place| may_be_text(document, place, DEEPEST_LOOK))
    {
        let message = format!(
            "needs a text to wrap, but the base model's input {:?} is none: name a text input in promptField",
            clip(field)
        );
        return vec![Misfit::new("type", message).at(path)];
    }
    let mut issues = Vec::new();
    if is_wrapped {
        let added = prefix.chars().count() + suffix.chars().count();
        let limits = certain
            .iter()
            .filter_map(|place| longest_text(document, place));
        if let Some(limit) = limits.min()
            && u64::try_from(added).is_ok_and(|added| added >= limit)
        {
            let message = format!(
                "leaves no room for the consumer's text: prefix and suffix have {added} characters together, and {:?} holds at most {limit}",
                clip(field)
            );
            issues.push(Misfit::new("maxLength", message).at(wrap));
        }
    }
    issues
}

/// Whether it is a mistake that the schema does not declare the prompt field. A schema that
/// describes no inputs at all says nothing about a prompt either.
fn is_missed(document: &Document<'_>, overrides: &ConfigOverrides, is_named: bool) -> bool {
    let field = overrides.prompt_field();
    let is_preset = [overrides.default_inputs(), overrides.locked_inputs()]
        .into_iter()
        .flatten()
        .any(|values| values.contains_key(field));
    let describes_inputs = !document.property_names(Reach::Possible).is_empty()
        || document
            .at("/additionalProperties")
            .is_some_and(|rule| *rule == Value::Bool(false));
    is_named || (describes_inputs && !is_preset)
}

fn missing(field: &str, is_named: bool) -> Misfit {
    let field = clip(field);
    let message = if is_named {
        format!("must be an input of the base model, which has none named {field:?}")
    } else {
        format!(
            "has no text to wrap, because the base model has no input {field:?}: name its text input in promptField"
        )
    };
    Misfit::new("properties", message)
}

/// Whether the schema at `pointer` lets a text through, as far as its types tell.
fn may_be_text(document: &Document<'_>, pointer: &str, looks_left: usize) -> bool {
    let (Some(schema), Some(left)) = (document.at(pointer), looks_left.checked_sub(1)) else {
        return true;
    };
    let allowed_type = match schema.get("type") {
        Some(Value::String(one)) => one == "string",
        Some(Value::Array(several)) => several.iter().any(|one| one == "string"),
        _ => true,
    };
    let choices_allow = ["anyOf", "oneOf"].iter().all(|keyword| {
        match schema.get(*keyword).and_then(Value::as_array) {
            None => true,
            Some(choices) => (0..choices.len())
                .any(|index| may_be_text(document, &format!("{pointer}/{keyword}/{index}"), left)),
        }
    });
    *schema != Value::Bool(false)
        && allowed_type
        && choices_allow
        && document
            .neighbours(pointer, Reach::Certain)
            .iter()
            .all(|next| may_be_text(document, next, left))
}

/// The smallest length limit that holds for every text at `pointer`.
fn longest_text(document: &Document<'_>, pointer: &str) -> Option<u64> {
    document
        .same_value(pointer, Reach::Certain)
        .iter()
        .filter_map(|place| document.at(place)?.get("maxLength")?.as_u64())
        .min()
}
