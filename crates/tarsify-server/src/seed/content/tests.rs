//! The files that are built in fit all they must fit; broken ones are refused with a message
//! that names entry and field.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use tarsify_domain::catalog::{ConfigOverrides, SchemaRules};
use tarsify_engine::{InputValidator, JsonSchemaRules, process_schema};

use super::{BUILT_IN_CATALOG, BUILT_IN_DEMO, Catalog, Demo, SeedBaseModel};

const ENDPOINT: &str = r#"
[[endpoint]]
key = "tts"
name = "Speech"
gpu_type = "L4"
source = "HUB"
placeholder = "placeholder-tts"
"#;

const BASE_MODEL: &str = r#"
[[base_model]]
endpoint = "tts"
slug = "speech"
name = "Speech"
category = "AUDIO"
output_type = "AUDIO"
output_format = "wav"
estimated_seconds = 5
timeout_seconds = 60
active = true
input_schema = '{"type": "object"}'
"#;

const DEVELOPER: &str = r#"
[[developer]]
email = "grace@example.com"
name = "Grace"
"#;

const TARS_MODEL: &str = r#"
[[tars_model]]
developer = "grace@example.com"
base_model = "speech"
title = "Story"
slug = "story"
price = 5
"#;

fn catalog() -> Catalog {
    Catalog::parse(BUILT_IN_CATALOG, "the built-in catalogue").unwrap()
}

fn demo() -> Demo {
    Demo::parse(BUILT_IN_DEMO, "the built-in demo").unwrap()
}

fn base_model<'c>(catalog: &'c Catalog, slug: &str) -> &'c SeedBaseModel {
    let found = catalog
        .base_models
        .iter()
        .find(|model| model.slug.as_str() == slug);
    found.unwrap_or_else(|| panic!("no base model {slug}"))
}

/// The least that a consumer would send.
fn simple_inputs(base: &SeedBaseModel) -> Map<String, Value> {
    let inputs = match base.endpoint.as_str() {
        "tts" => json!({"text": "a sunset"}),
        "sdxl" | "vllm" => json!({"prompt": "a sunset"}),
        "whisper" => json!({"audio": "https://example.com/sunset.mp3"}),
        "comfyui" => json!({"workflow": {"1": {"class_type": "SaveImage", "inputs": {}}}}),
        "mochi" => json!({"positive_prompt": "a sunset"}),
        other => panic!("no inputs for {other}"),
    };
    inputs.as_object().unwrap().clone()
}

/// Every named property below `schema`, with its pointer.
fn properties<'s>(schema: &'s Value, place: &str, found: &mut Vec<(String, &'s Value)>) {
    if let Some(named) = schema.get("properties").and_then(Value::as_object) {
        for (name, property) in named {
            found.push((format!("{place}/{name}"), property));
            properties(property, &format!("{place}/{name}"), found);
        }
    }
    for keyword in ["items", "additionalProperties"] {
        if let Some(inner @ Value::Object(_)) = schema.get(keyword) {
            found.push((format!("{place}/{keyword}"), inner));
            properties(inner, &format!("{place}/{keyword}"), found);
        }
    }
}

#[test]
fn the_catalogue_has_the_six_base_models_and_two_are_switched_off() {
    let catalog = catalog();
    let keys: Vec<&str> = catalog
        .endpoints
        .iter()
        .map(|entry| entry.key.as_str())
        .collect();
    assert_eq!(keys, ["tts", "sdxl", "whisper", "vllm", "comfyui", "mochi"]);
    let models: Vec<(&str, &str, bool)> = catalog
        .base_models
        .iter()
        .map(|model| (model.name.as_str(), model.category.as_str(), model.active))
        .collect();
    assert_eq!(
        models,
        [
            ("Text to Speech", "AUDIO", true),
            ("Image Generator", "IMAGE", true),
            ("Speech to Text", "TEXT", true),
            ("AI Chat", "TEXT", true),
            ("Pro Image Studio", "IMAGE", false),
            ("Video Generator", "VIDEO", false),
        ]
    );
}

