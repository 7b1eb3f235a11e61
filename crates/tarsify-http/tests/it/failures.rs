//! What callers are told when we fail: the code, nothing of the cause; and that the next
//! request is served.

use std::sync::Arc;

use actix_web::http::Method;
use async_trait::async_trait;
use serde_json::json;
use tarsify_domain::catalog::{MarketEntry, MarketQuery, MarketRepository, MarketSource};
use tarsify_domain::people::{Consumer, ConsumerRepository, IdentityKey, NewConsumer};
use tarsify_domain::text::Slug;
use tarsify_domain::{Page, PageRequest, RepoError};
use tarsify_http::{Access, routes};
use tarsify_testing::World;

use crate::support::{Plan, Shop, without_ids};

const CAUSE: &str = "canary-cause at db.internal:5432 SELECT secret";

/// A port whose every read panics.
pub(crate) struct Panicking;

#[async_trait]
impl MarketRepository for Panicking {
    async fn list(
        &self,
        _query: &MarketQuery,
        _page: &PageRequest,
    ) -> Result<Page<MarketEntry>, RepoError> {
        panic!("{CAUSE}")
    }

    async fn find(&self, _slug: &Slug) -> Result<Option<MarketSource>, RepoError> {
        Err(RepoError::Internal(CAUSE.into()))
    }

    async fn version(&self) -> Result<i64, RepoError> {
        Ok(0)
    }
}

#[async_trait]
impl ConsumerRepository for Panicking {
    async fn find_by_identity(&self, _key: &IdentityKey) -> Result<Option<Consumer>, RepoError> {
        panic!("{CAUSE}")
    }

    async fn register(&self, _new: &NewConsumer) -> Result<Consumer, RepoError> {
        panic!("{CAUSE}")
    }

    async fn revise(&self, _consumer: &Consumer) -> Result<Consumer, RepoError> {
        panic!("{CAUSE}")
    }
}

/// An application whose market and consumers panic.
pub(crate) fn panicking() -> Plan {
    Plan {
        ports: |world| World {
            market: Arc::new(Panicking),
            consumers: Arc::new(Panicking),
            ..world
        },
        ..Plan::default()
    }
}

#[actix_web::test]
async fn a_panic_is_answered_and_the_next_request_is_served() {
    let shop = Shop::planned(panicking()).await;
    let token = shop.token(tarsify_domain::people::Realm::Consumers, "ada");
    for _ in 0..3 {
        let panics = [
            // In a use case behind a public route, behind the gate, and in the gate itself.
            shop.get("/api/marketplace/models"),
            shop.post("/api/marketplace/auth/register").token(&token),
            shop.get("/api/marketplace/auth/me").token(&token),
        ];
        for ask in panics {
            let reply = ask.await;
            reply.assert(500, "ERR_1000");
            assert!(!reply.text().contains("canary"), "{}", reply.text());
            assert_eq!(reply.header("x-content-type-options"), "nosniff");
            assert!(!reply.header("x-request-id").is_empty());
        }
        shop.get("/health/live").await.assert(200, "");
    }
}

#[actix_web::test]
async fn the_causes_of_a_failure_are_not_told() {
    let shop = Shop::planned(panicking()).await;
    let find = || shop.get("/api/marketplace/models/anything");
    for accept in ["application/json", "application/problem+json"] {
        let reply = find().header("accept", accept).await;
        assert_eq!(reply.status, 500);
        assert!(!reply.text().contains("canary"), "{}", reply.text());
        assert!(!reply.text().contains("SELECT"), "{}", reply.text());
    }
    // A failure is not remembered as an answer.
    find().await.assert(500, "ERR_1000");
}

#[actix_web::test]
async fn an_outage_of_the_store_is_told_on_every_route_that_needs_it() {
    let shop = Shop::open().await;
    let consumer = shop.consumer("ada").await;
    let developer = shop.developer("grace").await;
    let admin = shop.admin();
    shop.store.start_outage();
    shop.runs.start_outage();
    shop.treasury.start_outage();
    shop.health.start_outage();
    let mut told = 0;
    for route in routes() {
        let token = match route.access() {
            Access::Public => "",
            Access::AnyConsumer | Access::Consumer => &consumer,
            Access::AnyDeveloper | Access::Developer => &developer,
            Access::Admin => &admin,
        };
        for path in route.paths() {
            let mut ask = shop.ask(route.method().clone(), without_ids(path));
            if !token.is_empty() {
                ask = ask.token(token);
            }
            if *route.method() != Method::GET {
                ask = ask.json(&json!({ "displayName": "Grace" }));
            }
            let reply = ask.await;
            // These tell how things are instead of failing.
            if ["/health", "/health/live", "/livez"].contains(&path) {
                reply.assert(200, "");
                continue;
            }
            if path == "/metrics" {
                assert_eq!(reply.status, 200);
                continue;
            }
            // Who is not believed does not reach the store.
            if path == "/api/webhooks/stripe" {
                reply.assert(400, "ERR_1001");
                continue;
            }
            reply.assert(503, "ERR_1005");
            let body = reply.json();
            assert_eq!(body["error"]["retryable"], true);
            assert_eq!(reply.header("retry-after"), "1", "{path}");
            assert!(!reply.text().contains("out of order"), "the cause is told");
            told += 1;
        }
    }
    assert!(told > 40, "only {told} addresses were tried");
    shop.store.end_outage();
    shop.runs.end_outage();
    shop.treasury.end_outage();
    shop.get("/api/marketplace/models").await.assert(200, "");
    shop.get("/api/marketplace/auth/me")
        .token(&consumer)
        .await
        .assert(200, "");
}
