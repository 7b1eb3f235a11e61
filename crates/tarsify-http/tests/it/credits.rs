//! What consumers have: what runs set aside, take and give back, and how they read it.

use serde_json::{Value, json};

use crate::support::{Fate, Plan, Shop, run_place};

const LINES: &str = "/api/marketplace/credits/transactions";

async fn lines(shop: &Shop, token: &str, query: &str) -> Vec<Value> {
    let reply = shop.get(format!("{LINES}{query}")).token(token).await;
    let data = reply.assert(200, "").data();
    data.as_array().unwrap().clone()
}

async fn receipt(shop: &Shop, token: &str, run: &Value) -> Value {
    let path = format!("{}/receipt", run_place(run));
    shop.get(path).token(token).await.assert(200, "").data()
}

fn kinds(receipt: &Value) -> Vec<(String, i64)> {
    let entries = receipt["entries"].as_array().unwrap().iter();
    entries
        .map(|entry| {
            let kind = entry["type"].as_str().unwrap().to_owned();
            (kind, entry["amount"].as_i64().unwrap())
        })
        .collect()
}

#[actix_web::test]
async fn a_run_sets_its_price_aside_and_takes_it_when_it_has_a_result() {
    let shop = Shop::open().await;
    shop.runnable("anime").await;
    let token = shop.consumer("ada").await;
    let fresh = shop.credits(&token).await;
    let expected = json!({
        "balance": 1_000, "held": 0, "available": 1_000, "displayBalance": "$10.00",
        "lifetimePurchased": 0, "lifetimeSpent": 0, "tier": "free",
    });
    assert_eq!(fresh, expected);
    let run = shop.started(&token, "anime").await;
    let held = shop.credits(&token).await;
    assert_eq!(
        (&held["balance"], &held["held"], &held["available"]),
        (&json!(1_000), &json!(25), &json!(975))
    );
    let open = receipt(&shop, &token, &run).await;
    assert_eq!(open["holdStatus"], "ACTIVE");
    assert_eq!(kinds(&open), [("HOLD".to_owned(), 25)]);
    shop.work().await;
    let spent = shop.credits(&token).await;
    assert_eq!(spent["balance"], 975);
    assert_eq!(spent["displayBalance"], "$9.75");
    assert_eq!(spent["lifetimeSpent"], 25);
    let paid = receipt(&shop, &token, &run).await;
    assert_eq!(paid["holdStatus"], "CAPTURED");
    assert_eq!(
        kinds(&paid),
        [("HOLD".to_owned(), 25), ("CAPTURE".to_owned(), 25)]
    );
    let told = [
        "priceCredits",
        "chargedCredits",
        "paidCredits",
        "refundedCredits",
    ];
    assert_eq!(
        told.map(|key| paid[key].as_i64()),
        [25, 25, 25, 0].map(Some)
    );
}

#[actix_web::test]
async fn a_run_without_a_result_costs_nothing() {
    let shop = Shop::open().await;
    shop.runnable("anime").await;
    let token = shop.consumer("ada").await;
    shop.gpu.will(Fate::Fail("out of memory".to_owned()));
    let failed = shop.finished(&token, "anime").await;
    let cancelled = shop.started(&token, "anime").await;
    let cancel = shop.post(format!("{}/cancel", run_place(&cancelled)));
    cancel.token(&token).await.assert(200, "");
    for run in [failed, cancelled] {
        let receipt = receipt(&shop, &token, &run).await;
        assert_eq!(receipt["holdStatus"], "RELEASED");
        assert_eq!(receipt["chargedCredits"], 0);
        assert_eq!(
            kinds(&receipt),
            [("HOLD".to_owned(), 25), ("RELEASE".to_owned(), 25)]
        );
    }
    assert_eq!(shop.credits(&token).await["available"], 1_000);
}

