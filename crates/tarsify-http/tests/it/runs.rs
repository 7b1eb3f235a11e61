//! Runs of consumers: what is accepted, what is refused and leaves nothing behind, what is
//! shown on the way, and to whom.

use actix_web::http::Method;
use serde_json::{Value, json};

use crate::support::{Fate, Reply, Shop, address, run_place, without_ids};

const RUNS: &str = "/api/marketplace/runs";

#[actix_web::test]
async fn a_run_is_shown_on_its_way_from_acceptance_to_result() {
    let shop = Shop::open().await;
    shop.runnable("anime").await;
    let token = shop.consumer("ada").await;
    shop.gpu.will(Fate::Stall);
    let accepted = shop.asks_to_run(&token, "anime").await;
    let data = accepted.assert(202, "").data();
    let place = run_place(&data["executionId"]);
    assert_eq!(accepted.header("location"), place);
    assert_eq!(accepted.header("preference-applied"), "");
    assert_eq!(accepted.header("idempotency-replayed"), "");
    assert_eq!(data["status"], "PENDING");
    assert_eq!(
        (&data["estimatedSeconds"], &data["priceCredits"]),
        (&json!(12), &json!(25))
    );
    let expected = json!({
        "self": place, "status": format!("{place}/status"), "events": format!("{place}/events"),
        "cancel": format!("{place}/cancel"),
    });
    assert_eq!(data["links"], expected);
    let shown = async || shop.get(&place).token(&token).await.data();
    let run = shown().await;
    assert_eq!(
        run["inputPayload"],
        json!({ "prompt": "a lighthouse at dusk" })
    );
    for empty in [
        "outputPayload",
        "errorCode",
        "statusReason",
        "startedAt",
        "completedAt",
    ] {
        assert_eq!(run[empty], Value::Null, "{empty}");
    }
    shop.submit().await;
    assert_eq!(shown().await["status"], "QUEUED");
    shop.look().await;
    let run = shown().await;
    assert_eq!(run["status"], "RUNNING");
    assert_ne!(run["startedAt"], Value::Null);
    shop.gpu.will(Fate::Complete(json!([false, "x"])));
    shop.look().await;
    let run = shown().await;
    assert_eq!(run["status"], "COMPLETED");
    assert_eq!(run["outputPayload"], json!([false, "x"]));
    assert_eq!(
        (&run["executionTimeMs"], &run["queueTimeMs"]),
        (&json!(8_000), &json!(640))
    );
    // What it was given is merged with what its developer fixed; he reads only his own.
    let payload = &shop.gpu.asked()[0].payload;
    assert_eq!(payload["prompt"], "anime style, a lighthouse at dusk");
    assert_eq!(
        run["inputPayload"],
        json!({ "prompt": "a lighthouse at dusk" })
    );
}

#[actix_web::test]
async fn a_run_that_failed_says_why() {
    let shop = Shop::open().await;
    shop.runnable("anime").await;
    let token = shop.consumer("ada").await;
    shop.gpu.will(Fate::Fail("out of memory".to_owned()));
    let id = shop.finished(&token, "anime").await;
    let place = run_place(&id);
    for way in ["", "/status"] {
        let run = shop.get(format!("{place}{way}")).token(&token).await.data();
        assert_eq!(run["status"], "FAILED");
        assert_eq!(run["errorCode"], "ERR_6001");
        assert_eq!(run["errorMessage"], "out of memory");
        assert_eq!(run["outputPayload"], Value::Null);
    }
    let run = shop.get(&place).token(&token).await.data();
    assert_eq!(run["statusReason"], "provider_error");
    assert_eq!(run["chargedCredits"], 0);
}

#[actix_web::test]
async fn a_finished_run_looks_the_same_for_ever() {
    let shop = Shop::open().await;
    shop.runnable("anime").await;
    let token = shop.consumer("ada").await;
    let place = run_place(&shop.finished(&token, "anime").await);
    let before = shop.get(&place).token(&token).await;
    shop.gpu.will(Fate::Fail("late".to_owned()));
    shop.work().await;
    let after = shop.get(&place).token(&token).await;
    assert_eq!((after.etag(), after.text()), (before.etag(), before.text()));
    assert_eq!(after.header("cache-control"), "private, no-cache");
}

