//! Requests that carry a key: carried out once, answered the same each time.

use std::future::IntoFuture;

use serde_json::{Value, json};
use tarsify_domain::people::Realm;

use crate::failures::panicking;
use crate::support::{Ask, Plan, Shop, base_model_body, endpoint_body, run_place, tars_model_body};

/// Every route that makes something and remembers its answer, with a body that is good.
async fn makers(shop: &Shop) -> Vec<(Ask<'_>, Ask<'_>)> {
    let admin = shop.admin();
    let developer = shop.developer("grace").await;
    let base = shop.base_model("base").await;
    let new_consumer = shop.token(Realm::Consumers, "new");
    let new_developer = shop.token(Realm::Developers, "new");
    let each = |path: &str, token: &str, one: Value, other: Value| {
        let ask = shop.post(path).token(token);
        (ask.clone().json(&one), ask.json(&other))
    };
    vec![
        each(
            "/api/marketplace/auth/register",
            &new_consumer,
            json!({ "name": "One" }),
            json!({ "name": "Other" }),
        ),
        each(
            "/api/studio/auth/register",
            &new_developer,
            json!({ "displayName": "One" }),
            json!({ "displayName": "Other" }),
        ),
        each(
            "/api/studio/tars-models",
            &developer,
            tars_model_body(&base["id"], "one"),
            tars_model_body(&base["id"], "other"),
        ),
        each(
            "/api/admin/endpoints",
            &admin,
            endpoint_body("ep-one"),
            endpoint_body("ep-other"),
        ),
        each(
            "/api/admin/base-models",
            &admin,
            base_model_body(&base["endpoint"]["id"], "one"),
            base_model_body(&base["endpoint"]["id"], "other"),
        ),
    ]
}

fn keyed<'a>(ask: &Ask<'a>, key: &str) -> Ask<'a> {
    ask.clone().header("idempotency-key", key)
}

#[actix_web::test]
async fn a_repeated_request_is_answered_as_before() {
    let shop = Shop::open().await;
    for (one, other) in makers(&shop).await {
        let first = keyed(&one, "order-7").await;
        first.assert(201, "");
        assert_eq!(first.header("idempotency-replayed"), "");
        let writes = shop.store.writes();
        for key in ["order-7", "\"order-7\"", " order-7 "] {
            let again = keyed(&one, key).await;
            assert_eq!(again.header("idempotency-replayed"), "true");
            assert_eq!((again.status, again.text()), (first.status, first.text()));
            for name in ["location", "etag", "content-type", "cache-control"] {
                assert_eq!(again.header(name), first.header(name), "{name}");
            }
        }
        let coded = keyed(&one, "order-7")
            .header("accept-encoding", "gzip")
            .await;
        assert_eq!(coded.header("content-encoding"), "gzip");
        keyed(&other, "order-7").await.assert(422, "ERR_1007");
        assert_eq!(shop.store.writes(), writes, "something was made twice");
        // Another key, or none, is another request.
        one.clone()
            .await
            .assert(409, &one.clone().await.outcome().1);
        let (status, code) = keyed(&one, "order-8").await.outcome();
        assert_eq!(status, 409, "{code}");
        assert_ne!(code, "ERR_1008");
    }
}

#[actix_web::test]
async fn of_twins_at_once_one_is_carried_out() {
    let shop = Shop::open().await;
    for (one, _) in makers(&shop).await {
        let twin = || keyed(&one, "twin").into_future();
        let (a, b, c) = tokio::join!(twin(), twin(), twin());
        let mut outcomes: Vec<_> = [&a, &b, &c].iter().map(|reply| reply.outcome()).collect();
        outcomes.sort();
        let busy = (409, "ERR_1008".to_owned());
        assert_eq!(outcomes, [(201, String::new()), busy.clone(), busy]);
        for reply in [&a, &b, &c] {
            let later = if reply.status == 409 { "1" } else { "" };
            assert_eq!(reply.header("retry-after"), later);
        }
        // Whoever comes back then is answered.
        let again = twin().await;
        assert_eq!(again.assert(201, "").header("idempotency-replayed"), "true");
    }
}

