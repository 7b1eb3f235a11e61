//! Fields that do not fit: each is named with its path and rule, all of them at once, and
//! nothing is stored.

use serde_json::{Value, json};
use tarsify_domain::people::Realm;

use crate::support::{Shop, address, base_model_body, endpoint_body, tars_model_body};

/// The body with one field changed.
fn with(mut body: Value, field: &str, value: Value) -> Value {
    body[field] = value;
    body
}

fn long(length: usize) -> Value {
    json!("x".repeat(length))
}

#[actix_web::test]
async fn each_field_of_an_endpoint_keeps_its_rule() {
    let shop = Shop::open().await;
    let admin = shop.admin();
    let cases = [
        ("runpodEndpointId", json!(""), "length"),
        ("runpodEndpointId", json!("a/b"), "pattern"),
        ("runpodEndpointId", json!(".."), "pattern"),
        ("runpodEndpointId", long(101), "length"),
        ("runpodEndpointId", json!(5), "type"),
        ("name", json!("  "), "minLength"),
        ("name", long(201), "maxLength"),
        ("source", json!("hub"), "enum"),
        ("source", json!(["HUB"]), "type"),
        ("provider", json!("aws"), "enum"),
        ("dockerImage", long(501), "maxLength"),
        ("gpuType", json!(null), "required"),
        ("isActive", json!("true"), "type"),
        ("isActive", json!(1), "type"),
        ("limits", json!([]), "type"),
    ];
    let writes = shop.store.writes();
    for (field, value, code) in cases {
        let body = with(endpoint_body("ep-x"), field, value);
        let reply = shop.post("/api/admin/endpoints").token(&admin).json(&body);
        reply.await.assert_faults(&[(&format!("/{field}"), code)]);
    }
    let limits = json!({
        "maxConcurrency": 0, "maxPerMinute": 1.5, "maxPerDay": 4_294_967_296_u64,
        "retryOn429": "yes", "maxRetries": -1, "baseBackoffMs": "1", "a/b~": 1,
    });
    let body = with(endpoint_body("ep-x"), "limits", limits);
    let reply = shop.post("/api/admin/endpoints").token(&admin).json(&body);
    reply.await.assert_faults(&[
        ("/limits/a~1b~0", "additionalProperties"),
        ("/limits/baseBackoffMs", "type"),
        ("/limits/maxConcurrency", "range"),
        ("/limits/maxPerDay", "range"),
        ("/limits/maxPerMinute", "type"),
        ("/limits/maxRetries", "range"),
        ("/limits/retryOn429", "type"),
    ]);
    assert_eq!(shop.store.writes(), writes);
}

#[actix_web::test]
async fn each_field_of_a_base_model_keeps_its_rule() {
    let shop = Shop::open().await;
    let admin = shop.admin();
    let endpoint = shop.endpoint("ep-x").await;
    let cases = [
        ("endpointId", json!("ep-x"), "format"),
        ("slug", json!("with space"), "pattern"),
        ("slug", json!("double--hyphen"), "pattern"),
        ("slug", json!("-edge"), "pattern"),
        ("slug", json!("umlaut-\u{e4}"), "pattern"),
        ("slug", long(201), "maxLength"),
        ("name", json!(""), "minLength"),
        ("description", long(5_001), "maxLength"),
        ("category", json!("SMELL"), "enum"),
        ("outputType", json!("VIDEO"), "enum"),
        ("outputFormat", long(51), "maxLength"),
        ("estimatedSeconds", json!(0), "range"),
        ("estimatedSeconds", json!(604_801), "range"),
        ("timeoutSeconds", json!("60"), "type"),
        ("inputSchema", json!("{}"), "type"),
        ("inputSchema", json!(null), "required"),
    ];
    let writes = shop.store.writes();
    for (field, value, code) in cases {
        let body = with(base_model_body(&endpoint["id"], "model-x"), field, value);
        let reply = shop
            .post("/api/admin/base-models")
            .token(&admin)
            .json(&body);
        reply.await.assert_faults(&[(&format!("/{field}"), code)]);
    }
    assert_eq!(shop.store.writes(), writes);
}

#[actix_web::test]
async fn each_field_of_a_tars_model_keeps_its_rule() {
    let shop = Shop::open().await;
    let token = shop.developer("grace").await;
    let base = shop.base_model("base").await;
    let cases = [
        ("baseModelId", json!("x"), "format"),
        ("title", json!(" \t "), "minLength"),
        ("title", long(201), "maxLength"),
        ("slug", json!("under_score"), "pattern"),
        ("description", json!({}), "type"),
        ("priceCredits", json!(-1), "minimum"),
        ("priceCredits", json!(1_000_001), "maximum"),
        ("priceCredits", json!(0.5), "type"),
        ("priceCredits", json!("25"), "type"),
        ("configOverrides", json!([]), "type"),
    ];
    let writes = shop.store.writes();
    for (field, value, code) in cases {
        let body = with(tars_model_body(&base["id"], "model-x"), field, value);
        let reply = shop.post("/api/studio/tars-models").token(&token);
        reply
            .json(&body)
            .await
            .assert_faults(&[(&format!("/{field}"), code)]);
    }
    assert_eq!(shop.store.writes(), writes);
}

