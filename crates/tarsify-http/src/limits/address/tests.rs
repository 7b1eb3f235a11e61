//! Whose address counts, whatever is said of it.

use actix_web::http::header::HeaderValue;
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

/// Headers of almost any form, as a caller could send them.
fn almost_headers(mut law: impl FnMut(HeaderValue)) {
    let inputs: [&[u8]; 6] = [
        b"198.51.100.9",
        b"10.1.1.1, 10.9.9.9",
        b"1.1.1.1:80, [2001:db8::7]:443, ::ffff:10.0.0.1",
        b"for=1.1.1.1;proto=https;by=10.0.0.2, for=\"[2001:db8:ff::1]:4711\"",
        b"For=unknown, for=_hidden, for=\"10.1.1.1\"",
        b"2001:db8:ff::1",
    ];
    tarsify_testing::almost(&inputs, |bytes| {
        if let Ok(value) = HeaderValue::from_bytes(bytes) {
            law(value);
        }
    });
}

#[test]
fn almost_any_word_before_the_proxys_is_not_believed() {
    let peer: IpAddr = "10.0.0.1".parse().unwrap();
    almost_headers(|written| {
        for (name, word) in [
            (X_FORWARDED_FOR, "198.51.100.1"),
            (header::FORWARDED, "for=198.51.100.1"),
        ] {
            let mut headers = HeaderMap::new();
            headers.append(name.clone(), written.clone());
            headers.append(name, HeaderValue::from_static(word));
            let found = behind(peer, &headers, &proxies());
            assert_eq!(found.to_string(), "198.51.100.1", "{written:?}");
        }
    });
}

#[test]
fn almost_any_header_finds_nobody_who_was_not_named() {
    let peer: IpAddr = "10.0.0.1".parse().unwrap();
    almost_headers(|written| {
        let mut headers = HeaderMap::new();
        headers.append(X_FORWARDED_FOR, written.clone());
        let found = behind(peer, &headers, &proxies());
        let text = written.to_str().unwrap_or_default();
        let is_named = text.split(',').any(|hop| address(hop) == Some(found));
        assert!(found == peer || is_named, "{written:?}: {found}");
        // Another header that says otherwise can only take that away.
        headers.append(header::FORWARDED, written.clone());
        let both = behind(peer, &headers, &proxies());
        assert!(both == peer || both == found, "{written:?}: {both}");
    });
}