#[actix_web::test]
async fn a_key_is_ones_own_and_one_routes() {
    let shop = Shop::open().await;
    let base = shop.base_model("base").await;
    let grace = shop.developer("grace").await;
    let eve = shop.developer("eve").await;
    let models = |path: &str, token: &str, slug: &str| {
        let ask = shop.post(path).token(token).header("idempotency-key", "k");
        ask.json(&tars_model_body(&base["id"], slug))
    };
    const STUDIO: &str = "/api/studio/tars-models";
    models(STUDIO, &grace, "hers").await.assert(201, "");
    let other = models(STUDIO, &eve, "not-hers").await;
    assert_eq!(other.assert(201, "").header("idempotency-replayed"), "");
    // The other address of the same route is the same route.
    let alias = models("/api/developer/tars-models", &grace, "hers").await;
    assert_eq!(alias.assert(201, "").header("idempotency-replayed"), "true");
    // The query belongs to the request.
    let query = models(&format!("{STUDIO}?x=1"), &grace, "hers").await;
    query.assert(422, "ERR_1007");
    let admin = shop.admin();
    let endpoints = shop.post("/api/admin/endpoints").token(&admin);
    let endpoints = endpoints.header("idempotency-key", "k");
    endpoints.json(&endpoint_body("ep-k")).await.assert(201, "");
    // Two who are not registered are two as well.
    for subject in ["new", "newer"] {
        let token = shop.token(Realm::Consumers, subject);
        let ask = shop.post("/api/marketplace/auth/register").token(&token);
        let made = ask.header("idempotency-key", "k").await;
        assert_eq!(made.assert(201, "").header("idempotency-replayed"), "");
    }
}

#[actix_web::test]
async fn a_refusal_is_not_remembered() {
    let shop = Shop::open().await;
    let admin = shop.admin();
    let make = |body: &str| {
        let ask = shop.post("/api/admin/endpoints").token(&admin);
        ask.header("idempotency-key", "k").bytes(body.to_owned())
    };
    let good = endpoint_body("ep-one").to_string();
    make("{").await.assert(400, "ERR_1001");
    make("{}").await.assert(400, "ERR_1001");
    make(&" ".repeat(1_000_001)).await.assert(413, "ERR_1009");
    let typed = shop.post("/api/admin/endpoints").token(&admin);
    let typed = typed.header("idempotency-key", "k").raw("{}");
    typed.await.assert(415, "ERR_1010");
    let stranger = shop.post("/api/admin/endpoints").token("garbage");
    let stranger = stranger.header("idempotency-key", "k").bytes(good.clone());
    stranger.await.assert(401, "ERR_2001");
    shop.store.start_outage();
    make(&good).await.assert(503, "ERR_1005");
    shop.store.end_outage();
    let made = make(&good).await;
    assert_eq!(made.assert(201, "").header("idempotency-replayed"), "");
    let taken = make(&good).await;
    assert_eq!(taken.assert(201, "").header("idempotency-replayed"), "true");
}

#[actix_web::test]
async fn a_key_has_its_form() {
    let shop = Shop::open().await;
    let long = "k".repeat(256);
    let thousand = "k".repeat(1_000);
    for (one, _) in makers(&shop).await {
        for (key, code) in [
            ("", "length"),
            ("  ", "length"),
            ("\"\"", "length"),
            (long.as_str(), "length"),
            (&thousand, "length"),
            ("schl\u{fc}ssel", "pattern"),
        ] {
            let reply = keyed(&one, key).await;
            reply.assert_faults(&[("/Idempotency-Key", code)]);
        }
        let two = keyed(&keyed(&one, "a"), "b").await;
        two.assert_faults(&[("/Idempotency-Key", "duplicateKey")]);
        let longest = "k".repeat(255);
        keyed(&one, &longest).await.assert(201, "");
    }
    shop.runnable("anime").await;
    let token = shop.consumer("ada").await;
    let run = shop.asks_to_run(&token, "anime");
    for (key, code) in [
        ("", "length"),
        (thousand.as_str(), "length"),
        ("\u{fc}", "pattern"),
    ] {
        let reply = keyed(&run, key).await;
        reply.assert_faults(&[("/Idempotency-Key", code)]);
    }
    let two = keyed(&keyed(&run, "a"), "a").await;
    two.assert_faults(&[("/Idempotency-Key", "duplicateKey")]);
    assert!(shop.runs.memory.is_empty());
}

#[actix_web::test]
async fn a_key_does_nothing_where_nothing_is_made() {
    let shop = Shop::open().await;
    let token = shop.consumer("ada").await;
    let rename = |name: &str| {
        let ask = shop.patch("/api/marketplace/auth/profile").token(&token);
        ask.header("idempotency-key", "k")
            .json(&json!({ "name": name }))
    };
    for name in ["One", "Two"] {
        assert_eq!(rename(name).await.data()["name"], name);
    }
}

#[actix_web::test]
async fn a_store_of_keys_that_is_out_lets_nothing_through_and_loses_nothing_made() {
    let shop = Shop::open().await;
    let admin = shop.admin();
    let make = |name: &str| {
        let ask = shop.post("/api/admin/endpoints").token(&admin);
        ask.header("idempotency-key", name)
            .json(&endpoint_body(name))
    };
    let writes = shop.store.writes();
    shop.runs.start_outage();
    make("ep-one").await.assert(503, "ERR_1005");
    assert_eq!(shop.store.writes(), writes);
    shop.runs.end_outage();
    // It goes out after the key was taken and before the answer is kept.
    shop.runs.fail_to_finish();
    make("ep-one").await.assert(201, "");
    shop.runs.end_outage();
    // The key is still taken, until nobody can be at it any more.
    make("ep-one").await.assert(409, "ERR_1008");
    shop.clock.advance(time::Duration::seconds(61));
    make("ep-one").await.assert(409, "ERR_5506");
}

