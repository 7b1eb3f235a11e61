//! Telling what a job says, over any number of leases.

use serde_json::{Map, Value, json};
use tarsify_domain::Timestamp;
use tarsify_domain::catalog::ConfigOverrides;
use tarsify_domain::execution::{
    Attempt, AttemptState, Audience, EventKind, Material, OutputTold, ProviderJobId, Stage, State,
};

use super::{LARGEST, MOST_BYTES, Telling};
use crate::merge::merge_inputs;
use crate::scrub::{Scrubber, conceal};

const SECRET: &str = "CANARY-1234567";

fn material(overrides: Value) -> Material {
    let mut inputs = Map::new();
    inputs.insert("prompt".to_owned(), "sunset".into());
    let overrides = ConfigOverrides::parse(overrides).unwrap();
    let payload = merge_inputs(&inputs, &overrides);
    let concealed = conceal(&overrides, &inputs, &payload);
    Material {
        inputs,
        payload,
        concealed,
    }
}

fn secretive() -> Material {
    material(json!({"secretInputs": {"token": SECRET}}))
}

fn attempt(number: u32) -> Attempt {
    Attempt {
        number,
        state: AttemptState::Accepted,
        job: Some(ProviderJobId::parse(&format!("job-{number}")).unwrap()),
        called_at: Timestamp::UNIX_EPOCH,
        missing_since: None,
        unreadable: 0,
    }
}

fn state(attempts: &[u32], strikes: u32) -> State {
    State {
        stage: Stage::Running,
        attempts: attempts.iter().map(|number| attempt(*number)).collect(),
        looks: 3,
        strikes,
        is_cancel_requested: false,
        progress: None,
        created_at: Timestamp::UNIX_EPOCH,
        deadline_at: Timestamp::UNIX_EPOCH,
    }
}

fn begin(told: Option<OutputTold>, epoch: i64) -> Telling {
    let audience = Audience {
        is_here: true,
        told,
    };
    Telling::begin(Some(audience), &state(&[1], 1), epoch).unwrap()
}

fn parts(telling: &mut Telling) -> Vec<Value> {
    let parts = telling.take_parts().into_iter();
    parts
        .map(|part| {
            assert_eq!(part.kind, EventKind::OutputDelta);
            Value::Object(part.data)
        })
        .collect()
}

/// What is told of what is said, lease after lease.
fn told(material: &Material, said: &[Value]) -> Vec<Value> {
    let scrubber = Scrubber::new(material);
    let (mut before, mut all) = (None, Vec::new());
    for (epoch, chunk) in (5..).zip(said) {
        let mut telling = begin(before, epoch);
        telling.hear(&scrubber, vec![chunk.clone()]);
        if epoch + 1 == 5 + i64::try_from(said.len()).unwrap() {
            telling.finish(&scrubber, true);
        }
        all.extend(parts(&mut telling));
        // As it is stored.
        let stored = serde_json::to_value(telling.told()).unwrap();
        before = Some(serde_json::from_value(stored).unwrap());
    }
    all
}

#[test]
fn parts_are_numbered_and_joined_they_are_the_text() {
    let said = [json!("Once "), json!("upon"), json!(" a time")];
    let texts = ["Once ", "upon", " a time"];
    let expected: Vec<_> = (0..)
        .zip(texts)
        .map(|(index, text)| json!({"index": index, "text": text}))
        .collect();
    assert_eq!(told(&material(json!({})), &said), expected);
    let data = json!({"step": 1});
    let both = told(&material(json!({})), &[json!("a"), data.clone()]);
    assert_eq!(both[1], json!({"index": 1, "data": data}));
}

#[test]
fn a_secret_that_comes_in_parts_is_told_by_none_of_them() {
    let text = format!("it is {SECRET}, is it not?");
    for place in 0..text.len() {
        let said = [json!(text[..place]), json!(text[place..])];
        let joined: String = told(&secretive(), &said)
            .iter()
            .map(|part| part["text"].as_str().unwrap())
            .collect();
        assert_eq!(joined, "it is [hidden], is it not?", "{place}");
    }
}

#[test]
fn nothing_is_told_of_secrets_around_which_something_else_stands() {
    for said in [
        [json!({"token": "CANARY-"}), json!({"token": "1234567"})],
        [
            json!("data: {\"choi"),
            json!("ces\": [\"CANARY-1234567\"]}"),
        ],
        [
            json!("event: x\ndata: CANARY-"),
            json!("event: x\ndata: 1234567"),
        ],
        [
            json!("[{\"token\": \"CANARY-\"}]"),
            json!("[{\"token\": \"1234567\"}]"),
        ],
        [json!("\"CANARY-\""), json!("\"1234567\"")],
        [
            json!({"top": [{"CANARY-": 1}]}),
            json!({"top": [{"1234567": 1}]}),
        ],
        [json!(7), json!([39, 23])],
    ] {
        let told = told(&secretive(), &said);
        assert_eq!(told, [json!({"index": 0, "truncated": true})], "{said:?}");
    }
    // What is left out between words ends it, too.
    let said = [json!("CANARY-"), json!({"usage": 1}), json!("1234567")];
    let told = told(&secretive(), &said);
    assert_eq!(told, [json!({"index": 0, "truncated": true})]);
}

