//! The Firebase emulator's unsigned tokens.

use serde_json::{Value, json};
use tarsify_auth::LOCAL_ISSUER;
use tarsify_domain::people::Realm;

use crate::forge::{first_key, strangers_key, unsigned_token};
use crate::world::{
    REALMS, World, firebase_settings, hour_of_first_key, is_expired, is_invalid, other, with,
    without,
};

async fn world_with_emulator() -> World {
    let mut settings = firebase_settings();
    settings.emulator = true;
    World::with(settings, hour_of_first_key()).await
}

fn header() -> Value {
    json!({"alg": "none", "typ": "JWT"})
}

#[tokio::test]
async fn an_unsigned_token_is_taken_with_the_emulator_only() {
    let with_emulator = world_with_emulator().await;
    let without_emulator = World::new().await;
    for realm in REALMS {
        let token = unsigned_token(&header(), &with_emulator.claims(realm));
        let identity = with_emulator.check(realm, &token).await.unwrap();
        assert_eq!(identity.key.subject, "ada");
        assert!(is_invalid(&with_emulator.check(other(realm), &token).await));
        assert!(is_invalid(&without_emulator.check(realm, &token).await));
    }
    assert_eq!(with_emulator.server.requests(), 0);
    assert_eq!(without_emulator.server.requests(), 0);
}

#[tokio::test]
async fn an_unsigned_token_must_meet_every_other_rule() {
    let world = world_with_emulator().await;
    for realm in REALMS {
        let good = world.claims(realm);
        let now = world.clock.seconds();
        let bad = [
            ("aud", json!("stranger")),
            ("aud", json!([good["aud"]])),
            ("iss", json!("https://securetoken.google.com/stranger")),
            ("iss", json!(LOCAL_ISSUER)),
            ("sub", json!("")),
            ("sub", json!("x".repeat(129))),
            ("sub", json!(7)),
            ("exp", json!("9999999999")),
            ("iat", json!(now + 31)),
            ("auth_time", json!(now + 31)),
        ];
        for (field, value) in bad {
            let claims = with(good.clone(), field, value);
            let outcome = world
                .check(realm, &unsigned_token(&header(), &claims))
                .await;
            assert!(is_invalid(&outcome), "{field}: {outcome:?}");
        }
        for field in ["aud", "iss", "sub", "exp", "iat", "auth_time"] {
            let claims = without(good.clone(), field);
            let outcome = world
                .check(realm, &unsigned_token(&header(), &claims))
                .await;
            assert!(is_invalid(&outcome), "no {field}: {outcome:?}");
        }
        let late = with(good.clone(), "exp", json!(now));
        let outcome = world.check(realm, &unsigned_token(&header(), &late)).await;
        assert!(is_expired(&outcome), "{outcome:?}");
    }
}

#[tokio::test]
async fn an_unsigned_token_must_not_pretend_to_be_signed() {
    let world = world_with_emulator().await;
    let realm = Realm::Developers;
    let claims = world.claims(realm);
    let named = json!({"alg": "none", "kid": first_key().id});
    let rs256 = first_key().header();
    let table = [
        ("a kid", unsigned_token(&named, &claims)),
        (
            "a signature",
            first_key().token_with_header(&header(), &claims),
        ),
        ("RS256 without a signature", unsigned_token(&rs256, &claims)),
        ("another's signature", strangers_key().token(&claims)),
    ];
    for (why, token) in table {
        let outcome = world.check(realm, &token).await;
        assert!(is_invalid(&outcome), "{why}: {outcome:?}");
    }
    assert!(
        world
            .check(realm, &first_key().token(&claims))
            .await
            .is_ok()
    );
}
