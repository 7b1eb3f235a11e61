//! Whole concealed texts. They are searched for by their beginnings, because what has to be
//! built for a search grows faster than the longest text.

use std::collections::BTreeMap;
use std::ops::Range;

use aho_corasick::{AhoCorasick, BuildError, Input};

use super::finder::automaton;

/// Characters of a beginning. What is as long and the same is hidden, whatever follows.
const HEAD: usize = 64;

/// The concealed texts, in ASCII lower case.
#[derive(Debug)]
pub(super) struct Texts {
    /// Beginnings, each with the texts that begin so.
    heads: Vec<(String, Vec<String>)>,
    search: Option<AhoCorasick>,
}

impl Texts {
    pub(super) fn build(texts: &[String]) -> Result<Self, BuildError> {
        let mut heads = BTreeMap::<&str, Vec<String>>::new();
        for text in texts {
            heads
                .entry(head(text, HEAD))
                .or_default()
                .push(text.clone());
        }
        let patterns: Vec<&str> = heads.keys().copied().collect();
        let search = automaton(&patterns)?;
        let heads = heads
            .into_iter()
            .map(|(head, texts)| (head.to_owned(), texts));
        Ok(Self {
            heads: heads.collect(),
            search,
        })
    }

    /// What every text begins with one of.
    pub(super) fn heads(&self) -> impl Iterator<Item = &str> {
        self.heads.iter().map(|(head, _)| head.as_str())
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        let texts = self.heads.iter().flat_map(|(_, texts)| texts);
        texts.map(String::as_str)
    }

    /// The texts in `text`, from left to right.
    pub(super) fn find(&self, text: &str) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        let Some(search) = &self.search else {
            return found;
        };
        let mut at = 0;
        while let Ok(Some(hit)) = search.try_find(Input::new(text).range(at..)) {
            let rest = text.get(hit.start()..).unwrap_or_default();
            let known = self.heads.get(hit.pattern().as_usize());
            let known = known.iter().flat_map(|(_, texts)| texts);
            let longest = known.map(|known| same(rest, known)).max();
            at = hit.start() + longest.unwrap_or_default().max(hit.len());
            found.push(hit.start()..at);
        }
        found
    }
}

/// The first characters of a text.
pub(super) fn head(text: &str, characters: usize) -> &str {
    let end = text.char_indices().nth(characters);
    end.and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

/// How many bytes at the beginnings of two texts are the same.
fn same(one: &str, other: &str) -> usize {
    let pairs = one.chars().zip(other.chars());
    let pairs = pairs.take_while(|(one, other)| one.eq_ignore_ascii_case(other));
    pairs.map(|(character, _)| character.len_utf8()).sum()
}
