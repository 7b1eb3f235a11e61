//! How large and how deep the inputs of a run may be, on both routes that take some.

use serde_json::{Value, json};

use crate::support::{Ask, Shop, address};

/// A model that takes anything, and the two ways to run it.
struct Anything {
    shop: Shop,
    consumer: String,
    developer: String,
    test_run: String,
}

impl Anything {
    async fn open() -> Self {
        let mut plan = crate::support::Plan::default();
        plan.engine.test_run_patience = std::time::Duration::ZERO;
        let shop = Shop::planned(plan).await;
        let consumer = shop.consumer("ada").await;
        let developer = shop.developer("grace").await;
        let endpoint = shop.endpoint("ep-any").await;
        let mut body = crate::support::base_model_body(&endpoint["id"], "any");
        body["inputSchema"] = json!({
            "type": "object", "properties": { "text": {}, "deep": {} },
        });
        let admin = shop.admin();
        let base = shop.post("/api/admin/base-models").token(&admin);
        let base = base.json(&body).await.assert(201, "").data();
        let body = json!({
            "baseModelId": base["id"], "title": "Any", "slug": "any",
        });
        let model = shop.post("/api/studio/tars-models").token(&developer);
        let model = model.json(&body).await.assert(201, "").data();
        shop.publish(&developer, &model).await;
        let test_run = format!("{}/test-run", address(&model));
        Self {
            shop,
            consumer,
            developer,
            test_run,
        }
    }

    fn ways(&self, inputs: &Value) -> [Ask<'_>; 2] {
        let body = json!({ "inputs": inputs });
        let run = self.shop.post("/api/marketplace/models/any/run");
        let test = self.shop.post(&self.test_run);
        [
            run.token(&self.consumer).json(&body),
            test.token(&self.developer).json(&body),
        ]
    }
}

/// Inputs of exactly so many bytes.
fn sized(bytes: usize) -> Value {
    let frame = json!({ "text": "" }).to_string().len();
    json!({ "text": "x".repeat(bytes - frame) })
}

/// Inputs of so many levels, they themselves included; the innermost is a list.
fn nested(levels: usize) -> Value {
    let inside = (2..levels).fold(json!([]), |inside, level| {
        if level % 2 == 0 {
            json!({ "a/b": inside })
        } else {
            json!([inside])
        }
    });
    json!({ "deep": inside })
}

#[actix_web::test]
async fn inputs_of_256_kilobytes_are_taken_and_one_byte_more_is_not() {
    let any = Anything::open().await;
    for ask in any.ways(&sized(256_000)) {
        ask.await.assert(202, "");
    }
    let accepted = any.shop.runs.memory.len();
    for inputs in [sized(256_001), sized(900_000)] {
        for ask in any.ways(&inputs) {
            let reply = ask.await;
            reply.assert(413, "ERR_1009");
            assert_eq!(
                reply.issues(),
                [("/inputs".to_owned(), "maxBytes".to_owned())]
            );
        }
    }
    // Blanks between the fields do not count.
    let padded = format!("{{\"inputs\": {}{}}}", " ".repeat(500_000), sized(1_000));
    let run = any.shop.post("/api/marketplace/models/any/run");
    run.token(&any.consumer).bytes(padded).await.assert(202, "");
    assert_eq!(any.shop.runs.memory.len(), accepted + 1);
}

#[actix_web::test]
async fn inputs_of_32_levels_are_taken_and_one_more_is_not() {
    let any = Anything::open().await;
    for ask in any.ways(&nested(32)) {
        ask.await.assert(202, "");
    }
    for levels in [33, 40, 60] {
        for ask in any.ways(&nested(levels)) {
            let reply = ask.await;
            reply.assert(400, "ERR_1001");
            let [(path, code)] = &reply.issues()[..] else {
                panic!("{}", reply.text());
            };
            assert_eq!(code, "depth");
            // The first level that is too deep.
            assert_eq!(path.matches('/').count(), 33, "{path}");
            assert!(path.starts_with("/inputs/deep/"), "{path}");
            assert!(path.contains("a~1b"), "{path}");
        }
    }
    // Deeper than any JSON may be: told as everywhere.
    let bottomless = nested(200).to_string();
    let run = any.shop.post("/api/marketplace/models/any/run");
    let reply = run.token(&any.consumer);
    let reply = reply.bytes(format!("{{\"inputs\":{bottomless}}}")).await;
    reply.assert(400, "ERR_1001");
}

#[actix_web::test]
async fn a_size_is_told_before_faults_of_headers_and_query() {
    let any = Anything::open().await;
    let [run, test] = any.ways(&sized(256_001));
    let run = run.header("prefer", "wait=0").header("idempotency-key", "");
    run.await.assert(413, "ERR_1009");
    let test = test.header("idempotency-key", "");
    test.await.assert(413, "ERR_1009");
    let typed = any.shop.post("/api/marketplace/models/any/run?dryRun=x");
    let typed = typed
        .token(&any.consumer)
        .raw("x")
        .header("prefer", "wait=0");
    typed.await.assert(415, "ERR_1010");
    let [run, _] = any.ways(&json!({}));
    let reply = run
        .header("prefer", "wait=soon")
        .header("idempotency-key", "\u{e4}")
        .await;
    reply.assert_faults(&[("/Idempotency-Key", "pattern"), ("/Prefer", "range")]);
    assert!(any.shop.runs.memory.is_empty());
}
