//! Readers of single values: what an address, a URL, an origin or an id has to look like, and what to do when it does not.

use std::net::IpAddr;
use std::path::PathBuf;

use ipnet::IpNet;
use tarsify_redis::RedisAddress;
use url::{Host, ParseError, Url};

use super::fault::Wrong;
use super::secret::Secret;

/// A web origin as browsers send it: scheme, host, and the port unless it is the scheme's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin(String);

impl Origin {
    /// The origin as it stands in the `Origin` header.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

pub(super) fn address(text: &str) -> Result<IpAddr, Wrong> {
    text.parse().map_err(|_not_an_address| {
        Wrong::new(
            "is not an IP address",
            "Give an address such as 127.0.0.1, ::1 or 0.0.0.0, without a port",
        )
    })
}

/// A network such as 10.0.0.0/8, or a single address; `none` is no network at all.
pub(super) fn networks(text: &str) -> Result<Vec<IpNet>, Wrong> {
    if text == "none" {
        return Ok(Vec::new());
    }
    let network = text
        .parse::<IpNet>()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    let network = network.map_err(|_not_a_network| {
        Wrong::new(
            "is not a network",
            "Give networks such as 10.0.0.0/8 or 2001:db8::/32, or single addresses; none for no proxy",
        )
    })?;
    if network.prefix_len() == 0 {
        return Err(Wrong::new(
            "holds every address, so that anybody could claim to be anybody else",
            "Give only the networks of your own proxies",
        ));
    }
    Ok(vec![network])
}

/// An http or https URL with neither credentials, query nor fragment.
pub(super) fn web_url(text: &str) -> Result<Url, Wrong> {
    const REMEDY: &str = "Give a URL such as https://api.example.com";
    let url =
        Url::parse(text).map_err(|error| Wrong::new(format!("is not a URL ({error})"), REMEDY))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Wrong::new("is neither http nor https", REMEDY));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Wrong::new(
            "carries credentials",
            "Remove what stands before the @",
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(Wrong::new(
            "has a query or a fragment",
            "Remove what follows ? or #",
        ));
    }
    Ok(url)
}

/// The address of a page, as it is written: it may hold a query and places to be filled in.
pub(super) fn page_url(text: &str) -> Result<String, Wrong> {
    const REMEDY: &str = "Give a URL such as https://shop.example.com/credits";
    let url =
        Url::parse(text).map_err(|error| Wrong::new(format!("is not a URL ({error})"), REMEDY))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Wrong::new("is neither http nor https", REMEDY));
    }
    Ok(text.to_owned())
}

pub(super) fn origin(text: &str) -> Result<Origin, Wrong> {
    let refuse = |problem: &str| {
        let remedy = "List each origin as scheme://host or scheme://host:port, such as https://shop.example.com";
        Wrong::new(problem, remedy)
    };
    if text == "*" {
        return Err(refuse(
            "would let every website call with its visitors' credentials",
        ));
    }
    let url = web_url(text)
        .map_err(|wrong| refuse(&format!("holds an origin that {}", wrong.problem)))?;
    if url.path() != "/" {
        return Err(refuse("holds an origin with a path"));
    }
    Ok(Origin(url.origin().ascii_serialization()))
}

/// A `postgres://` URL. Forms that only PostgreSQL clients know (a socket folder in `host=`, several hosts) pass too.
pub(super) fn database_url(text: &str) -> Result<Secret<String>, Wrong> {
    const REMEDY: &str = "Give postgres://user:password@host:5432/database, \
        with special characters of the password percent-encoded (%40 for @, %2F for /)";
    let rest = text
        .strip_prefix("postgres://")
        .or_else(|| text.strip_prefix("postgresql://"))
        .filter(|rest| !rest.is_empty())
        .ok_or_else(|| Wrong::new("is not a PostgreSQL URL", REMEDY))?;
    match Url::parse(text) {
        Err(ParseError::EmptyHost) if rest.contains("host=") => {}
        Err(ParseError::InvalidPort) if rest.contains(',') => {}
        Err(error) => return Err(Wrong::new(format!("is not a URL ({error})"), REMEDY)),
        Ok(_) => {}
    }
    Ok(Secret::new(text.to_owned()))
}

/// The URL of a Redis server. It is kept as it was read: nothing else of it is needed.
pub(super) fn redis_url(text: &str) -> Result<RedisAddress, Wrong> {
    const REMEDY: &str = "Give redis://:password@host:6379/0, or rediss:// for TLS, with special \
        characters of the password percent-encoded (%40 for @, %2F for /)";
    RedisAddress::parse(text).map_err(|error| Wrong::new(error.to_string(), REMEDY))
}

