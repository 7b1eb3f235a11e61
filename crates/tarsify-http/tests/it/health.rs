//! Whether the process lives and wants requests, at every address that says so.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tarsify_domain::health::{PartHealth, SchemaState};

use crate::support::{Plan, Shop};

const READY: [&str; 2] = ["/health/ready", "/readyz"];
const LIVE: [&str; 2] = ["/health/live", "/livez"];

async fn assert_live(shop: &Shop) {
    for path in LIVE {
        let reply = shop.get(path).await;
        assert_eq!(reply.data()["status"], "ok", "{path}");
    }
}

async fn assert_not_ready(shop: &Shop, because: &str) {
    for path in READY {
        let reply = shop.get(path).await;
        reply.assert(503, "ERR_1005");
        assert!(reply.text().contains(because), "{}", reply.text());
    }
    assert_live(shop).await;
}

#[actix_web::test]
async fn a_process_with_its_store_is_ready() {
    let shop = Shop::open().await;
    assert_live(&shop).await;
    for path in READY {
        let reply = shop.get(path).await;
        assert_eq!(reply.data()["status"], "ok", "{path}");
    }
    let health = shop.get("/health").await.data();
    assert_eq!(health["parts"]["database"], "ok");
    assert_eq!(health["version"], env!("CARGO_PKG_VERSION"));
}

#[actix_web::test]
async fn an_old_schema_is_told_with_the_remedy_and_a_newer_one_serves() {
    let shop = Shop::open().await;
    let missing = vec!["20260101000000".to_owned()];
    shop.health.set(SchemaState::Behind { missing });
    assert_not_ready(&shop, "run tarsify migrate").await;
    let unknown = vec!["20270101000000".to_owned()];
    for schema in [SchemaState::Ahead { unknown }, SchemaState::Current] {
        shop.health.set(schema);
        for path in READY {
            shop.get(path).await.assert(200, "");
        }
    }
}

#[actix_web::test]
async fn an_unreachable_store_makes_the_process_not_ready() {
    let shop = Shop::open().await;
    shop.health.start_outage();
    assert_not_ready(&shop, "cannot be reached").await;
    let told = shop.get("/readyz").await;
    assert!(!told.text().contains("out of order"), "the cause is told");
}

#[actix_web::test]
async fn a_process_that_is_about_to_stop_asks_for_nothing_new_and_serves_what_comes() {
    let shop = Shop::open().await;
    shop.services.lifecycle.drain();
    assert_not_ready(&shop, "about to stop").await;
    shop.get("/api/marketplace/models").await.assert(200, "");
}

#[actix_web::test]
async fn every_part_that_is_not_well_is_named() {
    let shop = Shop::open().await;
    let told = async |shop: &Shop| {
        let health = shop.get("/health").await.data();
        let part = |name: &str| health["parts"][name].as_str().unwrap().to_owned();
        let status = health["status"].as_str().unwrap().to_owned();
        [status, part("database"), part("process")]
    };
    assert_eq!(told(&shop).await, ["ok", "ok", "serving"]);
    let missing = vec!["20260101000000".to_owned()];
    shop.health.set(SchemaState::Behind { missing });
    assert_eq!(told(&shop).await, ["degraded", "behind", "serving"]);
    let unknown = vec!["20270101000000".to_owned()];
    shop.health.set(SchemaState::Ahead { unknown });
    assert_eq!(told(&shop).await, ["ok", "ahead", "serving"]);
    shop.health.start_outage();
    assert_eq!(told(&shop).await, ["degraded", "unreachable", "serving"]);
    shop.health.set(SchemaState::Current);
    shop.services.lifecycle.drain();
    assert_eq!(told(&shop).await, ["degraded", "ok", "stopping"]);
}

struct Redis(AtomicBool);

impl PartHealth for Redis {
    fn is_answering(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

#[actix_web::test]
async fn redis_is_named_and_never_makes_the_process_not_ready() {
    let redis = Arc::new(Redis(AtomicBool::new(true)));
    let part: Arc<dyn PartHealth> = redis.clone();
    let plan = Plan {
        redis: Some(part),
        ..Plan::default()
    };
    let shop = Shop::planned(plan).await;
    for (answers, told, status) in [(true, "ok", "ok"), (false, "unreachable", "degraded")] {
        redis.0.store(answers, Ordering::SeqCst);
        let health = shop.get("/health").await.data();
        assert_eq!(health["parts"]["redis"], told);
        assert_eq!(health["status"], status);
        for path in READY {
            shop.get(path).await.assert(200, "");
        }
    }
    let without = Shop::open().await.get("/health").await.data();
    assert!(without["parts"].get("redis").is_none(), "{without}");
}
