//! A JSON Schema document as a graph: where its sub-schemas stand, what its references point
//! to, and which sub-schemas speak of the same object as the root. Never looks outside it.

mod pointer;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

pub(crate) use pointer::{fragment, join, unescape_fragment};

/// Keywords that hold one schema.
const SINGLE: [&str; 11] = [
    "additionalProperties",
    "contains",
    "contentSchema",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
];
/// Keywords that hold a list of schemas.
const LISTS: [&str; 4] = ["allOf", "anyOf", "oneOf", "prefixItems"];
/// Keywords that hold schemas under names.
const NAMED: [&str; 6] = [
    "$defs",
    "definitions",
    "dependencies",
    "dependentSchemas",
    "patternProperties",
    "properties",
];
/// Keywords whose schemas speak of the same value as the schema they stand in.
const SAME_VALUE: [&str; 9] = [
    "allOf",
    "anyOf",
    "dependencies",
    "dependentSchemas",
    "else",
    "if",
    "not",
    "oneOf",
    "then",
];
/// Keywords that point to a schema.
pub(crate) const REFERENCES: [&str; 2] = ["$ref", "$dynamicRef"];

/// Which schemas count as speaking of the same value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Those that every value must satisfy: `allOf` and references.
    Certain,
    /// Those that some values must satisfy, or must not: every in-place keyword.
    Possible,
}

impl Reach {
    fn follows(self, keyword: &str) -> bool {
        match self {
            Self::Certain => keyword == "allOf",
            Self::Possible => SAME_VALUE.contains(&keyword),
        }
    }
}

/// One schema inside a document.
#[derive(Debug, Clone)]
pub(crate) struct Part<'a> {
    pub(crate) pointer: String,
    /// The keyword of the enclosing schema that holds it; empty for the root.
    pub(crate) keyword: &'a str,
    pub(crate) schema: &'a Value,
}

/// A schema document with its anchors looked up.
#[derive(Debug)]
pub(crate) struct Document<'a> {
    root: &'a Value,
    parts: Vec<Part<'a>>,
    anchors: BTreeMap<&'a str, String>,
}

impl<'a> Document<'a> {
    pub(crate) fn new(root: &'a Value) -> Self {
        let parts = every_part(root);
        let mut anchors = BTreeMap::new();
        for part in &parts {
            for keyword in ["$anchor", "$dynamicAnchor"] {
                if let Some(name) = part.schema.get(keyword).and_then(Value::as_str) {
                    anchors.entry(name).or_insert_with(|| part.pointer.clone());
                }
            }
        }
        Self {
            root,
            parts,
            anchors,
        }
    }

    /// Every schema of the document that stands where a schema may stand, the root first.
    pub(crate) fn parts(&self) -> &[Part<'a>] {
        &self.parts
    }

