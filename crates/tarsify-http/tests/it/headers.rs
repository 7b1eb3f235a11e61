//! What every answer carries, and problem documents for callers who ask for them.

use actix_web::http::Method;
use serde_json::json;
use tarsify_http::HttpSettings;

use crate::support::{Plan, Reply, Shop};

/// A success, an error, an unknown address, a wrong method, a preflight, a page.
async fn kinds(shop: &Shop) -> Vec<Reply> {
    vec![
        shop.get("/api/marketplace/models").await,
        shop.get("/api/marketplace/models?limit=0").await,
        shop.get("/api/admin/endpoints").await,
        shop.get("/nowhere").await,
        shop.ask(Method::DELETE, "/health").await,
        shop.ask(Method::OPTIONS, "/health")
            .header("origin", "https://shop.example.com")
            .header("access-control-request-method", "GET")
            .await,
        shop.get("/docs/").await,
        shop.get("/docs").await,
        shop.get("/docs/absent").await,
        shop.get("/openapi.json").await,
        shop.ask(Method::POST, "/openapi.json").await,
    ]
}

#[actix_web::test]
async fn every_answer_is_locked_down() {
    let shop = Shop::open().await;
    for reply in kinds(&shop).await {
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
        assert_eq!(reply.header("x-frame-options"), "DENY");
        assert_eq!(reply.header("referrer-policy"), "no-referrer");
        assert!(!reply.header("permissions-policy").is_empty());
        let policy = reply.header("content-security-policy");
        assert!(policy.contains("default-src 'none'"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(!reply.header("cache-control").is_empty());
        assert_eq!(reply.header("strict-transport-security"), "");
        if reply.status >= 400 {
            assert_eq!(reply.header("cache-control"), "no-store");
            let vary: Vec<_> = reply.headers.get_all("vary").collect();
            assert!(!vary.is_empty(), "an error looks the same to all callers");
        }
    }
}

#[actix_web::test]
async fn browsers_are_told_to_come_by_https_only_when_the_operator_says_so() {
    let settings = HttpSettings {
        hsts: true,
        ..Plan::default().settings
    };
    let plan = Plan {
        settings,
        ..Plan::default()
    };
    let shop = Shop::planned(plan).await;
    assert!(shop.settings.hsts);
    for reply in kinds(&shop).await {
        let header = reply.header("strict-transport-security");
        assert_eq!(header, "max-age=31536000; includeSubDomains");
    }
}

#[actix_web::test]
async fn a_harmless_request_id_is_kept_and_any_other_is_replaced() {
    let shop = Shop::open().await;
    let long = "x".repeat(128);
    for id in [
        "a",
        "A.b_c-9",
        "0198b2c4-d5e6-7f80-91a2-b3c4d5e6f708",
        &long,
    ] {
        for path in ["/health/live", "/nowhere"] {
            let reply = shop.get(path).header("x-request-id", id).await;
            assert_eq!(reply.header("x-request-id"), id);
            if reply.status >= 400 {
                assert_eq!(reply.json()["error"]["requestId"], id);
            }
        }
    }
    let longer = "x".repeat(129);
    let bad: [&[u8]; 7] = [
        b"",
        b"a b",
        b"a/b",
        b"<script>",
        b"\xff",
        "\u{e4}".as_bytes(),
        longer.as_bytes(),
    ];
    for id in bad {
        let reply = shop.get("/health/live").header("x-request-id", id).await;
        let made = reply.header("x-request-id");
        assert!(made.len() == 32 && made.bytes().all(|b| b.is_ascii_hexdigit()));
    }
    let one = shop.get("/health/live").await;
    let other = shop.get("/health/live").await;
    assert_ne!(one.header("x-request-id"), other.header("x-request-id"));
}

#[actix_web::test]
async fn whoever_asks_for_a_problem_document_gets_one() {
    let shop = Shop::open().await;
    let ask = || {
        shop.get("/api/marketplace/models?limit=0&sort=x")
            .header("x-request-id", "my-request")
    };
    for accept in [
        "application/problem+json",
        "Application/Problem+JSON; q=0.9",
        "text/html, application/problem+json",
    ] {
        let reply = ask().header("accept", accept).await;
        assert_eq!(reply.header("content-type"), "application/problem+json");
        let issue = |path: &str, code: &str, message: &str| json!({ "path": path, "code": code, "message": message });
        let range = "must be between 1 and 100";
        let words = "must be one of: newest popular price -price title";
        let expected = json!({
            "type": "urn:tarsify:error:validation_error",
            "title": "The request does not have the form it needs; the details name every fault.",
            "status": 400,
            "detail": "The request does not have the form it needs; the details name every fault.",
            "instance": "urn:tarsify:request:my-request",
            "code": "ERR_1001",
            "requestId": "my-request",
            "retryable": false,
            "details": {
                "errors": { "limit": [range], "sort": [words] },
                "issues": [issue("/limit", "range", range), issue("/sort", "enum", words)],
            },
        });
        assert_eq!(reply.json(), expected);
    }
    for accept in [
        "*/*",
        "application/json",
        "application/problem+xml",
        "\u{fc}",
    ] {
        let reply = ask().header("accept", accept).await;
        assert_eq!(reply.header("content-type"), "application/json");
        reply.assert(400, "ERR_1001");
    }
    for (method, path, status) in [
        (Method::GET, "/nowhere", 404),
        (Method::PUT, "/health", 405),
        (Method::GET, "/api/admin/endpoints", 401),
    ] {
        let ask = shop.ask(method, path);
        let reply = ask.header("accept", "application/problem+json").await;
        let body = reply.json();
        assert_eq!((reply.status, &body["status"]), (status, &json!(status)));
    }
}

#[actix_web::test]
async fn caches_are_told_whose_an_answer_is() {
    let shop = Shop::open().await;
    let token = shop.developer("grace").await;
    shop.published(&token, "anime").await;
    let admin = shop.admin();
    let cases = [
        ("/api/marketplace/models", "", "public, no-cache"),
        ("/api/marketplace/models/anime", "", "public, no-cache"),
        ("/api/marketplace/models?search=a", "", "public, no-cache"),
        ("/api/studio/auth/me", token.as_str(), "private, no-cache"),
        ("/api/studio/tars-models", &token, "no-store"),
        ("/api/studio/base-models", &token, "no-store"),
        ("/api/admin/endpoints", &admin, "no-store"),
        ("/health", "", "no-store"),
    ];
    for (path, token, expected) in cases {
        let mut ask = shop.get(path);
        if !token.is_empty() {
            ask = ask.token(token);
        }
        assert_eq!(ask.await.header("cache-control"), expected, "{path}");
    }
}

#[actix_web::test]
async fn the_weights_in_accept_are_heeded() {
    let shop = Shop::open().await;
    for (accept, wanted) in [
        (
            "application/json, application/problem+json;q=0.1",
            "application/json",
        ),
        (
            "application/json;q=0.1, application/problem+json",
            "application/problem+json",
        ),
        ("application/problem+json;q=0", "application/json"),
        (
            "application/problem+json; q=0.5, */*",
            "application/problem+json",
        ),
    ] {
        let reply = shop.get("/nowhere").header("accept", accept).await;
        assert_eq!(reply.header("content-type"), wanted, "{accept}");
    }
}
