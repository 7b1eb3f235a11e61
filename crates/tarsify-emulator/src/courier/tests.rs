//! Where a forged webhook goes.

use super::forged;

#[test]
fn a_forged_address_ends_in_another_token() {
    for (address, expected) in [
        ("http://h/hooks/7/abc", "http://h/hooks/7/cba"),
        ("http://h/hooks/7/abc?x=1/2", "http://h/hooks/7/cba?x=1/2"),
        ("http://h/aba", "http://h/abax"),
        ("http://h/", "http://h/x"),
    ] {
        assert_eq!(forged(address), expected);
    }
}
