//! A database that drops its connections, goes away, comes back, or never was there.

use crate::support::{Answer, Place, Shop, Store, get, post, until};

#[tokio::test]
async fn dropped_connections_cost_at_most_a_few_polite_refusals() {
    let store = Store::migrated().await;
    let shop = Shop::open(&store).await;
    for round in 0..5 {
        assert!(store.end_connections() > 0, "there was nothing to drop");
        let mut refusals = 0;
        for number in 0..10 {
            let me = shop
                .server
                .send(get("/api/studio/auth/me").by(&shop.developer));
            refusals += refusals_in(me.await, 200);
            let draft = shop.drafting(&format!("draft-{round}-{number}"));
            refusals += refusals_in(shop.server.send(draft).await, 201);
        }
        assert!(refusals <= 3, "{refusals} of 20 requests were refused");
    }
}

/// A success counts nothing, a polite refusal one, and anything else fails.
fn refusals_in(answer: Answer, success: u16) -> usize {
    if answer.status == success {
        return 0;
    }
    let answer = answer.assert_failed(503, "ERR_1005");
    assert!(answer.header("retry-after").is_some(), "{answer:#?}");
    1
}

#[tokio::test]
async fn without_its_database_it_lives_is_not_ready_and_shows_what_it_knows() {
    let store = Store::migrated().await;
    let shop = Shop::open(&store).await;
    let id = shop.draft("anime").await;
    shop.publish(&id).await;
    store.changes_are_heard().await;
    let warm = shop.server.shown("anime").await.unwrap();
    let page = get("/api/marketplace/models?limit=5");
    let warm_page = shop.server.send(page.clone()).await.assert_ok(200);
    let ready = get("/health/ready");
    shop.server.send(ready.clone()).await.assert_ok(200);

    store.close();
    let refused = shop.server.send(ready.clone()).await;
    refused.assert_failed(503, "ERR_1005");
    shop.server.send(get("/health/live")).await.assert_ok(200);
    shop.server.send(get("/livez")).await.assert_ok(200);
    assert_eq!(shop.server.shown("anime").await, Some(warm));
    let cold_page = shop.server.send(page).await.assert_ok(200);
    assert_eq!(cold_page.body, warm_page.body);
    let me = get("/api/studio/auth/me").by(&shop.developer);
    let refused = shop.server.send(me.clone()).await;
    assert_eq!(refusals_in(refused, 200), 1);
    let unseen = shop
        .server
        .send(get("/api/marketplace/models?limit=6"))
        .await;
    assert_eq!(refusals_in(unseen, 200), 1);

    store.open();
    until("the server is ready again", async || {
        shop.server.send(ready.clone()).await.status == 200
    })
    .await;
    shop.server.send(me).await.assert_ok(200);
    let archive = post(format!("/api/studio/tars-models/{id}/archive")).by(&shop.developer);
    shop.server.send(archive).await.assert_ok(200);
    assert_eq!(shop.server.shown("anime").await, None);
}

#[tokio::test]
async fn a_database_that_is_not_there_is_told_in_one_line() {
    let url = "postgresql://somebody:hunter2@127.0.0.1:1/nothing";
    let place = Place::empty().with("DATABASE_URL", url);
    for command in [
        &["serve", "--port", "0"][..],
        &["migrate"],
        &["seed"],
        &["admin", "grant", "grace@example.com"],
    ] {
        let said = place.run(command).await.assert_code(1);
        let said = said.assert_one_line(&["the database cannot be reached"]);
        assert!(!said.err.contains("hunter2"), "{said:#?}");
    }
}
