//! The interactive documentation comes from the binary itself and runs under its own policy.

use actix_web::http::Method;
use serde_json::json;
use tarsify_http::HttpSettings;

use crate::support::{Plan, Shop};

/// What a page loads: the values of `src` and `href`.
fn assets(page: &str) -> Vec<String> {
    let mut found = Vec::new();
    for attribute in ["src=\"", "href=\""] {
        for rest in page.split(attribute).skip(1) {
            let place = rest.split('"').next().unwrap();
            found.push(place.trim_start_matches("./").to_owned());
        }
    }
    found
}

#[actix_web::test]
async fn the_page_is_served_with_all_that_it_loads() {
    let shop = Shop::open().await;
    let moved = shop.get("/docs").await;
    assert_eq!((moved.status, moved.header("location")), (303, "/docs/"));
    let page = shop.get("/docs/").await;
    page.assert(200, "");
    assert!(page.header("content-type").starts_with("text/html"));
    let policy = page.header("content-security-policy");
    for rule in [
        "default-src 'none'",
        "script-src 'self'",
        "connect-src 'self'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(rule), "{policy}");
    }
    let text = page.text();
    for script in text.split("<script").skip(1) {
        let tag = script.split('>').next().unwrap();
        assert!(tag.contains("src="), "the policy blocks an inline script");
    }
    let assets = assets(&text);
    assert!(assets.len() >= 4, "{assets:?}");
    let kinds = [
        ("js", "javascript"),
        ("css", "text/css"),
        ("png", "image/png"),
    ];
    for asset in assets {
        assert!(!asset.contains("//"), "{asset} is somebody else's");
        let reply = shop.get(format!("/docs/{asset}")).await;
        assert_eq!(reply.status, 200, "{asset}");
        let (_, kind) = kinds
            .iter()
            .find(|(end, _)| asset.ends_with(end))
            .unwrap_or(&("", ""));
        assert!(reply.header("content-type").contains(kind), "{asset}");
        assert_eq!(reply.header("content-security-policy"), policy);
        assert!(!reply.body.is_empty());
    }
    let start = shop.get("/docs/swagger-initializer.js").await;
    assert!(start.text().contains("/openapi.json"));
}

#[actix_web::test]
async fn what_is_no_part_of_the_page_does_not_exist() {
    let shop = Shop::open().await;
    for file in [
        "absent.js",
        "../Cargo.toml",
        "..%2f..%2fetc%2fpasswd",
        "%00",
    ] {
        let reply = shop.get(format!("/docs/{file}")).await;
        reply.assert(404, "ERR_1002");
    }
    for path in ["/docs", "/docs/", "/openapi.json"] {
        let reply = shop.ask(Method::POST, path).await;
        reply.assert(405, "ERR_1003");
        assert!(reply.header("allow").contains("GET"), "{path}");
    }
}

#[actix_web::test]
async fn the_document_is_served_as_it_is() {
    let shop = Shop::open().await;
    let reply = shop.get("/openapi.json").await;
    assert_eq!(reply.header("content-type"), "application/json");
    assert_eq!(reply.header("cache-control"), "public, no-cache");
    assert_eq!(reply.json(), tarsify_http::document());
    let held = shop
        .get("/openapi.json")
        .header("if-none-match", reply.etag());
    assert_eq!(held.await.status, 304);
}

#[actix_web::test]
async fn local_keys_are_served_only_where_there_are_any() {
    let shop = Shop::open().await;
    shop.get("/local/jwks.json").await.assert(404, "ERR_1002");
    let keys = json!({ "keys": [{ "kid": "local", "kty": "RSA" }] });
    let settings = HttpSettings {
        local_jwks: Some(keys.clone()),
        ..HttpSettings::default()
    };
    let plan = Plan {
        settings,
        ..Plan::default()
    };
    let local = Shop::planned(plan).await;
    let reply = local.get("/local/jwks.json").await;
    assert_eq!((reply.status, reply.json()), (200, keys));
}
