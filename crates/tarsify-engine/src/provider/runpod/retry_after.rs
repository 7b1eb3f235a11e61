//! When a server wants to be asked again. A moment is measured by that server's own clock, which
//! is the one it was told by.

use std::time::Duration;

use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};
use time::PrimitiveDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

const MOMENT: &[BorrowedFormatItem<'_>] = format_description!(
    "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
);

/// How long the server wants to be left alone, if it says so in a way that can be read.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let wanted = text(headers, RETRY_AFTER)?;
    if !wanted.is_empty() && wanted.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number too great to be read is as good as a very great one.
        return Some(Duration::from_secs(
            wanted.parse::<u32>().unwrap_or(u32::MAX).into(),
        ));
    }
    let now = text(headers, DATE)?;
    let now = PrimitiveDateTime::parse(now, MOMENT).ok()?;
    let then = PrimitiveDateTime::parse(wanted, MOMENT).ok()?;
    Some(Duration::try_from(then - now).unwrap_or(Duration::ZERO))
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    Some(headers.get(name)?.to_str().ok()?.trim())
}

#[cfg(test)]
mod tests;
