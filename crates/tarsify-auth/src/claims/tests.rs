//! The rules for claims, one row each.

use super::{Claims, Demands};
use serde_json::{Value, json};
use tarsify_domain::clock::Timestamp;
use tarsify_domain::people::{AuthError, Realm, VerifiedIdentity};
use time::Duration;

const NOW: i64 = 1_750_000_000;

fn good() -> Value {
    json!({
        "iss": "issuer", "aud": "audience", "sub": "ada",
        "exp": NOW + 3_600, "iat": NOW, "auth_time": NOW - 60,
        "email": "Ada@Example.com", "email_verified": true, "name": "Ada",
    })
}

fn prove(claims: &Value) -> Result<VerifiedIdentity, AuthError> {
    let demands = Demands {
        realm: Realm::Consumers,
        issuer: "issuer",
        audience: "audience",
        now: Timestamp::from_unix_timestamp(NOW).unwrap(),
        leeway: Duration::seconds(30),
    };
    Claims::parse(claims.to_string().as_bytes())?.prove(&demands)
}

fn with(field: &str, value: Value) -> Value {
    let mut claims = good();
    claims[field] = value;
    claims
}

#[test]
fn good_claims_become_an_identity() {
    let identity = prove(&good()).unwrap();
    assert_eq!(identity.key.realm, Realm::Consumers);
    assert_eq!(identity.key.issuer, "issuer");
    assert_eq!(identity.key.subject, "ada");
    assert_eq!(identity.email.unwrap().as_str(), "ada@example.com");
    assert!(identity.email_is_verified);
    assert_eq!(identity.name.as_deref(), Some("Ada"));
    assert_eq!(identity.authenticated_at.unix_timestamp(), NOW - 60);
    assert_eq!(identity.expires_at.unix_timestamp(), NOW + 3_600);
}

#[test]
fn what_is_only_told_may_be_missing_or_odd() {
    let table = [
        (json!({"email": null}), None, false),
        (json!({"email": 7}), None, false),
        (json!({"email": "nobody"}), None, false),
        (
            json!({"email_verified": "true"}),
            Some("ada@example.com"),
            false,
        ),
        (
            json!({"email_verified": null}),
            Some("ada@example.com"),
            false,
        ),
        (json!({"email_verified": 1}), Some("ada@example.com"), false),
    ];
    for (change, email, verified) in table {
        let mut claims = good();
        for (field, value) in change.as_object().unwrap() {
            claims[field] = value.clone();
        }
        let identity = prove(&claims).unwrap();
        let found = identity.email.as_ref().map(|email| email.as_str());
        assert_eq!(found, email, "{change}");
        assert_eq!(identity.email_is_verified, verified, "{change}");
    }
    for name in [json!(null), json!(["Ada"]), json!("A\u{0}a")] {
        assert_eq!(prove(&with("name", name)).unwrap().name, None);
    }
}

#[test]
fn claims_that_break_a_rule_are_refused() {
    let table = [
        ("iss", json!("other"), "another issuer"),
        ("iss", json!("issuer/"), "almost the issuer"),
        ("iss", json!(["issuer"]), "a list of issuers"),
        ("aud", json!("other"), "another audience"),
        ("aud", json!("Audience"), "almost the audience"),
        ("aud", json!(["audience"]), "a list of audiences"),
        ("aud", json!(null), "no audience"),
        ("sub", json!(""), "an empty subject"),
        ("sub", json!("é".repeat(129)), "a long subject"),
        ("sub", json!("a\u{0}b"), "a subject that cannot be stored"),
        ("sub", json!(7), "a number for a subject"),
        ("exp", json!("9999999999"), "a text for the expiry"),
        ("exp", json!(1e10), "a fraction for the expiry"),
        ("exp", json!(null), "no expiry"),
        ("exp", json!(i64::MAX), "an expiry beyond all time"),
        ("exp", json!(u64::MAX), "an expiry beyond all numbers"),
        ("iat", json!(NOW + 31), "issued in the future"),
        ("iat", json!("1"), "a text for the issue"),
        ("auth_time", json!(NOW + 31), "signed in in the future"),
        ("auth_time", json!(true), "a truth for the sign-in"),
        ("nbf", json!(NOW + 31), "not good yet"),
        ("nbf", json!("1"), "a text for the begin"),
    ];
    for (field, value, why) in table {
        let proof = prove(&with(field, value));
        assert!(
            matches!(proof, Err(AuthError::Invalid(_))),
            "{why}: {proof:?}"
        );
    }
    for field in ["iss", "aud", "sub", "exp", "iat", "auth_time"] {
        let mut claims = good();
        claims.as_object_mut().unwrap().remove(field);
        let proof = prove(&claims);
        assert!(matches!(proof, Err(AuthError::Invalid(_))), "no {field}");
    }
    let twice = good().to_string().replacen('{', "{\"sub\":\"eve\",", 1);
    assert!(Claims::parse(twice.as_bytes()).is_err(), "a claim twice");
}

#[test]
fn claims_on_the_edge_are_good() {
    let table = [
        ("sub", json!("é".repeat(128))),
        ("sub", json!("x")),
        ("exp", json!(NOW + 1)),
        ("iat", json!(NOW + 30)),
        ("auth_time", json!(NOW + 30)),
        ("auth_time", json!(0)),
        ("nbf", json!(NOW + 30)),
        ("nbf", json!(null)),
    ];
    for (field, value) in table {
        let proof = prove(&with(field, value.clone()));
        assert!(proof.is_ok(), "{field} {value}: {proof:?}");
    }
}

#[test]
fn only_what_was_good_once_is_expired() {
    for exp in [NOW, NOW - 1, 0] {
        let proof = prove(&with("exp", json!(exp)));
        assert!(matches!(proof, Err(AuthError::Expired)), "{exp}: {proof:?}");
        let mut claims = with("exp", json!(exp));
        claims["aud"] = json!("other");
        assert!(matches!(prove(&claims), Err(AuthError::Invalid(_))));
    }
}
