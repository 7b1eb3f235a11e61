//! Echoes that were cut off.

use serde_json::json;
use tarsify_domain::execution::Material;

use super::{material, text};

const PREFIX: &str = "You are Captain Marlow of the river boat; answer each riddle in rhyme: ";

fn captain() -> Material {
    material(
        json!({"prompt": "why is the sky blue?"}),
        json!({"promptPrefix": PREFIX}),
    )
}

#[test]
fn long_pieces_are_hidden() {
    let table = [
        (
            "cut off at its end",
            "prompt: You are Captain Marlow of",
            "prompt: [hidden]",
        ),
        (
            "and marked as such",
            "bad prompt 'You are Captain Marlow of...'",
            "bad prompt '[hidden]...'",
        ),
        (
            "in other capitals",
            "prompt: YOU ARE CAPTAIN MARLOW OF",
            "prompt: [hidden]",
        ),
        (
            "cut off at its beginning",
            "each riddle in rhyme: why is the sky blue?",
            "[hidden]why is the sky blue?",
        ),
        (
            "and marked as such",
            "…ach riddle in rhyme: why is the sky blue?",
            "…[hidden]why is the sky blue?",
        ),
        (
            "cut off on both sides",
            "of the river boat; answer",
            "[hidden]",
        ),
        (
            "a long piece in the middle",
            "I hear that Captain Marlow of the river boat; answers all",
            "I hear that[hidden]s all",
        ),
        (
            "two pieces",
            "Marlow of the river boat, answer each riddle in rh",
            "[hidden],[hidden]",
        ),
        (
            "in JSON",
            r#"{"prompt": "You are Captain Marlow of"#,
            r#"{"prompt": "[hidden]"#,
        ),
    ];
    for (why, echo, expected) in table {
        assert_eq!(text(&captain(), echo), expected, "{why}");
    }
}

#[test]
fn short_pieces_are_not() {
    let table = [
        "You are Captain",
        "prompt: You are Captai",
        "it says river boat; answer each one in prose",
        "the river boat",
        "",
        "...",
    ];
    for echo in table {
        assert_eq!(text(&captain(), echo), echo);
    }
}

#[test]
fn a_long_piece_is_32_characters_wherever_it_begins() {
    for start in 0..PREFIX.len() - 32 {
        for length in [31, 32, 33, 40] {
            let Some(piece) = PREFIX.get(start..start + length) else {
                continue;
            };
            let left = text(&captain(), &format!("#### zz{piece}zz ####"));
            let is_left = left.contains(piece);
            assert_eq!(is_left, length < 32, "{left}");
        }
    }
}

#[test]
fn a_piece_at_an_end_is_16_characters_wherever_it_begins() {
    for start in 0..PREFIX.len() - 17 {
        for length in [15, 16, 17] {
            let piece = PREFIX.get(start..start + length).unwrap();
            if piece.trim_matches(|character: char| !character.is_alphanumeric()) != piece {
                continue;
            }
            for echo in [
                format!("zz#{piece}"),
                format!("{piece}#zz"),
                piece.to_owned(),
            ] {
                let is_left = text(&captain(), &echo).contains(piece);
                assert_eq!(is_left, length < 16, "{echo}");
            }
        }
    }
}

#[test]
fn characters_of_several_bytes_are_cut_as_a_whole() {
    let material = material(
        json!({"prompt": "кот"}),
        json!({"promptPrefix": "нарисуй в стиле старинной гравюры с мелкими деталями: "}),
    );
    let table = [
        ("и вот нарисуй в стиле старинной", "и вот [hidden]"),
        ("гравюры с мелкими деталями: кот", "[hidden]кот"),
        ("ой гравюры с мелкими", "[hidden]"),
        ("мелкими деталям", "мелкими деталям"),
    ];
    for (echo, expected) in table {
        assert_eq!(text(&material, echo), expected, "{echo}");
    }
}

#[test]
fn what_he_typed_himself_is_no_piece() {
    let material = material(
        json!({"prompt": "You are Captain Marlow of the river boat? Who is that?"}),
        json!({"promptPrefix": PREFIX}),
    );
    let own = "You are Captain Marlow of the river boat? Who is that?";
    assert_eq!(text(&material, own), own);
    assert_eq!(text(&material, &format!("{PREFIX}{own}")), own);
    let told = "the river boat; answer each riddle";
    assert_eq!(text(&material, told), "[hidden]");
}

#[test]
fn rules_and_spaces_are_no_pieces() {
    let material = material(
        json!({"prompt": "x"}),
        json!({"promptPrefix": "----------------------------------------\nBe kind. \n\n"}),
    );
    let table = "| a | b |\n|---|---------------------------------|\n| 1 | 2 |";
    assert_eq!(text(&material, table), table);
    assert_eq!(
        text(&material, "--------------------"),
        "--------------------"
    );
}

#[test]
fn long_texts_that_begin_alike_are_hidden_whole() {
    let same = "Speak as the keeper of the old lighthouse would, slowly and with care";
    let (one, other) = (format!("{same} for ships."), format!("{same}, or 7-7-7."));
    let material = material(
        json!({"prompt": "x"}),
        json!({"secretInputs": {"a": one, "b": other, "c": "7-7-7.8-8"}}),
    );
    let table = [
        (format!("1 {one} 2"), "1 [hidden] 2"),
        (format!("1 {other} 2"), "1 [hidden] 2"),
        (format!("1 {other}{one} 2"), "1 [hidden] 2"),
        (format!("1 {same}# 2"), "1 [hidden]# 2"),
        (format!("1 {other}8-8 2"), "1 [hidden]8-8 2"),
    ];
    for (echo, expected) in table {
        assert_eq!(text(&material, &echo), expected);
    }
}
