//! The signatures of Stripe's messages: made, and checked in constant time. What is too old, too
//! long, or written in any other way than Stripe writes it is refused.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac::{Context, HMAC_SHA256, Key, Tag};
use tarsify_domain::clock::Timestamp;
use tarsify_domain::payments::EventError;

/// How many seconds a message's time may be away from ours, either way.
const TOLERANCE: u64 = 300;
/// Bytes of the longest header that is looked at.
const LONGEST_HEADER: usize = 2_048;
/// Signatures that are tried; Stripe sends one for each secret that is valid at the time.
const MOST_SIGNATURES: usize = 16;
/// Digits of the longest time.
const LONGEST_TIME: usize = 12;
const TAG_BYTES: usize = 32;

/// What a header says.
struct Claim<'a> {
    /// As it is written, because that is what was signed.
    time: &'a str,
    signatures: Vec<[u8; TAG_BYTES]>,
}

/// The header for a message that is sent at `now`.
pub(crate) fn sign(secret: &str, body: &[u8], now: Timestamp) -> String {
    let time = now.unix_timestamp().to_string();
    let tag = hex::encode(tag(secret, &time, body));
    format!("t={time},v1={tag}")
}

/// Checks the header of a message against every secret.
pub(crate) fn verify(
    header: Option<&str>,
    body: &[u8],
    secrets: &[String],
    now: Timestamp,
) -> Result<(), EventError> {
    let header = header.ok_or(EventError::Forged("there is none"))?;
    let claim = read(header).map_err(EventError::Forged)?;
    let mut is_known = false;
    // All of them, whichever fits: how long it takes tells nothing.
    for secret in secrets {
        let expected = tag(secret, claim.time, body);
        for signature in &claim.signatures {
            is_known |= verify_slices_are_equal(signature, expected.as_ref()).is_ok();
        }
    }
    if !is_known {
        return Err(EventError::Forged(
            "it does not fit the message and any known secret",
        ));
    }
    let time = claim.time.parse::<i64>().ok();
    let away = time.map(|time| time.abs_diff(now.unix_timestamp()));
    if away.is_none_or(|away| away > TOLERANCE) {
        return Err(EventError::Forged(
            "its time is more than five minutes away from ours",
        ));
    }
    Ok(())
}

/// The secret is used as it is shown, `whsec_` included.
fn tag(secret: &str, time: &str, body: &[u8]) -> Tag {
    let key = Key::new(HMAC_SHA256, secret.as_bytes());
    let mut context = Context::with_key(&key);
    context.update(time.as_bytes());
    context.update(b".");
    context.update(body);
    context.sign()
}

fn read(header: &str) -> Result<Claim<'_>, &'static str> {
    if header.len() > LONGEST_HEADER {
        return Err("it is too long");
    }
    let mut times = Vec::new();
    let mut signatures = Vec::new();
    for item in header.split(',') {
        let (scheme, value) = item.split_once('=').ok_or("it is no list of values")?;
        match scheme.trim() {
            "t" => times.push(value.trim()),
            "v1" if signatures.len() == MOST_SIGNATURES => {
                return Err("it holds too many signatures");
            }
            "v1" => signatures.push(bytes(value.trim())?),
            // Schemes that are for tests, or to come.
            _ => {}
        }
    }
    let &[time] = times.as_slice() else {
        return Err("it does not hold one time");
    };
    let is_time = (1..=LONGEST_TIME).contains(&time.len())
        && time.bytes().all(|digit| digit.is_ascii_digit());
    if !is_time {
        return Err("its time is none");
    }
    if signatures.is_empty() {
        return Err("it holds no signature of the scheme v1");
    }
    Ok(Claim { time, signatures })
}

fn bytes(text: &str) -> Result<[u8; TAG_BYTES], &'static str> {
    let mut bytes = [0; TAG_BYTES];
    match hex::decode_to_slice(text, &mut bytes) {
        Ok(()) => Ok(bytes),
        Err(_) => Err("a signature in it is none"),
    }
}

#[cfg(test)]
mod tests;
