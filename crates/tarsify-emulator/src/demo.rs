//! The emulator's own workers: real results of their kind, made of arithmetic, that say where they
//! come from. Each reads its input as the real worker does and refuses what that would.

mod chat;
mod picture;
mod png;
mod speech;
mod transcript;
mod wav;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

/// The key, in what an own worker puts out, that says so.
const LABEL_KEY: &str = "emulated";
/// What it says.
const LABEL: &str = "made by the Tarsify emulator; no model ran";
/// What official workers said of jobs with nothing to work on.
const NO_INPUT: &str = "Job has missing field(s): id or input.";

/// Who works at an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Worker {
    Speech,
    Picture,
    Transcript,
    Chat,
    Echo,
    /// A worker from outside, by the workers' side of the protocol.
    Official,
}

impl Worker {
    pub(crate) fn of_endpoint(id: &str) -> Self {
        match id {
            "demo-tts" => Self::Speech,
            "demo-sdxl" => Self::Picture,
            "demo-whisper" => Self::Transcript,
            "demo-vllm" => Self::Chat,
            "echo" => Self::Echo,
            // As many of them as somebody likes: a provider's limits are those of one endpoint.
            several if several.starts_with("echo-") => Self::Echo,
            _ => Self::Official,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Speech | Self::Picture | Self::Transcript | Self::Chat => "demo",
            Self::Echo => "echo",
            Self::Official => "official",
        }
    }
}

/// What an own worker made of an input.
pub(crate) struct Work {
    /// What it yields on the way.
    pub(crate) chunks: Vec<Value>,
    /// The output, or why there is none.
    pub(crate) result: Result<Value, String>,
}

/// Does a job.
pub(crate) fn work(worker: Worker, input: &Value) -> Work {
    let fields = match input {
        Value::Object(fields) if !fields.is_empty() => fields,
        _ => return whole(Err(NO_INPUT.to_owned())),
    };
    match worker {
        Worker::Speech => whole(speech::speak(fields)),
        Worker::Picture => whole(picture::paint_pictures(fields)),
        Worker::Transcript => whole(transcript::write_down(fields)),
        Worker::Chat => chat::answer(fields),
        Worker::Echo | Worker::Official => whole(Ok(input.clone())),
    }
}

fn whole(result: Result<Value, String>) -> Work {
    Work {
        chunks: Vec::new(),
        result,
    }
}

fn data_url(media_type: &str, bytes: &[u8]) -> String {
    format!("data:{media_type};base64,{}", STANDARD.encode(bytes))
}

/// A text that is there and not empty.
fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    let text = fields.get(name)?.as_str()?;
    (!text.is_empty()).then_some(text)
}

fn number(fields: &Map<String, Value>, name: &str) -> Option<u64> {
    fields.get(name)?.as_u64()
}

#[cfg(test)]
mod tests;
