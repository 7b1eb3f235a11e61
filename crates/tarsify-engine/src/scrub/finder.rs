//! Finds in one text what is concealed, and puts something else in its place.

use std::ops::Range;

use aho_corasick::{AhoCorasick, BuildError, Input, MatchKind};
use tarsify_domain::execution::Concealed;

use super::escapes::escape;
use super::own::OwnTexts;
use super::pieces::{Pieces, after};
use super::{HIDDEN, SHORTEST};

/// How many characters of a prompt are searched for before all of it is.
const ANCHOR: usize = 16;

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
    /// The texts and, after them, the beginning of the prompt when none of them is in it.
    texts: Option<AhoCorasick>,
    text_count: usize,
    pieces: Pieces,
}

/// A search for all of these, whichever their ASCII capitals; none when there are none.
pub(super) fn automaton(patterns: &[&str]) -> Result<Option<AhoCorasick>, BuildError> {
    if patterns.is_empty() {
        return Ok(None);
    }
    let mut builder = AhoCorasick::builder();
    builder.ascii_case_insensitive(true);
    builder.match_kind(MatchKind::LeftmostLongest);
    builder.build(patterns).map(Some)
}

impl Finder {
    pub(super) fn build(concealed: &Concealed, own: &OwnTexts) -> Result<Self, BuildError> {
        let long_enough = |text: &&String| text.chars().count() >= SHORTEST;
        let texts: Vec<String> = concealed.texts.iter().filter(long_enough).cloned().collect();
        let wraps = wraps_of(concealed);
        let mut patterns: Vec<&str> = texts.iter().map(String::as_str).collect();
        if let Some(wrap) = wraps.last()
            && !patterns.iter().any(|text| wrap.merged.contains(&text.to_ascii_lowercase()))
        {
            let end = wrap.merged.char_indices().nth(ANCHOR);
            let anchor = end.and_then(|(end, _)| wrap.merged.get(..end));
            patterns.push(anchor.unwrap_or(&wrap.merged));
        }
        Ok(Self {
            texts: automaton(&patterns)?,
            text_count: texts.len(),
            pieces: Pieces::build(&texts, own)?,
            wraps,
        })
    }

    /// Whether there is nothing to find.
    pub(super) const fn is_idle(&self) -> bool {
        self.texts.is_none()
    }

    /// What has to go, from left to right.
    pub(super) fn cuts(&self, text: &str) -> Vec<Cut> {
        let mut cuts = Vec::new();
        let is_hit = |texts: &AhoCorasick| texts.is_match(text);
        if self.texts.as_ref().is_some_and(is_hit) {
            self.cut_wraps(text, &mut cuts);
            fill(text, &mut cuts, |gap| self.find_texts(text, gap));
        }
        fill(text, &mut cuts, |gap| self.pieces.find_long(text, gap));
        let end = cuts.first().map_or(text.len(), |cut| cut.start);
        if let Some(first) = self.pieces.find_first(text, 0..end) {
            cuts.insert(0, hidden(first));
        }
        let start = cuts.last().map_or(0, |cut| cut.end);
        let last = self.pieces.find_last(text, start..text.len());
        cuts.extend(last.map(hidden));
        cuts
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

    fn cut_wraps(&self, text: &str, cuts: &mut Vec<Cut>) {
        if self.wraps.is_empty() {
            return;
        }
        let lower = text.to_ascii_lowercase();
        for (index, wrap) in self.wraps.iter().enumerate() {
            let put = Put::Own(index);
            if wrap.merged.chars().count() < SHORTEST {
                if lower == wrap.merged && cuts.is_empty() {
                    let end = text.len();
                    cuts.push(Cut { start: 0, end, put });
                }
                continue;
            }
            let mut more = Vec::new();
            for gap in gaps(cuts, text.len()) {
                let found = lower.get(gap.clone()).unwrap_or_default();
                let found = found.match_indices(wrap.merged.as_str());
                more.extend(found.map(|(at, merged)| {
                    let start = gap.start + at;
                    let end = start + merged.len();
                    Cut { start, end, put }
                }));
            }
            cuts.extend(more);
            cuts.sort_unstable_by_key(|cut| cut.start);
        }
    }

    fn find_texts(&self, text: &str, part: Range<usize>) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        let Some(texts) = &self.texts else {
            return found;
        };
        let mut at = part.start;
        while at < part.end {
            let input = Input::new(text).range(at..part.end);
            let Ok(Some(hit)) = texts.try_find(input) else {
                break;
            };
            if hit.pattern().as_usize() < self.text_count {
                at = hit.end();
                found.push(hit.range());
            } else {
                at = after(text, hit.start());
            }
        }
        found
    }
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

/// Adds what `find` finds between the cuts.
fn fill(text: &str, cuts: &mut Vec<Cut>, find: impl Fn(Range<usize>) -> Vec<Range<usize>>) {
    let found: Vec<Cut> = gaps(cuts, text.len()).into_iter().flat_map(find).map(hidden).collect();
    if !found.is_empty() {
        cuts.extend(found);
        cuts.sort_unstable_by_key(|cut| cut.start);
    }
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