#[actix_web::test]
async fn whoever_has_too_little_runs_nothing_and_learns_how_much_is_missing() {
    let plan = Plan {
        welcome: tarsify_domain::Credits::new(24),
        ..Plan::default()
    };
    let shop = Shop::planned(plan).await;
    shop.runnable("anime").await;
    let token = shop.consumer("ada").await;
    let dry = shop.post("/api/marketplace/models/anime/run?dryRun=true");
    let dry = dry
        .token(&token)
        .json(&json!({ "inputs": { "prompt": "x" } }));
    for ask in [shop.asks_to_run(&token, "anime"), dry] {
        let reply = ask.await;
        reply.assert(402, "ERR_3002");
        let details = &reply.json()["error"]["details"];
        let expected = json!({ "required": 25, "available": 24, "shortfall": 1 });
        assert_eq!(*details, expected);
    }
    assert!(shop.runs.memory.is_empty());
    assert_eq!(shop.credits(&token).await["held"], 0);
    // A refusal leaves its key free.
    let keyed = || {
        shop.asks_to_run(&token, "anime")
            .header("idempotency-key", "one")
    };
    keyed().await.assert(402, "ERR_3002");
    let id = shop.consumer_id(&token).await;
    shop.treasury.fund(id, tarsify_domain::Credits::new(1));
    keyed().await.assert(202, "");
    // Once it is accepted it stays so, with nothing left.
    let again = keyed().await;
    assert_eq!(again.assert(202, "").header("idempotency-replayed"), "true");
}

#[actix_web::test]
async fn the_statement_has_a_line_for_each_change_newest_first() {
    let shop = Shop::open().await;
    shop.runnable("anime").await;
    let token = shop.consumer("ada").await;
    shop.finished(&token, "anime").await;
    shop.gpu.will(Fate::Fail("out of memory".to_owned()));
    let failed = shop.finished(&token, "anime").await;
    let all = lines(&shop, &token, "").await;
    let seen: Vec<_> = all
        .iter()
        .map(|line| {
            let number = |key: &str| line[key].as_i64().unwrap();
            let kind = line["type"].as_str().unwrap();
            (kind, number("amount"), number("balanceAfter"))
        })
        .collect();
    let expected = [
        ("RELEASE", 25, 975),
        ("HOLD", -25, 950),
        ("HOLD", -25, 975),
        ("WELCOME", 1_000, 1_000),
    ];
    assert_eq!(seen, expected);
    assert_eq!(all[0]["referenceType"], "execution");
    assert_eq!(all[0]["referenceId"], failed);
    assert_eq!(
        all[1]["description"],
        "Set aside for a run of Anime Generator"
    );
    assert!(all.iter().all(|line| line["id"].is_string()));
    let holds = lines(&shop, &token, "?type=HOLD&limit=1").await;
    assert_eq!(holds, [all[1].clone()]);
    let second = lines(&shop, &token, "?page=2&limit=3").await;
    assert_eq!(second, [all[3].clone()]);
    for query in ["?type=hold", "?type=GIFT"] {
        let reply = shop.get(format!("{LINES}{query}")).token(&token).await;
        reply.assert_faults(&[("/type", "enum")]);
    }
    let eve = shop.consumer("eve").await;
    assert!(lines(&shop, &eve, "?type=HOLD").await.is_empty());
}

#[actix_web::test]
async fn a_receipt_is_its_consumers_only() {
    let shop = Shop::open().await;
    shop.runnable("anime").await;
    let ada = shop.consumer("ada").await;
    let eve = shop.consumer("eve").await;
    let run = shop.finished(&ada, "anime").await;
    for base in ["/api/marketplace/runs", "/api/consumer/executions"] {
        let path = format!("{base}/{}/receipt", run.as_str().unwrap());
        shop.get(&path).token(&ada).await.assert(200, "");
        shop.get(&path).token(&eve).await.assert(403, "ERR_6104");
        let absent = crate::support::without_ids(&format!("{base}/{{id}}/receipt"));
        shop.get(absent).token(&ada).await.assert(404, "ERR_6103");
    }
}

#[actix_web::test]
async fn an_outage_of_the_treasury_is_told_as_one() {
    let shop = Shop::open().await;
    let ada = shop.consumer("ada").await;
    let grace = shop.developer("grace").await;
    let admin = shop.admin();
    shop.treasury.start_outage();
    let asks = [
        shop.get("/api/marketplace/credits").token(&ada),
        shop.get(LINES).token(&ada),
        shop.get("/api/marketplace/credits/packages"),
        shop.get("/api/marketplace/credits/history").token(&ada),
        shop.asks_to_buy(&ada, 500),
        shop.get("/api/studio/earnings").token(&grace),
        shop.get("/api/studio/earnings/history").token(&grace),
        shop.get("/api/studio/analytics").token(&grace),
        shop.get("/api/studio/payouts").token(&grace),
        shop.get("/api/admin/credit-packages").token(&admin),
        shop.get("/api/admin/ledger/verify").token(&admin),
    ];
    for ask in asks {
        let reply = ask.await;
        reply.assert(503, "ERR_1005");
        assert!(!reply.text().contains("treasury"), "the cause is told");
    }
}
