//! Replies and what is made of them, in tables.

use reqwest::StatusCode;
use serde_json::json;

use super::*;

fn answer(status: u16, body: &Value) -> Answer {
    Answer {
        status: StatusCode::from_u16(status).unwrap(),
        retry_after: None,
        should_retry: None,
        is_replayed: false,
        request_id: None,
        body: Some(body.to_string().into_bytes()),
    }
}

fn error(kind: &str, code: &str) -> Value {
    json!({ "error": { "type": kind, "code": code, "message": "As sk_test_1 said" } })
}

fn judged(answer: Answer) -> Judged {
    judge(&Reply::Answer(answer), &Cleaner::hiding("sk_live_own"))
}

#[test]
fn what_is_wrong_with_the_request_is_a_refusal() {
    for (status, kind, code) in [
        (400, "invalid_request_error", "resource_missing"),
        (404, "invalid_request_error", "resource_missing"),
        (
            400,
            "invalid_request_error",
            "insufficient_capabilities_for_transfer",
        ),
        (402, "card_error", "card_declined"),
        (422, "invalid_request_error", "account_closed"),
    ] {
        let judged = judged(answer(status, &error(kind, code)));
        let expected = format!("{code}: As [key] said");
        assert_eq!(judged, Judged::Refused(expected), "{status} {code}");
    }
    let without_code = json!({ "error": { "type": "invalid_request_error", "message": "No" } });
    assert_eq!(
        judged(answer(400, &without_code)),
        Judged::Refused("invalid_request_error: No".to_owned())
    );
}

#[test]
fn what_the_operator_has_to_mend_is_none() {
    for (status, kind, code) in [
        (401, "invalid_request_error", "api_key_expired"),
        (403, "invalid_request_error", "account_invalid"),
        (429, "invalid_request_error", "rate_limit"),
        (400, "invalid_request_error", "balance_insufficient"),
        (402, "invalid_request_error", "balance_insufficient"),
        (400, "invalid_request_error", "parameter_unknown"),
        (400, "idempotency_error", ""),
        (400, "api_error", "resource_missing"),
        (408, "invalid_request_error", "resource_missing"),
        (302, "invalid_request_error", "resource_missing"),
    ] {
        let judged = judged(answer(status, &error(kind, code)));
        assert!(
            matches!(judged, Judged::Unknown(_)),
            "{status} {code}: {judged:?}"
        );
    }
}

#[test]
fn a_refusal_is_in_stripes_own_words() {
    for body in [
        json!({}),
        json!([]),
        json!({ "error": "no" }),
        json!({ "error": { "message": "not found" } }),
        json!({ "message": "no route" }),
    ] {
        for status in [400, 404] {
            let judged = judged(answer(status, &body));
            assert!(matches!(judged, Judged::Unknown(_)), "{body}: {judged:?}");
        }
    }
    let broken = Answer {
        body: None,
        ..answer(400, &json!({}))
    };
    assert_eq!(
        judged(broken),
        Judged::Unknown("HTTP 400: the answer broke off".to_owned())
    );
}

#[test]
fn what_passes_is_asked_again() {
    let body = error("api_error", "");
    for status in [409, 500, 502, 503, 504] {
        let judged = judged(answer(status, &body));
        assert!(matches!(judged, Judged::Passing { .. }), "{status}");
    }
    let told = |status, should_retry| Answer {
        should_retry: Some(should_retry),
        ..answer(status, &body)
    };
    assert!(matches!(judged(told(429, true)), Judged::Passing { .. }));
    assert!(matches!(judged(told(500, false)), Judged::Unknown(_)));
    assert!(matches!(judged(told(409, false)), Judged::Unknown(_)));
    let replayed = Answer {
        is_replayed: true,
        ..answer(500, &body)
    };
    assert!(matches!(judged(replayed), Judged::Unknown(_)));
    let silence = judge(&Reply::Silence("no answer in time"), &Cleaner::hiding("x"));
    assert!(matches!(silence, Judged::Passing { .. }));
}

#[test]
fn only_an_object_is_an_answer() {
    assert_eq!(
        judged(answer(200, &json!({ "id": "tr_1" }))),
        Judged::Done(json!({ "id": "tr_1" }))
    );
    assert!(matches!(
        judged(answer(200, &json!("tr_1"))),
        Judged::Passing { .. }
    ));
    let broken = Answer {
        body: None,
        ..answer(200, &json!({}))
    };
    assert!(matches!(judged(broken), Judged::Passing { .. }));
}
