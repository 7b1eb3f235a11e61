//! Finding one's way in a schema document.

use serde_json::json;

use super::{Document, Reach, depth, fragment, unescape_fragment};

#[test]
fn references_find_their_targets_or_nothing() {
    let schema = json!({
        "properties": {"a/b": {"$anchor": "here"}, "é %": true, "n": {"const": 1}},
        "$defs": {"list": {"items": {"$dynamicAnchor": "there"}}},
        "x-other": {"inside": {"type": "string"}},
    });
    let document = Document::new(&schema);
    let table = [
        ("#", "the root", Some("")),
        (
            "#/properties/a~1b",
            "an escaped name",
            Some("/properties/a~1b"),
        ),
        (
            "#/properties/%C3%A9%20%25",
            "a percent-encoded name",
            Some("/properties/é %"),
        ),
        ("#here", "an anchor", Some("/properties/a~1b")),
        ("#there", "a dynamic anchor", Some("/$defs/list/items")),
        (
            "#/x-other/inside",
            "a schema under an unknown keyword",
            Some("/x-other/inside"),
        ),
        ("#/properties/n/const", "a number is no schema", None),
        ("#/properties/none", "nothing there", None),
        ("#nowhere", "no such anchor", None),
        ("#/%FF", "no text", None),
        ("#/%4", "half an escape", None),
        ("other.json", "another document", None),
        ("", "no reference", None),
    ];
    for (reference, why, expected) in table {
        assert_eq!(document.target(reference).as_deref(), expected, "{why}");
    }
}

#[test]
fn only_in_place_schemas_speak_of_the_same_value() {
    let schema = json!({
        "allOf": [{"$ref": "#/$defs/base"}],
        "not": {"required": ["x"]},
        "properties": {"child": {"$ref": "#"}},
        "$defs": {"base": {"properties": {"a": true}}, "other": {}},
    });
    let document = Document::new(&schema);
    assert_eq!(
        document.same_value("", Reach::Certain),
        ["", "/allOf/0", "/$defs/base"]
    );
    let mut possible = document.same_value("", Reach::Possible);
    possible.sort();
    assert_eq!(possible, ["", "/$defs/base", "/allOf/0", "/not"]);
    let names: Vec<&str> = document
        .property_names(Reach::Certain)
        .into_iter()
        .collect();
    assert_eq!(names, ["a", "child"]);
}

#[test]
fn fragments_survive_a_round_trip() {
    for pointer in ["", "/a", "/a~1b/~0", "/ü ß%\"#?"] {
        let encoded = fragment(pointer);
        assert!(encoded.is_ascii(), "{encoded}");
        assert_eq!(unescape_fragment(&encoded).as_deref(), Some(pointer));
    }
}

#[test]
fn depth_counts_objects_and_lists() {
    let table = [
        (json!(1), "a number has none", 0),
        (json!({}), "an empty object", 1),
        (json!([[], {"a": [1]}]), "the deepest branch counts", 3),
    ];
    for (value, why, expected) in table {
        assert_eq!(depth(&value), expected, "{why}");
    }
}
