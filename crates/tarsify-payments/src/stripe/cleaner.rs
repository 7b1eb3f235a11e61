//! What Stripe says about a failure, fit to be shown and kept: one line, not long, without keys.

/// Most characters that are kept.
const LONGEST: usize = 300;
/// Whatever begins like this is a key or a secret.
const KEYS: [&str; 4] = ["sk_", "rk_", "pk_", "whsec_"];
const HIDDEN: &str = "[key]";

/// Hides our own key, whatever it looks like, and all that look like one.
pub(super) struct Cleaner {
    own: String,
}

impl Cleaner {
    pub(super) fn hiding(own: &str) -> Self {
        Self {
            own: own.to_owned(),
        }
    }

    pub(super) fn clean(&self, said: &str) -> String {
        let said = said.replace(&self.own, HIDDEN);
        let said: String = said
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        let words = said.split_whitespace().map(without_key);
        let line = words.collect::<Vec<_>>().join(" ");
        line.chars().take(LONGEST).collect()
    }
}

fn without_key(word: &str) -> String {
    let begins = KEYS.iter().filter_map(|key| word.find(key)).min();
    match begins.and_then(|begin| word.get(..begin)) {
        Some(before) => format!("{before}{HIDDEN}"),
        None => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    //! What is hidden, and what is left.

    use super::*;

    #[test]
    fn keys_are_hidden_and_the_rest_stays() {
        let cleaner = Cleaner::hiding("our/own+key");
        for (said, expected) in [
            (
                "No such destination: 'acct_1'",
                "No such destination: 'acct_1'",
            ),
            (
                "Invalid API Key provided: sk_test_****abcd",
                "Invalid API Key provided: [key]",
            ),
            ("see 'whsec_abc' and (rk_live_1)", "see '[key] and ([key]"),
            ("with our/own+key in it", "with [key] in it"),
            ("two\r\nlines\u{0}\tand  more", "two lines and more"),
            ("", ""),
        ] {
            assert_eq!(cleaner.clean(said), expected);
        }
        assert_eq!(cleaner.clean(&"ü".repeat(1_000)).chars().count(), 300);
    }
}
