//! What administrators do with credits, and the check of the ledger.

use serde_json::{Value, json};
use tarsify_domain::ledger::LedgerFault;

use crate::support::{Ask, Fate, Shop, run_place, without_ids};

fn adjust<'a>(shop: &'a Shop, consumer: impl std::fmt::Display, body: &Value) -> Ask<'a> {
    let path = format!("/api/admin/consumers/{consumer}/credits");
    shop.post(path).token(&shop.admin()).json(body)
}

fn refund<'a>(shop: &'a Shop, run: &Value, body: &Value) -> Ask<'a> {
    let path = format!("/api/admin/executions/{}/refund", run.as_str().unwrap());
    shop.post(path).token(&shop.admin()).json(body)
}

#[actix_web::test]
async fn credits_are_given_and_taken_with_a_reason() {
    let shop = Shop::open().await;
    let token = shop.consumer("ada").await;
    let id = shop.consumer_id(&token).await;
    let give = json!({ "amount": 500, "reason": "  Made good. " });
    let keyed = || adjust(&shop, id, &give).header("idempotency-key", "one");
    let given = keyed().await;
    let data = given.assert(201, "").data();
    assert_eq!(data["consumerId"], json!(id.to_string()));
    assert_eq!(
        (&data["balance"], &data["available"]),
        (&json!(1_500), &json!(1_500))
    );
    assert_eq!(keyed().await.header("idempotency-replayed"), "true");
    let take = json!({ "amount": -1_500, "reason": "A mistake." });
    let taken = adjust(&shop, id, &take).await;
    assert_eq!(taken.assert(201, "").data()["balance"], 0);
    let more = json!({ "amount": -1, "reason": "Too much." });
    let more = adjust(&shop, id, &more).await;
    more.assert(402, "ERR_3002");
    let details = &more.json()["error"]["details"];
    assert_eq!(
        *details,
        json!({ "required": 1, "available": 0, "shortfall": 1 })
    );
    let absent = without_ids("{id}");
    let absent = adjust(&shop, absent, &give).await;
    absent.assert(404, "ERR_3000");
    assert!(!absent.text().contains("register first"));
    let audit = shop.treasury.audit();
    assert_eq!(audit.len(), 2);
    assert_eq!(audit[0].reason.as_ref().unwrap().as_str(), "Made good.");
    assert!(audit.iter().all(|entry| entry.actor.subject == "root"));
}

#[actix_web::test]
async fn adjustments_that_are_none_are_refused_by_name() {
    let shop = Shop::open().await;
    let token = shop.consumer("ada").await;
    let id = shop.consumer_id(&token).await;
    let amounts = [
        (json!(0), "not"),
        (json!(1_000_000_001), "range"),
        (json!(-1_000_000_001), "range"),
        (json!(i64::MIN), "range"),
        (json!(0.5), "type"),
        (json!(1e30), "type"),
        (json!("500"), "type"),
        (json!(null), "required"),
    ];
    for (amount, code) in amounts {
        let body = json!({ "amount": amount, "reason": "x" });
        let reply = adjust(&shop, id, &body).await;
        reply.assert_faults(&[("/amount", code)]);
    }
    let reasons = [
        (json!("  "), "length"),
        (json!("x".repeat(1_001)), "length"),
        (json!(7), "type"),
        (json!(null), "required"),
    ];
    for (reason, code) in reasons {
        let body = json!({ "amount": 5, "reason": reason });
        let reply = adjust(&shop, id, &body).await;
        reply.assert_faults(&[("/reason", code)]);
    }
    let nobody = adjust(&shop, "x", &json!({ "amount": 5, "reason": "x" }));
    nobody.await.assert_faults(&[("/id", "format")]);
    assert_eq!(shop.credits(&token).await["balance"], 1_000);
}

#[actix_web::test]
async fn a_run_is_refunded_in_parts_and_never_more_than_it_cost() {
    let shop = Shop::open().await;
    shop.runnable("anime").await;
    let token = shop.consumer("ada").await;
    let run = shop.finished(&token, "anime").await;
    let part = json!({ "amount": 10, "reason": "Half black." });
    let first = refund(&shop, &run, &part).await;
    let data = first.assert(201, "").data();
    assert_eq!(data["executionId"], run);
    assert_eq!(data["fromDeveloperMillicredits"], 7_000);
    let more = json!({ "amount": 16, "reason": "More." });
    let more = refund(&shop, &run, &more).await;
    more.assert(409, "ERR_1006");
    assert_eq!(more.json()["error"]["details"], json!({ "refundable": 15 }));
    let rest = refund(&shop, &run, &json!({ "reason": "The rest." })).await;
    assert_eq!(rest.assert(201, "").data()["amount"], 15);
    let again = refund(&shop, &run, &json!({ "reason": "Again." })).await;
    again.assert(409, "ERR_1006");
    assert_eq!(shop.credits(&token).await["available"], 1_000);
    let path = format!("{}/receipt", run_place(&run));
    let receipt = shop.get(path).token(&token).await.data();
    assert_eq!(receipt["refundedCredits"], 25);
    assert_eq!(receipt["paidCredits"], 0);
    assert_eq!(receipt["holdStatus"], "CAPTURED");
}

#[actix_web::test]
async fn what_was_not_paid_is_not_refunded() {
    let shop = Shop::open().await;
    shop.runnable("anime").await;
    let token = shop.consumer("ada").await;
    let body = json!({ "reason": "x" });
    shop.gpu.will(Fate::Fail("out of memory".to_owned()));
    let failed = shop.finished(&token, "anime").await;
    let open = shop.started(&token, "anime").await;
    for run in [failed, open] {
        let reply = refund(&shop, &run, &body).await;
        reply.assert(409, "ERR_1006");
        assert_eq!(reply.json()["error"]["details"]["refundable"], 0);
    }
    let absent = refund(&shop, &json!(without_ids("{id}")), &body).await;
    absent.assert(404, "ERR_6103");
    let run = shop.started(&token, "anime").await;
    for (amount, code) in [
        (json!(0), "range"),
        (json!(-1), "range"),
        (json!(1_000_001), "range"),
        (json!(0.1), "type"),
        (json!("10"), "type"),
    ] {
        let body = json!({ "amount": amount, "reason": "x" });
        let reply = refund(&shop, &run, &body).await;
        reply.assert_faults(&[("/amount", code)]);
    }
}

#[actix_web::test]
async fn a_check_of_the_ledger_names_what_is_wrong() {
    let shop = Shop::open().await;
    let admin = shop.admin();
    let check = async || {
        let check = shop.get("/api/admin/ledger/verify").token(&admin).await;
        check.assert(200, "").data()
    };
    let sound = check().await;
    assert_eq!(sound["sound"], true);
    assert_eq!(sound["faults"], json!([]));
    shop.treasury.plant_fault(LedgerFault {
        rule: "sum".to_owned(),
        subject: "all accounts".to_owned(),
        detail: "come to 1".to_owned(),
    });
    let broken = check().await;
    assert_eq!(broken["sound"], false);
    assert_eq!(broken["faultsTotal"], 1);
    let fault = json!({ "rule": "sum", "subject": "all accounts", "detail": "come to 1" });
    assert_eq!(broken["faults"], json!([fault]));
}
