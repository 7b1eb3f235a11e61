//! Where a request comes from. What a header says of it counts only as far as proxies that the
//! operator trusts have said it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderMap, HeaderName};
use ipnet::IpNet;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The networks of the proxies in front of us; nobody is trusted when there are none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Trusts these networks.
    #[must_use]
    pub const fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// The address of the caller: that of the connection, or, as long as that is a trusted proxy's,
/// the one that this proxy names.
pub(super) fn of_caller(request: &HttpRequest, proxies: Option<&TrustedProxies>) -> IpAddr {
    let unknown = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    let peer = request
        .peer_addr()
        .map_or(unknown, |peer| peer.ip().to_canonical());
    match proxies.filter(|proxies| proxies.trusts(peer)) {
        Some(proxies) => behind(peer, request.headers(), proxies),
        None => peer,
    }
}

/// A proxy that writes one of the two headers may pass the other on as the caller wrote it, so
/// that both count only when they agree.
fn behind(peer: IpAddr, headers: &HeaderMap, proxies: &TrustedProxies) -> IpAddr {
    let walk = |name: &HeaderName, read: fn(&str) -> Option<IpAddr>| {
        headers
            .contains_key(name)
            .then(|| first_stranger(peer, &hops(headers, name), (proxies, read)))
    };
    match (
        walk(&header::FORWARDED, forwarded_for),
        walk(&X_FORWARDED_FOR, address),
    ) {
        (Some(one), Some(other)) if one != other => peer,
        (Some(found), _) | (None, Some(found)) => found,
        (None, None) => peer,
    }
}

/// What a header lists, the nearest proxy's word last.
fn hops<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Vec<&'a str> {
    let lines = headers.get_all(name);
    let lines = lines.map(|line| line.to_str().unwrap_or_default());
    lines.flat_map(|line| line.split(',')).collect()
}

/// Each hop is the word of the one behind it. Whoever is no proxy of ours, or cannot be read, ends
/// the walk: what stands before him is only his word.
fn first_stranger(
    peer: IpAddr,
    hops: &[&str],
    (proxies, read): (&TrustedProxies, fn(&str) -> Option<IpAddr>),
) -> IpAddr {
    let mut current = peer;
    for hop in hops.iter().rev() {
        if !proxies.trusts(current) {
            break;
        }
        match read(hop) {
            Some(address) => current = address,
            None => break,
        }
    }
    current
}

/// Reads `for` of an element such as `for="[2001:db8::1]:443";proto=https`.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let mut pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let (_, node) = pairs.find(|(key, _)| key.trim().eq_ignore_ascii_case("for"))?;
    address(node.trim().trim_matches('"'))
}

/// Reads an address with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    let found = bare.unwrap_or(text).parse::<IpAddr>();
    let found = found.or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()));
    found.ok().map(|address| address.to_canonical())
}

/// Whom an address stands for: whoever has an IPv6 address has all of its /64.
pub(super) fn subject(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let network = u128::from(address) & (u128::MAX << 64);
            format!("{}/64", Ipv6Addr::from(network))
        }
    }
}

#[cfg(test)]
mod tests;
