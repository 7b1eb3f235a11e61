//! How much of a text can be told while it still goes on. What is concealed may come in any number of
//! parts, so what could be the beginning of it, or a piece of it, waits for what follows.

use super::finder::{Cut, Finder, Put};
use super::{LEVELS, Scrubber, escapes, sink};

/// More bytes than an escape has, two halves of a character at the deepest level.
const ESCAPE: usize = 20;

impl Scrubber<'_> {
    /// Whether no text is concealed.
    pub(crate) fn conceals_no_text(&self) -> bool {
        self.finder.as_ref().is_some_and(Finder::is_idle)
    }

    /// Whether a text that begins so may become the JSON of the payload.
    pub(crate) fn may_be_payload(&self, beginning: &str) -> bool {
        self.payload.is_some() && beginning.trim_start().starts_with('{')
    }

    /// How many bytes at the beginning of a text can be scrubbed by themselves, however it goes on:
    /// nothing that is concealed begins in them and ends after them.
    pub(crate) fn settled(&self, text: &str) -> usize {
        let Some(finder) = &self.finder else {
            return 0;
        };
        if finder.is_idle() {
            return text.len();
        }
        // An escape that is not whole yet would hide what stands before it.
        let whole = whole_escapes(text);
        let mut layers = vec![whole.to_owned()];
        while layers.len() <= LEVELS
            && let Some(next) = layers.last().and_then(|top| escapes::unescape(top))
        {
            layers.push(next);
        }
        let mut end = whole.len().min(text.len() - finder.overlap(text));
        let mut cuts = cuts_of(finder, text);
        for (level, layer) in layers.iter().enumerate() {
            let mut deep = cuts_of(finder, layer);
            deep.push(Cut {
                start: layer.len() - finder.overlap(layer),
                end: layer.len(),
                put: Put::Hidden,
            });
            for cut in &mut deep {
                let below = layers.iter().take(level).rev();
                below.for_each(|below| sink(std::slice::from_mut(cut), below));
            }
            end = deep.last().map_or(end, |cut| end.min(cut.start));
            cuts.extend(deep);
        }
        let is_in = |end: usize, cut: &Cut| cut.start < end && end < cut.end;
        while let Some(cut) = cuts.iter().find(|cut| is_in(end, cut)) {
            end = cut.start;
        }
        text.floor_char_boundary(end)
    }
}

fn cuts_of(finder: &Finder, text: &str) -> Vec<Cut> {
    let mut cuts = finder.find_prompts(text);
    cuts.extend(finder.find_texts(text));
    cuts.extend(finder.find_pieces(text));
    cuts
}

/// The text without the end in which an escape may not be whole.
fn whole_escapes(text: &str) -> &str {
    let mut end = text.len();
    loop {
        let near = text.floor_char_boundary(end.saturating_sub(ESCAPE));
        let before = text.get(near..end).unwrap_or_default();
        let Some(found) = before.find('\\') else {
            return text.get(..end).unwrap_or_default();
        };
        let upto = text.get(..near + found).unwrap_or_default();
        end = upto.trim_end_matches('\\').len();
    }
}

#[cfg(test)]
mod tests;
