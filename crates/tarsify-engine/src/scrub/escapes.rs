//! One level of the escapes in JSON strings. What is no escape stands for itself, so that any
//! text can be read as if it held JSON.

/// A part of an escaped text.
enum Part<'a> {
    Plain(&'a str),
    Escaped(char),
}

/// The text with its escapes undone; none when it has none.
pub(super) fn unescape(text: &str) -> Option<String> {
    if !text.contains('\\') {
        return None;
    }
    let mut unescaped = String::with_capacity(text.len());
    let mut has_any = false;
    walk(text, |_, part| match part {
        Part::Plain(plain) => unescaped.push_str(plain),
        Part::Escaped(character) => {
            has_any = true;
            unescaped.push(character);
        }
    });
    has_any.then_some(unescaped)
}

/// The text as it stands inside a JSON string.
pub(super) fn escape(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    let inner = quoted
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    inner.unwrap_or_default().to_owned()
}

/// Where the bytes at `wanted` of the unescaped text, in rising order, come from in `text`.
pub(super) fn sources(text: &str, wanted: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut wanted = wanted.peekable();
    let mut sources = Vec::new();
    let mut done = 0;
    walk(text, |source, part| {
        let (length, is_plain) = match part {
            Part::Plain(plain) => (plain.len(), true),
            Part::Escaped(character) => (character.len_utf8(), false),
        };
        while let Some(place) = wanted.next_if(|place| *place < done + length) {
            let inside = if is_plain { place - done } else { 0 };
            sources.push(source + inside);
        }
        done += length;
    });
    sources.extend(wanted.map(|_| text.len()));
    sources
}

/// Calls `take` with each part of the text and where it begins.
fn walk<'a>(text: &'a str, mut take: impl FnMut(usize, Part<'a>)) {
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if let Some((character, length)) = read_escape(rest) {
            take(at, Part::Escaped(character));
            at += length;
            continue;
        }
        // A backslash that begins no escape is plain.
        let next = rest.bytes().skip(1).position(|byte| byte == b'\\');
        let plain = rest.get(..next.map_or(rest.len(), |next| next + 1));
        let plain = plain.unwrap_or(rest);
        take(at, Part::Plain(plain));
        at += plain.len();
    }
}

/// The escape at the beginning of the text and its length.
fn read_escape(text: &str) -> Option<(char, usize)> {
    let rest = text.strip_prefix('\\')?;
    let character = match rest.chars().next()? {
        same @ ('"' | '\\' | '/' | '\'') => same,
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => return read_unicode(text),
        _ => return None,
    };
    Some((character, 2))
}

fn read_unicode(text: &str) -> Option<(char, usize)> {
    let first = read_unit(text)?;
    if let Some(character) = char::from_u32(first) {
        return Some((character, 6));
    }
    let second = read_unit(text.get(6..)?)?;
    let pair = [u16::try_from(first).ok()?, u16::try_from(second).ok()?];
    let character = char::decode_utf16(pair).next()?.ok()?;
    Some((character, 12))
}

fn read_unit(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_plain.then(|| u32::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests;
