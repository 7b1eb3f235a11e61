//! What servers write there.

use reqwest::header::HeaderValue;

use super::*;

#[test]
fn seconds_and_moments_are_read_and_the_rest_is_not() {
    const NOW: &str = "Sat, 01 Aug 2026 12:00:00 GMT";
    for (wanted, date, expected) in [
        ("0", NOW, Some(0)),
        ("7", NOW, Some(7)),
        (" 30 ", NOW, Some(30)),
        ("99999999999999999999", NOW, Some(u64::from(u32::MAX))),
        ("Sat, 01 Aug 2026 12:00:42 GMT", NOW, Some(42)),
        ("Sat, 01 Aug 2026 11:00:00 GMT", NOW, Some(0)),
        ("Sat, 01 Aug 2026 12:00:42 GMT", "", None),
        ("soon", NOW, None),
        ("-1", NOW, None),
        ("1.5", NOW, None),
        ("", NOW, None),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_str(wanted).unwrap());
        headers.insert(DATE, HeaderValue::from_str(date).unwrap());
        let expected = expected.map(Duration::from_secs);
        assert_eq!(retry_after(&headers), expected, "{wanted:?} at {date:?}");
    }
    assert_eq!(retry_after(&HeaderMap::new()), None);
}