/// A list of as many runs as there are statuses to be seen.
async fn many(shop: &Shop, token: &str) -> Vec<Value> {
    let mut ids = Vec::new();
    for number in 0..7 {
        if number % 3 == 0 {
            shop.clock.advance(time::Duration::microseconds(1));
        }
        ids.push(shop.started(token, "anime").await);
    }
    ids
}

fn ids(reply: &Reply) -> Vec<Value> {
    let data = reply.data();
    let items = data.as_array().unwrap().iter();
    items.map(|item| item["id"].clone()).collect()
}

#[actix_web::test]
async fn the_list_holds_the_own_runs_newest_first_without_payloads() {
    let shop = Shop::open().await;
    shop.runnable("anime").await;
    let ada = shop.consumer("ada").await;
    let eve = shop.consumer("eve").await;
    shop.started(&eve, "anime").await;
    let mut started = many(&shop, &ada).await;
    let whole = shop.get(RUNS).token(&ada).await;
    assert_eq!(whole.json()["meta"]["total"], 7);
    for item in whole.data().as_array().unwrap() {
        assert!(item.get("inputPayload").is_none() && item.get("outputPayload").is_none());
    }
    let listed = ids(&whole);
    let sorted = |mut ids: Vec<Value>| {
        ids.sort_by_key(ToString::to_string);
        ids
    };
    assert_eq!(sorted(listed.clone()), sorted(started.clone()));
    assert_eq!(listed[0], started.pop().unwrap());
    let other = shop.get("/api/consumer/executions").token(&ada).await;
    assert_eq!(ids(&other), listed);
    // By cursor and by number, the whole list and nothing twice.
    let mut walked = Vec::new();
    let mut query = "?limit=3".to_owned();
    loop {
        let page = shop.get(format!("{RUNS}{query}")).token(&ada).await;
        walked.extend(ids(&page));
        match page.json()["meta"]["nextCursor"].as_str() {
            Some(cursor) => query = format!("?limit=3&cursor={cursor}"),
            None => break,
        }
        assert!(page.header("link").contains("cursor="));
    }
    assert_eq!(walked, listed);
    let past = shop.get(format!("{RUNS}?page=9")).token(&ada).await;
    assert_eq!(past.assert(200, "").data(), json!([]));
}

#[actix_web::test]
async fn the_list_is_filtered_by_status() {
    let shop = Shop::open().await;
    shop.runnable("anime").await;
    let token = shop.consumer("ada").await;
    let done = shop.finished(&token, "anime").await;
    let waits = shop.started(&token, "anime").await;
    for (status, expected) in [
        ("COMPLETED", vec![done]),
        ("PENDING", vec![waits]),
        ("FAILED", vec![]),
    ] {
        let list = shop.get(format!("{RUNS}?status={status}")).token(&token);
        assert_eq!(ids(&list.await), expected, "{status}");
    }
}

#[actix_web::test]
async fn a_refused_run_leaves_nothing_behind() {
    let shop = Shop::open().await;
    let token = shop.consumer("ada").await;
    let maker = shop.developer("grace").await;
    let draft = shop.draft(&maker, "draft").await;
    let archived = shop.published(&maker, "archived").await;
    let archive = shop.post(format!("{}/archive", address(&archived)));
    archive.token(&maker).await.assert(200, "");
    let admin = shop.admin();
    let off = shop.published(&maker, "base-off").await;
    let base = format!(
        "/api/admin/base-models/{}",
        off["baseModelId"].as_str().unwrap()
    );
    let switch = shop.patch(base).token(&admin);
    switch
        .json(&json!({ "isActive": false }))
        .await
        .assert(200, "");
    let off = shop.published(&maker, "endpoint-off").await;
    let base = format!(
        "/api/admin/base-models/{}",
        off["baseModelId"].as_str().unwrap()
    );
    let base = shop.get(base).token(&admin).await.data();
    let endpoint = base["endpoint"]["id"].as_str().unwrap().to_owned();
    let switch = shop.patch(format!("/api/admin/endpoints/{endpoint}"));
    let switch = switch.token(&admin).json(&json!({ "isActive": false }));
    switch.await.assert(200, "");
    assert_eq!(draft["status"], "DRAFT");
    for (slug, status, code) in [
        ("no-such-model", 404, "ERR_6100"),
        ("no_slug", 404, "ERR_6100"),
        ("draft", 409, "ERR_6101"),
        ("archived", 409, "ERR_6101"),
        ("base-off", 503, "ERR_6102"),
        ("endpoint-off", 503, "ERR_6102"),
    ] {
        for query in ["", "?dryRun=true", "?dryRun=false"] {
            let ask = shop.post(format!("/api/marketplace/models/{slug}/run{query}"));
            let ask = ask.token(&token).header("idempotency-key", "one");
            let inputs = json!({ "inputs": { "prompt": "x" } });
            ask.json(&inputs).await.assert(status, code);
        }
    }
    assert!(shop.runs.memory.is_empty());
}

