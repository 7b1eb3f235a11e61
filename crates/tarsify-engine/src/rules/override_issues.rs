//! Where a developer's configuration does not fit the base model's input schema.

use std::collections::HashSet;

use jsonschema::{Draft, Registry, Validator};
use serde_json::{Map, Value, json};
use tarsify_domain::catalog::{ConfigOverrides, InputSchema};
use tarsify_domain::{Issue, Misfit};

use super::prompt_issues::prompt_issues;
use crate::concealed::hidden_names;
use crate::cost::Costs;
use crate::document::{Document, Reach, depth, fragment, join};
use crate::explain::{faults, short};
use crate::merge::wrap_prompt;
use crate::validator::{DEEPEST, MOST_ISSUES, options};

/// The name under which the base schema is known to the schemas built here.
const BASE: &str = "urn:tarsify:base-schema";

/// Every fault, at most [`MOST_ISSUES`], with paths relative to the overrides.
pub(super) fn override_issues(schema: &InputSchema, overrides: &ConfigOverrides) -> Vec<Issue> {
    if !super::schema_issues(schema).is_empty() {
        let message = "cannot be checked, because the base model's input schema is not valid: ask its operator to mend it";
        return vec![Misfit::new("schema", message).at("")];
    }
    let base = schema.to_value();
    let document = Document::new(&base);
    let mut issues = value_issues(&document, &base, overrides);
    issues.extend(hidden_issues(&document, overrides));
    issues.extend(prompt_issues(&document, overrides));
    issues.truncate(MOST_ISSUES);
    issues
}

fn value_issues(document: &Document<'_>, base: &Value, overrides: &ConfigOverrides) -> Vec<Issue> {
    let groups = [
        ("/defaultInputs", overrides.default_inputs(), Wrap::Prompt),
        ("/lockedInputs", overrides.locked_inputs(), Wrap::Prompt),
        ("/secretInputs", overrides.secret_inputs(), Wrap::Nothing),
    ];
    if groups.iter().all(|(_, values, _)| values.is_none()) {
        return Vec::new();
    }
    let (Some(validator), Ok(costs)) = (single_values(document, base), Costs::of(document)) else {
        // The schema compiled as a whole, so runs are still checked; only this early word is lost.
        return Vec::new();
    };
    let mut issues = Vec::new();
    for (place, values, wrap) in groups {
        for (name, value) in values.into_iter().flatten() {
            let sent = as_sent(name, value, overrides, wrap);
            let field = join(place, name);
            if depth(value) > DEEPEST {
                let message = format!("must not be nested deeper than {DEEPEST} levels");
                issues.push(Misfit::new("maxDepth", message).at(field));
                continue;
            }
            if validator.is_valid(&sent) {
                continue;
            }
            if !costs.can_tell_faults(&sent) {
                let message = "does not fit the base model's input schema, and is too large or too deeply nested to say where";
                issues.push(Misfit::new("schema", message).at(field));
                continue;
            }
            issues.extend(
                fits(&validator, &sent, value, &join("", name)).map(|issue| issue.under(place)),
            );
        }
    }
    issues
}

#[derive(Clone, Copy)]
enum Wrap {
    /// The prompt is sent with prefix and suffix.
    Prompt,
    Nothing,
}

fn as_sent(name: &str, value: &Value, overrides: &ConfigOverrides, wrap: Wrap) -> Value {
    let mut sent = Map::from_iter([(name.to_owned(), value.clone())]);
    if matches!(wrap, Wrap::Prompt) {
        wrap_prompt(&mut sent, overrides);
    }
    Value::Object(sent)
}

fn fits(
    validator: &Validator,
    sent: &Value,
    written: &Value,
    field: &str,
) -> impl Iterator<Item = Issue> {
    let mut issues: Vec<Issue> = Vec::new();
    for error in validator.iter_errors(sent).take(MOST_ISSUES) {
        for fault in faults(&error) {
            let mut issue = fault.into_issue();
            // There is but one field, so a rule of the whole object is broken by it.
            if issue.path.is_empty() {
                field.clone_into(&mut issue.path);
            }
            if issue.path == field {
                let known = issue.code != "additionalProperties";
                issue.message = if known {
                    format!("{}, not {}", issue.message, short(written))
                } else {
                    "is not an input of the base model: remove it".to_owned()
                };
            }
            if !issues.contains(&issue) {
                issues.push(issue);
            }
        }
    }
    issues.into_iter()
}

/// A validator for one field at a time: of the rules about the whole object it has only those
/// that say what a field of some name may hold.
fn single_values(document: &Document<'_>, base: &Value) -> Option<Validator> {
    let refer = |pointer: &str| json!({ "$ref": format!("{BASE}#{}", fragment(pointer)) });
    let mut rules = Vec::new();
    for pointer in document.same_value("", Reach::Certain) {
        let mut rule = Map::new();
        for keyword in ["properties", "patternProperties"] {
            let place = join(&pointer, keyword);
            if let Some(named) = document.at(&place).and_then(Value::as_object) {
                let named = named
                    .keys()
                    .map(|name| (name.clone(), refer(&join(&place, name))))
                    .collect();
                rule.insert(keyword.to_owned(), Value::Object(named));
            }
        }
        for keyword in ["additionalProperties", "propertyNames"] {
            let place = join(&pointer, keyword);
            match document.at(&place) {
                Some(Value::Bool(allowed)) => {
                    rule.insert(keyword.to_owned(), Value::Bool(*allowed));
                }
                Some(Value::Object(_)) => {
                    rule.insert(keyword.to_owned(), refer(&place));
                }
                _ => {}
            }
        }
        rules.push(Value::Object(rule));
    }
    let registry = Registry::new()
        .draft(Draft::Draft202012)
        .add(BASE, base)
        .ok()?
        .prepare()
        .ok()?;
    options()
        .with_registry(&registry)
        .build(&json!({ "allOf": rules }))
        .ok()
}

/// A required field that is hidden without a secret value makes every run fail.
fn hidden_issues(document: &Document<'_>, overrides: &ConfigOverrides) -> Vec<Issue> {
    let hidden = hidden_names(overrides);
    if hidden.is_empty() {
        return Vec::new();
    }
    let required: HashSet<&str> = document
        .same_value("", Reach::Certain)
        .iter()
        .filter_map(|pointer| document.at(pointer)?.get("required")?.as_array())
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let is_secret = |name: &str| {
        overrides
            .secret_inputs()
            .is_some_and(|secret| secret.contains_key(name))
    };
    let fields = overrides.as_object().get("hiddenFields");
    fields
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .enumerate()
        .filter_map(|(index, field)| Some((index, field.as_str()?)))
        .filter(|(_, name)| required.contains(name) && !is_secret(name))
        .map(|(index, _)| {
            let message = "is required by the base model, so that no run could succeed without it: give its value in secretInputs, or do not hide it";
            Misfit::new("required", message).at(format!("/hiddenFields/{index}"))
        })
        .collect()
}
