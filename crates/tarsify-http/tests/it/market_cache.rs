//! The market's ready-made answers: warm reads ask nothing of the store, every change shows
//! at once, and the memory they take is bounded.

use std::future::{IntoFuture, poll_fn};
use std::task::Poll;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{Plan, Shop, address, id_of};

const LIST: &str = "/api/marketplace/models";
const ONE: &str = "/api/marketplace/models/anime";

async fn shop_with_a_model() -> (Shop, String, Value) {
    let shop = Shop::open().await;
    let token = shop.developer("grace").await;
    let model = shop.published(&token, "anime").await;
    (shop, token, model)
}

/// How many reads of the store a request takes.
async fn reads_of(shop: &Shop, path: &str) -> u64 {
    let before = shop.store.reads();
    shop.get(path).await;
    shop.store.reads() - before
}

#[actix_web::test]
async fn warm_reads_ask_nothing_of_the_store() {
    let (shop, _, _) = shop_with_a_model().await;
    for path in [LIST, ONE, "/api/marketplace/models?sort=price&limit=5"] {
        assert_eq!(reads_of(&shop, path).await, 1, "cold {path}");
        for _ in 0..3 {
            assert_eq!(reads_of(&shop, path).await, 0, "warm {path}");
        }
    }
    // Other addresses and other spellings of the same share the answer.
    for path in [
        "/api/public/models",
        "/api/public/models/ANIME",
        "/api/marketplace/models?page=1&limit=20&sort=newest",
        "/api/marketplace/models?category=&search=",
        "/api/marketplace/models?limit=5&unknown=x&sort=price",
    ] {
        assert_eq!(reads_of(&shop, path).await, 0, "{path}");
    }
    // The store may even be away.
    shop.store.start_outage();
    shop.get(LIST).await.assert(200, "");
    shop.get(ONE).await.assert(200, "");
    shop.get("/api/marketplace/models?limit=7")
        .await
        .assert(503, "ERR_1005");
    shop.store.end_outage();
    shop.get("/api/marketplace/models?limit=7")
        .await
        .assert(200, "");
}

#[actix_web::test]
async fn an_answer_is_the_same_warm_and_cold() {
    let (shop, _, _) = shop_with_a_model().await;
    for path in [LIST, ONE, "/api/marketplace/models?limit=1"] {
        let cold = shop.get(path).await;
        let warm = shop.get(path).await;
        assert_eq!(cold.text(), warm.text());
        for name in ["etag", "link", "cache-control", "content-type"] {
            assert_eq!(cold.header(name), warm.header(name));
        }
    }
}

#[actix_web::test]
async fn a_change_here_is_seen_by_the_very_next_read() {
    let (shop, token, model) = shop_with_a_model().await;
    let admin = shop.admin();
    let base = format!(
        "/api/admin/base-models/{}",
        model["baseModelId"].as_str().unwrap()
    );
    let changes = [
        (address(&model), &token, json!({ "title": "New title" })),
        (address(&model), &token, json!({ "priceCredits": 99 })),
        (
            address(&model),
            &token,
            json!({ "configOverrides": { "lockedInputs": { "width": 512 } } }),
        ),
        (
            "/api/studio/auth/profile".into(),
            &token,
            json!({ "displayName": "Rear Admiral" }),
        ),
        (
            base.clone(),
            &admin,
            json!({ "name": "New base", "category": "VIDEO" }),
        ),
        (
            base,
            &admin,
            json!({ "inputSchema": {
            "type": "object", "properties": { "prompt": { "title": "Words" }, "width": {} },
        } }),
        ),
    ];
    for (path, token, body) in changes {
        shop.get(LIST).await;
        let before = shop.get(ONE).await.text();
        let changed = shop.patch(&path).token(token).json(&body).await;
        changed.assert(200, "");
        let after = shop.get(ONE).await.text();
        assert_ne!(before, after, "{path} {body}");
        let listed = shop.get(LIST).await.data()[0].clone();
        let mut detail = shop.get(ONE).await.data();
        detail.as_object_mut().unwrap().remove("inputSchema");
        assert_eq!(listed, detail, "list and detail disagree");
    }
    let archive = shop.post(format!("{}/archive", address(&model)));
    archive.token(&token).await.assert(200, "");
    shop.get(ONE).await.assert(404, "ERR_6100");
    assert_eq!(shop.get(LIST).await.data(), json!([]));
}

