//! What administrators see of executions and do about them.

use serde_json::{Value, json};
use tarsify_engine::provider::SubmitAnswer;

use crate::support::{Fate, Reply, Shop, address, run_place, without_ids};

const ALL: &str = "/api/admin/executions";

fn ids(reply: &Reply) -> Vec<Value> {
    let data = reply.data();
    let items = data.as_array().unwrap().iter();
    items.map(|item| item["id"].clone()).collect()
}

#[actix_web::test]
async fn the_list_holds_what_was_asked_for() {
    let shop = Shop::open().await;
    let anime = shop.runnable("anime").await;
    let photo = shop.runnable("photo").await;
    let maker = shop.token(tarsify_domain::people::Realm::Developers, "maker-of-anime");
    let ada = shop.consumer("ada").await;
    let eve = shop.consumer("eve").await;
    let admin = shop.admin();
    let me = shop
        .get("/api/marketplace/auth/me")
        .token(&ada)
        .await
        .data();
    let done = shop.finished(&ada, "anime").await;
    let step = || shop.clock.advance(time::Duration::milliseconds(1));
    step();
    let waits = shop.started(&ada, "photo").await;
    step();
    let hers = shop.started(&eve, "anime").await;
    step();
    let test = shop.post(format!("{}/test-run", address(&anime)));
    let test = test
        .token(&maker)
        .json(&json!({ "inputs": { "prompt": "x" } }));
    let test = test.await.assert(202, "").data()["jobId"].clone();
    let (consumer, anime) = (me["id"].as_str().unwrap(), anime["id"].as_str().unwrap());
    let photo = photo["id"].as_str().unwrap();
    for (query, expected) in [
        (String::new(), vec![&test, &hers, &waits, &done]),
        ("status=PENDING".to_owned(), vec![&test, &hers, &waits]),
        (format!("consumer={consumer}"), vec![&waits, &done]),
        (format!("model={anime}"), vec![&test, &hers, &done]),
        (format!("model={photo}&consumer={consumer}"), vec![&waits]),
        ("kind=TEST_RUN".to_owned(), vec![&test]),
        ("kind=RUN&status=COMPLETED".to_owned(), vec![&done]),
        (format!("consumer={anime}"), vec![]),
        ("limit=1&page=2".to_owned(), vec![&hers]),
    ] {
        let list = shop.get(format!("{ALL}?{query}")).token(&admin).await;
        assert_eq!(ids(&list).iter().collect::<Vec<_>>(), expected, "{query}");
    }
    let whole = shop.get(ALL).token(&admin).await.data();
    assert_eq!(
        (&whole[0]["kind"], &whole[0]["consumerId"]),
        (&json!("TEST_RUN"), &Value::Null)
    );
    assert_eq!(whole[0]["testerId"], whole[0]["testerId"].as_str().unwrap());
    assert_eq!(
        (&whole[3]["kind"], &whole[3]["testerId"]),
        (&json!("RUN"), &Value::Null)
    );
    assert_eq!(whole[3]["consumerId"], me["id"]);
    assert!(whole[0].get("inputPayload").is_none());
}