#[test]
fn every_schema_is_accepted_closed_and_takes_a_simple_input() {
    for model in catalog().base_models {
        let slug = &model.slug;
        assert_eq!(
            JsonSchemaRules.check_schema(&model.input_schema),
            [],
            "{slug}"
        );
        let closed = model.input_schema.as_object().get("additionalProperties");
        assert_eq!(closed, Some(&json!(false)), "{slug}");
        let inputs = simple_inputs(&model);
        let sent = InputValidator::default().validate_inputs(
            &model.input_schema,
            &ConfigOverrides::default(),
            &inputs,
        );
        assert_eq!(sent, Ok(inputs), "{slug}");
    }
}

#[test]
fn every_property_is_titled_described_bounded_and_shown_by_a_default_or_an_example() {
    for model in catalog().base_models {
        let schema = model.input_schema.to_value();
        let mut found = Vec::new();
        properties(&schema, model.slug.as_str(), &mut found);
        assert!(!found.is_empty());
        for (place, property) in found {
            for keyword in ["title", "description", "type"] {
                let text = property.get(keyword).and_then(Value::as_str);
                assert!(
                    text.is_some_and(|text| !text.is_empty()),
                    "{place} has no {keyword}"
                );
            }
            let bounds: &[&[&str]] = match property["type"].as_str().unwrap() {
                "string" => &[&["maxLength", "enum"]],
                "integer" | "number" => &[&["minimum", "exclusiveMinimum"], &["maximum"]],
                "array" => &[&["maxItems"], &["items"]],
                "object" => &[&["maxProperties", "additionalProperties", "properties"]],
                _ => &[],
            };
            for either in bounds {
                let is_bounded = either.iter().any(|keyword| property.get(keyword).is_some());
                assert!(is_bounded, "{place} has none of {either:?}");
            }
            let is_element = place.ends_with("/items") || place.ends_with("/additionalProperties");
            let is_shown = property.get("default").is_some() || property.get("examples").is_some();
            assert!(
                is_element || is_shown,
                "{place} has neither default nor example"
            );
        }
    }
}

#[test]
fn every_default_and_every_example_of_an_input_fits_it() {
    for model in catalog().base_models {
        let schema = model.input_schema.to_value();
        for (name, property) in schema["properties"].as_object().unwrap() {
            let examples = property.get("examples").and_then(Value::as_array);
            for value in property
                .get("default")
                .into_iter()
                .chain(examples.into_iter().flatten())
            {
                let preset = json!({"defaultInputs": {name: value}});
                let overrides = ConfigOverrides::parse(preset).unwrap();
                let issues = JsonSchemaRules.check_overrides(&model.input_schema, &overrides);
                assert_eq!(issues, [], "{} {name}", model.slug);
            }
        }
    }
}

#[test]
fn the_demo_spreads_twelve_models_over_two_developers_and_the_active_base_models() {
    let (catalog, demo) = (catalog(), demo());
    assert_eq!(demo.developers.len(), 2);
    assert_eq!(demo.tars_models.len(), 12);
    for developer in &demo.developers {
        let own = demo
            .tars_models
            .iter()
            .filter(|model| model.developer == developer.email);
        assert_eq!(own.count(), 6, "{}", developer.email);
    }
    let used: BTreeSet<&str> = demo
        .tars_models
        .iter()
        .map(|model| model.base_model.as_str())
        .collect();
    let active = catalog.base_models.iter().filter(|model| model.active);
    assert_eq!(used, active.map(|model| model.slug.as_str()).collect());
    let slugs = demo.tars_models.iter().map(|model| model.slug.as_str());
    assert!(slugs.into_iter().any(|slug| slug == "anime-generator"));
}

