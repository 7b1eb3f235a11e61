//! What the log of requests holds, and what it must never hold.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

use crate::support::{Fate, Shop, run_place};

/// Everything that was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[actix_web::test]
async fn neither_tokens_nor_bodies_nor_keys_are_logged() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone());
    // This test has a thread of its own, and all that it starts stays on it.
    let logging = tracing::subscriber::set_default(subscriber.finish());
    let shop = Shop::open().await;
    shop.runnable("anime").await;
    let token = shop.consumer("ada").await;
    shop.gpu.will(Fate::Echo);
    let ask = shop.post("/api/marketplace/models/anime/run").token(&token);
    let ask = ask.header("idempotency-key", "canary-key");
    let ask = ask.json(&json!({ "inputs": { "prompt": "canary-input" } }));
    let run = ask.await.assert(202, "").data();
    shop.submit().await;
    let callback = shop.callback();
    let secret = callback.rsplit('/').next().unwrap().to_owned();
    let body = json!({ "id": "job-1", "output": "canary-body" });
    assert_eq!(shop.post(&callback).json(&body).await.status, 200);
    shop.post(format!("{callback}0")).json(&body).await;
    shop.runs.start_outage();
    shop.post(&callback)
        .json(&body)
        .await
        .assert(503, "ERR_1005");
    shop.runs.end_outage();
    shop.look().await;
    let ended = shop.get(run_place(&run["executionId"])).token(&token).await;
    assert!(ended.text().contains("canary-input"), "nothing was run");
    drop(logging);
    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(
        logged.contains("/api/webhooks/runpod/{executionId}/{token}"),
        "{logged}"
    );
    for canary in [
        &secret,
        &token,
        "canary-key",
        "canary-input",
        "canary-body",
        "anime style",
    ] {
        assert!(!logged.contains(canary), "{canary} is in the log");
    }
}
