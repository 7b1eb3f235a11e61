//! Firebase ID tokens: which are taken and which are not, in both realms.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tarsify_domain::people::Realm;

use crate::forge::{
    first_key, hmac_token, key_set, part, second_key, strangers_key, unsigned_token,
};
use crate::key_server::Answer;
use crate::world::{
    REALMS, World, firebase_settings, is_expired, is_invalid, other, project, with, without,
};

#[tokio::test]
async fn a_good_token_proves_an_identity() {
    let world = World::new().await;
    for realm in REALMS {
        let token = first_key().token(&world.claims(realm));
        for _ in 0..2 {
            let identity = world.check(realm, &token).await.unwrap();
            let issuer = format!("https://securetoken.google.com/{}", project(realm));
            assert_eq!(identity.key.realm, realm);
            assert_eq!(identity.key.issuer, issuer);
            assert_eq!(identity.key.subject, "ada");
            assert_eq!(identity.email.unwrap().as_str(), "ada@example.com");
            assert!(identity.email_is_verified);
            assert_eq!(identity.name.as_deref(), Some("Ada Lovelace"));
            let now = world.clock.seconds();
            assert_eq!(identity.authenticated_at.unix_timestamp(), now - 100);
            assert_eq!(identity.expires_at.unix_timestamp(), now + 3_600);
        }
    }
    assert_eq!(world.server.requests(), 1);
}

#[tokio::test]
async fn a_token_of_a_telephone_user_names_no_address() {
    let world = World::new().await;
    let claims = without(world.claims(Realm::Consumers), "email");
    let claims = without(without(claims, "email_verified"), "name");
    let token = first_key().token(&claims);
    let identity = world.check(Realm::Consumers, &token).await.unwrap();
    assert_eq!(identity.email, None);
    assert!(!identity.email_is_verified);
    assert_eq!(identity.name, None);
}

fn bad_claims(world: &World, realm: Realm) -> Vec<(&'static str, Value)> {
    let good = world.claims(realm);
    let now = world.clock.seconds();
    let changed = |field: &str, value: Value| with(good.clone(), field, value);
    let stranger = "https://securetoken.google.com/stranger";
    let spare = format!("https://securetoken.google.com/{}/", project(realm));
    vec![
        ("the other realm's project", world.claims(other(realm))),
        (
            "a stranger's project",
            with(changed("aud", json!("stranger")), "iss", json!(stranger)),
        ),
        ("wrong aud", changed("aud", json!("stranger"))),
        (
            "the other realm's aud",
            changed("aud", json!(project(other(realm)))),
        ),
        ("aud in a list", changed("aud", json!([project(realm)]))),
        ("no aud", without(good.clone(), "aud")),
        ("wrong iss", changed("iss", json!(stranger))),
        ("iss with a slash", changed("iss", json!(spare))),
        (
            "iss without a scheme",
            changed("iss", json!(project(realm))),
        ),
        ("iss in a list", changed("iss", json!([good["iss"]]))),
        ("no iss", without(good.clone(), "iss")),
        ("future iat", changed("iat", json!(now + 31))),
        ("future auth_time", changed("auth_time", json!(now + 31))),
        ("future nbf", changed("nbf", json!(now + 31))),
        ("string exp", changed("exp", json!((now + 60).to_string()))),
        ("string exp long past", changed("exp", json!("1"))),
        ("fractional exp", changed("exp", json!(1.5e10))),
        ("negative exp beyond time", changed("exp", json!(i64::MIN))),
        ("missing exp", without(good.clone(), "exp")),
        ("null exp", changed("exp", json!(null))),
        ("string iat", changed("iat", json!("1"))),
        ("missing iat", without(good.clone(), "iat")),
        ("string auth_time", changed("auth_time", json!("1"))),
        ("missing auth_time", without(good.clone(), "auth_time")),
        ("empty sub", changed("sub", json!(""))),
        ("129-character sub", changed("sub", json!("x".repeat(129)))),
        ("numeric sub", changed("sub", json!(7))),
        ("missing sub", without(good.clone(), "sub")),
        ("no object", json!("claims")),
    ]
}

