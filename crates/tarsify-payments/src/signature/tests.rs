//! Headers good and bad, in a table.

use super::*;

const NOW: i64 = 1_800_000_000;
const BODY: &[u8] = br#"{"id":"evt_1"}"#;
const OLD: &str = "whsec_old";
const NEW: &str = "whsec_new";

fn moment(seconds: i64) -> Timestamp {
    Timestamp::from_unix_timestamp(seconds).unwrap()
}

fn signed(secret: &str, at: i64) -> String {
    sign(secret, BODY, moment(at))
}

fn checked(header: Option<&str>, body: &[u8]) -> Result<(), EventError> {
    verify(header, body, &[NEW.to_owned(), OLD.to_owned()], moment(NOW))
}

#[test]
fn a_known_message_has_the_signature_that_others_compute() {
    // By `openssl dgst -sha256 -hmac whsec_new`.
    let header = sign(NEW, BODY, moment(NOW));
    assert_eq!(
        header,
        "t=1800000000,v1=bcd5b8f84c1762e896c564b29f53d2d26064aba6607250fa924f75df06e0f8a4"
    );
}

#[test]
fn good_signatures_are_taken() {
    let wrong = "00".repeat(32);
    let good = signed(NEW, NOW);
    let tag = good.split_once("v1=").unwrap().1.to_owned();
    for (why, header) in [
        ("as Stripe sends it", good.clone()),
        ("by the secret before", signed(OLD, NOW)),
        ("almost too old", signed(NEW, NOW - 300)),
        ("almost too early", signed(NEW, NOW + 300)),
        ("the second of two", format!("t={NOW},v1={wrong},v1={tag}")),
        ("the first of two", format!("{good},v1={wrong}")),
        ("beside another scheme", format!("{good},v0={wrong},v9=?")),
        ("in another order", format!("v1={tag},t={NOW}")),
        ("with blanks", format!("t={NOW}, v1={tag}")),
        ("in capitals", format!("t={NOW},v1={}", tag.to_uppercase())),
        (
            "the last of sixteen",
            format!("t={NOW}{},v1={tag}", format!(",v1={wrong}").repeat(15)),
        ),
    ] {
        assert_eq!(checked(Some(&header), BODY), Ok(()), "{why}: {header}");
    }
}

#[test]
fn bad_signatures_are_refused() {
    let good = signed(NEW, NOW);
    let tag = good.split_once("v1=").unwrap().1.to_owned();
    for (why, header) in [
        ("too old", signed(NEW, NOW - 301)),
        ("from the future", signed(NEW, NOW + 301)),
        ("by another secret", signed("whsec_other", NOW)),
        ("by no secret", signed("", NOW)),
        ("by a part of the secret", signed("new", NOW)),
        ("for another time", format!("t={},v1={tag}", NOW - 1)),
        (
            "the same time written otherwise",
            format!("t=0{NOW},v1={tag}"),
        ),
        ("without signature", format!("t={NOW}")),
        ("only of the scheme for tests", format!("t={NOW},v0={tag}")),
        ("without time", format!("v1={tag}")),
        ("with two times", format!("t={NOW},{good}")),
        ("with a time that is none", format!("t=now,v1={tag}")),
        ("with no digits", format!("t=,v1={tag}")),
        ("with a sign", format!("t=+{NOW},v1={tag}")),
        ("with a negative time", format!("t=-{NOW},v1={tag}")),
        (
            "with a time beyond all",
            format!("t={},v1={tag}", "9".repeat(12)),
        ),
        (
            "with too long a time",
            format!("t={},v1={tag}", "9".repeat(40)),
        ),
        ("not hexadecimal", format!("t={NOW},v1={}", "zz".repeat(32))),
        ("cut short", format!("t={NOW},v1={}", &tag[..62])),
        ("too long", format!("{good}00")),
        ("empty", format!("t={NOW},v1=")),
        ("one good and one that is none", format!("{good},v1=zz")),
        (
            "the last of seventeen",
            format!(
                "t={NOW}{},v1={tag}",
                format!(",v1={}", "00".repeat(32)).repeat(16)
            ),
        ),
        ("huge", format!("{good},x={}", "y".repeat(4_000))),
        ("no list", "good day".to_owned()),
        ("a list with a hole", format!("{good},")),
        ("nothing", String::new()),
        (
            "characters of others",
            format!("t={NOW},v1={}", "ü".repeat(32)),
        ),
    ] {
        let refused = checked(Some(&header), BODY);
        assert!(
            matches!(refused, Err(EventError::Forged(_))),
            "{why}: {header}"
        );
    }
    assert!(matches!(checked(None, BODY), Err(EventError::Forged(_))));
}

