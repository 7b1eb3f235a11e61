//! Writes a transcript in every form the Faster Whisper worker has. It does not listen, and the text
//! says so; the times fit the recording where that is a WAV file.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::wav::duration_ms;
use super::{LABEL, LABEL_KEY, text};

const SENTENCES: [&str; 3] = [
    "This transcript was written by the Tarsify emulator.",
    "It did not listen to the recording.",
    "On a real endpoint your words would stand here.",
];
const DEFAULT_MS: u64 = 9_000;

struct Segment {
    start_ms: u64,
    end_ms: u64,
    text: &'static str,
}

/// Does the job of the Faster Whisper worker.
pub(crate) fn write_down(fields: &Map<String, Value>) -> Result<Value, String> {
    let (address, bytes) = (text(fields, "audio"), text(fields, "audio_base64"));
    let length = match (address, bytes) {
        (None, None) => return Err("Must provide either audio or audio_base64".to_owned()),
        (Some(_), Some(_)) => {
            return Err("Must provide either audio or audio_base64, not both".to_owned());
        }
        (Some(_), None) => None,
        (None, Some(bytes)) => {
            let decoded = STANDARD
                .decode(bytes)
                .map_err(|error| format!("audio_base64 cannot be decoded: {error}"))?;
            duration_ms(&decoded)
        }
    };
    let segments = segments(length.unwrap_or(DEFAULT_MS));
    let form = |name| text(fields, name).unwrap_or("plain_text");
    let translated = fields.get("translate") == Some(&Value::Bool(true));
    let mut output = json!({
        "segments": segments.iter().enumerate().map(described).collect::<Vec<_>>(),
        "detected_language": text(fields, "language").unwrap_or("en"),
        "transcription": formatted(&segments, form("transcription")),
        "translation": translated.then(|| formatted(&segments, form("translation"))),
        "device": "emulator",
        "model": text(fields, "model").unwrap_or("base"),
        "translation_time": 0.001,
        LABEL_KEY: LABEL,
    });
    if fields.get("word_timestamps") == Some(&Value::Bool(true)) {
        let words: Vec<Value> = segments.iter().flat_map(words).collect();
        if let Some(fields) = output.as_object_mut() {
            fields.insert("word_timestamps".to_owned(), Value::Array(words));
        }
    }
    Ok(output)
}

fn segments(length: u64) -> Vec<Segment> {
    (0..)
        .zip(SENTENCES)
        .map(|(nth, text)| Segment {
            start_ms: length * nth / 3,
            end_ms: length * (nth + 1) / 3,
            text,
        })
        .collect()
}

fn seconds(milliseconds: u64) -> f64 {
    u32::try_from(milliseconds).map_or(0.0, f64::from) / 1000.0
}

fn described((id, segment): (usize, &Segment)) -> Value {
    json!({
        "id": id + 1, "seek": 0, "start": seconds(segment.start_ms), "end": seconds(segment.end_ms),
        "text": format!(" {}", segment.text), "tokens": [], "temperature": 0.0, "avg_logprob": -0.2,
        "compression_ratio": 1.2, "no_speech_prob": 0.01,
    })
}

fn words(segment: &Segment) -> Vec<Value> {
    let words: Vec<&str> = segment.text.split(' ').collect();
    let (count, length) = (
        u64::try_from(words.len()).unwrap_or(1).max(1),
        segment.end_ms - segment.start_ms,
    );
    let time = |nth: u64| seconds(segment.start_ms + length * nth / count);
    (0..)
        .zip(words)
        .map(|(nth, word)| json!({ "word": format!(" {word}"), "start": time(nth), "end": time(nth + 1) }))
        .collect()
}

fn formatted(segments: &[Segment], form: &str) -> String {
    let texts: Vec<&str> = segments.iter().map(|segment| segment.text).collect();
    match form {
        "formatted_text" => texts.join("\n"),
        "srt" => (1..)
            .zip(segments)
            .map(|(nth, segment)| format!("{nth}\n{}\n\n", span(segment, ',')))
            .collect(),
        "vtt" => std::iter::once("WEBVTT\n\n".to_owned())
            .chain(
                segments
                    .iter()
                    .map(|segment| format!("{}\n\n", span(segment, '.'))),
            )
            .collect(),
        _ => texts.join(" "),
    }
}

fn span(segment: &Segment, mark: char) -> String {
    let (start, end) = (moment(segment.start_ms, mark), moment(segment.end_ms, mark));
    format!("{start} --> {end}\n{}", segment.text)
}

fn moment(ms: u64, mark: char) -> String {
    let (hours, minutes, seconds) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
    format!("{hours:02}:{minutes:02}:{seconds:02}{mark}{:03}", ms % 1000)
}