#[tokio::test]
async fn claims_that_break_a_rule_prove_nothing() {
    let world = World::new().await;
    for realm in REALMS {
        for (why, claims) in bad_claims(&world, realm) {
            let outcome = world.check(realm, &first_key().token(&claims)).await;
            assert!(is_invalid(&outcome), "{why}: {outcome:?}");
        }
    }
}

fn forged_tokens(world: &World, realm: Realm) -> Vec<(&'static str, String)> {
    let key = first_key();
    let claims = world.claims(realm);
    let good = key.token(&claims);
    let parts: Vec<_> = good.split('.').collect();
    let (header, body, signature) = (parts[0], parts[1], parts[2]);
    let header_of = |alg: &str| json!({"alg": alg, "kid": key.id, "typ": "JWT"});
    let headed = |header: Value| key.token_with_header(&header, &claims);
    let none = json!({"alg": "none", "typ": "JWT"});
    let by_public_key = |alg: &str| hmac_token(&header_of(alg), &claims, key.public_pem.as_bytes());
    let crit = json!({"alg": "RS256", "kid": key.id, "crit": ["b64"], "b64": true});
    let swapped = part(&json!({"kid": key.id, "alg": "RS256"}));
    let other_body = part(&with(claims.clone(), "sub", json!("eve")));
    vec![
        ("alg none", unsigned_token(&none, &claims)),
        (
            "none with a kid",
            unsigned_token(&header_of("none"), &claims),
        ),
        ("none with a signature", headed(none)),
        ("alg nOnE", unsigned_token(&header_of("nOnE"), &claims)),
        ("HS256 by the public key", by_public_key("HS256")),
        ("RS256 that is an HMAC", by_public_key("RS256")),
        ("alg RS384", headed(header_of("RS384"))),
        ("alg PS256", headed(header_of("PS256"))),
        ("alg rs256", headed(header_of("rs256"))),
        ("alg ES256", headed(header_of("ES256"))),
        ("no alg", headed(json!({"kid": key.id}))),
        ("alg a number", headed(json!({"alg": 1, "kid": key.id}))),
        ("missing kid", headed(json!({"alg": "RS256"}))),
        ("null kid", headed(json!({"alg": "RS256", "kid": null}))),
        ("unknown extensions", headed(crit)),
        ("unknown kid", second_key().token(&claims)),
        ("another's key", strangers_key().token(&claims)),
        (
            "tampered payload",
            format!("{header}.{other_body}.{signature}"),
        ),
        ("tampered header", format!("{swapped}.{body}.{signature}")),
        ("no signature", format!("{header}.{body}.")),
        ("short signature", good[..good.len() - 4].to_owned()),
        ("a letter less", good[..good.len() - 1].to_owned()),
    ]
}

fn malformed_tokens(world: &World, realm: Realm) -> Vec<(&'static str, String)> {
    let claims = world.claims(realm);
    let good = first_key().token(&claims);
    let parts: Vec<_> = good.split('.').collect();
    let (header, body, signature) = (parts[0], parts[1], parts[2]);
    let list = part(&json!([]));
    let deep = URL_SAFE_NO_PAD.encode("[".repeat(4_000));
    let padded = format!("{body}==");
    let huge = with(claims, "name", json!("x".repeat(8_192)));
    vec![
        ("two parts", format!("{header}.{body}")),
        ("one part", header.to_owned()),
        ("four parts", format!("{good}.")),
        ("five parts", format!("{good}.{signature}.x")),
        ("a dot in front", format!(".{good}")),
        ("padded base64", format!("{header}.{padded}.{signature}")),
        ("a space behind", format!("{good} ")),
        ("a scheme in front", format!("Bearer {good}")),
        ("empty", String::new()),
        ("dots", "..".to_owned()),
        ("garbage", "garbage".to_owned()),
        ("garbage in parts", "a.b.c".to_owned()),
        ("not ASCII", "ä.ö.ü".to_owned()),
        ("a list for a header", format!("{list}.{body}.{signature}")),
        ("a list for claims", format!("{header}.{list}.{signature}")),
        ("a deep header", format!("{deep}.{body}.{signature}")),
        ("deep claims", format!("{header}.{deep}.{signature}")),
        ("huge", first_key().token(&huge)),
        ("huge garbage", "x".repeat(1_000_000)),
    ]
}