#[test]
fn a_signature_is_for_one_body() {
    let header = signed(NEW, NOW);
    for place in 0..BODY.len() {
        let mut other = BODY.to_vec();
        other[place] ^= 1;
        assert!(checked(Some(&header), &other).is_err(), "{place}");
    }
    assert!(checked(Some(&header), &[BODY, b"\n"].concat()).is_err());
    assert!(checked(Some(&header), b"").is_err());
    let empty = sign(NEW, b"", moment(NOW));
    assert_eq!(checked(Some(&empty), b""), Ok(()));
}

#[test]
fn the_point_between_time_and_body_cannot_be_moved() {
    let header = sign(NEW, b"5.{}", moment(180_000_000));
    let tag = header.split_once("v1=").unwrap().1;
    // The same bytes are signed as for another time and body.
    let moved = format!("t=180000000.5,v1={tag}");
    let refused = verify(Some(&moved), b"{}", &[NEW.to_owned()], moment(180_000_000));
    assert_eq!(refused, Err(EventError::Forged("its time is none")));
}

#[test]
fn without_a_secret_nothing_is_believed() {
    let header = signed("", NOW);
    let refused = verify(Some(&header), BODY, &[], moment(NOW));
    assert!(matches!(refused, Err(EventError::Forged(_))));
}

#[test]
fn what_is_almost_a_good_message_is_taken_only_when_it_was_signed() {
    let message = |header: &str, body: &[u8]| [header.as_bytes(), b"\n", body].concat();
    let (new, old) = (signed(NEW, NOW), signed(OLD, NOW - 299));
    let both = format!("{new},v1={}", old.split_once("v1=").unwrap().1);
    let messages = [
        message(&new, BODY),
        message(&old, BODY),
        message(&both, BODY),
        message(&sign(NEW, b"", moment(NOW)), b""),
        message(&signed("whsec_other", NOW), BODY),
    ];
    let mut taken = 0;
    tarsify_testing::almost(&messages.each_ref().map(Vec::as_slice), |message| {
        let end = message
            .iter()
            .position(|byte| *byte == b'\n')
            .unwrap_or(message.len());
        let (header, body) = message.split_at(end);
        let body = body.strip_prefix(b"\n").unwrap_or_default();
        let Ok(header) = std::str::from_utf8(header) else {
            return;
        };
        if checked(Some(header), body).is_ok() {
            taken += 1;
            let header = header.to_ascii_lowercase();
            let is_signed = (NOW - 300..=NOW + 300)
                .filter(|at| header.contains(&at.to_string()))
                .any(|at| {
                    let tags = [NEW, OLD].map(|secret| sign(secret, body, moment(at)));
                    tags.iter()
                        .any(|tag| header.contains(tag.split_once("v1=").unwrap().1))
                });
            assert!(is_signed, "{header}");
        }
    });
    assert!(taken > 10, "only {taken} were good");
}

proptest::proptest! {
    #[test]
    fn no_header_breaks_it(header in ".{0,200}", body: Vec<u8>) {
        proptest::prop_assert!(checked(Some(&header), &body).is_err());
    }

    #[test]
    fn no_list_of_values_breaks_it(
        header in "(t|v1|v0)=[0-9a-f]{0,70}(,(t|v1)=[0-9a-f]{0,70}){0,4}",
        body: Vec<u8>,
    ) {
        proptest::prop_assert!(checked(Some(&header), &body).is_err());
    }
}
