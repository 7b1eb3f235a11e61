//! Whose address counts, whatever is said of it.

use actix_web::test::TestRequest;

use super::*;

fn proxies() -> TrustedProxies {
    let networks = ["10.0.0.0/8", "2001:db8:ff::/48"];
    TrustedProxies::new(networks.map(|network| network.parse().unwrap()).to_vec())
}

/// Who asks, when the connection comes from `peer` and carries these headers.
fn found(peer: &str, headers: &[(&str, &str)]) -> String {
    let peer: IpAddr = peer.parse().unwrap();
    let mut request = TestRequest::default().peer_addr(SocketAddr::new(peer, 4711));
    for (name, value) in headers {
        request = request.append_header((*name, *value));
    }
    of_caller(&request.to_http_request(), Some(&proxies())).to_string()
}

#[test]
fn a_stranger_is_who_he_connects_as_whatever_he_says() {
    for peer in ["203.0.113.9", "2001:db8::9"] {
        let headers = [
            ("x-forwarded-for", "198.51.100.1"),
            ("forwarded", "for=198.51.100.1"),
            ("x-real-ip", "198.51.100.1"),
        ];
        assert_eq!(found(peer, &headers), peer);
    }
    let nobody_trusted = TestRequest::default()
        .peer_addr("10.0.0.1:1".parse().unwrap())
        .append_header(("x-forwarded-for", "198.51.100.1"))
        .to_http_request();
    let nobody = TrustedProxies::default();
    let found = of_caller(&nobody_trusted, Some(&nobody));
    assert_eq!(found.to_string(), "10.0.0.1");
}

#[test]
fn a_trusted_proxy_names_who_connected_to_it() {
    let cases = [
        ("x-forwarded-for", "198.51.100.1", "198.51.100.1"),
        ("x-forwarded-for", "198.51.100.1:8080", "198.51.100.1"),
        ("x-forwarded-for", "[2001:db8::7]:8080", "2001:db8::7"),
        ("x-forwarded-for", "2001:db8::7", "2001:db8::7"),
        ("x-forwarded-for", "::ffff:198.51.100.1", "198.51.100.1"),
        ("x-forwarded-for", "1.1.1.1, 198.51.100.1", "198.51.100.1"),
        (
            "x-forwarded-for",
            "1.1.1.1, 198.51.100.1, 10.9.9.9",
            "198.51.100.1",
        ),
        ("x-forwarded-for", "10.1.1.1, 10.9.9.9", "10.1.1.1"),
        ("x-forwarded-for", "198.51.100.1, unknown", "10.0.0.1"),
        ("x-forwarded-for", "", "10.0.0.1"),
        ("x-forwarded-for", "1.1.1.1,", "10.0.0.1"),
        ("forwarded", "for=198.51.100.1", "198.51.100.1"),
        (
            "forwarded",
            "proto=https; For=\"[2001:db8::7]:443\"",
            "2001:db8::7",
        ),
        (
            "forwarded",
            "for=1.1.1.1, for=198.51.100.1;by=10.0.0.1",
            "198.51.100.1",
        ),
        (
            "forwarded",
            "for=\"a, for=1.1.1.1, for=198.51.100.1",
            "198.51.100.1",
        ),
        ("forwarded", "for=_hidden", "10.0.0.1"),
        ("forwarded", "proto=https", "10.0.0.1"),
    ];
    for (name, value, expected) in cases {
        assert_eq!(
            found("10.0.0.1", &[(name, value)]),
            expected,
            "{name}: {value}"
        );
    }
    let lines = [
        ("x-forwarded-for", "1.1.1.1"),
        ("x-forwarded-for", "198.51.100.1"),
    ];
    assert_eq!(found("10.0.0.1", &lines), "198.51.100.1");
}

#[test]
fn what_the_caller_writes_into_the_other_header_gains_him_nothing() {
    let spoofed = [
        ("x-forwarded-for", "198.51.100.1"),
        ("forwarded", "for=1.1.1.1"),
    ];
    assert_eq!(found("10.0.0.1", &spoofed), "10.0.0.1");
    let agreed = [
        ("x-forwarded-for", "198.51.100.1"),
        ("forwarded", "for=198.51.100.1"),
    ];
    assert_eq!(found("10.0.0.1", &agreed), "198.51.100.1");
}

#[test]
fn an_ipv6_caller_is_his_whole_network() {
    let subject = |text: &str| subject(text.parse().unwrap());
    assert_eq!(subject("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
    assert_eq!(subject("2001:db8:1:2::1"), "2001:db8:1:2::/64");
    assert_eq!(subject("2001:db8:1:3::1"), "2001:db8:1:3::/64");
    assert_eq!(subject("198.51.100.1"), "198.51.100.1");
}
