//! Takes out of an address what it says about TLS. Refuses what would otherwise be ignored.

use tokio_postgres::Config;

use super::{Mode, Roots};
use crate::settings::ConnectError;

/// What PostgreSQL's own tools take, and we do not.
const UNSUPPORTED: [&str; 11] = [
    "sslcert",
    "sslkey",
    "sslpassword",
    "sslcertmode",
    "sslcrl",
    "sslcrldir",
    "sslsni",
    "sslcompression",
    "sslkeylogfile",
    "ssl_min_protocol_version",
    "ssl_max_protocol_version",
];

/// What an address says about TLS.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Wishes {
    pub(super) mode: Option<Mode>,
    pub(super) roots: Option<Roots>,
}

/// Whether a parameter was ours.
#[derive(PartialEq, Eq)]
enum Parameter {
    Taken,
    Foreign,
}

impl Wishes {
    /// The last of several holds, as with PostgreSQL's own tools.
    fn take(
        &mut self,
        key: &str,
        value: impl FnOnce() -> Result<String, ConnectError>,
    ) -> Result<Parameter, ConnectError> {
        match key {
            "sslmode" => self.mode = Some(mode(&value()?)?),
            "sslrootcert" => {
                self.roots = match value()?.as_str() {
                    "" => None,
                    "system" => Some(Roots::System),
                    path => Some(Roots::File(path.into())),
                };
            }
            _ => {
                return match UNSUPPORTED.iter().find(|option| **option == key) {
                    Some(option) => Err(ConnectError::TlsOption { option }),
                    None => Ok(Parameter::Foreign),
                };
            }
        }
        Ok(Parameter::Taken)
    }
}

fn mode(text: &str) -> Result<Mode, ConnectError> {
    Ok(match text {
        "disable" => Mode::Disable,
        "prefer" => Mode::Prefer,
        "require" => Mode::Require,
        "verify-ca" => Mode::VerifyCa,
        "verify-full" => Mode::VerifyFull,
        _ => return Err(ConnectError::TlsMode),
    })
}

/// The address without what it says about TLS, and that.
pub(crate) fn split(address: &str) -> Result<(String, Wishes), ConnectError> {
    if address.starts_with("postgres://") || address.starts_with("postgresql://") {
        split_url(address)
    } else {
        split_pairs(address)
    }
}

fn split_url(url: &str) -> Result<(String, Wishes), ConnectError> {
    let mut wishes = Wishes::default();
    // As the client reads it: up to the first `@` all is user and password.
    let place = url
        .split_once('@')
        .map_or(url, |(_credentials, place)| place);
    let Some((_place, query)) = place.split_once('?') else {
        return Ok((url.to_owned(), wishes));
    };
    let mut foreign = Vec::new();
    for parameter in query.split('&') {
        let taken = match parameter.split_once('=') {
            Some((key, value)) => wishes.take(&decode(key)?, || decode(value))?,
            None => Parameter::Foreign,
        };
        if taken == Parameter::Foreign {
            foreign.push(parameter);
        }
    }
    let before = url.strip_suffix(query).unwrap_or(url);
    Ok((format!("{before}{}", foreign.join("&")), wishes))
}

/// Undoes the percent-encoding, exactly as the client does it.
fn decode(text: &str) -> Result<String, ConnectError> {
    let config: Config = format!("postgres://@/?application_name={text}")
        .parse()
        .map_err(|error: tokio_postgres::Error| ConnectError::Address(error.into()))?;
    Ok(config.get_application_name().unwrap_or_default().to_owned())
}

fn split_pairs(address: &str) -> Result<(String, Wishes), ConnectError> {
    let mut wishes = Wishes::default();
    let mut foreign = String::new();
    let mut rest = address;
    while !rest.trim_start().is_empty() {
        let Some((key, value, after)) = next_pair(rest) else {
            // What is wrong with it, the client says.
            return Ok((address.to_owned(), Wishes::default()));
        };
        if wishes.take(key, || Ok(value))? == Parameter::Foreign {
            foreign.push_str(rest.strip_suffix(after).unwrap_or(rest));
            foreign.push(' ');
        }
        rest = after;
    }
    Ok((foreign, wishes))
}

/// The key and the value of `key = value` at the start, and what follows.
fn next_pair(text: &str) -> Option<(&str, String, &str)> {
    let (key, text) = text.split_once('=')?;
    let text = text.trim_start();
    let (quoted, text) = match text.strip_prefix('\'') {
        Some(text) => (true, text),
        None => (false, text),
    };
    let mut value = String::new();
    let mut characters = text.chars();
    loop {
        match characters.next() {
            None if quoted => return None,
            None => break,
            Some('\'') if quoted => break,
            Some(space) if !quoted && space.is_whitespace() => break,
            Some('\\') => value.extend(characters.next()),
            Some(character) => value.push(character),
        }
    }
    Some((key.trim(), value, characters.as_str()))
}

#[cfg(test)]
mod tests;
