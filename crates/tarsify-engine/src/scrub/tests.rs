//! What is concealed never comes back, whichever way a provider echoes it, and what is not is
//! left as it was.

mod echoes;
mod edges;
mod laws;
mod pieces;
mod secrets;
mod speed;

use serde_json::{Map, Value, json};
use tarsify_domain::catalog::ConfigOverrides;
use tarsify_domain::execution::{Concealed, Material};

use super::{Scrubber, conceal};
use crate::merge::merge_inputs;

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        other => panic!("{other} is no object"),
    }
}

pub(super) fn material(inputs: Value, overrides: Value) -> Material {
    let inputs = object(inputs);
    let overrides = ConfigOverrides::parse(overrides).unwrap();
    let payload = merge_inputs(&inputs, &overrides);
    let concealed = conceal(&overrides, &inputs, &payload);
    Material {
        inputs,
        payload,
        concealed,
    }
}

fn concealed(inputs: Value, overrides: Value) -> Concealed {
    material(inputs, overrides).concealed
}

/// The model of most tests.
pub(super) fn anime() -> Material {
    material(
        json!({"prompt": "sunset", "seed": 7}),
        json!({
            "promptPrefix": "anime style, ",
            "promptSuffix": ", say \"highest quality\" é",
            "secretInputs": {"token": "CANARY-1234567", "depth": {"levels": ["inner-secret", 9]}},
            "lockedInputs": {"width": 1024},
        }),
    )
}

fn text(material: &Material, text: &str) -> String {
    Scrubber::new(material).scrub_text(text)
}

fn value(material: &Material, value: Value) -> Value {
    Scrubber::new(material).scrub_value(value)
}
