//! Strong entity tags. The tag of a versioned thing begins with its version, so that
//! `If-Match` protects against lost updates and nothing else; a compressed answer carries
//! the same tag with the coding's name behind it.

use std::fmt::{self, Write as _};

use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use sha2::{Digest, Sha256};
use tarsify_domain::{Expected, Version};

const CODINGS: [&str; 4] = ["-br", "-deflate", "-gzip", "-zstd"];

/// A strong entity tag, without its quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ETag(String);

impl ETag {
    /// The tag of exactly these bytes.
    pub(crate) fn of_bytes(body: &[u8]) -> Self {
        Self(digest(body))
    }

    /// The tag of a representation of something at `version`.
    pub(crate) fn of_version(version: Version, body: &[u8]) -> Self {
        Self(format!("{}-{}", version.get(), digest(body)))
    }

    /// The same representation in another coding.
    pub(crate) fn coded(header: &HeaderValue, coding: &str) -> Option<HeaderValue> {
        let tag = header.to_str().ok()?.strip_prefix('"')?.strip_suffix('"')?;
        HeaderValue::from_str(&format!("\"{tag}-{coding}\"")).ok()
    }
}

impl fmt::Display for ETag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "\"{}\"", self.0)
    }
}

fn digest(body: &[u8]) -> String {
    Sha256::digest(body)
        .iter()
        .take(12)
        .fold(String::with_capacity(24), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// The tag in `If-None-Match` that says the caller already has what `tag` stands for, as he
/// wrote it.
pub(crate) fn held(request: &HttpRequest, tag: &ETag) -> Option<String> {
    tags(request.headers(), &header::IF_NONE_MATCH)
        .into_iter()
        .find_map(|candidate| {
            if candidate == "*" {
                return Some(tag.to_string());
            }
            let strong = candidate.strip_prefix("W/").unwrap_or(&candidate);
            let opaque = strong.strip_prefix('"')?.strip_suffix('"')?;
            let plain = CODINGS
                .iter()
                .find_map(|coding| opaque.strip_suffix(coding))
                .unwrap_or(opaque);
            (plain == tag.0).then(|| strong.to_owned())
        })
}

/// 304 for a caller who has it.
pub(crate) fn not_modified(held: &str, cache_control: &'static str) -> HttpResponse {
    HttpResponse::NotModified()
        .insert_header((header::ETAG, held))
        .insert_header((header::CACHE_CONTROL, cache_control))
        .finish()
}

/// What `If-Match` says of the version to be changed.
pub(crate) fn expected(headers: &HeaderMap) -> Expected {
    if !headers.contains_key(header::IF_MATCH) {
        return Expected::Any;
    }
    let tags = tags(headers, &header::IF_MATCH);
    if tags.iter().any(|tag| tag == "*") {
        return Expected::Any;
    }
    let versions = tags.iter().filter_map(|tag| {
        // A weak tag never matches here: it does not promise sameness.
        let opaque = tag.strip_prefix('"')?.strip_suffix('"')?;
        let (version, _) = opaque.split_once('-')?;
        version.parse().ok().map(Version::new)
    });
    Expected::OneOf(versions.collect())
}

fn tags(headers: &HeaderMap, name: &header::HeaderName) -> Vec<String> {
    headers
        .get_all(name)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|tag| tag.trim().to_owned())
        .filter(|tag| !tag.is_empty())
        .collect()
}
