//! Takes concealed fields out of every schema that speaks of the inputs object, and loosens
//! the rules that would be wrong without them.

use std::collections::HashSet;

use serde_json::{Map, Value};

use crate::document::{Document, Reach, join};

/// Keywords whose value is one object of the kind the schema describes, or a list of such.
const INSTANCES: [&str; 4] = ["default", "examples", "enum", "const"];
/// Keywords with schemas, each cleaned by itself when it speaks of the inputs object.
const SCHEMAS: [&str; 18] = [
    "$defs",
    "additionalProperties",
    "allOf",
    "anyOf",
    "contains",
    "contentSchema",
    "definitions",
    "else",
    "if",
    "items",
    "not",
    "oneOf",
    "prefixItems",
    "properties",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
];

/// Removes `names` from `view`, which is a copy of the document `base`.
pub(super) fn remove_fields(view: &mut Value, base: &Document<'_>, names: &HashSet<&str>) {
    let mut places = base.same_value("", Reach::Possible);
    // The deepest first: loosening a rule moves what stands below it.
    places.sort_by_key(|pointer| std::cmp::Reverse(pointer.matches('/').count()));
    let mut changed: HashSet<String> = HashSet::new();
    for pointer in &places {
        if let Some(Value::Object(schema)) = view.pointer_mut(pointer)
            && remove_from_one(schema, names)
        {
            changed.insert(pointer.clone());
        }
    }
    spread(&mut changed, &places, base);
    for pointer in &places {
        if let Some(Value::Object(schema)) = view.pointer_mut(pointer) {
            loosen(schema, pointer, &changed);
        }
    }
}

/// Adds the schemas that reach a changed one: they changed their meaning too.
fn spread(changed: &mut HashSet<String>, places: &[String], base: &Document<'_>) {
    let edges: Vec<(&String, Vec<String>)> = places
        .iter()
        .map(|place| (place, base.neighbours(place, Reach::Possible)))
        .collect();
    loop {
        let before = changed.len();
        for (place, neighbours) in &edges {
            if neighbours.iter().any(|next| changed.contains(next)) {
                changed.insert((*place).clone());
            }
        }
        if changed.len() == before {
            return;
        }
    }
}

/// Says whether the schema now allows other objects than before.
fn remove_from_one(schema: &mut Map<String, Value>, names: &HashSet<&str>) -> bool {
    let mut changed = false;
    for keyword in ["properties", "dependentSchemas"] {
        if let Some(Value::Object(named)) = schema.get_mut(keyword) {
            changed |= remove_keys(named, names);
        }
    }
    if let Some(Value::Array(required)) = schema.get_mut("required") {
        changed |= remove_texts(required, names);
    }
    for keyword in ["dependentRequired", "dependencies"] {
        if let Some(Value::Object(lists)) = schema.get_mut(keyword) {
            changed |= remove_keys(lists, names);
            for list in lists.values_mut().filter_map(Value::as_array_mut) {
                changed |= remove_texts(list, names);
            }
        }
    }
    changed |= remove_name_rules(schema, names);
    for keyword in INSTANCES {
        if let Some(value) = schema.get_mut(keyword) {
            // Annotations as well as rules: a needless loosening is better than a wrong rule.
            changed |= remove_from_instances(value, names);
        }
    }
    for (keyword, value) in schema.iter_mut() {
        if is_unknown(keyword) {
            remove_everywhere(value, names);
        }
    }
    changed
}

fn is_unknown(keyword: &str) -> bool {
    const CLEANED: [&str; 6] = [
        "dependencies",
        "dependentRequired",
        "dependentSchemas",
        "patternProperties",
        "required",
        "type",
    ];
    !INSTANCES.contains(&keyword) && !SCHEMAS.contains(&keyword) && !CLEANED.contains(&keyword)
}

