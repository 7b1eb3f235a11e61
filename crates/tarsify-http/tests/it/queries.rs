//! Queries and path parameters that are no good: every fault is named and the store is not
//! asked.

use serde_json::json;

use crate::support::{Shop, without_ids};

const MARKET: &str = "/api/marketplace/models";

#[actix_web::test]
async fn each_parameter_of_a_list_keeps_its_rule() {
    let shop = Shop::open().await;
    let developer = shop.developer("grace").await;
    let consumer = shop.consumer("ada").await;
    let admin = shop.admin();
    let lists = [
        (MARKET, ""),
        ("/api/public/models", ""),
        ("/api/studio/tars-models", developer.as_str()),
        ("/api/admin/endpoints", &admin),
        ("/api/admin/base-models", &admin),
        ("/api/marketplace/runs", &consumer),
        ("/api/consumer/executions", &consumer),
        ("/api/admin/executions", &admin),
        ("/api/marketplace/credits/history", &consumer),
        ("/api/marketplace/credits/transactions", &consumer),
        ("/api/studio/earnings/history", &developer),
        ("/api/studio/payouts", &developer),
    ];
    let cases = [
        ("limit=0", "/limit", "range"),
        ("limit=101", "/limit", "range"),
        ("limit=1000", "/limit", "range"),
        ("limit=-1", "/limit", "range"),
        ("limit=abc", "/limit", "type"),
        ("limit=1e1", "/limit", "type"),
        ("limit=10%00", "/limit", "pattern"),
        ("limit=99999999999999999999", "/limit", "type"),
        ("limit=5&limit=5", "/limit", "duplicateKey"),
        ("page=0", "/page", "range"),
        ("page=-1", "/page", "range"),
        ("page=4294967296", "/page", "range"),
        ("page=1.5", "/page", "type"),
        ("page=%ff", "/page", "type"),
        ("cursor=nonsense", "/cursor", "format"),
        ("cursor=bnVsbA", "/cursor", "format"),
    ];
    for (path, token) in lists {
        for (query, place, code) in cases {
            let mut ask = shop.get(format!("{path}?{query}"));
            if !token.is_empty() {
                ask = ask.token(token);
            }
            ask.await.assert_faults(&[(place, code)]);
        }
    }
}

#[actix_web::test]
async fn words_of_closed_sets_are_taken_exactly() {
    let shop = Shop::open().await;
    let developer = shop.developer("grace").await;
    let admin = shop.admin();
    let reads = shop.store.reads();
    for query in ["category=image", "category=SMELL", "category=IMAGE,AUDIO"] {
        let reply = shop.get(format!("{MARKET}?{query}")).await;
        reply.assert_faults(&[("/category", "enum")]);
    }
    for query in [
        "sort=oldest",
        "sort=relevance",
        "sort=PRICE",
        "sort=--price",
    ] {
        let reply = shop.get(format!("{MARKET}?{query}")).await;
        reply.assert_faults(&[("/sort", "enum")]);
    }
    assert_eq!(shop.store.reads(), reads);
    let own = shop.get("/api/studio/tars-models?status=GONE");
    own.token(&developer)
        .await
        .assert_faults(&[("/status", "enum")]);
    for path in [
        "/api/studio/base-models",
        "/api/studio/tars-models/base-models",
    ] {
        let reply = shop.get(format!("{path}?category=x")).token(&developer);
        reply.await.assert_faults(&[("/category", "enum")]);
    }
    let models = shop.get("/api/admin/base-models?category=x").token(&admin);
    models.await.assert_faults(&[("/category", "enum")]);
}

#[actix_web::test]
async fn executions_are_chosen_by_words_and_ids_that_are_some() {
    let shop = Shop::open().await;
    let consumer = shop.consumer("ada").await;
    let admin = shop.admin();
    let reply = shop.get("/api/marketplace/runs?status=DONE");
    reply
        .token(&consumer)
        .await
        .assert_faults(&[("/status", "enum")]);
    let query = "status=pending&kind=TRIAL&consumer=ada&model=7&limit=0";
    let reply = shop.get(format!("/api/admin/executions?{query}"));
    reply.token(&admin).await.assert_faults(&[
        ("/consumer", "format"),
        ("/kind", "enum"),
        ("/limit", "range"),
        ("/model", "format"),
        ("/status", "enum"),
    ]);
}