#[test]
fn what_is_held_is_not_told_when_the_job_was_cut_off() {
    let material = secretive();
    let scrubber = Scrubber::new(&material);
    for (is_whole, expected) in [
        (true, vec![json!({"index": 1, "text": "CANA"})]),
        (false, vec![]),
    ] {
        let mut telling = begin(None, 5);
        telling.hear(&scrubber, vec![json!("it is CANA")]);
        assert_eq!(parts(&mut telling), [json!({"index": 0, "text": "it is "})]);
        telling.finish(&scrubber, is_whole);
        assert_eq!(parts(&mut telling), expected);
        assert!(!telling.listens_to(1), "it is over");
    }
}

#[test]
fn nothing_more_is_told_of_secrets_once_a_part_is_lost() {
    let material = secretive();
    let scrubber = Scrubber::new(&material);
    let begun = |epoch| {
        let mut telling = begin(None, epoch);
        telling.hear(&scrubber, vec![json!("it is CANARY-12")]);
        assert_eq!(parts(&mut telling), [json!({"index": 0, "text": "it is "})]);
        telling
    };
    let end = [json!({"index": 1, "truncated": true})];
    // In this lease.
    let mut telling = begun(5);
    assert!(!telling.lose());
    telling.hear(&scrubber, vec![json!("567 and on")]);
    assert_eq!(parts(&mut telling), end);
    assert!(!telling.listens_to(1));
    // In one that nobody wrote about, even if this one hears nothing.
    let told = begun(5).told();
    let quiet = begin(Some(told.clone()), 7);
    let mut telling = begin(Some(quiet.told()), 8);
    telling.hear(&scrubber, vec![json!("567 and on")]);
    assert_eq!(parts(&mut telling), end);
    // In one that ran out.
    let audience = |told| {
        Some(Audience {
            is_here: true,
            told,
        })
    };
    for told in [Some(told), None] {
        let mut telling = Telling::begin(audience(told), &state(&[1], 2), 6).unwrap();
        telling.hear(&scrubber, vec![json!("567 and on")]);
        let told = parts(&mut telling);
        assert_eq!(told[0]["truncated"], true, "{told:?}");
    }
    // Where nothing is concealed there is only a gap.
    let open = self::material(json!({}));
    let mut telling = begin(None, 5);
    assert!(!telling.lose());
    telling.hear(&Scrubber::new(&open), vec![json!("on")]);
    assert_eq!(parts(&mut telling), [json!({"index": 0, "text": "on"})]);
}

#[test]
fn only_one_job_is_listened_to() {
    let audience = |told| {
        Some(Audience {
            is_here: true,
            told,
        })
    };
    assert!(Telling::begin(None, &state(&[1], 1), 5).is_none());
    let both = Telling::begin(audience(None), &state(&[1, 2], 1), 5).unwrap();
    assert!(!both.listens_to(1) && !both.listens_to(2));
    let one = Telling::begin(audience(None), &state(&[2], 1), 5).unwrap();
    assert!(one.listens_to(2) && !one.listens_to(1));
    let later = Telling::begin(audience(Some(one.told())), &state(&[1, 2, 3], 1), 6).unwrap();
    assert!(later.listens_to(2) && !later.listens_to(3));
    let nobody = Audience {
        is_here: false,
        told: Some(one.told()),
    };
    let nobody = Telling::begin(Some(nobody), &state(&[2], 1), 6).unwrap();
    assert!(!nobody.listens_to(2) && !nobody.goes_on());
}

#[test]
fn there_is_an_end_of_what_is_told() {
    let much = json!("x".repeat(LARGEST * 5 / 2));
    let told = told(&material(json!({})), &vec![much; 60]);
    let lengths: Vec<_> = told
        .iter()
        .filter_map(|part| part["text"].as_str())
        .collect();
    assert!(lengths.iter().all(|text| text.len() <= LARGEST));
    let all: usize = lengths.iter().map(|text| text.len()).sum();
    assert!(all <= MOST_BYTES && all + LARGEST > MOST_BYTES, "{all}");
    let last = told.last().unwrap();
    assert_eq!(*last, json!({"index": told.len() - 1, "truncated": true}));
}

#[test]
fn what_may_become_the_payload_is_not_told() {
    let hidden = material(json!({"lockedInputs": {"depth": 9}, "hiddenFields": ["steps"]}));
    let told = told(
        &hidden,
        &[
            json!("  "),
            json!("{\"prompt\": "),
            json!("\"sunset\", \"depth\": 9}"),
        ],
    );
    assert!(
        told.iter().all(|part| !part.to_string().contains("depth")),
        "{told:?}"
    );
}
