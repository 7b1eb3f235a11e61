//! Tokens that only look right, at a server in production.

use serde_json::{Value, json};

use crate::support::{
    Firebase, Place, Store, claims, get, hmac_token, signed_token, strangers_token, unsigned_token,
};

/// The claims of a consumer with one of them replaced, or taken away by null.
fn altered(name: &str, value: Value) -> Value {
    let mut claims = claims(Firebase::USERS, "uid-ann");
    if value.is_null() {
        claims.as_object_mut().unwrap().remove(name);
    } else {
        claims[name] = value;
    }
    claims
}

#[tokio::test]
async fn every_wrong_token_is_refused_and_told_apart_from_an_expired_one() {
    let (store, firebase) = (Store::migrated().await, Firebase::start().await);
    let server = Place::in_production(&store, &firebase).serve().await;
    let good = claims(Firebase::USERS, "uid-ann");
    let now = good["iat"].as_u64().unwrap() + 60;
    let mut tampered = signed_token(&good);
    tampered.truncate(tampered.rfind('.').unwrap() - 4);
    let table = [
        (
            "expired",
            signed_token(&altered("exp", json!(now - 3_600))),
            "ERR_2002",
        ),
        (
            "the other project's",
            signed_token(&claims(Firebase::DEVELOPERS, "uid-ann")),
            "ERR_2001",
        ),
        (
            "a stranger's project's",
            signed_token(&claims("somebody-else", "uid-ann")),
            "ERR_2001",
        ),
        (
            "another audience",
            signed_token(&altered("aud", json!("somebody-else"))),
            "ERR_2001",
        ),
        (
            "another issuer",
            signed_token(&altered("iss", json!("https://tarsify.local"))),
            "ERR_2001",
        ),
        (
            "no subject",
            signed_token(&altered("sub", Value::Null)),
            "ERR_2001",
        ),
        (
            "an empty subject",
            signed_token(&altered("sub", json!(""))),
            "ERR_2001",
        ),
        (
            "no expiry",
            signed_token(&altered("exp", Value::Null)),
            "ERR_2001",
        ),
        (
            "an expiry in words",
            signed_token(&altered("exp", json!("tomorrow"))),
            "ERR_2001",
        ),
        ("no signature", unsigned_token(&good), "ERR_2001"),
        ("an HMAC", hmac_token(&good), "ERR_2001"),
        ("a stranger's key", strangers_token(&good), "ERR_2001"),
        ("half a token", tampered, "ERR_2001"),
        ("no token at all", "garbage".to_owned(), "ERR_2001"),
    ];
    let me = get("/api/marketplace/auth/me");
    for (why, token, code) in table {
        let answer = server.send(me.clone().by(&token)).await;
        let found = (answer.status, answer.code());
        assert_eq!(found, (401, Some(code)), "{why}: {answer:#?}");
        assert!(answer.header("www-authenticate").is_some(), "{why}");
    }
    let answer = server.send(me.clone()).await;
    answer.assert_failed(401, "ERR_2000");
    // The same key and claims, untouched, get through to where the profile is missed.
    let answer = server.send(me.by(&signed_token(&good))).await;
    answer.assert_failed(404, "ERR_3000");
}
