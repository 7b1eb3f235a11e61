//! Removes what lost its purpose with the concealed fields: references into parts that left,
//! and definitions that nothing refers to any more.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::document::{Document, REFERENCES, Reach, children, join};

const DEFINITIONS: [&str; 2] = ["$defs", "definitions"];

/// Cleans `view` until every reference in it finds its target and every definition its use.
pub(super) fn remove_leftovers(view: &mut Value) {
    // A definition that leaves can only orphan others that nothing reachable refers to, so
    // one round of each is enough.
    remove_dangling(view);
    remove_unused(view);
}

fn remove_dangling(view: &mut Value) {
    let document = Document::new(view);
    let mut dangling = Vec::new();
    for part in document.parts() {
        for keyword in REFERENCES {
            let reference = part.schema.get(keyword).and_then(Value::as_str);
            if reference.is_some_and(|text| document.target(text).is_none()) {
                dangling.push((part.pointer.clone(), keyword));
            }
        }
    }
    for (pointer, keyword) in dangling {
        if let Some(Value::Object(schema)) = view.pointer_mut(&pointer) {
            schema.shift_remove(keyword);
        }
    }
}

fn remove_unused(view: &mut Value) {
    let document = Document::new(view);
    let used = used_parts(&document);
    let mut unused = Vec::new();
    for pointer in document.same_value("", Reach::Possible) {
        for keyword in DEFINITIONS {
            let place = join(&pointer, keyword);
            let named = document.at(&place).and_then(Value::as_object);
            for name in named.into_iter().flat_map(|named| named.keys()) {
                let definition = join(&place, name);
                let below = format!("{definition}/");
                let is_used = used.contains(&definition)
                    || used
                        .range(below.clone()..)
                        .next()
                        .is_some_and(|next| next.starts_with(&below));
                if !is_used {
                    unused.push((place.clone(), name.clone()));
                }
            }
        }
    }
    for (place, name) in unused {
        if let Some(Value::Object(named)) = view.pointer_mut(&place) {
            named.shift_remove(&name);
        }
    }
}

/// Every schema that checking an input could come to.
fn used_parts(document: &Document<'_>) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    let mut open = vec![String::new()];
    while let Some(pointer) = open.pop() {
        let Some(schema) = document.at(&pointer) else {
            continue;
        };
        if !used.insert(pointer.clone()) {
            continue;
        }
        let parts = children(schema, &pointer).into_iter();
        open.extend(
            parts
                .filter(|part| !DEFINITIONS.contains(&part.keyword))
                .map(|part| part.pointer),
        );
        open.extend(document.references(&pointer));
    }
    used
}
