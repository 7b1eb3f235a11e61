//! One token is good, and none that is like it.

use super::TokenHash;

#[test]
fn only_the_token_itself_is_good() {
    let token = TokenHash::of("correct-horse-battery");
    assert!(token.is_of("correct-horse-battery"));
    for other in [
        "",
        "correct-horse-batter",
        "correct-horse-battery ",
        "Correct-horse-battery",
    ] {
        assert!(!token.is_of(other), "{other:?}");
    }
}