/// `patternProperties` and `propertyNames` can spell a field's name.
fn remove_name_rules(schema: &mut Map<String, Value>, names: &HashSet<&str>) -> bool {
    let mut changed = false;
    if let Some(Value::Object(patterns)) = schema.get_mut("patternProperties") {
        let before = patterns.len();
        patterns.retain(|pattern, _| !spells_any(pattern, names));
        changed |= patterns.len() != before;
    }
    if changed {
        // What the lost pattern allowed must not be refused as additional.
        schema.shift_remove("additionalProperties");
        schema.shift_remove("unevaluatedProperties");
    }
    if let Some(rule) = schema.get_mut("propertyNames") {
        if let Some(Value::Array(allowed)) = rule.get_mut("enum") {
            changed |= remove_texts(allowed, names);
        }
        if mentions(rule, names) {
            schema.shift_remove("propertyNames");
            changed = true;
        }
    }
    changed
}

/// Makes the rules milder that a changed schema below them would have made stricter.
fn loosen(schema: &mut Map<String, Value>, pointer: &str, changed: &HashSet<String>) {
    let is_changed = |keyword: &str| changed.contains(&join(pointer, keyword));
    if is_changed("not") {
        schema.shift_remove("not");
    }
    if is_changed("if") {
        for keyword in ["if", "then", "else"] {
            schema.shift_remove(keyword);
        }
    }
    let prefix = format!("{}/", join(pointer, "oneOf"));
    let branch_changed = changed.iter().any(|place| {
        place
            .strip_prefix(&prefix)
            .is_some_and(|rest| !rest.contains('/'))
    });
    if branch_changed && let Some(branches) = schema.shift_remove("oneOf") {
        if schema.contains_key("anyOf") {
            let both = schema
                .entry("allOf")
                .or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(both) = both {
                both.push(Value::Object(Map::from_iter([(
                    "anyOf".to_owned(),
                    branches,
                )])));
            }
        } else {
            schema.insert("anyOf".to_owned(), branches);
        }
    }
}

fn remove_keys(object: &mut Map<String, Value>, names: &HashSet<&str>) -> bool {
    let before = object.len();
    object.retain(|key, _| !names.contains(key.as_str()));
    object.len() != before
}

fn remove_texts(list: &mut Vec<Value>, names: &HashSet<&str>) -> bool {
    let before = list.len();
    list.retain(|item| !item.as_str().is_some_and(|text| names.contains(text)));
    list.len() != before
}

fn remove_from_instances(value: &mut Value, names: &HashSet<&str>) -> bool {
    match value {
        Value::Object(object) => remove_keys(object, names),
        Value::Array(objects) => {
            let mut changed = false;
            for object in objects.iter_mut().filter_map(Value::as_object_mut) {
                changed |= remove_keys(object, names);
            }
            changed
        }
        _ => false,
    }
}

/// For keywords of other tools, such as the order of a form's fields.
fn remove_everywhere(value: &mut Value, names: &HashSet<&str>) {
    match value {
        Value::Object(object) => {
            remove_keys(object, names);
            for item in object.values_mut() {
                remove_everywhere(item, names);
            }
        }
        Value::Array(items) => {
            remove_texts(items, names);
            for item in items {
                remove_everywhere(item, names);
            }
        }
        _ => {}
    }
}

fn mentions(value: &Value, names: &HashSet<&str>) -> bool {
    match value {
        Value::String(text) => spells_any(text, names),
        Value::Array(items) => items.iter().any(|item| mentions(item, names)),
        Value::Object(object) => object
            .iter()
            .any(|(key, item)| spells_any(key, names) || mentions(item, names)),
        _ => false,
    }
}

/// Whether a text has one of the names in it as a word of its own.
fn spells_any(text: &str, names: &HashSet<&str>) -> bool {
    let is_part = |character: char| character.is_alphanumeric() || character == '_';
    names.iter().filter(|name| !name.is_empty()).any(|name| {
        text.match_indices(name).any(|(start, found)| {
            let before = text.get(..start).unwrap_or_default().chars().next_back();
            let after = text.get(start + found.len()..).unwrap_or_default();
            !before.is_some_and(is_part) && !after.chars().next().is_some_and(is_part)
        })
    })
}