#[actix_web::test]
async fn a_handler_that_panics_gives_its_key_back() {
    let shop = Shop::planned(panicking()).await;
    let token = shop.token(Realm::Consumers, "ada");
    for _ in 0..2 {
        let ask = shop.post("/api/marketplace/auth/register").token(&token);
        let reply = ask.header("idempotency-key", "k").await;
        reply.assert(500, "ERR_1000");
    }
}

#[actix_web::test]
async fn a_repeated_run_is_the_same_run() {
    let shop = Shop::open().await;
    shop.runnable("anime").await;
    shop.runnable("photo").await;
    let ada = shop.consumer("ada").await;
    let eve = shop.consumer("eve").await;
    let first = keyed(&shop.asks_to_run(&ada, "anime"), "k").await;
    let id = first.assert(202, "").data()["executionId"].clone();
    assert_eq!(first.header("idempotency-replayed"), "");
    let run = |body: &str, query: &str| {
        let ask = shop.post(format!("/api/marketplace/models/anime/run{query}"));
        keyed(&ask.token(&ada).bytes(body.to_owned()), "k")
    };
    // Blanks, order, unknown fields beside the inputs and how long he waits do not count.
    let same = "{ \"x\": 1, \"inputs\": { \"prompt\" : \"a lighthouse at dusk\" } }";
    for ask in [
        run(same, ""),
        run(same, "?dryRun=false"),
        run(same, "").header("prefer", "wait=1"),
    ] {
        let again = ask.await;
        assert_eq!(again.assert(202, "").data()["executionId"], id);
        assert_eq!(again.header("idempotency-replayed"), "true");
        assert_eq!(again.header("location"), run_place(&id));
    }
    run("{\"inputs\":{\"prompt\":\"another\"}}", "")
        .await
        .assert(422, "ERR_1007");
    assert_eq!(shop.runs.memory.len(), 1);
    // Another model and another consumer are other requests.
    for ask in [
        shop.asks_to_run(&ada, "photo"),
        shop.asks_to_run(&eve, "anime"),
    ] {
        let other = keyed(&ask, "k").await;
        assert_eq!(other.assert(202, "").header("idempotency-replayed"), "");
    }
    assert_eq!(shop.runs.memory.len(), 3);
    // Whoever waits is given the end of the first.
    shop.work().await;
    let ended = run(same, "").header("prefer", "wait=5").await;
    assert_eq!(ended.assert(200, "").data()["id"], id);
    assert_eq!(ended.header("idempotency-replayed"), "true");
    // Whoever does not is answered as he was then.
    let plain = run(same, "").await;
    assert_eq!(plain.assert(202, "").data(), first.data());
}

#[actix_web::test]
async fn a_hundred_twins_are_one_run() {
    let shop = Shop::open().await;
    shop.runnable("anime").await;
    let token = shop.consumer("ada").await;
    let twins = (0..100).map(|_| keyed(&shop.asks_to_run(&token, "anime"), "k").into_future());
    let replies = futures_util::future::join_all(twins).await;
    let mut ids: Vec<_> = replies
        .iter()
        .map(|reply| reply.assert(202, "").data()["executionId"].to_string())
        .collect();
    ids.dedup();
    assert_eq!((ids.len(), shop.runs.memory.len()), (1, 1));
    let fresh = replies
        .iter()
        .filter(|reply| reply.header("idempotency-replayed").is_empty());
    assert_eq!(fresh.count(), 1);
    shop.work().await;
    assert_eq!(shop.gpu.asked().len(), 1);
}

#[actix_web::test]
async fn a_refused_run_leaves_its_key_free() {
    let shop = Shop::planned(Plan::default()).await;
    shop.runnable("anime").await;
    let token = shop.consumer("ada").await;
    let bad = shop.post("/api/marketplace/models/anime/run").token(&token);
    keyed(&bad, "k").await.assert(422, "ERR_6106");
    let good = keyed(&shop.asks_to_run(&token, "anime"), "k").await;
    assert_eq!(good.assert(202, "").header("idempotency-replayed"), "");
    // Once it is accepted, a repetition is told so, whatever has become of the model.
    let maker = shop.token(Realm::Developers, "maker-of-anime");
    let models = shop
        .get("/api/studio/tars-models")
        .token(&maker)
        .await
        .data();
    let archive = format!("{}/archive", crate::support::address(&models[0]));
    shop.post(archive).token(&maker).await.assert(200, "");
    shop.asks_to_run(&token, "anime")
        .await
        .assert(409, "ERR_6101");
    let again = keyed(&shop.asks_to_run(&token, "anime"), "k").await;
    assert_eq!(again.assert(202, "").header("idempotency-replayed"), "true");
}
