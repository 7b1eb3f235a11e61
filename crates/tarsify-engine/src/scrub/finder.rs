//! Finds in one text what is concealed, and puts something else in its place.

use std::ops::Range;

use aho_corasick::{AhoCorasick, BuildError, MatchKind};
use tarsify_domain::execution::Concealed;

use super::escapes::escape;
use super::own::OwnTexts;
use super::pieces::Pieces;
use super::texts::{Texts, head};
use super::{HIDDEN, SHORTEST};

/// How many characters of a prompt are searched for before all of it is.
const ANCHOR: usize = 16;

/// How many bytes are looked for one by one at the most.
const MOST_SIGNS: usize = 6;

/// A part of a text that has to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cut {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) put: Put,
}

/// What comes in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Put {
    Hidden,
    /// What was typed, of the wrap with this place.
    Own(usize),
}

/// A prompt as it was sent, in ASCII lower case, and as it was typed.
#[derive(Debug)]
struct Wrap {
    merged: String,
    own: String,
}

/// Finds what is concealed.
#[derive(Debug)]
pub(super) struct Finder {
    /// The longest first.
    wraps: Vec<Wrap>,
    texts: Texts,
    pieces: Pieces,
    /// Something of all that is searched for, so that most texts are read only once.
    gate: Option<AhoCorasick>,
    /// Bytes of which everything that is searched for holds one; none when there are none.
    /// Images and sound as base64 hold none of most of them, and single bytes are found fast.
    signs: Vec<u8>,
}

/// A search for all of these, whichever their ASCII capitals; none when there are none.
pub(super) fn automaton(patterns: &[&str]) -> Result<Option<AhoCorasick>, BuildError> {
    if patterns.is_empty() {
        return Ok(None);
    }
    let mut builder = AhoCorasick::builder();
    builder.ascii_case_insensitive(true);
    // It looks for a few frequent letters, and is many times slower where they are frequent.
    builder.prefilter(false);
    builder.match_kind(MatchKind::LeftmostLongest);
    builder.build(patterns).map(Some)
}

impl Finder {
    pub(super) fn build(concealed: &Concealed, own: &OwnTexts) -> Result<Self, BuildError> {
        let lower = concealed.texts.iter().map(|text| text.to_ascii_lowercase());
        let lower: Vec<String> = lower
            .filter(|text| text.chars().count() >= SHORTEST)
            .collect();
        let wraps = wraps_of(concealed);
        let texts = Texts::build(&lower)?;
        let pieces = Pieces::build(&lower, own)?;
        let mut gate: Vec<&str> = texts.heads().chain(pieces.blocks()).collect();
        gate.extend(wraps.last().map(|wrap| head(&wrap.merged, ANCHOR)));
        Ok(Self {
            signs: signs_of(&gate),
            gate: automaton(&gate)?,
            texts,
            pieces,
            wraps,
        })
    }

    /// Whether there is nothing to find.
    pub(super) const fn is_idle(&self) -> bool {
        self.gate.is_none()
    }

    /// Whether it is worth searching the text.
    pub(super) fn is_suspect(&self, text: &str) -> bool {
        let mut signs = self.signs.iter();
        let may_hold = self.signs.is_empty() || signs.any(|sign| text.as_bytes().contains(sign));
        let is_hit = |gate: &AhoCorasick| gate.is_match(text);
        (may_hold && self.gate.as_ref().is_some_and(is_hit)) || self.pieces.is_at_end(text)
    }

    /// The whole prompts, from left to right.
    pub(super) fn find_prompts(&self, text: &str) -> Vec<Cut> {
        let mut cuts = Vec::new();
        if self.wraps.is_empty() {
            return cuts;
        }
        let lower = text.to_ascii_lowercase();
        for (index, wrap) in self.wraps.iter().enumerate() {
            let put = Put::Own(index);
            let is_short = wrap.merged.chars().count() < SHORTEST;
            if is_short && lower == wrap.merged && cuts.is_empty() {
                let end = text.len();
                cuts.push(Cut { start: 0, end, put });
            }
            if is_short {
                continue;
            }
            let mut found = Vec::new();
            for gap in gaps(&cuts, text.len()) {
                let inside = lower.get(gap.clone()).unwrap_or_default();
                found.extend(inside.match_indices(&wrap.merged).map(|(at, merged)| {
                    let start = gap.start + at;
                    let end = start + merged.len();
                    Cut { start, end, put }
                }));
            }
            cuts.extend(found);
            cuts.sort_unstable_by_key(|cut| cut.start);
        }
        cuts
    }

