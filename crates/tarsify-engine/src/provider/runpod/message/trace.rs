//! Takes stack traces out of a text: those of Python, JavaScript, Java, Go, Rust and C++. What
//! the trace was about stays.

const BEGINNINGS: [&str; 7] = [
    "Traceback (",
    "stack backtrace:",
    "Stack trace:",
    "Call stack:",
    "(most recent call",
    "During handling of the above exception",
    "The above exception was the direct cause",
];

/// The lines of a text that are no part of a stack trace.
pub(super) fn without_traces(text: &str) -> Vec<String> {
    let text = unescaped(text);
    let mut lines = Vec::new();
    let mut is_inside = false;
    for line in text.lines() {
        if let Some(before) = before_trace(line) {
            is_inside = true;
            push(&mut lines, before);
        } else if is_frame(line.trim()) || (is_inside && line.starts_with(char::is_whitespace)) {
            is_inside = true;
        } else {
            is_inside &= line.trim().is_empty();
            push(&mut lines, before_inline_frames(line));
        }
    }
    lines
}

fn push(lines: &mut Vec<String>, line: &str) {
    let line = line.trim();
    if !line.is_empty() {
        lines.push(line.to_owned());
    }
}

/// With line breaks where a trace was written with `\n` in their place.
fn unescaped(text: &str) -> String {
    let is_escaped = text.contains("\\n")
        && (text.contains("Traceback (") || text.contains("File \\\"") || text.contains("File \""));
    if is_escaped {
        text.replace("\\n", "\n").replace("\\\"", "\"")
    } else {
        text.to_owned()
    }
}

/// What stands in a line before a trace begins in it.
fn before_trace(line: &str) -> Option<&str> {
    let begins = BEGINNINGS.iter().filter_map(|mark| line.find(mark)).min();
    let begins = begins.or_else(|| {
        let at = line.find("File \"").or_else(|| line.find("File '"))?;
        let (_, rest) = line.split_at(at);
        rest.contains(", line ").then_some(at)
    })?;
    line.split_at_checked(begins).map(|(before, _)| before)
}

fn is_frame(line: &str) -> bool {
    let numbered = line.trim_start_matches(|character: char| character.is_ascii_digit());
    if numbered.len() < line.len()
        && let Some(place) = numbered.strip_prefix(": ")
    {
        return place.contains("::") || place.starts_with("0x");
    }
    if let Some(rest) = line.strip_prefix('#') {
        return rest.starts_with(|character: char| character.is_ascii_digit());
    }
    if let Some(place) = line.strip_prefix("at ") {
        return is_place(place);
    }
    line.starts_with("frame #")
        || line.starts_with("goroutine ")
        || line.starts_with("note: run with `RUST_BACKTRACE")
        || (line.starts_with("thread '") && line.contains("' panicked at "))
        || (line.starts_with("... ") && line.ends_with(" more"))
}

/// A line up to frames that follow each other in it.
fn before_inline_frames(line: &str) -> &str {
    for (at, mark) in line.match_indices(" at ") {
        let Some((before, rest)) = line.split_at_checked(at) else {
            continue;
        };
        let rest = rest.strip_prefix(mark).unwrap_or(rest);
        let place = rest.split(" at ").next().unwrap_or(rest);
        if is_place(place.trim()) {
            return before;
        }
    }
    line
}

/// Whether a text names a place in a program: `f (file:1:2)`, `file:1:2`, `f (native)`.
fn is_place(text: &str) -> bool {
    if let Some((_, inner)) = text.split_once('(')
        && let Some((inner, _)) = inner.split_once(')')
    {
        return ends_with_line(inner)
            || matches!(
                inner,
                "native" | "<anonymous>" | "Native Method" | "Unknown Source"
            );
    }
    let place = text.split(' ').next().unwrap_or(text);
    place.contains(['.', '/', '\\']) && ends_with_line(place)
}

fn ends_with_line(place: &str) -> bool {
    let place = place.trim_end_matches([',', ';', '.']);
    let Some((file, line)) = place.rsplit_once(':') else {
        return false;
    };
    !file.is_empty() && !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit())
}