#[actix_web::test]
async fn inputs_that_do_not_fit_are_refused_with_every_fault() {
    let shop = Shop::open().await;
    shop.runnable("anime").await;
    let token = shop.consumer("ada").await;
    let inputs = json!({ "inputs": { "width": 7, "seed": 1, "colour": "red", "prompt": 5 } });
    for query in ["", "?dryRun=true"] {
        let ask = shop.post(format!("/api/marketplace/models/anime/run{query}"));
        let reply = ask.token(&token).json(&inputs).await;
        reply.assert(422, "ERR_6106");
        let paths: Vec<_> = reply.issues().into_iter().map(|(path, _)| path).collect();
        for field in ["width", "seed", "colour", "prompt"] {
            let place = format!("/inputs/{field}");
            assert!(paths.contains(&place), "{place}: {paths:?}");
        }
    }
    // Nothing at all is an empty object.
    let bare = shop.post("/api/marketplace/models/anime/run").token(&token);
    bare.clone().await.assert(422, "ERR_6106");
    bare.clone().json(&json!({})).await.assert(422, "ERR_6106");
    let null = bare.clone().json(&json!({ "inputs": null })).await;
    null.assert(422, "ERR_6106");
    for wrong in [json!([]), json!("x"), json!(7), json!(false)] {
        let reply = bare.clone().json(&json!({ "inputs": wrong })).await;
        reply.assert_faults(&[("/inputs", "type")]);
    }
    assert!(shop.runs.memory.is_empty());
    assert!(shop.gpu.asked().is_empty());
}

#[actix_web::test]
async fn a_dry_run_says_what_it_would_be_and_changes_nothing() {
    let shop = Shop::open().await;
    shop.runnable("anime").await;
    let token = shop.consumer("ada").await;
    let ask = |query: &str| {
        let ask = shop.post(format!("/api/marketplace/models/anime/run?{query}"));
        let ask = ask.token(&token).header("prefer", "wait=60");
        ask.json(&json!({ "inputs": { "prompt": "x" } }))
    };
    let writes = shop.store.writes();
    // It has no effect to be repeated, so it does not look at a key, either.
    for key in ["one", ""] {
        let dry = ask("dryRun=true").header("idempotency-key", key).await;
        let expected = json!({
            "valid": true, "priceCredits": 25, "availableCredits": 1_000, "estimatedSeconds": 12,
        });
        assert_eq!(dry.assert(200, "").data(), expected);
        assert_eq!(dry.header("preference-applied"), "");
    }
    assert_eq!(shop.store.writes(), writes);
    assert!(shop.runs.memory.is_empty());
    for query in ["dryRun=yes", "dryRun=1", "dryRun=TRUE"] {
        ask(query).await.assert_faults(&[("/dryRun", "type")]);
    }
    let twice = ask("dryRun=true&dryRun=true").await;
    twice.assert_faults(&[("/dryRun", "duplicateKey")]);
    assert!(shop.runs.memory.is_empty());
    // The key is as good as new.
    let real = shop.asks_to_run(&token, "anime");
    real.header("idempotency-key", "one").await.assert(202, "");
}

