//! How long it takes to merge inputs, to make a consumer's schema and to validate inputs.

use divan::{Bencher, black_box};
use serde_json::{Map, Value, json};
use tarsify_domain::catalog::{ConfigOverrides, InputSchema};
use tarsify_engine::{CompiledSchema, InputValidator, merge_inputs, process_schema};

fn main() {
    divan::main();
}

struct Model {
    schema: InputSchema,
    overrides: ConfigOverrides,
    inputs: Map<String, Value>,
}

/// An image model as a developer might brand it.
fn model() -> Option<Model> {
    let schema = InputSchema::parse(json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "prompt": {"type": "string", "minLength": 1, "maxLength": 1000},
            "negative_prompt": {"type": "string", "maxLength": 1000},
            "style": {"enum": ["anime", "photo", "oil"], "default": "photo"},
            "width": {"$ref": "#/$defs/side"},
            "height": {"$ref": "#/$defs/side"},
            "steps": {"type": "integer", "minimum": 1, "maximum": 100, "default": 30},
            "guidance": {"type": "number", "minimum": 0, "maximum": 20},
            "seed": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
            "loras": {"type": "array", "maxItems": 4, "items": {"type": "string"}},
        },
        "required": ["prompt"],
        "$defs": {"side": {"type": "integer", "minimum": 64, "maximum": 2048, "multipleOf": 8}},
    }))
    .ok()?;
    let overrides = ConfigOverrides::parse(json!({
        "defaultInputs": {"style": "anime", "steps": 40},
        "lockedInputs": {"width": 1024, "height": 1024},
        "hiddenFields": ["negative_prompt", "guidance"],
        "secretInputs": {"negative_prompt": "blurry, low quality"},
        "promptPrefix": "anime style, ",
        "promptSuffix": ", high quality",
    }))
    .ok()?;
    let inputs = json!({"prompt": "sunset over the sea", "seed": 7, "loras": ["a", "b"]});
    let inputs = inputs.as_object().cloned()?;
    Some(Model {
        schema,
        overrides,
        inputs,
    })
}

#[divan::bench]
fn merge(bencher: Bencher<'_, '_>) {
    let Some(model) = model() else { return };
    bencher.bench(|| merge_inputs(black_box(&model.inputs), black_box(&model.overrides)));
}

#[divan::bench]
fn process(bencher: Bencher<'_, '_>) {
    let Some(model) = model() else { return };
    bencher.bench(|| process_schema(black_box(&model.schema), black_box(&model.overrides)));
}

#[divan::bench]
fn compile(bencher: Bencher<'_, '_>) {
    let Some(model) = model() else { return };
    bencher.bench(|| CompiledSchema::compile(black_box(&model.schema)));
}

#[divan::bench]
fn validate_warm(bencher: Bencher<'_, '_>) {
    let Some(model) = model() else { return };
    let validator = InputValidator::default();
    bencher.bench(|| {
        validator.validate_inputs(
            black_box(&model.schema),
            black_box(&model.overrides),
            black_box(&model.inputs),
        )
    });
}

#[divan::bench]
fn validate_with_a_kept_schema(bencher: Bencher<'_, '_>) {
    let Some(model) = model() else { return };
    let Ok(compiled) = CompiledSchema::compile(&model.schema) else {
        return;
    };
    bencher
        .bench(|| compiled.validate_inputs(black_box(&model.overrides), black_box(&model.inputs)));
}
