//! What the provider calls: a good token is thanked whatever comes with it, anything else finds
//! nothing, and no body is believed.

use actix_web::http::Method;
use serde_json::{Value, json};
use tarsify_engine::provider::SubmitAnswer;

use crate::support::{Ask, Fate, Reply, Shop, run_place, without_ids};

/// A run at the provider, with the address of its callback.
async fn sent(shop: &Shop) -> (String, String, String) {
    shop.runnable("anime").await;
    let token = shop.consumer("ada").await;
    let place = run_place(&shop.started(&token, "anime").await);
    shop.submit().await;
    (token, place, shop.callback())
}

fn assert_thanked(reply: &Reply, why: &str) {
    assert_eq!(
        (reply.status, reply.body.len()),
        (200, 0),
        "{why}: {}",
        reply.text()
    );
    assert_eq!(reply.header("content-type"), "", "{why}");
}

#[actix_web::test]
async fn a_callback_makes_us_look_at_once() {
    let shop = Shop::open().await;
    let (token, place, callback) = sent(&shop).await;
    shop.services.engine.look_due().await.unwrap();
    assert_eq!(shop.gpu.looks(), 0);
    let lie = json!({ "id": "job-1", "status": "FAILED", "error": "a lie" });
    let reply = shop.post(&callback).json(&lie).await;
    assert_thanked(&reply, "good");
    shop.services.engine.look_due().await.unwrap();
    assert_eq!(shop.gpu.looks(), 1);
    let run = shop.get(&place).token(&token).await.data();
    assert_eq!(run["status"], "COMPLETED", "the body was believed");
    // It may come as often as it likes, also when all is over.
    for _ in 0..3 {
        assert_thanked(&shop.post(&callback).json(&lie).await, "late");
    }
    shop.look().await;
    let after = shop.get(&place).token(&token).await.data();
    assert_eq!(after, run);
    assert_eq!(shop.gpu.looks(), 1);
}

#[actix_web::test]
async fn whatever_comes_with_a_good_token_is_thanked() {
    let shop = Shop::open().await;
    let (token, place, callback) = sent(&shop).await;
    shop.gpu.will(Fate::Stall);
    let bodies: [&[u8]; 12] = [
        b"",
        b"{",
        b"null",
        b"[]",
        b"[\"job-1\"]",
        b"\"job-1\"",
        b"{\"id\":7}",
        b"{\"id\":\"a\",\"id\":\"b\"}",
        b"{\"id\":\"../../etc\"}",
        b"\xff\xfe\x00",
        b"<html>502</html>",
        b"{\"output\":\"\\ud800\"}",
    ];
    let deep = format!("{{\"id\":{}1{}}}", "[".repeat(9_000), "]".repeat(9_000));
    let bodies = bodies.iter().map(|body| body.to_vec());
    for body in bodies.chain([deep.into_bytes()]) {
        let why = String::from_utf8_lossy(&body)
            .chars()
            .take(40)
            .collect::<String>();
        let ask = || shop.post(&callback);
        assert_thanked(&ask().raw(body.clone()).await, &why);
        assert_thanked(&ask().bytes(body.clone()).await, &why);
        let form = ask().header("content-type", "application/x-www-form-urlencoded");
        assert_thanked(&form.raw(body.clone()).await, &why);
        let coded = ask().header("content-encoding", "gzip").raw(body.clone());
        assert_thanked(&coded.await, &why);
        assert_thanked(&ask().chunked(body).token("garbage").await, &why);
    }
    let run = shop.get(&place).token(&token).await.data();
    assert_eq!(run["status"], "QUEUED");
    shop.look().await;
    let run = shop.get(&place).token(&token).await.data();
    assert_eq!(run["status"], "RUNNING");
}

