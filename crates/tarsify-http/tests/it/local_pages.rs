//! The pages of the built-in payment provider: what is clicked goes the way of every message,
//! and nothing of it is there outside of the local mode.

use serde_json::Value;

use crate::support::{Ask, Plan, Reply, Shop, without_ids};

async fn bought(shop: &Shop) -> (String, Value, String) {
    let token = shop.consumer("ada").await;
    let bought = shop.asks_to_buy(&token, 500).await;
    let bought = bought.assert(201, "").data();
    let place = format!("/local/checkout/{}", bought["id"].as_str().unwrap());
    (token, bought, place)
}

fn clicked<'a>(shop: &'a Shop, place: &str, form: &str) -> Ask<'a> {
    let ask = shop.post(place);
    ask.header("content-type", "application/x-www-form-urlencoded")
        .raw(form.to_owned())
}

#[track_caller]
fn is_page(reply: &Reply, status: u16) -> String {
    assert_eq!(reply.status, status, "{}", reply.text());
    assert_eq!(reply.header("content-type"), "text/html; charset=utf-8");
    let policy = reply.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    assert!(!policy.contains("script-src"), "{policy}");
    assert_eq!(reply.header("cache-control"), "no-store");
    let text = reply.text();
    assert!(!text.contains("<script"), "{text}");
    text
}

#[actix_web::test]
async fn paying_on_the_page_grants_the_credits_once() {
    let shop = Shop::open().await;
    let (token, _, place) = bought(&shop).await;
    let page = is_page(&shop.get(&place).await, 200);
    for part in ["500 credits", "$5.00 (USD)", "PENDING", "value=\"pay\""] {
        assert!(page.contains(part), "{part}: {page}");
    }
    for _ in 0..3 {
        let page = is_page(&clicked(&shop, &place, "outcome=pay").await, 200);
        assert!(page.contains("PAID") && !page.contains("<form"), "{page}");
    }
    assert_eq!(shop.credits(&token).await["available"], 1_500);
    let page = is_page(&shop.get(&place).await, 200);
    assert!(page.contains("PAID") && !page.contains("<form"), "{page}");
}

#[actix_web::test]
async fn a_card_may_be_declined_and_a_page_may_expire() {
    for (outcome, status) in [("decline", "FAILED"), ("expire", "EXPIRED")] {
        let shop = Shop::open().await;
        let (token, bought, place) = bought(&shop).await;
        let page = is_page(
            &clicked(&shop, &place, &format!("outcome={outcome}")).await,
            200,
        );
        assert!(page.contains(status), "{page}");
        let purchase = format!(
            "/api/marketplace/credits/purchases/{}",
            bought["id"].as_str().unwrap()
        );
        let purchase = shop.get(purchase).token(&token).await;
        assert_eq!(purchase.data()["status"], status);
        assert_eq!(shop.credits(&token).await["available"], 1_000);
    }
}

#[actix_web::test]
async fn what_is_no_purchase_or_no_button_changes_nothing() {
    let shop = Shop::open().await;
    let (token, _, place) = bought(&shop).await;
    for nothing in [
        without_ids("/local/checkout/{id}"),
        "/local/checkout/x".to_owned(),
        "/local/checkout/%3Cscript%3E".to_owned(),
    ] {
        is_page(&shop.get(&nothing).await, 404);
        is_page(&clicked(&shop, &nothing, "outcome=pay").await, 404);
    }
    for form in ["", "outcome=", "outcome=steal", "OUTCOME=pay"] {
        let reply = clicked(&shop, &place, form).await;
        reply.assert_faults(&[("/outcome", "enum")]);
    }
    let json = shop.post(&place).bytes("{\"outcome\":\"pay\"}").await;
    json.assert(415, "ERR_1010");
    let huge = clicked(&shop, &place, &"x".repeat(16 * 1_024 + 1)).await;
    huge.assert(413, "ERR_1009");
    assert_eq!(shop.credits(&token).await["available"], 1_000);
}

#[actix_web::test]
async fn onboarding_leads_back_to_where_it_came_from() {
    let shop = Shop::open().await;
    let token = shop.developer("grace").await;
    let account = shop.verifies(&token).await;
    let place = format!("/local/onboarding/{}", account.as_str());
    let back = "https%3A%2F%2Fstudio.example.com%2F%3Fa%3D1%26b%3D%22%3E";
    let page = is_page(&shop.get(format!("{place}?return={back}")).await, 200);
    assert!(page.contains("a=1&amp;b=&quot;&gt;"), "{page}");
    let page = is_page(
        &clicked(&shop, &place, &format!("return={back}")).await,
        200,
    );
    assert!(
        page.contains("href=\"https://studio.example.com/?a=1&amp;b=&quot;&gt;\""),
        "{page}"
    );
    for evil in [
        "javascript:alert(1)",
        "//evil.example.com",
        "data:text/html,x",
        "",
    ] {
        let page = is_page(
            &clicked(&shop, &place, &format!("return={evil}")).await,
            200,
        );
        assert!(!page.contains("href"), "{page}");
    }
    let nobody = clicked(&shop, "/local/onboarding/acct_nobody", "return=").await;
    is_page(&nobody, 404);
    is_page(&shop.get("/local/onboarding/%20").await, 404);
}

#[actix_web::test]
async fn nothing_is_there_outside_of_the_local_mode() {
    let plan = Plan {
        has_test_payments: false,
        ..Plan::default()
    };
    let shop = Shop::planned(plan).await;
    let (token, _, place) = bought(&shop).await;
    shop.get(&place).await.assert(404, "ERR_1002");
    let click = clicked(&shop, &place, "outcome=pay").await;
    click.assert(404, "ERR_1002");
    let onboarding = shop.get("/local/onboarding/acct_1").await;
    onboarding.assert(404, "ERR_1002");
    assert_eq!(shop.credits(&token).await["available"], 1_000);
}