#[actix_web::test]
async fn a_search_has_at_most_a_hundred_characters() {
    let shop = Shop::open().await;
    let search = |text: String| shop.get(format!("{MARKET}?search={text}"));
    search("%C3%A4".repeat(100)).await.assert(200, "");
    search("x".repeat(101))
        .await
        .assert_faults(&[("/search", "maxLength")]);
    search("a%00b".into())
        .await
        .assert_faults(&[("/search", "pattern")]);
    for blank in ["", "%20", "+"] {
        search(blank.into()).await.assert(200, "");
    }
    for odd in ["%ff%fe", "%F0%9F%98%80", "'%22;--", "%25_%5C", "((("] {
        search(odd.into()).await.assert(200, "");
    }
}

#[actix_web::test]
async fn all_faults_of_a_query_are_named_at_once() {
    let shop = Shop::open().await;
    let query = "limit=0&page=x&category=?&sort=?&cursor=!&search=%00";
    let reply = shop.get(format!("{MARKET}?{query}")).await;
    reply.assert_faults(&[
        ("/category", "enum"),
        ("/cursor", "format"),
        ("/limit", "range"),
        ("/page", "type"),
        ("/search", "pattern"),
        ("/sort", "enum"),
    ]);
}

#[actix_web::test]
async fn an_id_in_the_path_is_a_uuid() {
    let shop = Shop::open().await;
    let consumer = shop.consumer("ada").await;
    let developer = shop.developer("grace").await;
    let admin = shop.admin();
    let places = [
        ("/api/marketplace/runs/", &consumer, "ERR_6103"),
        ("/api/consumer/executions/", &consumer, "ERR_6103"),
        ("/api/studio/runs/", &developer, "ERR_6103"),
        ("/api/developer/runs/", &developer, "ERR_6103"),
        ("/api/admin/executions/", &admin, "ERR_6103"),
        ("/api/marketplace/credits/purchases/", &consumer, "ERR_7001"),
        ("/api/studio/analytics/models/", &developer, "ERR_5500"),
        ("/api/admin/credit-packages/", &admin, "ERR_7001"),
        ("/api/admin/endpoints/", &admin, "ERR_5505"),
        ("/api/admin/base-models/", &admin, "ERR_5503"),
        ("/api/studio/tars-models/", &developer, "ERR_5500"),
    ];
    for (place, token, code) in places {
        for bad in [
            "x",
            "0",
            "%00",
            "..",
            "0198b2c4-d5e6-7f80-91a2-b3c4d5e6f7f",
            "%F0%9F",
        ] {
            let reply = shop.get(format!("{place}{bad}")).token(token).await;
            reply.assert_faults(&[("/id", "format")]);
        }
        let absent = without_ids(&format!("{place}{{id}}"));
        shop.get(&absent).token(token).await.assert(404, code);
        let shout = absent.replace("f7ff", "F7FF");
        shop.get(shout).token(token).await.assert(404, code);
        if code == "ERR_6103" || place.contains("purchases") || place.contains("analytics") {
            continue;
        }
        let bad = shop.patch(format!("{place}x")).token(token);
        let bad = bad.json(&json!({ "name": "Name" })).await;
        bad.assert_faults(&[("/id", "format")]);
    }
}

#[actix_web::test]
async fn a_slug_that_can_be_none_is_an_absent_model() {
    let shop = Shop::open().await;
    let reads = shop.store.reads();
    for slug in [
        "%20", "a%20b", "a_b", "%00", "%ff", "-", "%2e%2e", "\u{e4}", "a%2Fb",
    ] {
        let slug = slug.replace('\u{e4}', "%C3%A4");
        let reply = shop.get(format!("{MARKET}/{slug}")).await;
        reply.assert(404, "ERR_6100");
    }
    assert_eq!(shop.store.reads(), reads);
}
