//! Amounts for people, and addresses of pages.

use super::*;

#[test]
fn cents_are_written_in_dollars() {
    let cases = [
        (0, "$0.00"),
        (5, "$0.05"),
        (99, "$0.99"),
        (1_234, "$12.34"),
        (100_000_000, "$1000000.00"),
        (-5, "-$0.05"),
        (-1_234, "-$12.34"),
        (i64::MIN, "-$92233720368547758.08"),
    ];
    for (cents, written) in cases {
        assert_eq!(dollars(cents), written, "{cents}");
    }
}

#[test]
fn only_addresses_of_pages_are_taken() {
    let good = [
        "https://studio.example.com/payouts?a=b#c",
        "http://localhost:3000/",
    ];
    for text in good {
        assert_eq!(page_address(text).as_deref(), Ok(text));
    }
    let bad = [
        "",
        "payouts",
        "//example.com",
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://example.com/",
        "https://",
        "https://user:secret@example.com/",
        " https://example.com/",
        "https://example.com/\n",
    ];
    for text in bad {
        assert_eq!(page_address(text).unwrap_err().code, "format", "{text}");
    }
    let long = format!("https://example.com/{}", "x".repeat(MOST_CHARACTERS));
    assert_eq!(page_address(&long).unwrap_err().code, "maxLength");
}
