//! Pieces of concealed texts, as an echo that was cut off holds them. A text is known by its
//! *grams*, every 16 characters in a row of it; a piece of 32 holds one that begins at a
//! multiple of 16, so only those are searched for everywhere.

use std::collections::HashMap;
use std::ops::Range;

use aho_corasick::{AhoCorasick, BuildError, Input};

use super::finder::automaton;
use super::own::OwnTexts;
use super::texts::head;

/// Characters of a gram, which is the shortest piece that is hidden where a string begins or
/// ends.
const GRAM: usize = 16;
/// Characters of the shortest piece that is hidden anywhere.
const LONG: usize = 32;
/// How many letters and digits a gram has at least; rules and spaces are everybody's.
const TELLING: usize = 8;

/// Where a gram stands.
#[derive(Debug, Clone, Copy)]
struct Place {
    text: usize,
    start: usize,
}

/// The pieces of the concealed texts.
#[derive(Debug)]
pub(super) struct Pieces {
    /// In ASCII lower case.
    texts: Vec<String>,
    grams: HashMap<Box<str>, Place>,
    blocks: Option<AhoCorasick>,
    /// Where the patterns of `blocks` stand.
    places: Vec<Place>,
}

impl Pieces {
    pub(super) fn build(concealed: &[String], own: &OwnTexts) -> Result<Self, BuildError> {
        let mut texts = Vec::<String>::new();
        for text in concealed {
            if !texts.iter().any(|longer| longer.contains(text)) {
                texts.push(text.clone());
            }
        }
        texts.retain(|text| text.chars().count() >= GRAM);
        let mut grams = HashMap::new();
        for (index, text) in texts.iter().enumerate() {
            for (_, start, gram) in grams_of(text) {
                let letters = gram.chars().filter(|character| character.is_alphanumeric());
                if letters.count() >= TELLING && !grams.contains_key(gram) {
                    grams.insert(Box::from(gram), Place { text: index, start });
                }
            }
        }
        if !grams.is_empty() {
            for (_, _, gram) in own.iter().flat_map(grams_of) {
                grams.remove(gram);
            }
        }
        let long = texts.iter().filter(|text| text.chars().count() >= LONG);
        let aligned = long.flat_map(|text| grams_of(text).filter(|(at, ..)| at % GRAM == 0));
        let mut blocks: Vec<&str> = aligned.map(|(_, _, gram)| gram).collect();
        blocks.sort_unstable();
        blocks.dedup();
        blocks.retain(|block| grams.contains_key(*block));
        let places = blocks.iter().filter_map(|block| grams.get(*block).copied());
        Ok(Self {
            places: places.collect(),
            blocks: automaton(&blocks)?,
            texts,
            grams,
        })
    }

    /// What every long piece holds one of.
    pub(super) fn blocks(&self) -> impl Iterator<Item = &str> {
        self.places.iter().filter_map(|place| {
            let rest = self.texts.get(place.text)?.get(place.start..)?;
            Some(head(rest, GRAM))
        })
    }

    /// Whether the text begins or ends with a piece.
    pub(super) fn is_at_end(&self, text: &str) -> bool {
        let whole = 0..text.len();
        self.find_first(text, whole.clone()).is_some() || self.find_last(text, whole).is_some()
    }

    /// The pieces in the text that are long enough where they stand, from left to right.
    pub(super) fn find(&self, text: &str) -> Vec<Range<usize>> {
        let mut found = self.find_long(text);
        let end = found.first().map_or(text.len(), |piece| piece.start);
        if let Some(first) = self.find_first(text, 0..end) {
            found.insert(0, first);
        }
        let start = found.last().map_or(0, |piece| piece.end);
        let last = self.find_last(text, start..text.len());
        found.extend(last);
        found
    }

    fn find_long(&self, text: &str) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        let Some(blocks) = &self.blocks else {
            return found;
        };
        let mut at = 0;
        while at < text.len() {
            let input = Input::new(text).range(at..);
            let Ok(Some(hit)) = blocks.try_find(input) else {
                break;
            };
            let place = self.places.get(hit.pattern().as_usize()).copied();
            let around = at..text.len();
            let piece = place.and_then(|place| self.widen(text, around, hit.start(), place));
            match piece {
                Some((piece, characters)) if characters >= LONG => {
                    at = piece.end;
                    found.push(piece);
                }
                _ => at = after(text, hit.start()),
            }
        }
        found
    }

    /// The piece with which a part of `text` begins, punctuation apart.
    fn find_first(&self, text: &str, part: Range<usize>) -> Option<Range<usize>> {
        if self.grams.is_empty() || part.len() < GRAM {
            return None;
        }
        let inside = text.get(part.clone())?;
        let start = part.start + inside.find(char::is_alphanumeric)?;
        let rest = text.get(start..part.end)?;
        let gram = head(rest, GRAM).to_ascii_lowercase();
        let place = self.grams.get(gram.as_str())?;
        let (piece, _) = self.widen(text, start..part.end, start, *place)?;
        Some(piece)
    }

    /// The piece with which a part of `text` ends, punctuation apart.
    fn find_last(&self, text: &str, part: Range<usize>) -> Option<Range<usize>> {
        if self.grams.is_empty() || part.len() < GRAM {
            return None;
        }
        let inside = text.get(part.clone())?;
        let inside = inside.trim_end_matches(|character: char| !character.is_alphanumeric());
        let (start, _) = inside.char_indices().rev().nth(GRAM - 1)?;
        let gram = inside.get(start..)?;
        let place = self.grams.get(gram.to_ascii_lowercase().as_str())?;
        let end = part.start + inside.len();
        let (piece, _) = self.widen(text, part.start..end, part.start + start, *place)?;
        Some(piece)
    }

    /// As much of `text` around `at` as is the same as around the place of a gram, and how many
    /// characters that is.
    fn widen(
        &self,
        text: &str,
        part: Range<usize>,
        at: usize,
        place: Place,
    ) -> Option<(Range<usize>, usize)> {
        let known = self.texts.get(place.text)?;
        let is_same = |pair: &(char, char)| pair.0.eq_ignore_ascii_case(&pair.1);
        let length = |(bytes, count): (usize, usize), (character, _): (char, char)| {
            (bytes + character.len_utf8(), count + 1)
        };
        let right = text.get(at..part.end)?.chars();
        let right = right.zip(known.get(place.start..)?.chars());
        let (after, more) = right.take_while(is_same).fold((0, 0), length);
        let left = text.get(part.start..at)?.chars().rev();
        let left = left.zip(known.get(..place.start)?.chars().rev());
        let (before, count) = left.take_while(is_same).fold((0, more), length);
        Some((at - before..at + after, count))
    }
}

/// The character after the one at `at`.
fn after(text: &str, at: usize) -> usize {
    let character = text.get(at..).and_then(|rest| rest.chars().next());
    at + character.map_or(1, char::len_utf8)
}

/// The grams of a text, each with its place in characters and in bytes.
fn grams_of(text: &str) -> impl Iterator<Item = (usize, usize, &str)> {
    let starts = text.char_indices().map(|(start, _)| start);
    let ends = starts.clone().chain([text.len()]).skip(GRAM);
    let spans = starts.zip(ends).enumerate();
    spans.filter_map(|(place, (start, end))| Some((place, start, text.get(start..end)?)))
}
