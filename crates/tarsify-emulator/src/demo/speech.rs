//! Hums a text: a tone for each letter, a rest for each gap. The same inputs hum the same.

use serde_json::{Map, Value, json};

use super::wav::encode;
use super::{LABEL, LABEL_KEY, data_url, number, text};
use crate::randomness::fingerprint;

const RATE: u32 = 16_000;
/// What one letter lasts.
const NOTE: i64 = 960;
/// Six seconds and no more: results are kept in memory.
const MOST_NOTES: usize = 100;
/// One turn of a tone.
const TURN: i64 = 65_536;

/// Does the job of a text-to-speech worker; as those differ, the words may come as `text` or `prompt`.
pub(crate) fn speak(fields: &Map<String, Value>) -> Result<Value, String> {
    let words = text(fields, "text")
        .or_else(|| text(fields, "prompt"))
        .ok_or("text is a required input.")?;
    let seed = number(fields, "seed").unwrap_or(0);
    let voice = text(fields, "voice").unwrap_or("lucy");
    let samples = hum(words, (fingerprint(voice) ^ seed) % 12);
    let milliseconds = u64::try_from(samples.len()).unwrap_or(0) * 1000 / u64::from(RATE);
    let seconds = u32::try_from(milliseconds).map_or(0.0, f64::from) / 1000.0;
    let sound = data_url("audio/wav", &encode(&samples, RATE, LABEL));
    Ok(json!({
        "audio": sound, "format": "wav", "sample_rate": RATE, "duration": seconds, "seed": seed, LABEL_KEY: LABEL,
    }))
}

fn hum(words: &str, pitch: u64) -> Vec<i16> {
    let pitch = i64::try_from(pitch).unwrap_or(0) * 12;
    words
        .chars()
        .take(MOST_NOTES)
        .flat_map(|letter| {
            let height = 180 + pitch + i64::from(u32::from(letter) % 24) * 18;
            let loud = if letter.is_alphanumeric() { 9_000 } else { 0 };
            (0..NOTE).map(move |place| sample(place, height, loud))
        })
        .collect()
}

/// A bow up and a bow down in each turn, near enough to a sine; soft at both ends of the note.
fn sample(place: i64, height: i64, loud: i64) -> i16 {
    let angle = place * height * TURN / i64::from(RATE) % TURN;
    let half = TURN / 2;
    let (within, sign) = if angle < half {
        (angle, 1)
    } else {
        (angle - half, -1)
    };
    let bow = 4 * within * (half - within) / half;
    let softness = place.min(NOTE - place).min(160);
    let value = sign * bow * loud / half * softness / 160;
    i16::try_from(value).unwrap_or(0)
}
