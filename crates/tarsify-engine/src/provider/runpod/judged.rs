//! What is made of a reply, and what administrators may read of it. The words are short and hold
//! neither input nor output, address nor key.

use std::time::Duration;

use serde_json::Value;
use tarsify_domain::execution::Operation;

use super::line::{Answer, Body, Reply};
use super::message::{Cleaner, tidy};
use crate::provider::gate::Outcome;

/// Most characters of what an error says to administrators.
const LONGEST_ERROR: usize = 1_000;
/// Most bytes of what administrators may read.
const LONGEST_SAID: usize = 2_048;
/// Most characters of a status word.
const LONGEST_WORD: usize = 40;

/// A reply with what it means.
#[derive(Debug)]
pub(super) struct Judged<A> {
    pub(super) verdict: Verdict<A>,
    pub(super) outcome: Outcome,
    pub(super) said: String,
}

/// What a reply means.
#[derive(Debug)]
pub(super) enum Verdict<A> {
    /// It is the answer.
    Is(A),
    /// Nothing was done.
    Nothing,
    /// Nothing was done, and that may be different at once.
    NothingYet,
}

/// An answer of the port that a reply can be judged to be.
pub(super) trait Judge: Sized {
    /// To which question.
    const OPERATION: Operation;
    /// How often it is asked in one call.
    const TRIES: u32;
    /// How long one try may take, whatever the settings say.
    const LONGEST_TRY: Duration = Duration::MAX;

    /// Judges a reply.
    fn judge(reply: &Reply, cleaner: &Cleaner) -> Judged<Self>;

    /// The answer when nothing was done.
    fn nothing(retry_after: Option<Duration>) -> Self;
}

impl<A> Judged<A> {
    pub(super) fn is(answer: A, outcome: Outcome, said: String) -> Self {
        Self {
            verdict: Verdict::Is(answer),
            outcome,
            said,
        }
    }

    pub(super) fn nothing(outcome: Outcome, said: String) -> Self {
        Self {
            verdict: Verdict::Nothing,
            outcome,
            said,
        }
    }

    pub(super) fn nothing_yet(outcome: Outcome, said: String) -> Self {
        Self {
            verdict: Verdict::NothingYet,
            outcome,
            said,
        }
    }
}

/// What an answer that is an error says about the endpoint.
pub(super) fn outcome_of(answer: &Answer) -> Outcome {
    match answer.status.as_u16() {
        401..=403 => Outcome::Forbidden,
        429 => Outcome::TooMany(answer.retry_after),
        503 => Outcome::Unavailable(answer.retry_after),
        400 | 404 | 413 | 422 => Outcome::Answered,
        _ => Outcome::Failed,
    }
}

/// What an answer that is an error says.
pub(super) fn said_by(answer: &Answer, cleaner: &Cleaner) -> String {
    let status = answer.status.as_u16();
    let text = match &answer.body {
        Body::Whole(body) => match serde_json::from_slice::<Value>(body) {
            Ok(body) => cleaner.message(&body, LONGEST_ERROR),
            Err(_) if body.is_empty() => Some("no body".to_owned()),
            Err(_) => Some("a body that is not JSON".to_owned()),
        },
        Body::TooLarge => Some("a body that is too large".to_owned()),
        Body::Broken(why) => Some((*why).to_owned()),
    };
    bounded(match text {
        Some(text) => format!("HTTP {status}: {text}"),
        None => format!("HTTP {status}"),
    })
}

/// A status word, with the error that goes with it. What is none of the provider's words may be
/// anything, and is read like an error.
pub(super) fn said_of(word: &str, error: Option<&Value>, cleaner: &Cleaner) -> String {
    let is_word = |word: &str| {
        let mut letters = word.bytes();
        letters.all(|letter| letter.is_ascii_uppercase() || letter == b'_')
    };
    let word = if is_word(word) {
        tidy(word, LONGEST_WORD)
    } else {
        let cleaned = cleaner.message(&Value::from(word), LONGEST_WORD);
        cleaned.unwrap_or_else(|| "a status that says nothing".to_owned())
    };
    let error = error.and_then(|error| cleaner.message(error, LONGEST_ERROR));
    bounded(match error {
        Some(error) => format!("{word}: {error}"),
        None => word,
    })
}

fn bounded(mut said: String) -> String {
    said.truncate(said.floor_char_boundary(LONGEST_SAID));
    said
}