/// What was begun is finished and announced, also when nobody is there to hear of it.
#[actix_web::test]
async fn a_change_whose_caller_hung_up_is_seen_all_the_same() {
    let (shop, token, model) = shop_with_a_model().await;
    shop.get(ONE).await.assert(200, "");
    let change = shop.patch(address(&model)).token(&token);
    let mut change = change.json(&json!({ "title": "Changed" })).into_future();
    // The caller is gone as soon as his request has to wait for anything.
    let begun = poll_fn(|context| Poll::Ready(change.as_mut().poll(context))).await;
    assert!(begun.is_pending(), "the request did not have to wait");
    drop(change);
    for _ in 0..1_000 {
        if shop.get(ONE).await.data()["title"] == "Changed" {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("the change was lost with its caller");
}

#[actix_web::test]
async fn an_unknown_slug_is_remembered_until_something_has_it() {
    let shop = Shop::open().await;
    let token = shop.developer("grace").await;
    let draft = shop.draft(&token, "anime").await;
    shop.get(ONE).await.assert(404, "ERR_6100");
    for _ in 0..3 {
        assert_eq!(reads_of(&shop, ONE).await, 0);
        shop.get(ONE).await.assert(404, "ERR_6100");
    }
    shop.publish(&token, &draft).await;
    shop.get(ONE).await.assert(200, "");
}

#[actix_web::test]
async fn a_change_elsewhere_is_seen_once_it_was_observed() {
    let (shop, _, model) = shop_with_a_model().await;
    let market = &shop.services.market;
    market.observe_changes().await.unwrap();
    let before = shop.get(ONE).await.text();
    shop.store.edit_tars_model(id_of(&model), |row| {
        row.title = tarsify_testing::builders::title("Changed by another process");
    });
    assert_eq!(shop.get(ONE).await.text(), before);
    market.observe_changes().await.unwrap();
    let after = shop.get(ONE).await.data();
    assert_eq!(after["title"], "Changed by another process");
    // A look that finds nothing new throws nothing away.
    market.observe_changes().await.unwrap();
    assert_eq!(reads_of(&shop, ONE).await, 0);
    // A look that fails neither throws away nor breaks anything.
    shop.store.start_outage();
    assert!(market.observe_changes().await.is_err());
    shop.get(ONE).await.assert(200, "");
}

#[actix_web::test]
async fn two_processes_over_one_store_agree_after_a_look() {
    let (shop, token, model) = shop_with_a_model().await;
    let other = Shop::over(shop.store.clone(), Plan::default()).await;
    other.get(ONE).await.assert(200, "");
    other.services.market.observe_changes().await.unwrap();
    other.get(ONE).await.assert(200, "");
    let archive = shop.post(format!("{}/archive", address(&model)));
    archive.token(&token).await.assert(200, "");
    other.services.market.observe_changes().await.unwrap();
    other.get(ONE).await.assert(404, "ERR_6100");
}

#[actix_web::test]
async fn many_cold_reads_at_once_are_one_read_of_the_store() {
    let (shop, _, _) = shop_with_a_model().await;
    for path in [LIST, ONE, "/api/marketplace/models/absent"] {
        let before = shop.store.reads();
        let asks = (0..50).map(|_| shop.get(path).into_future());
        let replies = join_all(asks).await;
        assert_eq!(shop.store.reads() - before, 1, "{path}");
        let first = replies[0].status;
        assert!(replies.iter().all(|reply| reply.status == first));
    }
}

#[actix_web::test]
async fn a_failure_is_not_remembered_for_those_who_waited() {
    let (shop, _, _) = shop_with_a_model().await;
    shop.store.start_outage();
    let asks = (0..5).map(|_| shop.get(LIST).into_future());
    for reply in join_all(asks).await {
        reply.assert(503, "ERR_1005");
    }
    shop.store.end_outage();
    shop.get(LIST).await.assert(200, "");
}

#[actix_web::test]
async fn a_search_is_remembered_like_a_page() {
    let (shop, _, _) = shop_with_a_model().await;
    for (word, reads) in [("anime", 1), ("anime", 0), ("pixel", 1), ("anime", 0)] {
        let path = format!("/api/marketplace/models?search={word}");
        assert_eq!(reads_of(&shop, &path).await, reads, "{word}");
    }
}

#[actix_web::test]
async fn many_searches_do_not_push_out_what_is_read_again_and_again() {
    let plan = Plan {
        cache_bytes: 200_000,
        ..Plan::default()
    };
    let shop = Shop::planned(plan).await;
    let token = shop.developer("grace").await;
    shop.published(&token, "anime").await;
    for _ in 0..3 {
        shop.get(LIST).await.assert(200, "");
    }
    for number in 0..2_000 {
        shop.get(format!("{LIST}?search=word{number}")).await;
        if number % 50 == 0 {
            assert_eq!(reads_of(&shop, LIST).await, 0, "after {number} searches");
        }
    }
}

#[actix_web::test]
async fn the_memory_is_bounded() {
    let plan = Plan {
        cache_bytes: 20_000,
        ..Plan::default()
    };
    let shop = Shop::planned(plan).await;
    let token = shop.developer("grace").await;
    shop.published(&token, "anime").await;
    let path = |number: usize| format!("{LIST}/absent-{number}");
    for number in 0..200 {
        shop.get(path(number)).await;
    }
    let mut kept = 0;
    for number in (0..200).rev() {
        let before = shop.store.reads();
        let reply = shop.get(path(number)).await;
        reply.assert(404, "ERR_6100");
        if shop.store.reads() == before {
            kept += 1;
        }
    }
    assert!(kept < 100, "{kept} answers fit 20,000 bytes");
    // An answer that does not fit at all is still an answer.
    let plan = Plan {
        cache_bytes: 1,
        ..Plan::default()
    };
    let tiny = Shop::over(shop.store.clone(), plan).await;
    tiny.get(ONE).await.assert(200, "");
    tiny.get(LIST).await.assert(200, "");
}
