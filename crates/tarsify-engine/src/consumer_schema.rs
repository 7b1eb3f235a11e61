//! What a consumer sees of a base model's input schema. Hidden and secret inputs are in no
//! part of it that JSON Schema knows; free text of the operator (`title`, `description`,
//! `$comment`) is left as he wrote it.

mod clean;
mod prune;

use serde_json::{Map, Value};
use tarsify_domain::catalog::{ConfigOverrides, InputSchema};

use crate::concealed::concealed_names;
use crate::document::{Document, Reach, join};

/// The input schema as a consumer sees it. `base` is not touched.
///
/// - Hidden and secret fields leave `properties`, `required`, `dependentRequired`,
///   `dependentSchemas`, `patternProperties` and `propertyNames`, and the objects in `default`,
///   `examples`, `enum` and `const`, in every sub-schema that speaks of the inputs object: the
///   root, its `allOf`, `anyOf`, `oneOf`, `not`, `if`, `then`, `else`, `dependentSchemas`, and
///   the `$defs` that those refer to. A definition that is used for the inputs object and
///   inside it as well loses the fields in both places.
/// - Where taking a field away would turn a rule against the consumer, the rule is loosened:
///   `not` and `if` that spoke of such a field leave, `oneOf` becomes `anyOf`. The shown schema
///   may thus allow more than the base model does, never less.
/// - References into a part that left leave too, and so do definitions that nothing uses any
///   more.
/// - Locked fields get `readOnly: true` and their value as `default`; `defaultInputs` fill
///   `default` where there is none. Both only where the schema declares the property.
/// - The prompt's prefix and suffix appear nowhere.
#[must_use]
pub fn process_schema(base: &InputSchema, overrides: &ConfigOverrides) -> Value {
    let base = base.to_value();
    let concealed = concealed_names(overrides);
    let mut view = base.clone();
    if !concealed.is_empty() {
        clean::remove_fields(&mut view, &Document::new(&base), &concealed);
        prune::remove_leftovers(&mut view);
    }
    let shown = |name: &String| !concealed.contains(name.as_str());
    let locked = overrides.locked_inputs().into_iter().flatten();
    for (name, value) in locked.filter(|(name, _)| shown(name)) {
        annotate(&mut view, name, |property| {
            property.insert("readOnly".to_owned(), Value::Bool(true));
            property.insert("default".to_owned(), value.clone());
        });
    }
    let defaults = overrides.default_inputs().into_iter().flatten();
    for (name, value) in defaults.filter(|(name, _)| shown(name)) {
        annotate(&mut view, name, |property| {
            if !property.contains_key("default") {
                property.insert("default".to_owned(), value.clone());
            }
        });
    }
    view
}

/// Writes to the property's schema: at the root when it is declared there, otherwise wherever
/// the inputs object has it.
fn annotate(view: &mut Value, name: &str, write: impl Fn(&mut Map<String, Value>)) {
    let at_root = join("/properties", name);
    let places = if view.pointer(&at_root).is_some() {
        vec![at_root]
    } else {
        Document::new(view).property(name, Reach::Possible)
    };
    for place in places {
        match view.pointer_mut(&place) {
            Some(Value::Object(property)) => write(property),
            // `true` says the same as `{}`, which can hold annotations.
            Some(property) if *property == Value::Bool(true) => {
                let mut object = Map::new();
                write(&mut object);
                *property = Value::Object(object);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
