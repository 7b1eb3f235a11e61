//! Packages of credits, as administrators make them and everybody sees them.

use actix_web::http::Method;
use serde_json::{Value, json};

use crate::support::Shop;

const ALL: &str = "/api/admin/credit-packages";
const OFFER: &str = "/api/marketplace/credits/packages";

fn body() -> Value {
    json!({ "credits": 700, "bonusCredits": 7, "priceCents": 650, "popular": true })
}

async fn offered(shop: &Shop) -> Vec<Value> {
    let offer = shop.get(OFFER).await.assert(200, "").data();
    assert_eq!(offer["creditsPerDollar"], 100);
    offer["packages"].as_array().unwrap().clone()
}

#[actix_web::test]
async fn what_is_on_offer_is_what_administrators_put_there() {
    let shop = Shop::open().await;
    let admin = shop.admin();
    let before = offered(&shop).await;
    let made = shop.post(ALL).token(&admin).json(&body()).await;
    let place = made.assert(201, "").header("location").to_owned();
    let package = made.data();
    assert_eq!(package["priceDisplay"], "$6.50");
    let now = offered(&shop).await;
    assert_eq!(now.len(), before.len() + 1);
    let prices: Vec<_> = now.iter().map(|each| each["priceCents"].as_i64()).collect();
    assert!(prices.is_sorted(), "{prices:?}");
    let ours = now.iter().find(|each| each["id"] == package["id"]).unwrap();
    assert_eq!(ours["bonusCredits"], 7);
    assert!(ours.get("isActive").is_none(), "{ours}");
    let remove = shop.ask(Method::DELETE, &place).token(&admin);
    remove.await.assert(204, "");
    assert_eq!(offered(&shop).await, before);
    // It is withdrawn, not forgotten, and may come back.
    let kept = shop.get(&place).token(&admin).await;
    assert_eq!(kept.data()["isActive"], false);
    let all = shop.get(ALL).token(&admin).await.data();
    assert_eq!(all.as_array().unwrap().len(), before.len() + 1);
    let back = shop.patch(&place).token(&admin);
    let back = back.json(&json!({ "isActive": true })).await;
    assert_eq!(back.assert(200, "").data()["version"], Value::Null);
    assert_eq!(offered(&shop).await.len(), before.len() + 1);
}

#[actix_web::test]
async fn each_field_of_a_package_keeps_its_rule() {
    let shop = Shop::open().await;
    let admin = shop.admin();
    let cases = [
        ("credits", json!(0), "range"),
        ("credits", json!(-5), "range"),
        ("credits", json!(10_000_001), "range"),
        ("credits", json!("700"), "type"),
        ("credits", json!(1.5), "type"),
        ("bonusCredits", json!(-1), "range"),
        ("bonusCredits", json!(1e30), "type"),
        ("priceCents", json!(49), "range"),
        ("priceCents", json!(10_000_001), "range"),
        ("priceCents", json!("$7"), "type"),
        ("popular", json!(1), "type"),
        ("isActive", json!("yes"), "type"),
    ];
    let made = shop.post(ALL).token(&admin).json(&body()).await;
    let place = made.header("location").to_owned();
    for (field, value, code) in cases {
        let fault = format!("/{field}");
        let mut body = body();
        body[field] = value.clone();
        let reply = shop.post(ALL).token(&admin).json(&body).await;
        reply.assert_faults(&[(&fault, code)]);
        let change = json!({ field: value });
        let reply = shop.patch(&place).token(&admin).json(&change).await;
        reply.assert_faults(&[(&fault, code)]);
    }
    let nothing = shop.post(ALL).token(&admin).json(&json!({})).await;
    nothing.assert_faults(&[("/credits", "required"), ("/priceCents", "required")]);
    let null = json!({ "credits": null, "popular": null });
    let null = shop.patch(&place).token(&admin).json(&null).await;
    null.assert_faults(&[("/credits", "type"), ("/popular", "type")]);
    let unchanged = shop.get(&place).token(&admin).await;
    assert_eq!(unchanged.text(), made.text());
}

#[actix_web::test]
async fn who_changed_a_package_is_remembered() {
    let shop = Shop::open().await;
    let admin = shop.admin();
    let made = shop.post(ALL).token(&admin).json(&body()).await;
    let place = made.header("location").to_owned();
    let patch = shop.patch(&place).token(&admin);
    patch.json(&json!({ "credits": 701 })).await.assert(200, "");
    let remove = shop.ask(Method::DELETE, &place).token(&admin);
    remove.await.assert(204, "");
    let audit = shop.treasury.audit();
    assert_eq!(audit.len(), 3);
    assert!(audit.iter().all(|entry| entry.actor.subject == "root"));
}