#[actix_web::test]
async fn the_report_tells_what_workers_know() {
    let shop = Shop::open().await;
    shop.runnable("anime").await;
    let ada = shop.consumer("ada").await;
    let admin = shop.admin();
    shop.gpu.will(Fate::Wait);
    let id = shop.started(&ada, "anime").await;
    let place = format!("{ALL}/{}", id.as_str().unwrap());
    let report = async || shop.get(&place).token(&admin).await.data();
    let fresh = report().await;
    assert_eq!(
        (&fresh["stage"], &fresh["status"]),
        (&json!("created"), &json!("PENDING"))
    );
    assert_eq!(fresh["attempts"], json!([]));
    assert_ne!(fresh["nextActionAt"], Value::Null);
    shop.submit().await;
    let sent = report().await;
    let attempt = &sent["attempts"][0];
    assert_eq!(sent["stage"], "queued");
    assert_eq!(
        (&attempt["number"], &attempt["state"]),
        (&json!(1), &json!("accepted"))
    );
    assert_eq!(
        (&attempt["jobId"], &attempt["missingSince"]),
        (&json!("job-1"), &Value::Null)
    );
    let said = &attempt["exchanges"][0];
    assert_eq!(
        (&said["operation"], &said["httpStatus"]),
        (&json!("run"), &json!(200))
    );
    assert_eq!(
        (&said["tookMs"], &said["said"]),
        (&json!(12), &json!("IN_QUEUE"))
    );
    assert_eq!(
        said["at"].as_str().unwrap().len(),
        "2026-01-05T10:00:00.123Z".len()
    );
    shop.gpu.will(Fate::Complete(json!("x")));
    shop.look().await;
    let ended = report().await;
    assert_eq!(
        (&ended["stage"], &ended["status"]),
        (&json!("ended"), &json!("COMPLETED"))
    );
    assert_eq!(
        (&ended["nextActionAt"], &ended["leaseUntil"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(ended["attempts"][0]["state"], "won");
    // It begins like what the consumer reads.
    let seen = shop.get(run_place(&id)).token(&ada).await.data();
    for (field, value) in seen.as_object().unwrap() {
        assert_eq!(&ended[field], value, "{field}");
    }
}

#[actix_web::test]
async fn what_waits_is_tried_again_at_once() {
    let shop = Shop::open().await;
    shop.runnable("anime").await;
    let ada = shop.consumer("ada").await;
    let admin = shop.admin();
    shop.gpu.answers(SubmitAnswer::Undone {
        retry_after: Some(std::time::Duration::from_secs(50)),
    });
    let id = shop.started(&ada, "anime").await;
    shop.submit().await;
    shop.submit().await;
    assert_eq!(shop.gpu.asked().len(), 1, "it does not wait");
    let retry = || {
        let place = format!("{ALL}/{}/retry", id.as_str().unwrap());
        shop.post(place).token(&admin)
    };
    let tried = retry().await.assert(200, "").data();
    assert_eq!((&tried["id"], &tried["kind"]), (&id, &json!("RUN")));
    shop.submit().await;
    assert_eq!(shop.gpu.asked().len(), 2);
    let cancel = shop.post(format!("{ALL}/{}/cancel", id.as_str().unwrap()));
    let cancelled = cancel.token(&admin).await.assert(200, "").data();
    assert_eq!(cancelled["status"], "CANCELLED");
    let too_late = retry().await;
    too_late.assert(409, "ERR_1006");
    let message = too_late.json()["error"]["message"].clone();
    let message = message.as_str().unwrap();
    assert!(
        message.contains("CANCELLED") && message.contains("new run"),
        "{message}"
    );
}

#[actix_web::test]
async fn absent_and_ended_executions_have_their_codes() {
    let shop = Shop::open().await;
    shop.runnable("anime").await;
    let ada = shop.consumer("ada").await;
    let admin = shop.admin();
    let done = shop.finished(&ada, "anime").await;
    let done = done.as_str().unwrap();
    let absent = without_ids(&format!("{ALL}/{{id}}"));
    shop.get(&absent)
        .token(&admin)
        .await
        .assert(404, "ERR_6103");
    for (way, code) in [("retry", "ERR_1006"), ("cancel", "ERR_6105")] {
        let post = |place: String| shop.post(format!("{place}/{way}")).token(&admin);
        post(absent.clone()).await.assert(404, "ERR_6103");
        post(format!("{ALL}/{done}")).await.assert(409, code);
        let bad = post(format!("{ALL}/x")).await;
        bad.assert_faults(&[("/id", "format")]);
        let text = post(format!("{ALL}/{done}")).raw("x").await;
        text.assert(415, "ERR_1010");
    }
}
