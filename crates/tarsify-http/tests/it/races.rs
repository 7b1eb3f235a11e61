//! Two requests at once that cannot both win.

use std::future::IntoFuture;

use serde_json::json;
use tarsify_domain::people::Realm;

use crate::support::{Ask, Shop, address, base_model_body, endpoint_body, tars_model_body};

/// Sends the same request twice at once: one is answered 201, the other with `code`.
async fn one_wins(ask: Ask<'_>, code: &str) {
    let (one, other) = tokio::join!(ask.clone().into_future(), ask.into_future());
    let mut outcomes = [one.outcome(), other.outcome()];
    outcomes.sort();
    let expected = [(201, String::new()), (409, code.to_owned())];
    assert_eq!(outcomes, expected);
}

#[actix_web::test]
async fn of_two_creations_of_one_name_one_wins() {
    let shop = Shop::open().await;
    let admin = shop.admin();
    let token = shop.developer("grace").await;
    let endpoint = endpoint_body("ep-one");
    let ask = shop.post("/api/admin/endpoints").token(&admin);
    one_wins(ask.json(&endpoint), "ERR_5506").await;
    let base = shop.base_model("base").await;
    let body = base_model_body(&base["endpoint"]["id"], "other");
    let ask = shop.post("/api/admin/base-models").token(&admin);
    one_wins(ask.json(&body), "ERR_5507").await;
    let body = tars_model_body(&base["id"], "model");
    let ask = shop.post("/api/studio/tars-models").token(&token);
    one_wins(ask.json(&body), "ERR_5501").await;
}

#[actix_web::test]
async fn of_two_registrations_one_wins() {
    let shop = Shop::open().await;
    for (realm, path, code) in [
        (
            Realm::Consumers,
            "/api/marketplace/auth/register",
            "ERR_3001",
        ),
        (Realm::Developers, "/api/studio/auth/register", "ERR_4001"),
    ] {
        let token = shop.token(realm, "ada");
        one_wins(shop.post(path).token(&token), code).await;
    }
}

#[actix_web::test]
async fn two_developers_who_want_one_slug_cannot_both_have_it() {
    let shop = Shop::open().await;
    let base = shop.base_model("base").await;
    let ada = shop.developer("ada").await;
    let grace = shop.developer("grace").await;
    let body = tars_model_body(&base["id"], "wanted");
    let make = async |token: &str| {
        let ask = shop.post("/api/studio/tars-models").token(token);
        ask.json(&body).await.outcome()
    };
    let (one, other) = tokio::join!(make(&ada), make(&grace));
    let mut outcomes = [one, other];
    outcomes.sort();
    assert_eq!(outcomes, [(201, String::new()), (409, "ERR_5501".into())]);
    // Neither can be taken over by renaming, in whatever case.
    let own = shop.draft_on(&base, &grace, "own").await;
    let rename = shop.patch(address(&own)).token(&grace);
    let rename = rename.json(&json!({ "slug": "WANTED" })).await;
    rename.assert(409, "ERR_5501");
    let same = shop.patch(address(&own)).token(&grace);
    let same = same.json(&json!({ "slug": "OWN" })).await;
    same.assert(200, "");
}

#[actix_web::test]
async fn whoever_names_no_version_and_loses_is_told_of_the_conflict() {
    let shop = Shop::open().await;
    let token = shop.developer("grace").await;
    let model = shop.draft(&token, "model").await;
    let change = async |title: &str| {
        let ask = shop.patch(address(&model)).token(&token);
        ask.json(&json!({ "title": title })).await.outcome()
    };
    let (one, other) = tokio::join!(change("One"), change("Two"));
    let mut outcomes = [one, other];
    outcomes.sort();
    assert_eq!(outcomes, [(200, String::new()), (409, "ERR_1006".into())]);
}
