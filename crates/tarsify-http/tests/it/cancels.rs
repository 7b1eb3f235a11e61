//! Cancelling runs: before anybody knows of them, at the provider, and too late.

use serde_json::{Value, json};

use crate::support::{Fate, Shop, run_place};

#[actix_web::test]
async fn a_run_that_no_provider_knows_of_ends_at_once() {
    let shop = Shop::open().await;
    shop.runnable("anime").await;
    let token = shop.consumer("ada").await;
    let place = run_place(&shop.started(&token, "anime").await);
    let reply = shop.post(format!("{place}/cancel")).token(&token).await;
    let cancelled = reply.assert(200, "").data();
    assert_eq!(cancelled["status"], "CANCELLED");
    assert_eq!(
        cancelled["message"],
        "The run was cancelled. Nothing was charged."
    );
    assert_eq!(cancelled["errorCode"], Value::Null);
    shop.work().await;
    assert!(shop.gpu.asked().is_empty(), "it was run all the same");
    let run = shop.get(&place).token(&token).await.data();
    assert_eq!(run["statusReason"], "cancelled_by_caller");
    let again = shop.post(format!("{place}/cancel")).token(&token);
    again.await.assert(409, "ERR_6105");
}

#[actix_web::test]
async fn a_run_at_the_provider_is_called_off_there() {
    let shop = Shop::open().await;
    shop.runnable("anime").await;
    let token = shop.consumer("ada").await;
    shop.gpu.will(Fate::Stall);
    let id = shop.started(&token, "anime").await;
    shop.work().await;
    let place = format!("/api/consumer/executions/{}", id.as_str().unwrap());
    let ask = shop.post(format!("{place}/cancel")).token(&token);
    let looking = async {
        while shop.gpu.stops() == 0 {
            tokio::task::yield_now().await;
            shop.services.engine.look_due().await.unwrap();
        }
    };
    let (reply, ()) = tokio::join!(std::future::IntoFuture::into_future(ask), looking);
    assert_eq!(reply.assert(200, "").data()["status"], "CANCELLED");
}

#[actix_web::test]
async fn whoever_cancels_is_not_kept_waiting_for_the_provider() {
    let shop = Shop::open().await;
    shop.runnable("anime").await;
    let token = shop.consumer("ada").await;
    shop.gpu.will(Fate::Stall);
    let place = run_place(&shop.started(&token, "anime").await);
    shop.work().await;
    // Nobody works.
    let reply = shop.post(format!("{place}/cancel")).token(&token).await;
    let cancelled = reply.assert(200, "").data();
    assert_eq!(cancelled["status"], "RUNNING");
    assert!(
        cancelled["message"]
            .as_str()
            .unwrap()
            .contains("is being cancelled")
    );
}

#[actix_web::test]
async fn a_run_that_ends_by_itself_while_it_is_cancelled_says_so() {
    let shop = Shop::open().await;
    shop.runnable("anime").await;
    let token = shop.consumer("ada").await;
    shop.gpu.will(Fate::Stall);
    let place = run_place(&shop.started(&token, "anime").await);
    shop.work().await;
    shop.gpu.will(Fate::Complete(json!("just in time")));
    shop.gpu.has_ended();
    let ask = shop.post(format!("{place}/cancel")).token(&token);
    let looking = async {
        while shop.gpu.stops() == 0 {
            tokio::task::yield_now().await;
            shop.services.engine.look_due().await.unwrap();
        }
    };
    let (reply, ()) = tokio::join!(std::future::IntoFuture::into_future(ask), looking);
    let run = reply.assert(200, "").data();
    assert_eq!(run["status"], "COMPLETED");
    assert_eq!(run["outputPayload"], "just in time");
    assert!(
        run["message"]
            .as_str()
            .unwrap()
            .contains("before it could be cancelled")
    );
}

#[actix_web::test]
async fn a_body_that_could_not_be_one_cancels_nothing() {
    let shop = Shop::open().await;
    shop.runnable("anime").await;
    let token = shop.consumer("ada").await;
    let place = run_place(&shop.started(&token, "anime").await);
    let cancel = || shop.post(format!("{place}/cancel")).token(&token);
    cancel().raw("now").await.assert(415, "ERR_1010");
    cancel().bytes("{").await.assert(400, "ERR_1001");
    let run = shop.get(&place).token(&token).await;
    assert_eq!(run.data()["status"], "PENDING");
    cancel().bytes("{}").await.assert(200, "");
}
