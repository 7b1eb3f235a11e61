//! What developers earn and how their models do, exact to the millicredit.

use serde_json::{Value, json};
use tarsify_domain::money::Share;
use tarsify_domain::people::Realm;
use tarsify_http::HttpSettings;
use time::Duration;

use crate::support::{Fate, Plan, Shop};

const HISTORY: &str = "/api/studio/earnings/history";

async fn read(shop: &Shop, token: &str, path: &str) -> Value {
    shop.get(path).token(token).await.assert(200, "").data()
}

/// A developer and a consumer who ran his model once for 25 credits.
async fn busy() -> (Shop, String, String) {
    let shop = Shop::open().await;
    let grace = shop.developer("grace").await;
    shop.published(&grace, "anime").await;
    let ada = shop.consumer("ada").await;
    shop.finished(&ada, "anime").await;
    (shop, grace, ada)
}

#[actix_web::test]
async fn a_share_of_each_run_is_earned_and_shown_to_the_millicredit() {
    let (shop, grace, _) = busy().await;
    let earnings = read(&shop, &grace, "/api/studio/earnings").await;
    for (key, whole, exact) in [
        ("totalEarnings", 17, 17_500),
        ("pending", 17, 17_500),
        ("available", 0, 0),
        ("inPayout", 0, 0),
        ("paidOut", 0, 0),
        ("owed", 0, 0),
    ] {
        assert_eq!(earnings[key], whole, "{key}");
        assert_eq!(earnings[format!("{key}Millicredits")], exact, "{key}");
    }
    assert_eq!(earnings["platformFeeRate"].to_string(), "0.3");
    let month = json!({
        "gross": 25, "grossMillicredits": 25_000,
        "platformFee": 7, "platformFeeMillicredits": 7_500,
        "net": 17, "netMillicredits": 17_500,
    });
    assert_eq!(earnings["thisMonth"], month);
    assert_eq!(earnings["lastMonth"]["gross"], 0);
    let eve = shop.developer("eve").await;
    let nothing = read(&shop, &eve, "/api/studio/earnings").await;
    assert_eq!(nothing["totalEarningsMillicredits"], 0);
}

#[actix_web::test]
async fn the_fee_is_the_operators() {
    for (share, rate) in [(10_000, "0.0"), (0, "1.0"), (6_667, "0.3333")] {
        let settings = HttpSettings {
            developer_share: Share::parse(share).unwrap(),
            ..Plan::default().settings
        };
        let plan = Plan {
            settings,
            ..Plan::default()
        };
        let shop = Shop::planned(plan).await;
        let grace = shop.developer("grace").await;
        let earnings = read(&shop, &grace, "/api/studio/earnings").await;
        assert_eq!(earnings["platformFeeRate"].to_string(), rate);
    }
}

#[actix_web::test]
async fn the_history_has_a_row_for_each_run_that_was_paid() {
    let (shop, grace, ada) = busy().await;
    shop.gpu.will(Fate::Fail("out of memory".to_owned()));
    shop.finished(&ada, "anime").await;
    let rows = read(&shop, &grace, HISTORY).await;
    let rows = rows.as_array().unwrap();
    assert_eq!(rows.len(), 1);
    let row = &rows[0];
    assert_eq!(row["tarsModel"]["slug"], "anime");
    assert_eq!(row["netMillicredits"], 17_500);
    assert_eq!(row["platformFeeMillicredits"], 7_500);
    assert_eq!(row["takenBackMillicredits"], 0);
    assert_eq!(row["status"], "PENDING");
    let day = row["createdAt"].as_str().unwrap()[..10].to_owned();
    let moment = row["createdAt"].as_str().unwrap();
    let many = async |query: String| {
        let rows = read(&shop, &grace, &format!("{HISTORY}?{query}")).await;
        rows.as_array().unwrap().len()
    };
    for (query, rows) in [
        (format!("from={day}&to={day}"), 1),
        (format!("from={moment}"), 1),
        (format!("to={moment}"), 0),
        ("from=2200-01-01".to_owned(), 0),
        ("to=2000-01-01T00:00:00Z".to_owned(), 0),
        ("from=1970-01-01T00:00:00%2B02:00".to_owned(), 1),
        ("to=9999-12-31".to_owned(), 1),
    ] {
        assert_eq!(many(query.clone()).await, rows, "{query}");
    }
}