#[tokio::test]
async fn tokens_that_are_malformed_or_forged_prove_nothing() {
    let world = World::new().await;
    for realm in REALMS {
        let malformed = malformed_tokens(&world, realm);
        for (why, token) in forged_tokens(&world, realm).into_iter().chain(malformed) {
            let outcome = world.check(realm, &token).await;
            assert!(is_invalid(&outcome), "{why}: {outcome:?}");
            let told = format!("{:?} {}", outcome, outcome.as_ref().unwrap_err());
            assert!(token.len() < 20 || !told.contains(&token), "{why}");
        }
    }
    // The unknown key cost one request beside the first.
    assert_eq!(world.server.requests(), 2);
}

#[tokio::test]
async fn a_token_of_eight_kilobytes_is_still_read() {
    let world = World::new().await;
    let claims = world.claims(Realm::Consumers);
    let spare = 8_192 - first_key().token(&claims).len();
    let name = "x".repeat(spare * 3 / 4 + "Ada Lovelace".len() - 4);
    let token = first_key().token(&with(claims, "name", json!(name)));
    assert!((8_180..=8_192).contains(&token.len()), "{}", token.len());
    assert!(world.check(Realm::Consumers, &token).await.is_ok());
}

#[tokio::test]
async fn only_a_token_that_was_good_once_is_expired() {
    let world = World::new().await;
    for realm in REALMS {
        let now = world.clock.seconds();
        for exp in [now, now - 1, now - 100_000] {
            let claims = with(world.claims(realm), "exp", json!(exp));
            let outcome = world.check(realm, &first_key().token(&claims)).await;
            assert!(is_expired(&outcome), "{exp}: {outcome:?}");
            let forged = world.check(realm, &strangers_key().token(&claims)).await;
            assert!(is_invalid(&forged), "{forged:?}");
            let foreign = world.check(other(realm), &first_key().token(&claims)).await;
            assert!(is_invalid(&foreign), "{foreign:?}");
        }
    }
}

#[tokio::test]
async fn a_clock_that_is_ahead_a_little_is_forgiven() {
    let world = World::new().await;
    for realm in REALMS {
        let ahead = world.clock.seconds() + 30;
        let mut claims = world.claims(realm);
        for field in ["iat", "auth_time", "nbf"] {
            claims = with(claims, field, json!(ahead));
        }
        assert!(
            world
                .check(realm, &first_key().token(&claims))
                .await
                .is_ok()
        );
    }
}

#[tokio::test]
async fn a_realm_without_a_project_takes_no_firebase_token() {
    let mut settings = firebase_settings();
    settings.devs_project_id = None;
    let answer = Answer::fresh_for(3_600, key_set(&[first_key()]));
    let world = World::with(settings, answer).await;
    let token = first_key().token(&world.claims(Realm::Developers));
    assert!(is_invalid(&world.check(Realm::Developers, &token).await));
    assert_eq!(world.server.requests(), 0);
    let token = first_key().token(&world.claims(Realm::Consumers));
    assert!(world.check(Realm::Consumers, &token).await.is_ok());
    assert!(is_invalid(&world.check(Realm::Developers, &token).await));
}

#[tokio::test]
async fn a_known_token_expires_and_stays_in_its_realm() {
    // Keys that outlive the token, so that only its own expiry can end it.
    let answer = Answer::fresh_for(36_000, key_set(&[first_key()]));
    let world = World::with(firebase_settings(), answer).await;
    let token = first_key().token(&world.claims(Realm::Consumers));
    assert!(world.check(Realm::Consumers, &token).await.is_ok());
    assert!(is_invalid(&world.check(Realm::Developers, &token).await));
    world.clock.advance(3_599);
    assert!(world.check(Realm::Consumers, &token).await.is_ok());
    world.clock.advance(1);
    for _ in 0..2 {
        let outcome = world.check(Realm::Consumers, &token).await;
        assert!(is_expired(&outcome), "{outcome:?}");
    }
}