#[test]
fn every_demo_model_fits_its_base_model_and_runs_with_a_simple_input() {
    let catalog = catalog();
    for model in demo().tars_models {
        let slug = &model.slug;
        let base = base_model(&catalog, model.base_model.as_str());
        let schema = &base.input_schema;
        assert_eq!(
            JsonSchemaRules.check_overrides(schema, &model.overrides),
            [],
            "{slug}"
        );
        let inputs = simple_inputs(base);
        let sent = InputValidator::default().validate_inputs(schema, &model.overrides, &inputs);
        assert!(sent.is_ok(), "{slug}: {sent:?}");
        let seen = process_schema(schema, &model.overrides);
        for field in inputs.keys() {
            assert!(
                seen["properties"].get(field).is_some(),
                "{slug} shows no {field}"
            );
        }
    }
}

#[test]
fn the_demo_shows_everything_that_overrides_can_do() {
    let demo = demo();
    let used: BTreeSet<&String> = demo
        .tars_models
        .iter()
        .flat_map(|model| model.overrides.as_object().keys())
        .collect();
    let all = [
        "defaultInputs",
        "hiddenFields",
        "lockedInputs",
        "promptField",
        "promptPrefix",
        "promptSuffix",
        "secretInputs",
    ];
    assert_eq!(used.into_iter().collect::<Vec<_>>(), all);
}

#[test]
fn refuses_a_broken_catalogue_and_says_where_and_why() {
    let cases = [
        ("", "mine.toml has 1 fault:\n  holds nothing: add"),
        (
            "[[endpoint",
            "is not understood: TOML parse error at line 1",
        ),
        (
            "[[endpoints]]\nkey = \"tts\"",
            "unknown field `endpoints`, expected `endpoint` or `base_model`",
        ),
        (
            "[[endpoint]]\ngpu_type = 7",
            "endpoint number 1, key: is missing: add it",
        ),
        (
            "[[endpoint]]\nkey = \"tts\"\ngpu_type = 7",
            "endpoint tts, gpu_type: must be a text in quotes",
        ),
        (
            "[[endpoint]]\nkey = \"tts\"\nsource = \"hub\"",
            "endpoint tts, source: must be one of: HUB CUSTOM",
        ),
        (
            "[[endpoint]]\nkey = \"tts\"\nplaceholder = \"a/b\"",
            "endpoint tts, placeholder: may hold only letters",
        ),
        (
            "[[endpoint]]\nkey = \"tts\"\ndocker_image = \"\"",
            "endpoint tts, docker_image: must not be empty",
        ),
        (
            "[[endpoint]]\nkey = \"tts\"\ngpu = \"L4\"",
            "endpoint tts, gpu: is not a field of this kind of entry",
        ),
        (
            "[[endpoint]]\nkey = \"t t\"",
            "endpoint t t, key: may hold only letters",
        ),
    ];
    for (text, expected) in cases {
        let message = Catalog::parse(text, "mine.toml").unwrap_err().to_string();
        assert!(
            message.contains(expected),
            "{text:?} says {message:?}, not {expected:?}"
        );
    }
}

