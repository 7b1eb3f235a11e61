//! Money through the real binary: buying, paying for runs, earning, being paid out, and checking
//! that all of it adds up.

use serde_json::{Value, json};

use crate::support::{Server, Workshop, accepted, get, post, until};

/// A market in which nobody has anything to begin with, and earnings need not wait.
async fn bare() -> Workshop {
    Workshop::with(&[
        ("WELCOME_CREDITS", "0"),
        ("TARSIFY__MONEY__MATURE_AFTER_SECONDS", "0"),
        ("TARSIFY__MONEY__MINIMUM_PAYOUT_CREDITS", "300"),
    ])
    .await
}

async fn wallet(workshop: &Workshop, server: &Server) -> Value {
    let ask = get("/api/marketplace/credits").by(&workshop.consumer);
    server.send(ask).await.assert_ok(200).data().clone()
}

async fn earnings(workshop: &Workshop, server: &Server) -> Value {
    let ask = get("/api/studio/earnings").by(&workshop.developer);
    server.send(ask).await.assert_ok(200).data().clone()
}

/// Does on a page what a person does there.
async fn press(url: &str, form: &str) -> String {
    let caller = reqwest::Client::builder().no_proxy().build().unwrap();
    let page = caller.get(url).send().await.unwrap();
    assert_eq!(page.status(), 200, "{url}");
    assert!(page.text().await.unwrap().contains("<form"), "{url}");
    let answer = caller
        .post(url)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form.to_owned());
    let answer = answer.send().await.unwrap();
    assert_eq!(answer.status(), 200, "{url}");
    answer.text().await.unwrap()
}

/// Buys and pays with the test card.
async fn buy(workshop: &Workshop, server: &Server, cents: u32) -> String {
    let purchase = post("/api/marketplace/credits/purchase")
        .by(&workshop.consumer)
        .json(json!({"amountCents": cents}));
    let purchase = server.send(purchase).await.assert_ok(201);
    assert_eq!(purchase.data()["status"], "PENDING");
    let page = purchase.data()["checkoutUrl"].as_str().unwrap();
    assert!(page.starts_with(&server.url()), "{page}");
    press(page, "outcome=pay").await;
    purchase.id()
}

#[tokio::test]
async fn from_the_card_to_the_developers_account() {
    let workshop = bare().await;
    let server = workshop.serve("all").await;
    assert_eq!(wallet(&workshop, &server).await["balance"], 0);
    let refused = server.send(workshop.run("echo")).await;
    let refused = refused.assert_failed(402, "ERR_3002");
    let details = &refused.body["error"]["details"];
    assert_eq!(
        *details,
        json!({"required": 5, "available": 0, "shortfall": 5})
    );
    assert_eq!(workshop.executions("true"), 0);

    let purchase = buy(&workshop, &server, 500).await;
    let bought = get(format!("/api/marketplace/credits/purchases/{purchase}"));
    let bought = server.send(bought.by(&workshop.consumer)).await;
    assert_eq!(bought.assert_ok(200).data()["status"], "PAID");
    assert_eq!(wallet(&workshop, &server).await["available"], 500);

    let mut run = String::new();
    for _ in 0..99 {
        run = accepted(server.send(workshop.run("echo")).await);
    }
    let done = workshop.ended(&server, &run).await;
    assert_eq!(
        (&done["status"], &done["chargedCredits"]),
        (&json!("COMPLETED"), &json!(5))
    );
    workshop.all_ended().await;
    let left = wallet(&workshop, &server).await;
    assert_eq!((&left["balance"], &left["held"]), (&json!(5), &json!(0)));
    assert_eq!(left["lifetimeSpent"], 495);
    let receipt = get(format!("/api/marketplace/runs/{run}/receipt")).by(&workshop.consumer);
    let receipt = server.send(receipt).await.assert_ok(200);
    assert_eq!(receipt.data()["paidCredits"], 5);

    // 70 % of 495 credits, which are no whole number.
    until("the earnings have matured", async || {
        earnings(&workshop, &server).await["availableMillicredits"] == 346_500
    })
    .await;
    let told = earnings(&workshop, &server).await;
    assert_eq!(told["totalEarnings"], 346);
    assert_eq!(told["thisMonth"]["grossMillicredits"], 495_000);
    let request = |amount: u32| {
        post("/api/studio/payouts/request")
            .by(&workshop.developer)
            .json(json!({"amount": amount}))
    };
    server
        .send(request(300))
        .await
        .assert_failed(403, "ERR_4002");
    let connect = post("/api/studio/payouts/connect-stripe")
        .by(&workshop.developer)
        .json(json!({"returnUrl": "https://studio.example/ok", "refreshUrl": "https://studio.example/again"}));
    let link = server.send(connect).await.assert_ok(200);
    press(link.data()["onboardingUrl"].as_str().unwrap(), "").await;
    server
        .send(request(299))
        .await
        .assert_failed(409, "ERR_7003");
    server
        .send(request(347))
        .await
        .assert_failed(402, "ERR_3002");
    server.send(request(300)).await.assert_ok(201);
    until("the payout has arrived", async || {
        earnings(&workshop, &server).await["paidOut"] == 300
    })
    .await;
    let left = earnings(&workshop, &server).await;
    assert_eq!(
        (&left["inPayout"], &left["availableMillicredits"]),
        (&json!(0), &json!(46_500))
    );

    let verify = get("/api/admin/ledger/verify").by(&workshop.admin);
    let verified = server.send(verify).await.assert_ok(200);
    assert_eq!(verified.data()["sound"], true);
    workshop.assert_sound();
}