    /// The whole texts, from left to right.
    pub(super) fn find_texts(&self, text: &str) -> Vec<Cut> {
        self.texts.find(text).into_iter().map(hidden).collect()
    }

    /// The pieces of texts, from left to right.
    pub(super) fn find_pieces(&self, text: &str) -> Vec<Cut> {
        self.pieces.find(text).into_iter().map(hidden).collect()
    }

    /// How many bytes at the end of a text stand somewhere in what is concealed: it may be about to
    /// be said.
    pub(super) fn overlap(&self, text: &str) -> usize {
        let lower = text.to_ascii_lowercase();
        let wraps = self.wraps.iter().map(|wrap| wrap.merged.as_str());
        let concealed = self.texts.iter().chain(wraps);
        let overlaps = concealed.map(|known| overlap(&lower, known));
        overlaps.max().unwrap_or_default()
    }

    /// The text with something else in the places of the cuts, at `level` levels of JSON.
    pub(super) fn apply(&self, text: &str, cuts: &[Cut], level: usize) -> String {
        let mut left = String::with_capacity(text.len());
        let mut at = 0;
        let mut was_hidden = false;
        for cut in cuts {
            left.push_str(text.get(at..cut.start).unwrap_or_default());
            match cut.put {
                Put::Own(wrap) => {
                    let own = self.wraps.get(wrap).map(|wrap| wrap.own.clone());
                    let escaped = |own: String, _| escape(&own);
                    left.push_str(&(0..level).fold(own.unwrap_or_default(), escaped));
                }
                // Two in a row tell no more than one.
                Put::Hidden if was_hidden && at == cut.start => {}
                Put::Hidden => left.push_str(HIDDEN),
            }
            was_hidden = cut.put == Put::Hidden;
            at = cut.end;
        }
        left.push_str(text.get(at..).unwrap_or_default());
        left
    }
}

/// How many bytes at the end of a text stand somewhere in another one.
fn overlap(text: &str, known: &str) -> usize {
    let starts = text.char_indices().map(|(start, _)| start);
    let starts: Vec<usize> = starts
        .filter(|start| text.len() - start <= known.len())
        .collect();
    // What stands in a text stands there without its first letter, too.
    let longest = starts.partition_point(|start| {
        let end = text.get(*start..).unwrap_or_default();
        !known.contains(end)
    });
    starts.get(longest).map_or(0, |start| text.len() - start)
}

/// A few bytes of which each pattern holds one and that are neither letters nor digits.
fn signs_of(patterns: &[&str]) -> Vec<u8> {
    let mut signs = Vec::new();
    for pattern in patterns {
        let bytes = pattern.as_bytes();
        if signs.iter().any(|sign| bytes.contains(sign)) {
            continue;
        }
        let mut others = bytes.iter().filter(|byte| !byte.is_ascii_alphanumeric());
        let sign = match bytes.contains(&b' ') {
            true => Some(&b' '),
            false => others.next(),
        };
        match sign {
            Some(sign) if signs.len() < MOST_SIGNS => signs.push(*sign),
            _ => return Vec::new(),
        }
    }
    signs
}

/// The prompt, and the prompt without the spaces at its ends, which a model may leave out.
fn wraps_of(concealed: &Concealed) -> Vec<Wrap> {
    let Some(merged) = &concealed.merged_prompt else {
        return Vec::new();
    };
    let own = concealed.own_prompt.as_deref().unwrap_or(HIDDEN);
    let forms = [(merged.as_str(), own), (merged.trim(), own.trim())];
    let mut wraps = Vec::<Wrap>::new();
    for (merged, own) in forms {
        let merged = merged.to_ascii_lowercase();
        let says_more = !merged.eq_ignore_ascii_case(own) && !HIDDEN.contains(&merged);
        if says_more && wraps.iter().all(|wrap| wrap.merged != merged) {
            let own = own.to_owned();
            wraps.push(Wrap { merged, own });
        }
    }
    wraps
}

/// What is between the cuts.
fn gaps(cuts: &[Cut], length: usize) -> Vec<Range<usize>> {
    let starts = [0].into_iter().chain(cuts.iter().map(|cut| cut.end));
    let ends = cuts.iter().map(|cut| cut.start).chain([length]);
    let gaps = starts.zip(ends).map(|(start, end)| start..end);
    gaps.filter(|gap| !gap.is_empty()).collect()
}

fn hidden(part: Range<usize>) -> Cut {
    Cut {
        start: part.start,
        end: part.end,
        put: Put::Hidden,
    }
}