#[test]
fn refuses_a_broken_base_model_and_says_where_and_why() {
    let cases = [
        (
            "endpoint = \"tts\"",
            "endpoint = \"sdxl\"",
            "base model speech, endpoint: is no key of an endpoint of this file: use one of tts",
        ),
        (
            "estimated_seconds = 5",
            "estimated_seconds = 0",
            "base model speech, estimated_seconds: must be between 1 and 604800",
        ),
        (
            "estimated_seconds = 5",
            "estimated_seconds = 61",
            "base model speech, estimated_seconds: must not be more than timeout_seconds",
        ),
        (
            "timeout_seconds = 60",
            "timeout_seconds = \"60\"",
            "base model speech, timeout_seconds: must be a whole number without quotes",
        ),
        (
            "active = true",
            "active = \"yes\"",
            "base model speech, active: must be true or false",
        ),
        ("active = true", "", "base model speech, active: is missing"),
        (
            "category = \"AUDIO\"",
            "category = \"SOUND\"",
            "base model speech, category: must be one of: IMAGE AUDIO",
        ),
        (
            "{\"type\": \"object\"}",
            "{\"type\": }",
            "base model speech, input_schema: is not JSON: expected value at line 1 column 10",
        ),
        (
            "{\"type\": \"object\"}",
            "[]",
            "base model speech, input_schema: must be a JSON object",
        ),
        (
            "{\"type\": \"object\"}",
            "{\"type\": \"text\"}",
            "base model speech, input_schema at /type: must be \"object\"",
        ),
    ];
    for (good, bad, expected) in cases {
        let text = format!("{ENDPOINT}{}", BASE_MODEL.replace(good, bad));
        let message = Catalog::parse(&text, "mine.toml").unwrap_err().to_string();
        assert!(
            message.contains(expected),
            "{bad:?} says {message:?}, not {expected:?}"
        );
    }
    assert!(Catalog::parse(&format!("{ENDPOINT}{BASE_MODEL}"), "mine.toml").is_ok());
}

#[test]
fn names_all_faults_at_once() {
    let lost = BASE_MODEL.replace("\"tts\"", "\"sdxl\"");
    let other = lost.replace("slug = \"speech\"", "slug = \"other\"\nsulg = 1");
    let message = Catalog::parse(&format!("{ENDPOINT}{lost}{other}"), "mine.toml")
        .unwrap_err()
        .to_string();
    let expected = "mine.toml has 3 faults:\n  \
        base model other, sulg: is not a field of this kind of entry: correct its spelling or remove it\n  \
        base model speech, endpoint: is no key of an endpoint of this file: use one of tts\n  \
        base model other, endpoint: is no key of an endpoint of this file: use one of tts";
    assert_eq!(message, expected);
}

#[test]
fn refuses_what_is_there_twice() {
    let text = format!("{ENDPOINT}{ENDPOINT}{BASE_MODEL}{BASE_MODEL}");
    let message = Catalog::parse(&text, "mine.toml").unwrap_err().to_string();
    let expected = "mine.toml has 3 faults:\n  \
        endpoint tts, key: is \"tts\" in an earlier entry too: give each its own\n  \
        endpoint tts, placeholder: is \"placeholder-tts\" in an earlier entry too: give each its own\n  \
        base model speech, slug: is \"speech\" in an earlier entry too: give each its own";
    assert_eq!(message, expected);
}

#[test]
fn refuses_a_broken_demo_and_says_where_and_why() {
    let cases = [
        (
            "grace@example.com\"\nname",
            "grace\"\nname",
            "developer grace, email: must be an e-mail address",
        ),
        (
            "name = \"Grace\"",
            "name = \"G\"",
            "developer grace@example.com, name: must have at least 2 characters",
        ),
        (
            "name = \"Grace\"",
            "name = \"Grace\"\ncountry = \"XX\"",
            "developer grace@example.com, country: must be the two letters",
        ),
        (
            "developer = \"grace@",
            "developer = \"hedy@",
            "tars model story, developer: is no developer of this file: use one of grace@example.com",
        ),
        (
            "price = 5",
            "price = -1",
            "tars model story, price: must be 0 or more",
        ),
        (
            "price = 5",
            "price = 5\noverrides = '{\"promptPrefix\": 1}'",
            "tars model story, overrides at /promptPrefix: must be a text",
        ),
        (
            "slug = \"story\"",
            "",
            "tars model number 1, slug: is missing",
        ),
    ];
    for (good, bad, expected) in cases {
        let text = format!("{DEVELOPER}{TARS_MODEL}").replace(good, bad);
        let message = Demo::parse(&text, "mine.toml").unwrap_err().to_string();
        assert!(
            message.contains(expected),
            "{bad:?} says {message:?}, not {expected:?}"
        );
    }
    assert!(Demo::parse(&format!("{DEVELOPER}{TARS_MODEL}"), "mine.toml").is_ok());
}
