//! Every fault at once, and the three ways to leave a field out.

use serde_json::json;
use tarsify_domain::text::Title;

use super::*;

fn fields(value: Value) -> Fields {
    match value {
        Value::Object(object) => Fields::new(object),
        _ => panic!("an object"),
    }
}

#[test]
fn all_faults_are_gathered_with_their_paths() {
    let mut read = fields(json!({"title": 5, "price": "7", "on": "yes", "gone": null}));
    assert!(read.required("title", text(Title::parse)).is_none());
    assert!(read.required("missing", text(Title::parse)).is_none());
    assert!(read.optional("price", integer(Ok)).is_none());
    assert!(read.optional("on", boolean).is_none());
    assert!(read.change("gone", boolean).is_none());
    let found: Vec<_> = read
        .into_issues()
        .into_iter()
        .map(|issue| (issue.path, issue.code))
        .collect();
    let expected = [
        ("/title", "type"),
        ("/missing", "required"),
        ("/price", "type"),
        ("/on", "type"),
        ("/gone", "type"),
    ];
    assert_eq!(
        found,
        expected.map(|(path, code)| (path.to_owned(), code.to_owned()))
    );
}

#[test]
fn a_patch_keeps_clears_or_sets() {
    let mut read = fields(json!({"clear": null, "set": "x"}));
    assert_eq!(read.patch("keep", text(Title::parse)), Patch::Keep);
    assert_eq!(read.patch("clear", text(Title::parse)), Patch::Clear);
    assert_eq!(
        read.patch("set", text(Title::parse)),
        Patch::Set(Title::parse("x").unwrap())
    );
    assert!(read.into_issues().is_empty());
}

#[test]
fn a_fraction_is_no_whole_number() {
    for bad in [
        json!(1.5),
        json!(1e30),
        json!(u64::MAX),
        json!("1"),
        json!(null),
        json!([1]),
    ] {
        assert!(integer(Ok)(bad.clone()).is_err(), "{bad}");
    }
    assert_eq!(integer(Ok)(json!(-3)), Ok(-3));
}
