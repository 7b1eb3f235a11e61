//! What is told of an execution's output while it is made, and what is not: what is concealed, in
//! however many parts it comes, and more than anybody would watch.
//!
//! Reading takes a part away, so what was read is written with the next write, or it is lost. That
//! is no harm: the parts are a courtesy, and the result is the truth.

use serde_json::{Map, Value};
use tarsify_domain::execution::{Audience, EventKind, NewEvent, OutputTold, State};

use super::words::{Said, is_plain, said};
use crate::scrub::Scrubber;

/// Bytes of the largest part. Whoever follows may have hundreds of them wait for him.
const LARGEST: usize = 8 * 1024;
/// Bytes that wait for what follows.
const MOST_HELD: usize = 64 * 1024;
/// Bytes of all parts of one execution.
const MOST_BYTES: usize = 1024 * 1024;
/// Parts of one execution.
const MOST_PARTS: u32 = 2_000;

/// How the output of one execution is told under one lease.
#[derive(Debug)]
pub(super) struct Telling {
    /// Whether anybody watches.
    is_here: bool,
    told: OutputTold,
    parts: Vec<NewEvent>,
}

impl Telling {
    /// None when nobody has ever watched.
    pub(super) fn begin(audience: Option<Audience>, state: &State, epoch: i64) -> Option<Self> {
        let Audience { is_here, told } = audience?;
        // A worker had it before and never wrote about it, or wrote and another one did not.
        let is_next = |told: &OutputTold| told.epoch.saturating_add(1) == epoch;
        let may_lack = state.strikes > 1 || !told.as_ref().is_none_or(is_next);
        let mut told = told.unwrap_or_default();
        told.epoch = epoch;
        told.may_lack |= may_lack;
        // What two jobs say at the same time makes no sense to anybody.
        let mut live = state.attempts.iter().filter(|one| one.live_job().is_some());
        if told.attempt == 0
            && let (Some(only), None) = (live.next(), live.next())
        {
            told.attempt = only.number;
        }
        Some(Self {
            is_here,
            told,
            parts: Vec::new(),
        })
    }

    /// Whether more may come to be told.
    pub(super) const fn goes_on(&self) -> bool {
        self.is_here && !self.told.is_over && self.told.attempt != 0
    }

    /// Whether anything was heard of the job.
    pub(super) const fn has_heard(&self) -> bool {
        self.told.has_text || self.told.parts > 0 || !self.told.held.is_empty()
    }

    /// Whether what the job of this attempt says is to be read.
    pub(super) const fn listens_to(&self, attempt: u32) -> bool {
        self.is_here && !self.told.is_over && self.told.attempt == attempt
    }

    /// From now on something may be lost; answers whether it was before.
    pub(super) const fn lose(&mut self) -> bool {
        std::mem::replace(&mut self.told.may_lack, true)
    }

    /// It was not.
    pub(super) const fn found(&mut self, may_have_lacked: bool) {
        self.told.may_lack = may_have_lacked;
    }

    /// Nothing more is told, and whoever watches hears that.
    pub(super) fn give_up(&mut self) {
        if !self.told.is_over {
            self.told.is_over = true;
            self.told.held.clear();
            self.part("truncated", Value::Bool(true));
        }
    }

    /// Takes in what was said, and tells of it what may be told.
    pub(super) fn hear(&mut self, scrubber: &Scrubber<'_>, chunks: Vec<Value>) {
        let is_open = scrubber.conceals_no_text();
        if self.told.may_lack && !is_open {
            self.give_up();
        }
        for chunk in chunks {
            // Words between other words, left out or told apart: who could say what they make
            // together?
            let is_clear = is_open || is_plain(&chunk);
            match said(chunk) {
                Said::Text(text) if is_clear => self.told.held.push_str(&text),
                Said::Data(data) if is_open => {
                    self.tell(scrubber, self.told.held.len());
                    self.tell_data(scrubber.scrub_value(data));
                }
                Said::Text(_) | Said::Data(_) => self.give_up(),
            }
            if self.told.is_over {
                return;
            }
        }
        self.tell(scrubber, scrubber.settled(&self.told.held));
        if self.told.held.len() > MOST_HELD {
            self.give_up();
        }
    }

    /// The job says no more. What is held may be the beginning of something concealed that was cut
    /// off: it is told only when everything that the job said was heard.
    pub(super) fn finish(&mut self, scrubber: &Scrubber<'_>, is_whole: bool) {
        if self.told.is_over {
            return;
        }
        if is_whole || scrubber.conceals_no_text() {
            self.tell(scrubber, self.told.held.len());
        }
        self.told.held.clear();
        self.told.is_over = true;
    }

    /// What was told under this lease.
    pub(super) fn take_parts(&mut self) -> Vec<NewEvent> {
        std::mem::take(&mut self.parts)
    }

    /// How far it was told, to be written down.
    pub(super) fn told(&self) -> OutputTold {
        self.told.clone()
    }

    /// Tells so many bytes of what is held.
    fn tell(&mut self, scrubber: &Scrubber<'_>, bytes: usize) {
        if !self.told.has_text && scrubber.may_be_payload(&self.told.held) {
            self.give_up();
            return;
        }
        let rest = self.told.held.split_off(bytes);
        let text = std::mem::replace(&mut self.told.held, rest);
        self.told.has_text |= !text.trim().is_empty();
        let text = scrubber.scrub_text(&text);
        let mut text = text.as_str();
        while !text.is_empty() {
            let (part, rest) = text.split_at(text.floor_char_boundary(LARGEST));
            if !self.has_room(part.len()) {
                return;
            }
            self.part("text", part.into());
            text = rest;
        }
    }

    fn tell_data(&mut self, data: Value) {
        let bytes = data.to_string().len();
        if bytes <= LARGEST && self.has_room(bytes) {
            self.part("data", data);
        }
    }

    fn has_room(&mut self, bytes: usize) -> bool {
        let all = usize::try_from(self.told.bytes).unwrap_or(usize::MAX);
        let all = all.saturating_add(bytes);
        if all > MOST_BYTES || self.told.parts >= MOST_PARTS {
            self.give_up();
            return false;
        }
        self.told.bytes = u32::try_from(all).unwrap_or(u32::MAX);
        true
    }

    fn part(&mut self, name: &str, value: Value) {
        let mut data = Map::new();
        data.insert("index".to_owned(), self.told.parts.into());
        data.insert(name.to_owned(), value);
        self.told.parts = self.told.parts.saturating_add(1);
        self.parts.push(NewEvent {
            kind: EventKind::OutputDelta,
            data,
        });
    }
}

#[cfg(test)]
mod tests;