/// What names in Redis begin with: short, and no part of a pattern.
pub(super) fn redis_prefix(text: &str) -> Result<String, Wrong> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b':');
    if text.len() <= 32 && text.bytes().all(is_plain) {
        return Ok(text.to_owned());
    }
    Err(Wrong::new(
        "is not a prefix",
        "Give up to 32 letters, digits, dashes, underscores or colons",
    ))
}

/// A key that is sent in a header: one word of printable ASCII.
pub(super) fn api_key(text: &str) -> Result<Secret<String>, Wrong> {
    let is_one_word = text.bytes().all(|byte| byte.is_ascii_graphic());
    if is_one_word && text.len() <= 512 {
        return Ok(Secret::new(text.to_owned()));
    }
    let problem =
        "is not a key: there is white space or a special character in it, or it is too long";
    Err(Wrong::new(
        problem,
        "Copy the key alone, as its console showed it",
    ))
}

/// A token that whoever scrapes sends: one word that nobody guesses.
pub(super) fn metrics_token(text: &str) -> Result<Secret<String>, Wrong> {
    const REMEDY: &str = "Give 16 to 512 letters, digits and signs without white space, such as openssl rand -hex 24 makes";
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        let problem = "holds white space or a special character, which a header cannot carry";
        return Err(Wrong::new(problem, REMEDY));
    }
    if !(16..=512).contains(&text.len()) {
        return Err(Wrong::new(
            "is so short that it could be guessed, or too long",
            REMEDY,
        ));
    }
    Ok(Secret::new(text.to_owned()))
}

/// A header as `name=value`, as OpenTelemetry has it: both in letters that a header can carry.
pub(super) fn header(text: &str) -> Result<Secret<(String, String)>, Wrong> {
    const REMEDY: &str =
        "Give name=value pairs, separated by commas, such as x-api-key=0123456789abcdef";
    let (name, value) = text
        .split_once('=')
        .ok_or_else(|| Wrong::new("holds something that is not name=value", REMEDY))?;
    let name = name.trim();
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if name.is_empty() || !name.bytes().all(is_name) {
        return Err(Wrong::new("holds a name that no header can have", REMEDY));
    }
    let is_letter = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
    let value = percent_decoded(value.trim())
        .filter(|value| !value.is_empty() && value.bytes().all(is_letter))
        .ok_or_else(|| {
            let remedy = "Write commas, % and everything that is no plain letter percent-encoded (%2C for a comma, %25 for %)";
            Wrong::new("holds a value that no header can carry", remedy)
        })?;
    Ok(Secret::new((name.to_lowercase(), value)))
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut decoded = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        decoded.push(u8::from_str_radix(digits, 16).ok()?);
        decoded.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(decoded).ok()
}

/// `host:port`, without a scheme.
pub(super) fn host_and_port(text: &str) -> Result<String, Wrong> {
    let is_valid = text.rsplit_once(':').is_some_and(|(host, port)| {
        Host::parse(host).is_ok() && port.parse::<u16>().is_ok_and(|port| port != 0)
    });
    if is_valid {
        return Ok(text.to_owned());
    }
    let remedy = "Give it without a scheme, such as localhost:9099";
    Err(Wrong::new("is not host:port", remedy))
}

/// An id given out by a provider's console: one word. A slash or a quote means that more than the id was copied.
pub(super) fn id(text: &str) -> Result<String, Wrong> {
    if text.contains(['/', '"', '\'']) {
        let problem = "is not an id: there is a slash or a quote in it";
        return Err(Wrong::new(
            problem,
            "Copy the id alone, as its console shows it",
        ));
    }
    uid(text)
}

/// The id of a person: 1 to 128 characters, no white space.
pub(super) fn uid(text: &str) -> Result<String, Wrong> {
    if text.chars().count() > 128
        || text.contains(|letter: char| letter.is_whitespace() || letter.is_control())
    {
        let problem = "is not an id: there is white space in it, or it has over 128 characters";
        return Err(Wrong::new(
            problem,
            "Copy the id alone, as its console shows it",
        ));
    }
    Ok(text.to_owned())
}

/// A level, or `target=level`, comma separated. A bare word would silently be taken for a target: it is refused.
pub(super) fn log_filter(text: &str) -> Result<String, Wrong> {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    let is_directive = |directive: &str| {
        let level = directive.rsplit('=').next().unwrap_or(directive).trim();
        LEVELS.iter().any(|known| known.eq_ignore_ascii_case(level))
            && !directive.trim().starts_with('=')
    };
    if text.split(',').all(is_directive) {
        return Ok(text.to_owned());
    }
    let remedy = format!(
        "Give one of {}, or add exceptions: info,tarsify_db=debug",
        LEVELS.join(", ")
    );
    Err(Wrong::new("is not a log level", remedy))
}

pub(super) fn folder(text: &str) -> Result<PathBuf, Wrong> {
    if text.contains('\0') {
        return Err(Wrong::new("is not a path", "Remove the NUL character"));
    }
    Ok(PathBuf::from(text))
}