#[actix_web::test]
async fn a_huge_body_is_thanked_and_forgotten() {
    let shop = Shop::open().await;
    shop.gpu.answers(SubmitAnswer::Lost);
    let (_, _, callback) = sent(&shop).await;
    // Its id stands first, and is not taken from what is too large to be read.
    let mut body = b"{\"id\":\"job-77\",\"output\":\"".to_vec();
    body.resize(25_000_001, b'x');
    body.extend_from_slice(b"\"}");
    assert_thanked(&shop.post(&callback).bytes(body).await, "huge");
    shop.gpu.will(Fate::Complete(json!(1)));
    shop.look().await;
    assert_eq!(shop.gpu.looks(), 0, "a job was adopted");
    let mut body = b"{\"output\":\"".to_vec();
    body.resize(24_000_000, b'x');
    body.extend_from_slice(b"\",\"id\":\"job-1\"}");
    assert_thanked(&shop.post(&callback).bytes(body).await, "large");
    shop.look().await;
    assert_eq!(shop.gpu.looks(), 1, "the job's id was not found");
}

#[actix_web::test]
async fn a_callback_finds_the_job_of_a_lost_answer() {
    let shop = Shop::open().await;
    shop.gpu.answers(SubmitAnswer::Lost);
    let (token, place, callback) = sent(&shop).await;
    shop.services.engine.look_due().await.unwrap();
    assert_eq!(shop.gpu.looks(), 0);
    let news = json!({ "output": { "id": "decoy" }, "id": "job-1", "status": "COMPLETED" });
    assert_thanked(&shop.post(&callback).json(&news).await, "lost");
    // Whoever comes second does not change it.
    let other = json!({ "id": "job-2" });
    assert_thanked(&shop.post(&callback).json(&other).await, "second");
    shop.services.engine.look_due().await.unwrap();
    let run = shop.get(&place).token(&token).await.data();
    assert_eq!(run["status"], "COMPLETED");
    let id = run["id"].as_str().unwrap();
    let report = shop.get(format!("/api/admin/executions/{id}"));
    let report = report.token(&shop.admin()).await.data();
    assert_eq!(report["attempts"][0]["jobId"], "job-1");
}

fn same(ask: Ask<'_>) -> Ask<'_> {
    ask.header("x-request-id", "same")
}

/// The part of an answer that tells one from another.
fn bytes(reply: &Reply) -> (u16, Value, Vec<(String, String)>) {
    let mut headers: Vec<_> = reply
        .headers
        .iter()
        .filter(|(name, _)| name.as_str() != "date")
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    headers.sort();
    (reply.status, reply.json(), headers)
}

#[actix_web::test]
async fn a_wrong_address_looks_like_none() {
    let shop = Shop::open().await;
    let (_, _, callback) = sent(&shop).await;
    let (place, good) = callback.rsplit_once('/').unwrap();
    let (way, _) = place.rsplit_once('/').unwrap();
    let other = without_ids("{id}");
    let nil = uuid::Uuid::nil();
    let flipped = if good.starts_with('0') { "1" } else { "0" };
    let wrong = [
        format!("{place}/{flipped}{}", &good[1..]),
        format!("{place}/{}", &good[1..]),
        format!("{place}/{good}0"),
        format!("{place}/{}", good.to_uppercase()),
        format!("{place}/x"),
        format!("{place}/%00"),
        format!("{place}/{}", "a".repeat(5_000)),
        format!("{way}/{other}/{good}"),
        format!("{way}/{nil}/{good}"),
        format!("{way}/no-id/{good}"),
        format!("{way}/%ff/{good}"),
        format!("{way}//{good}"),
        format!("{place}/"),
        place.to_owned(),
    ];
    let news = json!({ "id": "job-1" });
    let nowhere = same(shop.post("/nowhere")).json(&news).await;
    nowhere.assert(404, "ERR_1002");
    for address in wrong {
        let reply = same(shop.post(&address)).json(&news).await;
        assert_eq!(bytes(&reply), bytes(&nowhere), "{address}");
    }
    shop.services.engine.look_due().await.unwrap();
    assert_eq!(shop.gpu.looks(), 0, "a wrong token had the provider asked");
    let get = shop.ask(Method::GET, &callback).await;
    get.assert(405, "ERR_1003");
    assert_eq!(get.header("allow"), "POST");
}

#[actix_web::test]
async fn the_provider_repeats_while_the_store_is_out() {
    let shop = Shop::open().await;
    let (_, _, callback) = sent(&shop).await;
    shop.runs.start_outage();
    let news = json!({ "id": "job-1" });
    let reply = shop.post(&callback).json(&news).await;
    reply.assert(503, "ERR_1005");
    shop.runs.end_outage();
    assert_thanked(&shop.post(&callback).json(&news).await, "again");
}