/// Every way to a run, with the name of what is refused once it has ended.
const WAYS: [(Method, &str); 6] = [
    (Method::GET, "/api/marketplace/runs/{id}"),
    (Method::GET, "/api/marketplace/runs/{id}/status"),
    (Method::POST, "/api/marketplace/runs/{id}/cancel"),
    (Method::GET, "/api/consumer/executions/{id}"),
    (Method::GET, "/api/consumer/executions/{id}/status"),
    (Method::POST, "/api/consumer/executions/{id}/cancel"),
];

#[actix_web::test]
async fn absent_and_foreign_runs_have_their_codes_on_every_way() {
    let shop = Shop::open().await;
    let model = shop.runnable("anime").await;
    let maker = shop.token(tarsify_domain::people::Realm::Developers, "maker-of-anime");
    let ada = shop.consumer("ada").await;
    let eve = shop.consumer("eve").await;
    let run = shop.started(&ada, "anime").await;
    let test = shop.post(format!("{}/test-run", address(&model)));
    let test = test
        .token(&maker)
        .json(&json!({ "inputs": { "prompt": "x" } }));
    let test = test.await.assert(202, "").data()["jobId"].clone();
    for (method, way) in WAYS {
        let ask = |id: &str, token: &str| {
            let ask = shop.ask(method.clone(), way.replace("{id}", id));
            ask.token(token)
        };
        let absent = shop.ask(method.clone(), without_ids(way)).token(&ada);
        absent.await.assert(404, "ERR_6103");
        let (run, test) = (run.as_str().unwrap(), test.as_str().unwrap());
        ask(run, &eve).await.assert(403, "ERR_6104");
        // A test run is no consumer's.
        ask(test, &ada).await.assert(403, "ERR_6104");
        ask("x", &ada).await.assert_faults(&[("/id", "format")]);
    }
    // And a run is no developer's, not even that of the model's maker.
    for way in ["/api/studio/runs", "/api/developer/runs"] {
        let place = |id: &Value| format!("{way}/{}", id.as_str().unwrap());
        let foreign = shop.get(place(&run)).token(&maker).await;
        foreign.assert(403, "ERR_6104");
        let other = shop.developer(&format!("other-{}", way.len())).await;
        let foreign = shop.get(place(&test)).token(&other).await;
        foreign.assert(403, "ERR_6104");
        let absent = without_ids(&format!("{way}/{{id}}"));
        shop.get(absent).token(&maker).await.assert(404, "ERR_6103");
        shop.get(place(&test)).token(&maker).await.assert(200, "");
    }
}

#[actix_web::test]
async fn an_outage_of_the_runs_is_told_everywhere() {
    let shop = Shop::open().await;
    let model = shop.runnable("anime").await;
    let maker = shop.token(tarsify_domain::people::Realm::Developers, "maker-of-anime");
    let token = shop.consumer("ada").await;
    let admin = shop.admin();
    shop.runs.start_outage();
    let test = format!("{}/test-run", address(&model));
    let inputs = json!({ "inputs": { "prompt": "x" } });
    let mut asks = vec![
        shop.asks_to_run(&token, "anime"),
        shop.asks_to_run(&token, "anime")
            .header("prefer", "wait=60"),
        shop.get(RUNS).token(&token),
        shop.post(test).token(&maker).json(&inputs),
        shop.get(without_ids("/api/studio/runs/{id}")).token(&maker),
        shop.get("/api/admin/executions").token(&admin),
        shop.get(without_ids("/api/admin/executions/{id}"))
            .token(&admin),
        shop.post(without_ids("/api/admin/executions/{id}/retry"))
            .token(&admin),
        shop.post(without_ids("/api/admin/executions/{id}/cancel"))
            .token(&admin),
        shop.post(without_ids("/api/webhooks/runpod/{executionId}/{token}")),
        shop.post("/api/webhooks/runpod/no-id/no-token"),
    ];
    for (method, way) in WAYS {
        asks.push(shop.ask(method, without_ids(way)).token(&token));
    }
    for ask in asks {
        let reply = ask.await;
        reply.assert(503, "ERR_1005");
        assert_eq!(reply.header("retry-after"), "1");
        assert!(!reply.text().contains("out of order"), "the cause is told");
    }
    shop.runs.end_outage();
    assert!(shop.runs.memory.is_empty());
    shop.asks_to_run(&token, "anime").await.assert(202, "");
}
