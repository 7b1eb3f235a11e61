//! Which pages of other origins may call and what they may read.

use std::collections::BTreeSet;

use actix_web::http::Method;
use tarsify_http::HttpSettings;

use crate::support::{Plan, Shop};

const OURS: &str = "https://shop.example.com";
const ALLOWED: &str = "access-control-allow-origin";

const FOREIGN: [&str; 7] = [
    "https://evil.example.com",
    "http://shop.example.com",
    "https://shop.example.com.evil.test",
    "https://shop.example.com:444",
    "https://example.com",
    "null",
    "https://SHOP.example.com.",
];

fn words(list: &str) -> BTreeSet<String> {
    list.split(',')
        .map(|word| word.trim().to_lowercase())
        .collect()
}

#[actix_web::test]
async fn a_page_of_an_allowed_origin_may_ask_and_call() {
    let shop = Shop::open().await;
    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] {
        let reply = shop
            .ask(Method::OPTIONS, "/api/studio/tars-models")
            .header("origin", OURS)
            .header("access-control-request-method", method)
            .header(
                "access-control-request-headers",
                "authorization, content-type, if-match, idempotency-key",
            )
            .await;
        assert_eq!(reply.status, 200, "{method}");
        assert_eq!(reply.header(ALLOWED), OURS);
        let methods = words(reply.header("access-control-allow-methods"));
        assert!(methods.contains(&method.to_lowercase()));
        let headers = words(reply.header("access-control-allow-headers"));
        assert!(headers.is_superset(&words(
            "authorization,content-type,if-match,idempotency-key"
        )));
        assert_eq!(reply.header("access-control-max-age"), "3600");
        assert_eq!(reply.header("access-control-allow-credentials"), "");
    }
}

#[actix_web::test]
async fn an_allowed_page_may_read_the_headers_of_the_contract() {
    let shop = Shop::open().await;
    let promised = "RateLimit-Policy, RateLimit, X-RateLimit-Limit, X-RateLimit-Remaining, \
        X-RateLimit-Reset, Retry-After, Location, Link, ETag, X-Request-Id, Idempotency-Replayed, \
        Preference-Applied";
    for path in [
        "/api/marketplace/models",
        "/nowhere",
        "/api/admin/endpoints",
    ] {
        let reply = shop.get(path).header("origin", OURS).await;
        assert_eq!(reply.header(ALLOWED), OURS, "{path}");
        let exposed = words(reply.header("access-control-expose-headers"));
        assert_eq!(exposed, words(promised));
        let vary: BTreeSet<_> = reply
            .headers
            .get_all("vary")
            .flat_map(|value| words(value.to_str().unwrap()))
            .collect();
        assert!(vary.contains("origin"), "{vary:?}");
    }
}

#[actix_web::test]
async fn a_foreign_page_may_do_nothing() {
    let shop = Shop::open().await;
    for origin in FOREIGN {
        let call = shop.get("/api/marketplace/models").header("origin", origin);
        let call = call.await;
        // The answer goes out, as to anybody without a browser; the browser keeps it from the page.
        assert_eq!((call.status, call.header(ALLOWED)), (200, ""), "{origin}");
        let preflight = shop
            .ask(Method::OPTIONS, "/api/marketplace/models")
            .header("origin", origin)
            .header("access-control-request-method", "GET")
            .await;
        assert_eq!(preflight.header(ALLOWED), "", "{origin}");
        assert_eq!(preflight.header("access-control-allow-methods"), "");
        assert_eq!(preflight.status, 400);
    }
}

#[actix_web::test]
async fn without_origins_nobody_is_allowed() {
    let plan = Plan {
        settings: HttpSettings::default(),
        ..Plan::default()
    };
    let shop = Shop::planned(plan).await;
    for origin in FOREIGN.into_iter().chain([OURS]) {
        let reply = shop.get("/health/live").header("origin", origin).await;
        assert_eq!((reply.status, reply.header(ALLOWED)), (200, ""));
    }
}