    pub(crate) fn at(&self, pointer: &str) -> Option<&'a Value> {
        self.root.pointer(pointer)
    }

    /// The pointer that a reference means, when it stays inside the document and finds a schema.
    pub(crate) fn target(&self, reference: &str) -> Option<String> {
        let name = unescape_fragment(reference.strip_prefix('#')?)?;
        let pointer = if name.is_empty() || name.starts_with('/') {
            name
        } else {
            self.anchors.get(name.as_str())?.clone()
        };
        let schema = self.at(&pointer)?;
        (schema.is_object() || schema.is_boolean()).then_some(pointer)
    }

    /// The schemas that speak of the same value as the schema at `pointer`: its own in-place
    /// sub-schemas and what its references point to.
    pub(crate) fn neighbours(&self, pointer: &str, reach: Reach) -> Vec<String> {
        let Some(schema) = self.at(pointer) else {
            return Vec::new();
        };
        let in_place = children(schema, pointer)
            .into_iter()
            .filter(|part| reach.follows(part.keyword))
            .map(|part| part.pointer);
        in_place.chain(self.references(pointer)).collect()
    }

    /// What the references of the schema at `pointer` itself point to.
    pub(crate) fn references(&self, pointer: &str) -> Vec<String> {
        let schema = self.at(pointer);
        REFERENCES
            .iter()
            .filter_map(|keyword| schema?.get(*keyword)?.as_str())
            .filter_map(|reference| self.target(reference))
            .collect()
    }

    /// Every schema that speaks of the value the schema at `start` speaks of, itself first.
    pub(crate) fn same_value(&self, start: &str, reach: Reach) -> Vec<String> {
        let mut found = vec![start.to_owned()];
        let mut seen = BTreeSet::from([start.to_owned()]);
        let mut next = 0;
        while let Some(pointer) = found.get(next).cloned() {
            next += 1;
            for neighbour in self.neighbours(&pointer, reach) {
                if seen.insert(neighbour.clone()) {
                    found.push(neighbour);
                }
            }
        }
        found
    }

    /// The schemas that `name` has as a property of the root, as pointers.
    pub(crate) fn property(&self, name: &str, reach: Reach) -> Vec<String> {
        self.same_value("", reach)
            .into_iter()
            .map(|pointer| join(&join(&pointer, "properties"), name))
            .filter(|pointer| self.at(pointer).is_some())
            .collect()
    }

    /// The names of the properties that the root declares anywhere.
    pub(crate) fn property_names(&self, reach: Reach) -> BTreeSet<&'a str> {
        self.same_value("", reach)
            .iter()
            .filter_map(|pointer| self.at(pointer)?.get("properties")?.as_object())
            .flat_map(|properties| properties.keys().map(String::as_str))
            .collect()
    }
}

/// The schemas directly inside `schema`, which stands at `pointer`.
pub(crate) fn children<'a>(schema: &'a Value, pointer: &str) -> Vec<Part<'a>> {
    let mut parts = Vec::new();
    for (keyword, value) in schema.as_object().into_iter().flatten() {
        let keyword = keyword.as_str();
        let place = || join(pointer, keyword);
        let mut add = |pointer: String, schema: &'a Value| {
            if schema.is_object() || schema.is_boolean() {
                parts.push(Part {
                    pointer,
                    keyword,
                    schema,
                });
            }
        };
        if SINGLE.contains(&keyword) {
            add(place(), value);
        } else if LISTS.contains(&keyword) {
            for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                add(format!("{}/{index}", place()), item);
            }
        } else if NAMED.contains(&keyword) {
            for (name, item) in value.as_object().into_iter().flatten() {
                add(join(&place(), name), item);
            }
        }
    }
    parts
}

fn every_part(root: &Value) -> Vec<Part<'_>> {
    let mut parts = vec![Part {
        pointer: String::new(),
        keyword: "",
        schema: root,
    }];
    let mut next = 0;
    // A list instead of recursion: a hostile document must not use up the stack.
    while let Some(part) = parts.get(next) {
        next += 1;
        let found = children(part.schema, &part.pointer);
        parts.extend(found);
    }
    parts
}

/// How many objects and arrays stand inside each other at the deepest place of `value`.
pub(crate) fn depth(value: &Value) -> usize {
    extent(value).depth
}

/// How large a value is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extent {
    /// How many objects and arrays stand inside each other at the deepest place.
    pub(crate) depth: usize,
    /// How many values it is made of, itself included.
    pub(crate) values: u32,
}

pub(crate) fn extent(value: &Value) -> Extent {
    let mut deepest = 0;
    let mut values: u32 = 0;
    let mut open = vec![(value, 1)];
    while let Some((value, level)) = open.pop() {
        values = values.saturating_add(1);
        match value {
            Value::Object(object) => open.extend(object.values().map(|item| (item, level + 1))),
            Value::Array(items) => open.extend(items.iter().map(|item| (item, level + 1))),
            _ => continue,
        }
        deepest = deepest.max(level);
    }
    Extent {
        depth: deepest,
        values,
    }
}

#[cfg(test)]
mod tests;
