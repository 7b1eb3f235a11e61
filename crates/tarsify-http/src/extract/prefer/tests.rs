//! Which headers ask to wait, and for how long.

use actix_web::http::header::{HeaderMap, HeaderValue};

use super::{PREFER, wait};

fn read(values: &[&str]) -> Result<Option<u64>, String> {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append(PREFER, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    wait(&headers).map_err(|issue| {
        assert_eq!(issue.path, "/Prefer");
        issue.code
    })
}

#[test]
fn a_wait_is_found_among_other_preferences() {
    for (values, seconds) in [
        (&["wait=1"][..], 1),
        (&["wait=60"], 60),
        (&["WAIT = 7"], 7),
        (&["wait=\"7\""], 7),
        (&["wait=7; strict"], 7),
        (&["respond-async, wait=7"], 7),
        (&["respond-async", "return=minimal,wait=7"], 7),
        (&["note=\"a, wait=99\", wait=7"], 7),
        // Whoever says it twice has said it first.
        (&["wait=7, wait=8"], 7),
        (&["wait=7", "wait=x"], 7),
    ] {
        assert_eq!(read(values), Ok(Some(seconds)), "{values:?}");
    }
}

#[test]
fn other_preferences_are_ignored() {
    for values in [
        &[][..],
        &[""],
        &["respond-async"],
        &["waiting=5"],
        &["return=representation; wait=5"],
        &["note=\"wait=5\""],
        &[",,;="],
        &["\u{e4}"],
    ] {
        assert_eq!(read(values), Ok(None), "{values:?}");
    }
}

#[test]
fn a_wait_that_is_no_number_of_seconds_in_its_bounds_is_a_fault() {
    for value in [
        "wait",
        "wait=",
        "wait=0",
        "wait=61",
        "wait=-1",
        "wait=+5",
        "wait=1.5",
        "wait=5s",
        "wait=1 2",
        "wait=99999999999999999999",
        "wait=\"\"",
        "wait=\u{661}",
    ] {
        assert_eq!(read(&[value]), Err("range".to_owned()), "{value:?}");
    }
}
