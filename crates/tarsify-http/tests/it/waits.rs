//! Waiting for the end of a run: woken by it, bounded by the caller's patience, and by the
//! process's own end.

use std::future::IntoFuture;
use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, timeout};

use crate::support::{Fate, Plan, Shop, address, run_place};

/// Less than any wait that a test asks for, and more than anything that is not waiting takes.
const SOON: Duration = Duration::from_secs(10);

#[actix_web::test]
async fn whoever_waits_is_woken_by_the_end() {
    let shop = Shop::open().await;
    shop.runnable("anime").await;
    let token = shop.consumer("ada").await;
    for (number, (fate, status)) in [
        (Fate::Complete(json!("done")), "COMPLETED"),
        (Fate::Fail("broken".to_owned()), "FAILED"),
    ]
    .into_iter()
    .enumerate()
    {
        shop.gpu.will(fate);
        let ask = shop.asks_to_run(&token, "anime");
        let ask = ask.header("prefer", "respond-async, wait=60");
        let reply = timeout(SOON, shop.sent_and_worked(ask, number + 1)).await;
        let reply = reply.expect("the end wakes nobody");
        let run = reply.assert(200, "").data();
        assert_eq!(run["status"], status);
        assert_eq!(reply.header("preference-applied"), "wait=60");
        assert_eq!(reply.header("location"), "");
        let shown = shop.get(run_place(&run["id"])).token(&token).await;
        assert_eq!(shown.data(), run, "it is the same run in the same shape");
    }
}

#[actix_web::test]
async fn patience_that_runs_out_is_answered_with_what_there_is() {
    let shop = Shop::open().await;
    shop.runnable("anime").await;
    let token = shop.consumer("ada").await;
    let ask = shop.asks_to_run(&token, "anime").header("prefer", "wait=1");
    let began = Instant::now();
    let reply = ask.await;
    assert!(began.elapsed() >= Duration::from_secs(1));
    let data = reply.assert(202, "").data();
    assert_eq!(reply.header("preference-applied"), "wait=1");
    assert_eq!(reply.header("location"), run_place(&data["executionId"]));
    assert_eq!(data["status"], "PENDING");
}

#[actix_web::test]
async fn a_wait_out_of_bounds_is_refused_before_anything_runs() {
    let shop = Shop::open().await;
    shop.runnable("anime").await;
    let token = shop.consumer("ada").await;
    for value in [
        "wait=0",
        "wait=61",
        "wait=x",
        "wait",
        "wait=-1",
        "a=1, wait=1.5",
    ] {
        let ask = shop.asks_to_run(&token, "anime").header("prefer", value);
        ask.await.assert_faults(&[("/Prefer", "range")]);
    }
    assert!(shop.runs.memory.is_empty());
    for value in ["respond-async", "return=minimal", "waiting=x", ""] {
        let reply = shop
            .asks_to_run(&token, "anime")
            .header("prefer", value)
            .await;
        reply.assert(202, "");
        assert_eq!(reply.header("preference-applied"), "");
    }
}

#[actix_web::test]
async fn a_status_may_be_waited_for() {
    let shop = Shop::open().await;
    shop.runnable("anime").await;
    let token = shop.consumer("ada").await;
    for (number, way) in ["/api/marketplace/runs", "/api/consumer/executions"]
        .into_iter()
        .enumerate()
    {
        let id = shop.started(&token, "anime").await;
        let place = format!("{way}/{}/status", id.as_str().unwrap());
        let now = shop.get(&place).token(&token).await;
        assert_eq!(now.data()["status"], "PENDING");
        let none = shop.get(format!("{place}?waitMs=0")).token(&token).await;
        assert_eq!(none.data()["status"], "PENDING");
        let began = Instant::now();
        let short = shop.get(format!("{place}?waitMs=50")).token(&token).await;
        assert_eq!(short.data()["status"], "PENDING");
        assert!(began.elapsed() >= Duration::from_millis(50));
        let ask = shop.get(format!("{place}?waitMs=60000")).token(&token);
        let reply = timeout(SOON, shop.sent_and_worked(ask, number + 1)).await;
        let reply = reply.expect("the end wakes nobody");
        assert_eq!(reply.data()["status"], "COMPLETED");
        // What has ended is not waited for.
        let ask = shop.get(format!("{place}?waitMs=60000&sync=true"));
        let again = timeout(SOON, ask.token(&token).into_future())
            .await
            .unwrap();
        assert_eq!(again.data(), reply.data());
    }
}

