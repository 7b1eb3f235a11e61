//! What is told of what was measured, and to whom.

use actix_web::http::Method;

use crate::support::{Plan, Shop};

const TOKEN: &str = "an-operators-token";

async fn guarded() -> Shop {
    Shop::planned(Plan {
        metrics_token: Some(TOKEN),
        ..Plan::default()
    })
    .await
}

/// The value of a series; panics when there is none.
fn value(text: &str, series: &str) -> u64 {
    let mut lines = text.lines();
    let line = lines.find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    let line = line.unwrap_or_else(|| panic!("no {series} in {text}"));
    line.parse().unwrap()
}

#[actix_web::test]
async fn what_was_asked_is_told_as_prometheus_reads_it() {
    let shop = Shop::open().await;
    for path in [
        "/livez",
        "/health/live",
        "/nowhere",
        "/api/marketplace/models/none",
    ] {
        shop.get(path).await;
    }
    let reply = shop.get("/metrics").await;
    assert_eq!(reply.status, 200);
    let kind = reply.header("content-type");
    assert!(
        kind.starts_with("application/openmetrics-text; version=1.0.0"),
        "{kind}"
    );
    assert_eq!(reply.header("cache-control"), "no-store");
    let text = reply.text();
    assert!(text.ends_with("# EOF\n"), "{text}");
    for (route, status, count) in [
        ("/health/live", 200, 2),
        ("unknown", 404, 1),
        ("/api/marketplace/models/{slug}", 404, 1),
        ("/api/marketplace/models", 200, 0),
    ] {
        let labels = format!("{{method=\"GET\",route=\"{route}\",status=\"{status}\"}}");
        let found = value(&text, &format!("http_requests_total{labels}"));
        assert_eq!(found, count, "{route}");
        if count > 0 {
            let timed = format!("http_request_duration_seconds_count{labels}");
            assert_eq!(value(&text, &timed), count, "{route}");
        }
    }
    let head = shop.ask(Method::HEAD, "/metrics").await;
    assert_eq!(head.status, 200);
}

#[actix_web::test]
async fn whoever_lacks_the_token_is_told_nothing() {
    let shop = guarded().await;
    shop.get("/metrics").await.assert(401, "ERR_2000");
    for wrong in [
        "an-operators-toke",
        "an-operators-token-",
        "another",
        "Bearer",
    ] {
        let reply = shop.get("/metrics").token(wrong).await;
        reply.assert(401, "ERR_2001");
        assert_eq!(reply.header("www-authenticate"), "Bearer");
        assert!(!reply.text().contains("http_requests"), "{}", reply.text());
        assert!(!reply.text().contains(TOKEN), "{}", reply.text());
    }
    let basic = shop.get("/metrics").header("authorization", TOKEN).await;
    basic.assert(401, "ERR_2001");
    // Nobody else's token is good, whatever he is.
    let admin = shop.admin();
    shop.get("/metrics")
        .token(&admin)
        .await
        .assert(401, "ERR_2001");
    let reply = shop.get("/metrics").token(TOKEN).await;
    assert_eq!(reply.status, 200);
    assert!(reply.text().contains("http_requests_total"));
}

#[actix_web::test]
async fn a_refusal_for_asking_too_often_is_counted_by_what_it_was() {
    let limits = tarsify_domain::limits::LimitSettings::default();
    let shop = Shop::planned(Plan {
        limits: Some(limits),
        ..Plan::default()
    })
    .await;
    let series = "rate_limited_total{category=\"globalApi\"}";
    assert_eq!(value(&shop.get("/metrics").await.text(), series), 0);
    let mut refused = 0;
    while refused < 3 {
        let reply = shop.get("/api/marketplace/models").from("192.0.2.7").await;
        refused += u64::from(reply.status == 429);
    }
    assert_eq!(value(&shop.get("/metrics").await.text(), series), 3);
}
