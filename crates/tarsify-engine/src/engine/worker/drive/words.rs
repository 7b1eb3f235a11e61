//! What a part of an output says, in the forms in which models say it.

use serde_json::{Map, Value};

/// What a part says.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Said {
    /// These letters, which go on those before.
    Text(String),
    /// Something of its own.
    Data(Value),
}

/// What the part says: letters where it is a text, or the one choice of a chat in the forms of vLLM
/// and of those that follow OpenAI, as JSON, as a text of JSON or as lines of events.
pub(super) fn said(part: Value) -> Said {
    match part {
        Value::String(text) => match words_in(&text) {
            Some(words) => Said::Text(words),
            None if is_written_object(&text) => Said::Data(Value::String(text)),
            None => Said::Text(text),
        },
        Value::Object(fields) => match words_of(&fields) {
            Some(words) => Said::Text(words),
            None => Said::Data(Value::Object(fields)),
        },
        other => Said::Data(other),
    }
}

/// The words in lines of events, or in a text that is the JSON of an object.
fn words_in(text: &str) -> Option<String> {
    if !text.trim_start().starts_with("data:") {
        return words_of(&object(text)?);
    }
    let mut words = String::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let event = line.trim_start().strip_prefix("data:")?.trim();
        if event != "[DONE]" {
            words.push_str(&words_of(&object(event)?)?);
        }
    }
    Some(words)
}

fn object(text: &str) -> Option<Map<String, Value>> {
    let object: Map<String, Value> = serde_json::from_str(text).ok()?;
    (!object.is_empty()).then_some(object)
}

/// Whether a text is more than words. The beginning of lines of events, too: the rest may come.
fn is_written_object(text: &str) -> bool {
    text.trim_start().starts_with("data:") || object(text).is_some()
}

fn words_of(fields: &Map<String, Value>) -> Option<String> {
    let Value::Array(choices) = fields.get("choices")? else {
        return None;
    };
    let choice = match choices.as_slice() {
        // Chats end with a part that only counts.
        [] => return Some(String::new()),
        [only] => only,
        _ => return None,
    };
    if let Some(Value::Array(tokens)) = choice.get("tokens") {
        return tokens.iter().map(Value::as_str).collect();
    }
    if let Some(text) = choice.get("text") {
        return text.as_str().map(str::to_owned);
    }
    let delta = choice.get("delta")?.as_object()?;
    match delta.get("content") {
        None | Some(Value::Null) if delta.keys().all(|key| key == "role" || key == "content") => {
            Some(String::new())
        }
        content => content?.as_str().map(str::to_owned),
    }
}

/// Whether a part says all that it says in words that were understood: nothing of it stands between
/// them and those of the next part.
pub(super) fn is_plain(part: &Value) -> bool {
    let Value::String(text) = part else {
        return matches!(part, Value::Object(fields) if words_of(fields).is_some());
    };
    if words_in(text).is_some() {
        return true;
    }
    let is_json = text.trim_start().starts_with(['{', '['])
        || text.trim().len() > 1 && text.trim().starts_with('"') && text.trim().ends_with('"');
    let is_event = |line: &str| {
        let line = line.trim_start();
        let fields = ["data:", "event:", "id:", "retry:", ":"];
        fields.iter().any(|field| line.starts_with(field))
    };
    !is_json && !text.lines().any(is_event)
}

#[cfg(test)]
mod tests;
