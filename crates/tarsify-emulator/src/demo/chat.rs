//! Answers a prompt or a conversation as the vLLM worker does, word by word. What it says never
//! depends on more of the prompt than its length and a sum: nothing of it can leak.

use serde_json::{Map, Value, json};

use super::{LABEL, LABEL_KEY, Work, number, text, whole};
use crate::randomness::{Draws, fingerprint};

const DEFAULT_TOKENS: u64 = 16;
const MOST_TOKENS: u64 = 2_048;
const WORDS_IN_CHUNK: usize = 4;

const REMARKS: [&str; 10] = [
    "A kettle answers faster when nobody watches it.",
    "Most questions are shorter than their answers, and better.",
    "The lighthouse keeper counts ships by their lamps.",
    "Bread remembers every draught in the kitchen.",
    "A map is a promise that somebody once walked there.",
    "Rain improves a garden and a conversation about gardens.",
    "Old clocks agree only about noon.",
    "The shortest way leads past the baker.",
    "Snow makes every street a first draft.",
    "A good rope is long enough and no longer.",
];

/// Does the job of the vLLM worker.
pub(crate) fn answer(fields: &Map<String, Value>) -> Work {
    let Some(asked) = asked(fields) else {
        return whole(Err("prompt or messages is a required input.".to_owned()));
    };
    let none = Map::new();
    let sampling = fields
        .get("sampling_params")
        .and_then(Value::as_object)
        .unwrap_or(&none);
    let count = number(sampling, "n").unwrap_or(1).clamp(1, 4);
    let asked_words = asked.split_whitespace().count();
    let answers: Vec<Vec<String>> = (0..count)
        .map(|nth| {
            let seed = number(sampling, "seed").unwrap_or(0).wrapping_add(nth);
            write(fingerprint(&asked) ^ seed, asked_words, sampling)
        })
        .collect();
    let written = answers.iter().map(Vec::len).sum();
    let choices: Vec<Value> = answers
        .iter()
        .map(|words| json!({ "tokens": [words.concat()] }))
        .collect();
    let chunks = answers
        .first()
        .map_or_else(Vec::new, |words| chunks(words, asked_words));
    Work {
        chunks,
        result: Ok(
            json!({ "choices": choices, "usage": usage(asked_words, written), LABEL_KEY: LABEL }),
        ),
    }
}

fn usage(asked: usize, written: usize) -> Value {
    json!({ "input": asked, "output": written })
}

fn chunks(words: &[String], asked: usize) -> Vec<Value> {
    let mut written = 0;
    words
        .chunks(WORDS_IN_CHUNK)
        .map(|part| {
            written += part.len();
            json!({ "choices": [{ "tokens": [part.concat()] }], "usage": usage(asked, written) })
        })
        .collect()
}

/// All that was said to the model.
fn asked(fields: &Map<String, Value>) -> Option<String> {
    if let Some(prompt) = text(fields, "prompt") {
        return Some(prompt.to_owned());
    }
    let messages = fields.get("messages")?.as_array()?;
    let said: Vec<&str> = messages
        .iter()
        .filter_map(|message| message.get("content")?.as_str())
        .collect();
    (!said.is_empty()).then(|| said.join("\n"))
}

/// The words of an answer; all but the first begin with their space.
fn write(seed: u64, asked_words: usize, sampling: &Map<String, Value>) -> Vec<String> {
    let most = number(sampling, "max_tokens")
        .unwrap_or(DEFAULT_TOKENS)
        .clamp(1, MOST_TOKENS);
    let most = usize::try_from(most).unwrap_or(1);
    let mut draws = Draws::new(seed);
    let remark = || {
        let nth = usize::try_from(draws.below(10)).unwrap_or(0);
        REMARKS.get(nth).copied().unwrap_or_default().to_owned()
    };
    let opening =
        format!("This is the Tarsify emulator; no model read the {asked_words}-word prompt.");
    let sentences =
        std::iter::once(opening).chain(std::iter::repeat_with(remark).take(most / 5 + 2));
    let mut words: Vec<String> = Vec::new();
    for sentence in sentences {
        for word in sentence.split(' ') {
            let gap = if words.is_empty() { "" } else { " " };
            words.push(format!("{gap}{word}"));
        }
    }
    words.truncate(most);
    stop(words, sampling)
}

/// Ends the answer where one of the texts to stop at begins.
fn stop(words: Vec<String>, sampling: &Map<String, Value>) -> Vec<String> {
    let stops = sampling.get("stop").and_then(Value::as_array);
    let whole = words.concat();
    let ends = stops.into_iter().flatten().filter_map(Value::as_str);
    let Some(mut left) = ends
        .filter(|stop| !stop.is_empty())
        .filter_map(|stop| whole.find(stop))
        .min()
    else {
        return words;
    };
    let mut kept = Vec::new();
    for word in words {
        let part: String = word
            .get(..left.min(word.len()))
            .unwrap_or_default()
            .to_owned();
        left = left.saturating_sub(part.len());
        if !part.is_empty() {
            kept.push(part);
        }
    }
    kept
}
