//! Developers trying their own models: the words of the answer, the quota of a day, and keys.

use std::time::Duration;

use serde_json::{Value, json};
use tarsify_testing::clock::MOMENT;

use crate::support::{Ask, Fate, Plan, Shop, address, without_ids};

async fn studio(daily_test_runs: u32) -> (Shop, String, Value) {
    let mut plan = Plan::default();
    plan.engine.daily_test_runs = daily_test_runs;
    plan.engine.test_run_patience = Duration::from_millis(100);
    let shop = Shop::planned(plan).await;
    let token = shop.developer("grace").await;
    let model = shop.draft(&token, "anime").await;
    (shop, token, model)
}

fn asks<'a>(shop: &'a Shop, token: &str, model: &Value) -> Ask<'a> {
    let ask = shop.post(format!("{}/test-run", address(model)));
    ask.token(token)
        .json(&json!({ "inputs": { "prompt": "a lighthouse" } }))
}

#[actix_web::test]
async fn a_test_run_is_told_in_the_words_of_its_contract() {
    let (shop, token, model) = studio(50).await;
    let cases = [
        (
            Fate::Complete(json!({ "x": 1 })),
            "COMPLETED",
            json!({ "x": 1 }),
            Value::Null,
        ),
        (
            Fate::Fail("broken".into()),
            "FAILED",
            Value::Null,
            json!("broken"),
        ),
    ];
    for (number, (fate, status, output, error)) in cases.into_iter().enumerate() {
        shop.gpu.will(fate);
        let ask = asks(&shop, &token, &model);
        let reply = shop.sent_and_worked(ask, number + 1).await;
        let run = reply.assert(200, "").data();
        assert_eq!(run["status"], status);
        assert_eq!((&run["output"], &run["error"]), (&output, &error));
        assert_eq!(run["executionTimeMs"], 8_000);
        let id = run["jobId"].as_str().unwrap();
        for way in ["/api/studio/runs", "/api/developer/runs"] {
            let shown = shop.get(format!("{way}/{id}")).token(&token).await;
            assert_eq!(shown.data(), run);
        }
    }
}

#[actix_web::test]
async fn a_test_run_that_takes_longer_is_followed_by_its_id() {
    let (shop, token, model) = studio(50).await;
    shop.gpu.will(Fate::Stall);
    let reply = asks(&shop, &token, &model).await;
    let run = reply.assert(202, "").data();
    assert_eq!(run["status"], "IN_QUEUE");
    let place = format!("/api/studio/runs/{}", run["jobId"].as_str().unwrap());
    assert_eq!(reply.header("location"), place);
    let status = async || shop.get(&place).token(&token).await.data()["status"].clone();
    shop.submit().await;
    assert_eq!(status().await, "IN_QUEUE");
    shop.look().await;
    assert_eq!(status().await, "IN_PROGRESS");
    shop.gpu.will(Fate::Complete(json!(1)));
    shop.look().await;
    assert_eq!(status().await, "COMPLETED");
    let late = asks(&shop, &token, &model).await.assert(202, "").data();
    shop.clock.advance(time::Duration::minutes(16));
    shop.services.engine.sweep_due().await.unwrap();
    let place = format!("/api/developer/runs/{}", late["jobId"].as_str().unwrap());
    let late = shop.get(place).token(&token).await.data();
    assert_eq!(late["status"], "TIMED_OUT");
    assert_ne!(late["error"], Value::Null);
}

