//! What keeps a JSON object from being the input schema of a base model.

use serde_json::Value;
use tarsify_domain::catalog::InputSchema;
use tarsify_domain::{Issue, Misfit};

use crate::cost::Costs;
use crate::document::{Document, Part, REFERENCES, depth, join};
use crate::explain::{Fault, clip, faults, short};
use crate::validator::{DEEPEST, LARGEST_PATTERN, MOST_ISSUES, build};

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";
/// How many patterns one schema may have: each may take [`LARGEST_PATTERN`] bytes of memory.
const MOST_PATTERNS: usize = 100;

/// Every fault of the schema, at most [`MOST_ISSUES`]; none means that it compiles.
pub(crate) fn schema_issues(schema: &InputSchema) -> Vec<Issue> {
    let value = schema.to_value();
    if depth(&value) > DEEPEST {
        let message = format!("must not be nested deeper than {DEEPEST} levels");
        return vec![Misfit::new("maxDepth", message).at("")];
    }
    let document = Document::new(&value);
    let mut issues = root_issues(&value);
    for part in document.parts() {
        issues.extend(identity_issues(part));
        issues.extend(reference_issues(part, &document));
    }
    issues.extend(pattern_issues(&document));
    add_meta_issues(&value, &mut issues);
    if issues.is_empty() {
        issues.extend(Costs::of(&document).err());
    }
    if issues.is_empty()
        && let Err(error) = build(&value)
    {
        // What the checks above know nothing of, such as a fault behind an unusual reference.
        let message = clip(&error.to_string());
        issues.push(Misfit::new("schema", format!("cannot be used: {message}")).at(""));
    }
    issues.truncate(MOST_ISSUES);
    issues
}

fn root_issues(root: &Value) -> Vec<Issue> {
    let mut issues = Vec::new();
    match root.get("$schema") {
        None => {}
        Some(Value::String(dialect)) if dialect.trim_end_matches('#') == DIALECT => {}
        Some(other) => {
            let message = format!(
                "must be {DIALECT:?} or left out, not {}: other dialects are not understood",
                short(other)
            );
            issues.push(Misfit::new("$schema", message).at("/$schema"));
        }
    }
    match root.get("type") {
        Some(Value::String(kind)) if kind == "object" => {}
        None => issues.push(
            Misfit::new(
                "type",
                "must say \"type\": \"object\", because inputs are an object",
            )
            .at(""),
        ),
        Some(other) => {
            let message = format!(
                "must be \"object\", because inputs are an object, not {}",
                short(other)
            );
            issues.push(Misfit::new("type", message).at("/type"));
        }
    }
    issues
}

/// A part that names itself or speaks another dialect would change what references mean.
fn identity_issues(part: &Part<'_>) -> Vec<Issue> {
    let mut issues = Vec::new();
    let mut refuse = |keyword: &'static str, message: &str| {
        if part.schema.get(keyword).is_some() {
            issues.push(Misfit::new(keyword, message).at(join(&part.pointer, keyword)));
        }
    };
    refuse(
        "$id",
        "must be left out: an input schema is one document without a name, and its references start with #",
    );
    refuse(
        "$vocabulary",
        "must be left out: it is for dialects, not for schemas",
    );
    if !part.pointer.is_empty() {
        refuse(
            "$schema",
            "must be left out: only the whole schema may name its dialect",
        );
    }
    issues
}

fn reference_issues(part: &Part<'_>, document: &Document<'_>) -> Vec<Issue> {
    let mut issues = Vec::new();
    for keyword in REFERENCES {
        let Some(reference) = part.schema.get(keyword).and_then(Value::as_str) else {
            continue;
        };
        let message = if !reference.starts_with('#') {
            format!(
                "must point inside this schema and start with #, not {}: copy the other schema into $defs",
                clip(reference)
            )
        } else if !reference.bytes().all(is_plain) {
            format!(
                "must have spaces and letters outside ASCII percent-encoded, unlike {}",
                clip(reference)
            )
        } else if document.target(reference).is_none() {
            format!("points to {}, where there is no schema", clip(reference))
        } else {
            continue;
        };
        issues.push(Misfit::new(keyword, message).at(join(&part.pointer, keyword)));
    }
    issues
}

/// Whether a byte may stand in a reference as it is.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte)
}

fn pattern_issues(document: &Document<'_>) -> Vec<Issue> {
    let mut patterns: Vec<(String, &str)> = Vec::new();
    for part in document.parts() {
        if let Some(pattern) = part.schema.get("pattern").and_then(Value::as_str) {
            patterns.push((join(&part.pointer, "pattern"), pattern));
        }
        let named = part.schema.get("patternProperties");
        let place = join(&part.pointer, "patternProperties");
        for (pattern, _) in named.and_then(Value::as_object).into_iter().flatten() {
            patterns.push((join(&place, pattern), pattern));
        }
    }
    if patterns.len() > MOST_PATTERNS {
        let message = format!(
            "must have at most {MOST_PATTERNS} patterns, not {}",
            patterns.len()
        );
        return vec![Misfit::new("pattern", message).at("")];
    }
    patterns
        .into_iter()
        .filter(|(_, pattern)| !compiles(pattern))
        .map(|(pointer, _)| {
            let message = format!(
                "must be a regular expression without look-around and back-references, of at most {} KiB when compiled",
                LARGEST_PATTERN / 1024
            );
            Misfit::new("pattern", message).at(pointer)
        })
        .collect()
}

fn compiles(pattern: &str) -> bool {
    build(&serde_json::json!({ "pattern": pattern })).is_ok()
}

fn add_meta_issues(schema: &Value, issues: &mut Vec<Issue>) {
    let meta = jsonschema::draft202012::meta::validator();
    for error in meta.iter_errors(schema).take(MOST_ISSUES) {
        for fault in faults(&error) {
            // What was said above in better words is not said again.
            if !issues.iter().any(|issue| issue.path == fault.pointer) {
                issues.push(fault_of_schema(fault));
            }
        }
    }
}

fn fault_of_schema(fault: Fault) -> Issue {
    let mut issue = fault.into_issue();
    issue.message.push_str(", as JSON Schema 2020-12 has it");
    issue
}
