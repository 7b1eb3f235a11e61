//! Whatever callers choose, nothing of it becomes a series, and nothing of it is told.

use std::collections::BTreeSet;

use reqwest::{Client, Method};
use serde_json::{Value, json};

use super::scrape::Scrape;
use crate::support::{Server, Workshop, get};

/// How many requests of each round hold something that was never sent before.
const REQUESTS: usize = 300;

/// The labels that have a set of their own, and all that may stand in each.
const CLOSED: [(&str, &[&str]); 8] = [
    (
        "method",
        &[
            "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other",
        ],
    ),
    ("provider", &["runpod"]),
    ("operation", &["run", "status", "cancel", "stream"]),
    ("state", &["open", "half_open", "resting", "busy", "idle"]),
    ("pool", &["requests", "small", "workers", "checks"]),
    (
        "kind",
        &[
            "run",
            "consumer",
            "developer",
            "admin",
            "payout",
            "other",
            "unknown_status",
            "lost_answer",
            "lease_lost",
            "quarantined",
        ],
    ),
    (
        "category",
        &[
            "IMAGE",
            "AUDIO",
            "TEXT",
            "VIDEO",
            "DOCUMENT",
            "globalApi",
            "userApi",
            "taskCreation",
            "upload",
            "authSession",
            "authAction",
        ],
    ),
    ("version", &[env!("CARGO_PKG_VERSION")]),
];

#[tokio::test]
async fn what_callers_choose_makes_no_series_and_is_not_told() {
    let workshop = Workshop::open().await;
    let server = workshop.serve("all").await;
    // How long that took is told from the next time on.
    Scrape::weighed(&server).await;
    bother(&workshop, &server, "canaryone").await;
    let before = Scrape::of(&server).await;
    bother(&workshop, &server, "canarytwo").await;
    workshop.all_ended().await;
    let after = Scrape::of(&server).await;
    let new: BTreeSet<_> = after
        .series()
        .difference(&before.series())
        .copied()
        .collect();
    assert!(new.is_empty(), "{new:#?}");

    let known = known_routes(&server).await;
    for name in after.names() {
        for (label, values) in after.labels(name) {
            for value in values {
                let is_known = match label {
                    "route" => value == "unknown" || known.contains(value),
                    "status" => is_status(value),
                    "le" => value == "+Inf" || value.parse::<f64>().is_ok(),
                    _ => {
                        let set = CLOSED.iter().find(|(closed, _)| *closed == label);
                        set.is_some_and(|(_, set)| set.contains(&value))
                    }
                };
                assert!(is_known, "{name} has {label}={value:?}");
            }
        }
    }
    let secrets = [&workshop.admin, &workshop.developer, &workshop.consumer];
    let told = after.text.to_lowercase();
    for secret in ["canary", "example.com", "lighthouse", "postgres://"] {
        assert!(!told.contains(secret), "{secret}: {told}");
    }
    for token in secrets {
        for part in token.to_lowercase().split('.') {
            assert!(!told.contains(part), "{part}");
        }
    }
}

fn is_status(text: &str) -> bool {
    let endings = ["COMPLETED", "FAILED", "TIMED_OUT", "CANCELLED"];
    endings.contains(&text) || (text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit()))
}

async fn known_routes(server: &Server) -> BTreeSet<String> {
    let (_, document) = server.text(get("/openapi.json")).await;
    let document: Value = serde_json::from_str(&document).unwrap();
    let paths = document["paths"].as_object().unwrap();
    paths.keys().cloned().collect()
}

/// Sends requests that hold `word` wherever anything can be chosen, each a little different.
async fn bother(workshop: &Workshop, server: &Server, word: &str) {
    let client = Client::builder().no_proxy().build().unwrap();
    for number in 0..REQUESTS {
        let own = format!("{word}{number}");
        let (method, path) = chosen(&own, number);
        let mut request = client
            .request(method, format!("{}{path}", server.url()))
            .header("user-agent", format!("agent-{own}"))
            .header("x-request-id", format!("request-{own}"))
            .header("idempotency-key", format!("key-{own}"))
            .header("last-event-id", &own)
            .header("referer", format!("https://{own}.example.com/"));
        request = match number % 4 {
            0 => request.bearer_auth(format!("token.{own}.signature")),
            1 => request.bearer_auth(&workshop.consumer),
            2 => request.bearer_auth(&workshop.developer),
            _ => request,
        };
        if number % 3 == 0 {
            request = request.json(&json!({
                "email": format!("{own}@example.com"), "name": own, "inputs": {"prompt": own},
                own.clone(): own,
            }));
        }
        let answer = request.send().await.unwrap();
        assert!(
            answer.status().as_u16() < 500,
            "{path}: {}",
            answer.status()
        );
        let _ = answer.bytes().await.unwrap();
    }
    for number in 0..5 {
        let prompt = json!({"prompt": format!("{word} {number}")});
        let run = workshop.run_with("echo", prompt);
        server
            .send(run.header("prefer", "wait=20"))
            .await
            .assert_ok(200);
    }
}

/// A place that depends on the number alone, with something in it that was never sent before.
fn chosen(own: &str, number: usize) -> (Method, String) {
    let id = format!("0198b2c4-d5e6-7f80-91a2-{number:012x}");
    let own_method = Method::from_bytes(own.to_uppercase().as_bytes()).unwrap();
    let places = [
        (Method::GET, format!("/{own}")),
        (Method::GET, format!("/api/{own}/{own}")),
        (Method::GET, format!("/api/marketplace/models/{own}")),
        (
            Method::GET,
            format!("/api/public/models/{own}?search={own}"),
        ),
        (
            Method::GET,
            format!("/api/marketplace/models?search={own}&cursor={own}"),
        ),
        (Method::POST, format!("/api/marketplace/models/{own}/run")),
        (Method::GET, format!("/api/marketplace/runs/{id}")),
        (Method::GET, format!("/api/marketplace/runs/{own}/events")),
        (Method::GET, format!("/api/studio/tars-models/{id}")),
        (Method::PATCH, format!("/api/studio/tars-models/{own}")),
        (Method::DELETE, format!("/api/admin/endpoints/{id}")),
        (Method::POST, format!("/api/webhooks/runpod/{id}/{own}")),
        (Method::GET, format!("/docs/{own}")),
        (Method::OPTIONS, format!("/api/marketplace/models/{own}")),
        (Method::HEAD, format!("/health/{own}")),
        (own_method.clone(), "/health".to_owned()),
        (own_method, format!("/api/marketplace/models/{own}")),
        (Method::GET, format!("/%2e%2e/{own}%00")),
    ];
    places[number % places.len()].clone()
}
