//! How long a caller would rather wait than ask again: `wait` of the `Prefer` header
//! (RFC 7240). Other preferences are nobody's business here.

use actix_web::http::header::{HeaderMap, HeaderName};
use tarsify_domain::{Issue, Misfit};

/// The header that holds preferences.
pub(crate) const PREFER: HeaderName = HeaderName::from_static("prefer");
/// The header that says which of them were honoured.
pub(crate) const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");
/// The longest wait, in seconds.
pub(crate) const MOST_SECONDS: u64 = 60;

/// For how many seconds the caller would wait; the first `wait` counts.
///
/// # Errors
/// When that is no whole number of seconds between 1 and [`MOST_SECONDS`].
pub(crate) fn wait(headers: &HeaderMap) -> Result<Option<u64>, Issue> {
    let values = headers.get_all(PREFER);
    let values = values.map(|value| String::from_utf8_lossy(value.as_bytes()));
    let first = values.filter_map(|value| preferences(&value).find_map(named_wait));
    let mut first = first.map(|text| {
        let seconds = text.parse().ok().filter(|_| is_plain(&text));
        seconds.filter(|seconds| (1..=MOST_SECONDS).contains(seconds))
    });
    match first.next() {
        None => Ok(None),
        Some(Some(seconds)) => Ok(Some(seconds)),
        Some(None) => {
            let message = format!("must be wait=n, with n between 1 and {MOST_SECONDS} seconds");
            Err(Misfit::new("range", message).at("/Prefer"))
        }
    }
}

fn is_plain(number: &str) -> bool {
    number.bytes().all(|byte| byte.is_ascii_digit())
}

/// The preferences of a header, cut at the commas that stand in no quoted text.
fn preferences(header: &str) -> impl Iterator<Item = String> {
    let mut quoted = false;
    let mut parts = vec![String::new()];
    for character in header.chars() {
        quoted ^= character == '"';
        match parts.last_mut() {
            Some(part) if quoted || character != ',' => part.push(character),
            _ => parts.push(String::new()),
        }
    }
    parts.into_iter()
}

/// The value of a preference that is called `wait`; empty when it has none.
fn named_wait(preference: impl AsRef<str>) -> Option<String> {
    let bare = preference.as_ref().split(';').next().unwrap_or_default();
    let (name, value) = bare.split_once('=').unwrap_or((bare, ""));
    let value = value.trim();
    let value = value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(value);
    name.trim()
        .eq_ignore_ascii_case("wait")
        .then(|| value.to_owned())
}

#[cfg(test)]
mod tests;