#[actix_web::test]
async fn each_field_of_a_profile_keeps_its_rule() {
    let shop = Shop::open().await;
    let consumer = shop.consumer("ada").await;
    let developer = shop.developer("grace").await;
    let studio = "/api/studio/auth/profile";
    let market = "/api/marketplace/auth/profile";
    let cases = [
        (market, "name", json!("A"), "minLength"),
        (market, "name", long(101), "maxLength"),
        (market, "name", json!(7), "type"),
        (market, "avatarUrl", json!("javascript:alert(1)"), "format"),
        (market, "avatarUrl", json!("/ada.png"), "format"),
        (market, "avatarUrl", long(2_049), "maxLength"),
        (studio, "displayName", json!(" A "), "minLength"),
        (studio, "bio", long(501), "maxLength"),
        (studio, "country", json!("XX"), "format"),
        (studio, "country", json!("Germany"), "format"),
        (studio, "payoutEmail", json!("not an address"), "format"),
    ];
    let writes = shop.store.writes();
    for (path, field, value, code) in cases {
        let token = if path == studio {
            &developer
        } else {
            &consumer
        };
        let reply = shop.patch(path).token(token).json(&json!({ field: value }));
        reply.await.assert_faults(&[(&format!("/{field}"), code)]);
    }
    let complete = shop.post("/api/studio/auth/complete-profile");
    let reply = complete.token(&developer).json(&json!({ "bio": 1 })).await;
    reply.assert_faults(&[("/bio", "type"), ("/displayName", "required")]);
    assert_eq!(shop.store.writes(), writes);
}

#[actix_web::test]
async fn the_address_is_the_tokens_and_no_other() {
    let shop = Shop::open().await;
    for (realm, path) in [
        (Realm::Consumers, "/api/marketplace/auth/register"),
        (Realm::Developers, "/api/studio/auth/register"),
    ] {
        let token = shop.token(realm, "ada");
        let register = |email: Value| {
            let ask = shop.post(path).token(&token);
            ask.json(&json!({ "email": email }))
        };
        let writes = shop.store.writes();
        let reply = register(json!("eve@example.com")).await;
        reply.assert_faults(&[("/email", "const")]);
        let reply = register(json!("no address")).await;
        reply.assert_faults(&[("/email", "format")]);
        assert_eq!(shop.store.writes(), writes);
        let reply = register(json!("  ADA@Example.COM ")).await;
        assert_eq!(reply.data()["email"], "ada@example.com");
    }
}

#[actix_web::test]
async fn null_clears_what_may_be_empty_and_nothing_else() {
    let shop = Shop::open().await;
    let token = shop.developer("grace").await;
    let model = shop.draft(&token, "model").await;
    let writes = shop.store.writes();
    let nulls = json!({
        "baseModelId": null, "title": null, "slug": null, "priceCredits": null,
    });
    let reply = shop.patch(address(&model)).token(&token).json(&nulls).await;
    reply.assert_faults(&[
        ("/baseModelId", "type"),
        ("/priceCredits", "type"),
        ("/slug", "type"),
        ("/title", "type"),
    ]);
    assert_eq!(shop.store.writes(), writes);
    let clear = json!({ "description": null, "configOverrides": null });
    let data = shop.patch(address(&model)).token(&token).json(&clear).await;
    let data = data.data();
    assert_eq!(data["description"], Value::Null);
    assert_eq!(data["configOverrides"], json!({}));
    assert_eq!(data["title"], model["title"]);
}

#[actix_web::test]
async fn texts_are_trimmed_and_slugs_lower_cased() {
    let shop = Shop::open().await;
    let token = shop.developer("grace").await;
    let base = shop.base_model("base").await;
    let mut body = tars_model_body(&base["id"], " Anime-GENERATOR-2 ");
    body["title"] = json!("  Anime  ");
    let data = shop.post("/api/studio/tars-models").token(&token);
    let data = data.json(&body).await.data();
    assert_eq!(data["slug"], "anime-generator-2");
    assert_eq!(data["title"], "Anime");
    shop.publish(&token, &data).await;
    let shout = shop.get("/api/marketplace/models/ANIME-Generator-2").await;
    assert_eq!(shout.data()["slug"], "anime-generator-2");
}