#[actix_web::test]
async fn only_own_models_that_are_not_archived_are_tried() {
    let (shop, token, model) = studio(50).await;
    let eve = shop.developer("eve").await;
    asks(&shop, &eve, &model).await.assert(404, "ERR_5500");
    let absent = without_ids("/api/developer/tars-models/{id}/test-run");
    shop.post(absent)
        .token(&token)
        .await
        .assert(404, "ERR_5500");
    let bad = shop
        .post("/api/studio/tars-models/x/test-run")
        .token(&token);
    bad.await.assert_faults(&[("/id", "format")]);
    let misfit = shop.post(format!("{}/test-run", address(&model)));
    let misfit = misfit
        .token(&token)
        .json(&json!({ "inputs": { "hue": 1 } }));
    misfit.await.assert(422, "ERR_6106");
    let archive = shop.post(format!("{}/archive", address(&model)));
    archive.token(&token).await.assert(200, "");
    asks(&shop, &token, &model).await.assert(409, "ERR_5502");
    let publish = shop.publish(&token, &model).await;
    assert_eq!(publish["status"], "PUBLISHED");
    let admin = shop.admin();
    let base = format!(
        "/api/admin/base-models/{}",
        model["baseModelId"].as_str().unwrap()
    );
    let off = shop
        .patch(base)
        .token(&admin)
        .json(&json!({ "isActive": false }));
    off.await.assert(200, "");
    asks(&shop, &token, &model).await.assert(503, "ERR_6102");
    assert!(shop.runs.memory.is_empty());
}

#[actix_web::test]
async fn the_test_runs_of_a_day_are_counted_and_come_back_at_midnight() {
    let (shop, token, model) = studio(2).await;
    let two = || async {
        for _ in 0..2 {
            asks(&shop, &token, &model).await.assert(202, "");
        }
        let reply = asks(&shop, &token, &model).await;
        reply.assert(429, "ERR_1004");
        reply
    };
    let refused = two().await;
    let error = refused.json()["error"].clone();
    assert_eq!(error["type"], "quota_exceeded");
    assert_eq!(error["retryable"], true);
    // From 10:00:00.123456 until midnight, not a moment less.
    assert_eq!(refused.header("retry-after"), "50400");
    let problem = asks(&shop, &token, &model);
    let problem = problem.header("accept", "application/problem+json").await;
    assert_eq!(problem.json()["type"], "urn:tarsify:error:quota_exceeded");
    // Somebody else has his own.
    let eve = shop.developer("eve").await;
    let hers = shop.draft(&eve, "hers").await;
    asks(&shop, &eve, &hers).await.assert(202, "");
    let before_midnight = MOMENT.replace_time(time::macros::time!(23:59:59.2));
    shop.clock.set(before_midnight);
    let token = shop.fresh_token("grace");
    let refused = asks(&shop, &token, &model).await;
    assert_eq!(refused.assert(429, "ERR_1004").header("retry-after"), "1");
    shop.clock.set(before_midnight + time::Duration::seconds(1));
    asks(&shop, &token, &model).await.assert(202, "");
}

#[actix_web::test]
async fn a_repeated_test_run_is_the_same_one() {
    let (shop, token, model) = studio(2).await;
    let keyed = |key: &str| asks(&shop, &token, &model).header("idempotency-key", key);
    let first = keyed("one").await;
    let id = first.assert(202, "").data()["jobId"].clone();
    assert_eq!(first.header("idempotency-replayed"), "");
    shop.clock.advance(time::Duration::milliseconds(1));
    let again = keyed("\"one\"").await;
    assert_eq!(again.assert(202, "").data()["jobId"], id);
    assert_eq!(again.header("idempotency-replayed"), "true");
    // At its other address, and after its end.
    shop.work().await;
    let alias = address(&model).replace("studio", "developer");
    let ask = shop.post(format!("{alias}/test-run")).token(&token);
    let ask = ask.header("idempotency-key", "one");
    let body = json!({ "inputs": { "prompt": "a lighthouse" } });
    let ended = ask.clone().json(&body).await;
    assert_eq!(ended.assert(200, "").data()["jobId"], id);
    assert_eq!(ended.header("idempotency-replayed"), "true");
    let other = json!({ "inputs": { "prompt": "a tower" } });
    ask.json(&other).await.assert(422, "ERR_1007");
    for bad in ["", "\u{e4}"] {
        let reply = keyed(bad).await;
        reply.assert(400, "ERR_1001");
        assert_eq!(reply.issues()[0].0, "/Idempotency-Key");
    }
    // Repetitions count for nothing: one is left.
    keyed("two").await.assert(202, "");
    keyed("three").await.assert(429, "ERR_1004");
    assert_eq!(shop.runs.memory.len(), 2);
}
