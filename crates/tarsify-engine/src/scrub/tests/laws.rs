//! Laws that hold for any configuration and any echo.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tarsify_domain::execution::Material;

use super::{Scrubber, material};

/// Few letters, so that texts overlap, and everything that JSON escapes.
const WORD: &str = r#"[abB\\"né\n ]{0,12}"#;
const LONG: &str = r#"[abc\\"é ]{8,40}"#;

prop_compose! {
    fn any_material()(
        prompt in WORD, note in WORD, prefix in WORD, suffix in LONG,
        secret in LONG, deep in LONG, hidden in WORD,
    ) -> Material {
        material(
            json!({"prompt": prompt, "note": note, "seed": 3}),
            json!({
                "promptPrefix": prefix, "promptSuffix": suffix,
                "secretInputs": {"s": secret, "d": [{"e": deep}]},
                "hiddenFields": ["h"], "lockedInputs": {"h": hidden},
            }),
        )
    }
}

/// How a part of an echo is made.
#[derive(Debug, Clone)]
enum Part {
    Words(String),
    Text(usize),
    Merged,
    Own,
    Piece(usize, usize, usize),
}

fn part() -> impl Strategy<Value = Part> {
    prop_oneof![
        2 => WORD.prop_map(Part::Words),
        3 => any::<usize>().prop_map(Part::Text),
        1 => Just(Part::Merged),
        1 => Just(Part::Own),
        1 => any::<(usize, usize, usize)>().prop_map(|(a, b, c)| Part::Piece(a, b, c)),
    ]
}

#[derive(Debug, Clone)]
enum Echo {
    Text(Vec<Part>),
    /// The JSON of what is in it.
    Written(Box<Echo>),
    List(Vec<Echo>),
    Object(Vec<(Vec<Part>, Echo)>),
    Payload,
    Number,
}

fn echo() -> impl Strategy<Value = Echo> {
    let parts = || prop::collection::vec(part(), 0..5);
    let leaf = prop_oneof![
        4 => parts().prop_map(Echo::Text),
        1 => Just(Echo::Payload),
        1 => Just(Echo::Number),
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            inner.clone().prop_map(|echo| Echo::Written(Box::new(echo))),
            prop::collection::vec(inner.clone(), 0..4).prop_map(Echo::List),
            prop::collection::vec((parts(), inner), 0..4).prop_map(Echo::Object),
        ]
    })
}

fn build_text(material: &Material, parts: &[Part]) -> String {
    let concealed = &material.concealed;
    let pick = |index: usize| {
        let place = index.checked_rem(concealed.texts.len());
        place.map_or("", |place| concealed.texts[place].as_str())
    };
    let built = parts.iter().map(|part| match part {
        Part::Words(words) => words.clone(),
        Part::Text(index) => pick(*index).to_owned(),
        Part::Merged => concealed.merged_prompt.clone().unwrap_or_default(),
        Part::Own => concealed.own_prompt.clone().unwrap_or_default(),
        Part::Piece(index, skip, take) => {
            let characters: Vec<char> = pick(*index).chars().collect();
            let skip = skip % (characters.len() + 1);
            characters.iter().skip(skip).take(take % 40).collect()
        }
    });
    built.collect()
}

fn build(material: &Material, echo: &Echo) -> Value {
    match echo {
        Echo::Text(parts) => Value::from(build_text(material, parts)),
        Echo::Written(inner) => Value::from(build(material, inner).to_string()),
        Echo::List(items) => items.iter().map(|item| build(material, item)).collect(),
        Echo::Object(fields) => {
            let fields = fields.iter();
            let fields =
                fields.map(|(key, item)| (build_text(material, key), build(material, item)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
        Echo::Payload => Value::Object(material.payload.clone()),
        Echo::Number => json!(3),
    }
}

/// Every text of a value, keys included, and every text in the JSON that is in these.
fn all_texts(value: &Value, levels: usize, texts: &mut Vec<String>) {
    match value {
        Value::String(text) => read_text(text, levels, texts),
        Value::Array(items) => items.iter().for_each(|item| all_texts(item, levels, texts)),
        Value::Object(object) => {
            for (key, item) in object {
                read_text(key, levels, texts);
                all_texts(item, levels, texts);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn read_text(text: &str, levels: usize, texts: &mut Vec<String>) {
    texts.push(text.to_ascii_lowercase());
    if levels > 0
        && let Ok(inner) = serde_json::from_str::<Value>(text)
    {
        all_texts(&inner, levels - 1, texts);
    }
}

proptest! {
    #[test]
    fn nothing_concealed_is_left_anywhere(material in any_material(), echo in echo()) {
        let scrubber = Scrubber::new(&material);
        let left = scrubber.scrub_value(build(&material, &echo));
        let mut texts = Vec::new();
        all_texts(&left, 3, &mut texts);
        let merged = material.concealed.merged_prompt.iter();
        let merged = merged.filter(|merged| merged.chars().count() >= 8);
        for secret in material.concealed.texts.iter().chain(merged) {
            let secret = secret.to_ascii_lowercase();
            for text in &texts {
                prop_assert!(!text.contains(&secret), "{:?} in {:?}", secret, left);
            }
        }
        let written = left.to_string();
        prop_assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), left);
    }

    #[test]
    fn scrubbing_twice_changes_no_more(material in any_material(), echo in echo()) {
        let scrubber = Scrubber::new(&material);
        let once = scrubber.scrub_value(build(&material, &echo));
        let twice = scrubber.scrub_value(once.clone());
        prop_assert_eq!(twice.to_string(), once.to_string());
    }

    #[test]
    fn what_he_typed_and_other_words_stay_as_they_are(
        material in any_material(), words in "[x-z]{0,30}", number in any::<i32>(),
    ) {
        let own = Value::Object(material.inputs.clone());
        let echo = json!({"own": own, "words": [words, number, null], "prompt": own["prompt"]});
        let left = Scrubber::new(&material).scrub_value(echo.clone());
        prop_assert_eq!(left.to_string(), echo.to_string());
    }

    #[test]
    fn json_inside_a_text_stays_json(
        material in any_material(), before in "[x-z]{1,3}", after in "[x-z]{1,3}",
        index in any::<usize>(),
    ) {
        let secret = build_text(&material, &[Part::Text(index)]);
        let inner = json!({"said": format!("{before}{secret}{after}"), "n": 1});
        let outer = json!({"log": inner.to_string()}).to_string();
        let left = Scrubber::new(&material).scrub_text(&outer);
        let read: Value = serde_json::from_str(&left).unwrap();
        let read: Value = serde_json::from_str(read["log"].as_str().unwrap()).unwrap();
        prop_assert_eq!(&read["n"], &json!(1));
    }

    #[test]
    fn any_text_at_all_is_answered(material in any_material(), text in "(?s).{0,60}") {
        let scrubber = Scrubber::new(&material);
        let once = scrubber.scrub_text(&text);
        prop_assert_eq!(scrubber.scrub_text(&once), once);
    }
}
