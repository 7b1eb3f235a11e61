//! Entity tags and `If-None-Match`: on every single thing and on the market.

use actix_web::http::Method;
use serde_json::json;

use crate::support::{Ask, Shop, address};

/// Everything that is read with a tag.
async fn tagged(shop: &Shop) -> Vec<Ask<'_>> {
    let consumer = shop.consumer("ada").await;
    let developer = shop.developer("grace").await;
    let admin = shop.admin();
    let model = shop.published(&developer, "anime").await;
    let base = format!(
        "/api/admin/base-models/{}",
        model["baseModelId"].as_str().unwrap()
    );
    let seen = shop.get(&base).token(&admin).await.data();
    let endpoint = seen["endpoint"]["id"].as_str().unwrap().to_owned();
    let run = shop.finished(&consumer, "anime").await;
    let run = run.as_str().unwrap();
    let test = shop.post(format!("{}/test-run", address(&model)));
    let test = test
        .token(&developer)
        .json(&json!({ "inputs": { "prompt": "x" } }));
    let test = shop.sent_and_worked(test, 2).await.data();
    let test = test["jobId"].as_str().unwrap();
    vec![
        shop.get(format!("/api/marketplace/runs/{run}"))
            .token(&consumer),
        shop.get(format!("/api/consumer/executions/{run}/status"))
            .token(&consumer),
        shop.get(format!("/api/studio/runs/{test}"))
            .token(&developer),
        shop.get(format!("/api/admin/executions/{run}"))
            .token(&admin),
        shop.get(format!("/api/marketplace/runs/{run}/receipt"))
            .token(&consumer),
        shop.get("/api/marketplace/credits").token(&consumer),
        shop.get("/api/studio/earnings").token(&developer),
        shop.get("/api/studio/analytics").token(&developer),
        shop.get("/api/admin/credit-packages").token(&admin),
        shop.get("/api/marketplace/auth/me").token(&consumer),
        shop.get("/api/consumer/auth/me").token(&consumer),
        shop.get("/api/studio/auth/me").token(&developer),
        shop.get(address(&model)).token(&developer),
        shop.get(base).token(&admin),
        shop.get(format!("/api/admin/endpoints/{endpoint}"))
            .token(&admin),
        shop.get("/api/marketplace/models"),
        shop.get("/api/marketplace/models?search=anime"),
        shop.get("/api/marketplace/models/anime"),
        shop.get("/api/public/models/anime"),
        shop.get("/openapi.json"),
    ]
}

#[actix_web::test]
async fn whoever_has_it_is_told_so() {
    let shop = Shop::open().await;
    for ask in tagged(&shop).await {
        let first = ask.clone().await;
        first.assert(200, "");
        let tag = first.etag().to_owned();
        assert_eq!(ask.clone().await.etag(), tag, "the tag changes by itself");
        let list = format!("\"other\", {tag} ,W/\"more\"");
        for held in [tag.clone(), format!("W/{tag}"), list, "*".to_owned()] {
            let reply = ask.clone().header("if-none-match", &held).await;
            assert_eq!(reply.status, 304, "{held}");
            assert_eq!(reply.etag(), tag, "{held}");
            assert_eq!(reply.header("cache-control"), first.header("cache-control"));
        }
        let twice = ask
            .clone()
            .header("if-none-match", "\"other\"")
            .header("if-none-match", &tag);
        assert_eq!(twice.await.status, 304);
        let bare = tag.trim_matches('"').to_owned();
        for other in ["\"other\"", "", ",", bare.as_str(), "W/", "\"", "\u{fc}"] {
            let reply = ask.clone().header("if-none-match", other).await;
            assert_eq!(reply.status, 200, "{other}");
        }
    }
}

#[actix_web::test]
async fn the_tag_of_a_compressed_answer_round_trips() {
    let shop = Shop::open().await;
    for ask in tagged(&shop).await {
        let plain = ask.clone().await.etag().to_owned();
        for coding in ["gzip", "br", "zstd", "deflate"] {
            let coded = ask.clone().header("accept-encoding", coding).await;
            assert_eq!(coded.header("content-encoding"), coding);
            let tag = coded.etag().to_owned();
            let expected = format!("{}-{coding}\"", plain.trim_end_matches('"'));
            assert_eq!(tag, expected);
            let again = ask.clone().header("if-none-match", &tag);
            let reply = again.clone().header("accept-encoding", coding).await;
            assert_eq!((reply.status, reply.etag()), (304, tag.as_str()));
            assert_eq!(reply.header("content-encoding"), "");
            assert_eq!(again.await.status, 304);
        }
    }
}

#[actix_web::test]
async fn a_change_changes_the_tag_and_is_never_answered_with_304() {
    let shop = Shop::open().await;
    let token = shop.developer("grace").await;
    let model = shop.draft(&token, "anime").await;
    let one = || shop.get(address(&model)).token(&token);
    let before = one().await.etag().to_owned();
    let change = shop.patch(address(&model)).token(&token);
    let changed = change
        .json(&json!({ "title": "New" }))
        .header("if-none-match", "*")
        .await;
    changed.assert(200, "");
    let after = changed.etag().to_owned();
    assert_ne!(before, after);
    let now = one().header("if-none-match", &before).await;
    assert_eq!((now.status, now.etag()), (200, after.as_str()));
    let publish = shop.post(format!("{}/publish", address(&model)));
    let published = publish.token(&token).header("if-none-match", "*").await;
    assert_eq!(published.status, 200);
}

#[actix_web::test]
async fn the_tag_of_a_new_thing_is_the_one_it_is_read_with() {
    let shop = Shop::open().await;
    let admin = shop.admin();
    let body = crate::support::endpoint_body("ep-new");
    let made = shop.post("/api/admin/endpoints").token(&admin).json(&body);
    let made = made.await;
    let read = shop.get(made.header("location")).token(&admin).await;
    assert_eq!(read.etag(), made.etag());
    assert_eq!(read.text(), made.text());
}

#[actix_web::test]
async fn the_markets_tag_follows_what_it_shows() {
    let shop = Shop::open().await;
    let token = shop.developer("grace").await;
    shop.published(&token, "one").await;
    let list = || shop.get("/api/marketplace/models");
    let before = list().await.etag().to_owned();
    shop.published(&token, "two").await;
    let now = list().header("if-none-match", &before).await;
    assert_eq!(now.status, 200);
    assert_ne!(now.etag(), before);
}

#[actix_web::test]
async fn head_is_answered_like_get() {
    let shop = Shop::open().await;
    for ask in tagged(&shop).await.into_iter().take(19) {
        let got = ask.clone().await;
        let head = ask.clone().method(Method::HEAD).await;
        assert_eq!(head.status, 200);
        for name in ["etag", "content-type", "cache-control", "link"] {
            assert_eq!(head.header(name), got.header(name), "{name}");
        }
        let held = ask.method(Method::HEAD).header("if-none-match", got.etag());
        assert_eq!(held.await.status, 304);
    }
}
