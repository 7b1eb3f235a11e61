//! The log stays bounded and its end can be read.

use std::fs;
use std::io::Write as _;

use super::{MOST_BYTES, open, tail};

#[test]
fn a_long_log_is_started_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("postgres.log");
    fs::File::create(&path)
        .unwrap()
        .set_len(MOST_BYTES + 1)
        .unwrap();
    writeln!(open(&path).unwrap(), "fresh").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "fresh\n");
}

#[test]
fn a_short_log_is_kept_and_its_last_lines_are_shown() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("postgres.log");
    for number in 0..40 {
        writeln!(open(&path).unwrap(), "line {number}").unwrap();
    }
    let shown = tail(&path);
    assert!(
        shown.starts_with("line 25\n") && shown.ends_with("line 39"),
        "{shown}"
    );
}