#[tokio::test]
async fn what_does_not_work_costs_nothing() {
    let workshop = bare().await;
    let server = workshop.serve("all").await;
    buy(&workshop, &server, 500).await;
    let failing = json!({"faults": [{"when": "output", "kind": "failed"}]});
    workshop.gpus.behave("echo", failing).await;
    let run = workshop.submit(&server, "echo").await;
    let failed = workshop.ended(&server, &run).await;
    assert_eq!(
        (&failed["status"], &failed["chargedCredits"]),
        (&json!("FAILED"), &json!(0))
    );
    let left = wallet(&workshop, &server).await;
    assert_eq!(
        (&left["available"], &left["held"]),
        (&json!(500), &json!(0))
    );
    workshop.assert_sound();
}

#[tokio::test]
async fn a_test_card_that_is_declined_or_left_buys_nothing() {
    let workshop = bare().await;
    let server = workshop.serve("all").await;
    for (outcome, status) in [("decline", "FAILED"), ("expire", "EXPIRED")] {
        let purchase = post("/api/marketplace/credits/purchase")
            .by(&workshop.consumer)
            .json(json!({"amountCents": 700}));
        let purchase = server.send(purchase).await.assert_ok(201);
        let page = purchase.data()["checkoutUrl"].as_str().unwrap();
        press(page, &format!("outcome={outcome}")).await;
        let shown = get(format!(
            "/api/marketplace/credits/purchases/{}",
            purchase.id()
        ));
        let shown = server.send(shown.by(&workshop.consumer)).await;
        assert_eq!(shown.assert_ok(200).data()["status"], status);
    }
    assert_eq!(wallet(&workshop, &server).await["balance"], 0);
    workshop.assert_sound();
}

#[tokio::test]
async fn a_ledger_that_is_wrong_is_found_by_the_command_the_route_and_the_doctor() {
    let workshop = bare().await;
    let server = workshop.serve("all").await;
    buy(&workshop, &server, 500).await;
    let said = workshop.place.run(&["ledger", "verify"]).await;
    let said = said.assert_code(0);
    assert!(said.out.contains("The money is right"), "{said:#?}");

    workshop
        .store
        .sql("UPDATE ledger_accounts SET balance = balance + 1 WHERE kind = 'consumer_available'");
    let said = workshop.place.run(&["ledger", "verify"]).await;
    let said = said.assert_code(1);
    for named in ["replay", "consumer_available of ", "500001", "500000"] {
        assert!(said.out.contains(named), "{named}: {said:#?}");
    }
    let said = workshop.place.run(&["ledger", "verify", "--json"]).await;
    let report: Value = serde_json::from_str(&said.assert_code(1).out).unwrap();
    assert_eq!(report["sound"], false);
    let verify = get("/api/admin/ledger/verify").by(&workshop.admin);
    let told = server.send(verify).await.assert_ok(200);
    assert_eq!(told.data()["faultsTotal"], report["faultsTotal"]);
    let said = workshop.place.run(&["doctor"]).await.assert_code(1);
    assert!(said.out.contains("tarsify ledger verify"), "{said:#?}");
}

#[tokio::test]
async fn without_a_provider_production_sells_nothing() {
    let firebase = crate::support::Firebase::start().await;
    let store = crate::support::Store::migrated().await;
    let place = crate::support::Place::in_production(&store, &firebase);
    let server = place.serve().await;
    let packages = server.send(get("/api/marketplace/credits/packages")).await;
    let packages = packages.assert_ok(200);
    assert_eq!(packages.data()["packages"].as_array().unwrap().len(), 5);
    let webhook = post("/api/webhooks/stripe").json(json!({}));
    server.send(webhook).await.assert_failed(503, "ERR_1005");
    let page = get("/local/checkout/019d0000-0000-7000-8000-000000000500");
    server.send(page).await.assert_failed(404, "ERR_1002");
}
