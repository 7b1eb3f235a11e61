//! What the own workers put out has the shape of the real ones', and is the same each time.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::wav::duration_ms;
use super::{Worker, work};

fn output(worker: Worker, input: &Value) -> Value {
    work(worker, input).result.unwrap()
}

fn bytes(url: &Value, media_type: &str) -> Vec<u8> {
    let prefix = format!("data:{media_type};base64,");
    STANDARD
        .decode(url.as_str().unwrap().strip_prefix(&prefix).unwrap())
        .unwrap()
}

#[test]
fn pictures_have_the_size_that_was_asked_for_or_shrink() {
    for (width, height, expected) in [
        (300, 200, (300, 200)),
        (1024, 1024, (512, 512)),
        (2048, 256, (512, 64)),
    ] {
        let made = output(
            Worker::Picture,
            &json!({ "prompt": "a", "width": width, "height": height, "seed": 42 }),
        );
        let file = bytes(&made["image_url"], "image/png");
        let side = |at: usize| u32::from_be_bytes(file[at..at + 4].try_into().unwrap());
        assert_eq!((side(16), side(20)), expected);
        assert_eq!(made["seed"], 42);
        assert_eq!(made["images"], json!([made["image_url"]]));
    }
}

#[test]
fn prompt_and_seed_make_the_picture() {
    let paint = |prompt: &str, seed: u64| {
        output(
            Worker::Picture,
            &json!({ "prompt": prompt, "seed": seed, "width": 64, "height": 64 }),
        )
    };
    assert_eq!(paint("a boat", 1), paint("a boat", 1));
    assert_ne!(
        paint("a boat", 1)["image_url"],
        paint("a boat", 2)["image_url"]
    );
    assert_ne!(
        paint("a boat", 1)["image_url"],
        paint("a coat", 1)["image_url"]
    );
    let two = output(
        Worker::Picture,
        &json!({ "prompt": "x", "num_images": 2, "width": 16, "height": 16 }),
    );
    assert_eq!(two["images"].as_array().unwrap().len(), 2);
    assert_ne!(two["images"][0], two["images"][1]);
}

#[test]
fn speech_lasts_as_long_as_its_text_up_to_a_cap() {
    for (text, expected_ms) in [("0123456789".to_owned(), 600), ("a".repeat(5_000), 6_000)] {
        let made = output(Worker::Speech, &json!({ "text": text }));
        assert_eq!(
            duration_ms(&bytes(&made["audio"], "audio/wav")),
            Some(expected_ms)
        );
    }
    let hum = |voice: &str| {
        output(
            Worker::Speech,
            &json!({ "prompt": "hello", "voice": voice }),
        )["audio"]
            .clone()
    };
    assert_eq!(hum("lucy"), hum("lucy"));
    assert_ne!(hum("lucy"), hum("ivan"));
}

#[test]
fn transcripts_come_in_every_form() {
    let audio = json!({ "audio": "https://example.com/a.mp3", "translate": true, "language": "de", "model": "tiny" });
    let made = output(Worker::Transcript, &audio);
    let keys: Vec<&str> = made
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        keys[..7],
        [
            "segments",
            "detected_language",
            "transcription",
            "translation",
            "device",
            "model",
            "translation_time"
        ]
    );
    assert_eq!(
        (&made["detected_language"], &made["model"]),
        (&json!("de"), &json!("tiny"))
    );
    assert_eq!(made["translation"], made["transcription"]);
    for (form, part) in [
        ("srt", "1\n00:00:00,000 --> 00:00:03,000\nThis"),
        ("vtt", "WEBVTT\n\n00:00:00.000 --> 00:00:03.000\nThis"),
        ("formatted_text", "emulator.\nIt did"),
        ("plain_text", "emulator. It did"),
    ] {
        let made = output(
            Worker::Transcript,
            &json!({ "audio": "x", "transcription": form, "word_timestamps": true }),
        );
        assert!(
            made["transcription"].as_str().unwrap().contains(part),
            "{form}"
        );
        assert_eq!(made["translation"], Value::Null);
        assert_eq!(made["word_timestamps"].as_array().unwrap().len(), 24);
    }
}

#[test]
fn the_times_of_a_transcript_fit_the_recording() {
    let spoken = output(Worker::Speech, &json!({ "text": "0123456789" }));
    let audio = spoken["audio"].as_str().unwrap().split_once(',').unwrap().1;
    let made = output(Worker::Transcript, &json!({ "audio_base64": audio }));
    assert_eq!(made["segments"][2]["end"], 0.6);
}

#[test]
fn an_answer_is_the_sum_of_its_chunks() {
    let sampling = json!({ "max_tokens": 30, "n": 2 });
    let made = work(
        Worker::Chat,
        &json!({ "prompt": "what is the time?", "sampling_params": sampling }),
    );
    let answer = made.result.unwrap();
    let streamed: String = made
        .chunks
        .iter()
        .map(|chunk| chunk["choices"][0]["tokens"][0].as_str().unwrap())
        .collect();
    assert_eq!(answer["choices"][0]["tokens"][0], streamed.as_str());
    assert_eq!(answer["choices"].as_array().unwrap().len(), 2);
    assert_eq!(answer["usage"], json!({ "input": 4, "output": 60 }));
    assert_eq!(streamed.split(' ').count(), 30);
    let said = json!([{ "role": "user", "content": "hello" }]);
    let stopped = output(
        Worker::Chat,
        &json!({ "messages": said, "sampling_params": { "stop": ["emu", "model"] } }),
    );
    assert_eq!(stopped["choices"][0]["tokens"][0], "This is the Tarsify ");
}

#[test]
fn own_workers_say_who_they_are_and_what_they_miss() {
    for worker in [
        Worker::Speech,
        Worker::Picture,
        Worker::Transcript,
        Worker::Chat,
    ] {
        let input = json!({ "prompt": "x", "audio": "x" });
        assert!(
            output(worker, &input)["emulated"]
                .as_str()
                .unwrap()
                .contains("emulator"),
            "{worker:?}"
        );
        assert!(
            work(worker, &json!({ "other": 1 })).result.is_err(),
            "{worker:?}"
        );
        assert!(
            work(worker, &json!({}))
                .result
                .unwrap_err()
                .contains("missing"),
            "{worker:?}"
        );
    }
    assert_eq!(
        output(Worker::Echo, &json!({ "any": [1] })),
        json!({ "any": [1] })
    );
}