#[actix_web::test]
async fn the_words_of_a_status_keep_their_rules() {
    let shop = Shop::open().await;
    shop.runnable("anime").await;
    let token = shop.consumer("ada").await;
    let place = run_place(&shop.started(&token, "anime").await);
    for (query, path, code) in [
        ("waitMs=-1", "/waitMs", "range"),
        ("waitMs=60001", "/waitMs", "range"),
        ("waitMs=1.5", "/waitMs", "type"),
        ("waitMs=soon", "/waitMs", "type"),
        ("waitMs=99999999999999999999", "/waitMs", "type"),
        ("waitMs=1&waitMs=1", "/waitMs", "duplicateKey"),
        ("sync=1", "/sync", "type"),
        ("sync=TRUE", "/sync", "type"),
    ] {
        let ask = shop.get(format!("{place}/status?{query}")).token(&token);
        ask.await.assert_faults(&[(path, code)]);
    }
    let both = shop.get(format!("{place}/status?sync=x&waitMs=x"));
    let both = both.token(&token).await;
    both.assert_faults(&[("/sync", "type"), ("/waitMs", "type")]);
}

#[actix_web::test]
async fn sync_has_the_provider_asked_before_it_is_due() {
    let shop = Shop::open().await;
    shop.runnable("anime").await;
    let token = shop.consumer("ada").await;
    let eve = shop.consumer("eve").await;
    let place = run_place(&shop.started(&token, "anime").await);
    shop.submit().await;
    // Long enough for another question, too short for a look that is due by itself.
    shop.clock.advance(time::Duration::seconds(2));
    shop.services.engine.look_due().await.unwrap();
    assert_eq!(shop.gpu.looks(), 0);
    let foreign = shop.get(format!("{place}/status?sync=true")).token(&eve);
    foreign.await.assert(403, "ERR_6104");
    shop.services.engine.look_due().await.unwrap();
    assert_eq!(shop.gpu.looks(), 0, "a stranger had the provider asked");
    let ask = shop.get(format!("{place}/status?sync=true")).token(&token);
    let looking = async {
        while shop.gpu.looks() == 0 {
            shop.services.engine.look_due().await.unwrap();
            tokio::task::yield_now().await;
        }
    };
    let began = Instant::now();
    let (reply, ()) = tokio::join!(ask.into_future(), looking);
    assert_eq!(reply.data()["status"], "COMPLETED");
    assert!(
        began.elapsed() < Duration::from_millis(900),
        "nobody was woken"
    );
    assert_eq!(shop.gpu.looks(), 1);
}

#[actix_web::test]
async fn a_process_that_is_about_to_stop_lets_nobody_wait() {
    let mut plan = Plan::default();
    plan.engine.test_run_patience = Duration::from_secs(60);
    let shop = Shop::planned(plan).await;
    let model = shop.runnable("anime").await;
    let token = shop.consumer("ada").await;
    let maker = shop.token(tarsify_domain::people::Realm::Developers, "maker-of-anime");
    let first = shop.started(&token, "anime").await;
    let run = shop
        .asks_to_run(&token, "anime")
        .header("prefer", "wait=60");
    let status = format!("{}/status?waitMs=60000", run_place(&first));
    let status = shop.get(status).token(&token);
    let test = shop.post(format!("{}/test-run", address(&model)));
    let test = test
        .token(&maker)
        .json(&json!({ "inputs": { "prompt": "x" } }));
    let draining = async {
        shop.has_accepted(3).await;
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        shop.services.lifecycle.drain();
    };
    let all = async {
        tokio::join!(
            run.clone().into_future(),
            status.into_future(),
            test.into_future(),
            draining
        )
    };
    let all = timeout(SOON, all).await;
    let (run, status, test, ()) = all.expect("somebody is let wait");
    assert_eq!(run.assert(202, "").data()["status"], "PENDING");
    assert_eq!(run.header("preference-applied"), "wait=60");
    assert_eq!(status.assert(200, "").data()["status"], "PENDING");
    let test = test.assert(202, "").data();
    assert_eq!(test["status"], "IN_QUEUE");
    // It is the test run that was started, not another one.
    let place = format!("/api/studio/runs/{}", test["jobId"].as_str().unwrap());
    shop.get(place).token(&maker).await.assert(200, "");
    // Requests that still come are served, without a wait.
    let late = shop
        .asks_to_run(&token, "anime")
        .header("prefer", "wait=60");
    let late = timeout(SOON, late.into_future()).await.unwrap();
    late.assert(202, "");
    assert_eq!(shop.runs.memory.len(), 4);
}

/// Whoever hangs up takes nothing with him but his own wait.
#[actix_web::test]
async fn a_caller_who_hangs_up_loses_nothing() {
    let shop = Shop::open().await;
    shop.runnable("anime").await;
    let token = shop.consumer("ada").await;
    let ask = shop
        .asks_to_run(&token, "anime")
        .header("prefer", "wait=60");
    let hung_up = timeout(Duration::from_millis(100), ask.into_future()).await;
    assert!(hung_up.is_err());
    shop.work().await;
    let list = shop.get("/api/marketplace/runs").token(&token).await;
    assert_eq!(list.data()[0]["status"], "COMPLETED");
}