#[actix_web::test]
async fn times_that_are_none_are_refused_by_name() {
    let shop = Shop::open().await;
    let grace = shop.developer("grace").await;
    let bad = [
        "yesterday",
        "2026-13-01",
        "2026-02-30",
        "2026-1-1",
        "21.11.2026",
        "2026-11-21T25:00:00Z",
        "2026-11-21T08:00:00",
        "1795250000",
        "2026-11-21T08:00:00+02:00",
    ];
    for text in bad {
        let query = format!("{HISTORY}?from={text}&to={text}&limit=0");
        let reply = shop.get(query).token(&grace).await;
        reply.assert_faults(&[("/from", "format"), ("/limit", "range"), ("/to", "format")]);
    }
    let turned = format!("{HISTORY}?from=2026-11-22&to=2026-11-20");
    let reply = shop.get(turned).token(&grace).await;
    reply.assert_faults(&[("/from", "range")]);
}

#[actix_web::test]
async fn analytics_have_a_row_for_each_day_and_no_gaps() {
    let (shop, _, _) = busy().await;
    shop.clock.advance(Duration::days(2));
    let (ada, grace) = (
        shop.fresh_token_of(Realm::Consumers, "ada"),
        shop.fresh_token("grace"),
    );
    shop.gpu.will(Fate::Fail("out of memory".to_owned()));
    shop.finished(&ada, "anime").await;
    let cancelled = shop.started(&ada, "anime").await;
    let cancel = shop.post(format!("{}/cancel", crate::support::run_place(&cancelled)));
    cancel.token(&ada).await.assert(200, "");
    for (query, period, days) in [
        ("", "30d", 30),
        ("?period=7d", "7d", 7),
        ("?period=90d", "90d", 90),
        ("?period=365d", "365d", 365),
        ("?period=all", "all", 2),
    ] {
        let all = read(&shop, &grace, &format!("/api/studio/analytics{query}")).await;
        assert_eq!(all["period"], period);
        let daily = all["daily"].as_array().unwrap();
        assert_eq!(daily.len(), days, "{period}");
        let counts = ["runs", "completed", "failed", "cancelled"];
        assert_eq!(counts.map(|key| all[key].as_i64()), [3, 1, 1, 1].map(Some));
        assert_eq!(all["successRate"], 0.5);
        assert_eq!(all["earningsMillicredits"], 17_500);
        assert_eq!(all["grossCredits"], 25);
        let last = daily.last().unwrap();
        assert_eq!((&last["runs"], &last["earnings"]), (&json!(2), &json!(0)));
        assert_eq!(all["topModels"][0]["slug"], "anime");
        assert_eq!(all["topModels"][0]["runs"], 3);
        // The provider said 8,000 ms; a bucket is never more than 5 % beside it.
        for key in ["p50Ms", "p95Ms"] {
            let took = all[key].as_i64().unwrap();
            assert!((7_600..=8_400).contains(&took), "{key} {took}");
        }
    }
    let eve = shop.fresh_token("eve");
    let register = shop.post("/api/studio/auth/register").token(&eve);
    register.await.assert(201, "");
    let nothing = read(&shop, &eve, "/api/studio/analytics?period=7d").await;
    assert_eq!(nothing["successRate"], Value::Null);
    assert_eq!(nothing["p50Ms"], Value::Null);
    assert_eq!(nothing["daily"].as_array().unwrap().len(), 7);
}

#[actix_web::test]
async fn analytics_of_a_model_are_its_developers_only() {
    let (shop, grace, _) = busy().await;
    let models = read(&shop, &grace, "/api/studio/tars-models").await;
    let id = models[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/studio/analytics/models/{id}");
    let one = read(&shop, &grace, &path).await;
    assert_eq!(one["completed"], 1);
    let eve = shop.developer("eve").await;
    shop.get(&path).token(&eve).await.assert(404, "ERR_5500");
    for period in ["1d", "30D", "month", "-7d"] {
        for path in [&path, "/api/studio/analytics"] {
            let reply = shop.get(format!("{path}?period={period}")).token(&grace);
            reply.await.assert_faults(&[("/period", "enum")]);
        }
    }
}
