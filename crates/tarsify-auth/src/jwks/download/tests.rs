//! How long answers are fresh, and which addresses keys may come from.

use super::{JwksSettings, KeyFetchError, KeyServer, lifetime};
use reqwest::header::{AGE, CACHE_CONTROL, HeaderMap, HeaderValue};

fn headers(cache_control: &'static str, age: Option<&'static str>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.append(CACHE_CONTROL, HeaderValue::from_static(cache_control));
    if let Some(age) = age {
        headers.append(AGE, HeaderValue::from_static(age));
    }
    headers
}

#[test]
fn the_server_says_how_long_keys_are_fresh_within_bounds() {
    let table = [
        ("max-age=7200", None, 7_200),
        ("public, max-age=19302, must-revalidate", None, 19_302),
        ("public,Max-Age=\"600\"", None, 600),
        ("max-age=600", Some("100"), 500),
        ("max-age=600", Some("9999"), 60),
        ("max-age=600", Some("old"), 600),
        ("max-age=0", None, 60),
        ("max-age=59", None, 60),
        ("max-age=99999999", None, 86_400),
        ("max-age=99999999999999999999999", None, 86_400),
        ("max-age=-5", None, 3_600),
        ("max-age=soon", None, 3_600),
        ("max-age", None, 3_600),
        ("public", None, 3_600),
        ("no-store", None, 60),
        ("no-cache, max-age=600", None, 60),
        ("s-maxage=10", None, 3_600),
    ];
    for (cache_control, age, seconds) in table {
        let found = lifetime(&headers(cache_control, age));
        assert_eq!(found.whole_seconds(), seconds, "{cache_control} {age:?}");
    }
    assert_eq!(lifetime(&HeaderMap::new()).whole_seconds(), 3_600);
}

#[test]
fn keys_come_over_tls_or_from_this_machine() {
    for url in [
        crate::FIREBASE_JWKS_URL,
        "http://127.0.0.1:9/keys",
        "http://localhost:9/keys",
        "http://[::1]:9/keys",
    ] {
        assert!(KeyServer::new(JwksSettings::new(url)).is_ok(), "{url}");
    }
    for url in [
        "http://www.example.com/keys",
        "http://127.0.0.1.example.com/keys",
        "http://localhost.example.com/keys",
        "ftp://127.0.0.1/keys",
        "file:///keys",
        "keys",
        "",
    ] {
        let built = KeyServer::new(JwksSettings::new(url));
        assert!(matches!(built, Err(KeyFetchError::Address)), "{url}");
    }
}
