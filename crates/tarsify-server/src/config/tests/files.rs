//! That the shipped files know every key, explain it, and load.

use super::*;

const DEFAULT: &str = include_str!("../../../../../config/default.toml");
const EXAMPLE: &str = include_str!("../../../../../.env.example");

#[test]
fn default_toml_explains_every_key() {
    for key in keys::ALL {
        let (section, name) = key.parts();
        let body = DEFAULT
            .split(&format!("\n[{section}]\n"))
            .nth(1)
            .unwrap_or_else(|| panic!("no [{section}]"));
        let body = body.split("\n[").next().unwrap();
        let lines: Vec<&str> = body.lines().collect();
        let sets = |line: &str| {
            line.trim_start_matches("# ")
                .starts_with(&format!("{name} = "))
        };
        let found: Vec<usize> = (0..lines.len())
            .filter(|index| sets(lines[*index]))
            .collect();
        assert_eq!(found.len(), 1, "{} stands in default.toml once", key.path);
        let comment = lines[..found[0]].last().unwrap_or(&"");
        assert!(
            comment.starts_with("# ") && !comment.contains(" = "),
            "{} has a comment",
            key.path
        );
        if let Some(variable) = key.plain_variable {
            let is_named = body.contains(&format!("({variable}"));
            assert!(is_named, "the comment of {} names {variable}", key.path);
        }
    }
}

#[test]
fn default_toml_and_its_examples_are_valid() {
    let examples: String = DEFAULT
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(example)
                if example
                    .split_once(" = ")
                    .is_some_and(|(name, _)| !name.contains(' ')) =>
            {
                example
            }
            _ => line,
        })
        .map(|line| format!("{line}\n"))
        .collect();
    // Whoever takes Stripe's key has to be able to hear Stripe.
    let heard = [("STRIPE_WEBHOOK_SECRETS", "whsec_EXAMPLE")];
    let loaded = load_file(&examples, &heard).unwrap();
    assert!(!loaded.effective.render_text().contains("unset"));
}

#[test]
fn the_example_of_variables_lists_them_all_and_loads() {
    let pairs: Vec<(&str, &str)> = EXAMPLE
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name, value.trim_matches('"')))
        .collect();
    let plain = keys::ALL.iter().filter_map(|key| key.plain_variable);
    let mut known: Vec<&str> = plain.chain([keys::CONFIG_FILE_VARIABLE]).collect();
    let mut listed: Vec<&str> = pairs.iter().map(|(name, _)| *name).collect();
    known.sort_unstable();
    listed.sort_unstable();
    assert_eq!(listed, known);
    config(&pairs);
}
