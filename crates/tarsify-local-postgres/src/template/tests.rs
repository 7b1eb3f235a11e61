//! The name of a clone tells who made it.

use super::maker;
use crate::postmaster::process_exists;

#[test]
fn the_maker_is_read_from_the_name() {
    for (name, why, expected) in [
        ("clone_12_3", "a clone", Some(12)),
        ("clone_12", "no number", None),
        ("clone_template_3", "not a process id", None),
        ("clones_12_3", "another prefix", None),
        ("clone_12_3_unfinished", "something after the number", None),
    ] {
        assert_eq!(maker(name, "clone"), expected, "{why}");
    }
}

#[test]
fn our_own_process_exists() {
    assert!(process_exists(std::process::id()));
    assert!(!process_exists(2_000_000_000));
}
