//! A run as its people meet it: the consumer's click and result, his change of mind, the
//! developer's trial, and the administrator's view.

use serde_json::json;

use crate::support::{Workshop, accepted, get, post, until};

#[tokio::test]
async fn a_consumer_browses_runs_and_has_the_result_in_one_call() {
    let mut workshop = Workshop::open().await;
    let server = workshop.serve_with_callbacks("all").await;
    let page = server.send(get("/api/marketplace/models")).await;
    assert_eq!(page.assert_ok(200).data()[0]["slug"], "echo");

    let run = workshop.run("echo").header("prefer", "wait=30");
    let answer = server.send(run).await.assert_ok(200);
    assert_eq!(answer.header("preference-applied"), Some("wait=30"));
    let run = answer.data();
    assert_eq!(run["status"], "COMPLETED", "{run}");
    let typed = json!({"prompt": "a lighthouse at dusk"});
    assert_eq!(
        (&run["inputPayload"], &run["outputPayload"]),
        (&typed, &typed)
    );
    assert_eq!(workshop.gpus.count("echo", "run").await, 1);

    let id = run["id"].as_str().unwrap();
    let again = get(format!("/api/marketplace/runs/{id}")).by(&workshop.consumer);
    let again = server.send(again).await.assert_ok(200);
    assert_eq!(again.data(), run);
    let list = get("/api/consumer/executions?status=COMPLETED").by(&workshop.consumer);
    let list = server.send(list).await.assert_ok(200);
    assert_eq!(list.data()[0]["id"], id);
    assert!(list.data()[0].get("outputPayload").is_none(), "{list:#?}");
    workshop.assert_sound();
}

#[tokio::test]
async fn without_callbacks_the_provider_is_asked_until_it_is_done() {
    let workshop = Workshop::open().await;
    let server = workshop.serve("all").await;
    workshop.gpus.behave("echo", json!({"runMs": 1_500})).await;
    let run = workshop.submit(&server, "echo").await;
    let ended = workshop.ended(&server, &run).await;
    assert_eq!(ended["status"], "COMPLETED", "{ended}");
    let counts = workshop.gpus.counts("echo").await;
    assert!(counts.get("webhookTries").is_none(), "{counts}");
    let asked = counts["status"].as_u64().unwrap();
    assert!((1..=4).contains(&asked), "{counts}");
}

#[tokio::test]
async fn what_works_for_too_long_is_called_off_once() {
    let workshop = Workshop::open().await;
    let server = workshop.serve("all").await;
    workshop
        .gpus
        .behave("echo", json!({"runMs": 600_000}))
        .await;
    let run = workshop.submit(&server, "echo").await;
    until("it is at work", async || {
        let status = server.send(workshop.status(&run)).await;
        status.assert_ok(200).data()["status"] == "RUNNING"
    })
    .await;
    let cancel = post(format!("/api/marketplace/runs/{run}/cancel")).by(&workshop.consumer);
    let answer = server.send(cancel.clone()).await.assert_ok(200);
    assert_eq!(answer.data()["status"], "CANCELLED", "{answer:#?}");
    let again = server.send(cancel).await;
    again.assert_failed(409, "ERR_6105");
    let counts = workshop.gpus.counts("echo").await;
    assert_eq!((&counts["run"], &counts["cancel"]), (&json!(1), &json!(1)));
    workshop.assert_sound();
}

#[tokio::test]
async fn what_was_called_off_before_it_began_never_runs() {
    let workshop = Workshop::open().await;
    let api = workshop.serve("api").await;
    let run = workshop.submit(&api, "echo").await;
    let cancel = post(format!("/api/marketplace/runs/{run}/cancel")).by(&workshop.consumer);
    let answer = api.send(cancel).await.assert_ok(200);
    assert_eq!(answer.data()["status"], "CANCELLED");

    let _worker = workshop.serve("worker").await;
    let next = workshop.submit(&api, "echo").await;
    workshop.ended(&api, &next).await;
    assert_eq!(workshop.gpus.count("echo", "run").await, 1);
    workshop.assert_sound();
}

#[tokio::test]
async fn a_developer_tries_a_model_before_anybody_sees_it() {
    let mut workshop = Workshop::with(&[("TARSIFY__EXECUTIONS__DAILY_TEST_RUNS", "1")]).await;
    let server = workshop.serve_with_callbacks("all").await;
    let base = get("/api/studio/base-models").by(&workshop.developer);
    let base = server.send(base).await.assert_ok(200);
    let draft = post("/api/studio/tars-models").by(&workshop.developer);
    let draft = draft.json(json!({
        "baseModelId": base.data()[0]["id"], "title": "A Draft", "slug": "draft",
        "configOverrides": {"promptPrefix": "in the manner of a woodcut, "},
    }));
    let model = server.send(draft).await.assert_ok(201).id();
    let trial = post(format!("/api/studio/tars-models/{model}/test-run"))
        .by(&workshop.developer)
        .json(json!({"inputs": {"prompt": "a fox"}}));
    let answer = server.send(trial.clone()).await.assert_ok(200);
    assert_eq!(answer.data()["status"], "COMPLETED", "{answer:#?}");
    let job = answer.data()["jobId"].as_str().unwrap();
    let again = get(format!("/api/studio/runs/{job}")).by(&workshop.developer);
    server.send(again).await.assert_ok(200);
    let foreign = get(format!("/api/marketplace/runs/{job}")).by(&workshop.consumer);
    let foreign = server.send(foreign).await;
    assert!(matches!(foreign.status, 403 | 404), "{foreign:#?}");

    let one_too_many = server.send(trial).await.assert_failed(429, "ERR_1004");
    assert!(
        one_too_many.header("retry-after").is_some(),
        "{one_too_many:#?}"
    );
}

#[tokio::test]
async fn an_administrator_sees_how_a_run_went() {
    let mut workshop = Workshop::open().await;
    let server = workshop.serve_with_callbacks("all").await;
    let faults = json!([{"when": "output", "kind": "traceback"}]);
    workshop
        .gpus
        .behave("echo", json!({"faults": faults}))
        .await;
    let run = workshop.submit(&server, "echo").await;
    let ended = workshop.ended(&server, &run).await;
    let told = (&ended["status"], &ended["errorCode"]);
    assert_eq!(told, (&json!("FAILED"), &json!("ERR_6001")), "{ended}");

    let list = get("/api/admin/executions?status=FAILED").by(&workshop.admin);
    let list = server.send(list).await.assert_ok(200);
    assert_eq!(list.data()[0]["id"], run.as_str());
    let view = get(format!("/api/admin/executions/{run}")).by(&workshop.admin);
    let view = server.send(view).await.assert_ok(200);
    let attempts = view.data()["attempts"].as_array().unwrap();
    assert_eq!(attempts.len(), 1, "{view:#?}");
    let not_his = get(format!("/api/admin/executions/{run}")).by(&workshop.developer);
    server.send(not_his).await.assert_failed(403, "ERR_2003");
    workshop.assert_sound();
}

#[tokio::test]
async fn bad_inputs_are_refused_before_anything_is_kept_or_sent() {
    let workshop = Workshop::open().await;
    let server = workshop.serve("all").await;
    let wrong = workshop.run_with("echo", json!({"prompt": 7, "colour": "red"}));
    let refused = server.send(wrong).await.assert_failed(422, "ERR_6106");
    let issues = &refused.body["error"]["details"]["issues"];
    assert!(!issues.as_array().unwrap().is_empty(), "{refused:#?}");
    let unknown = server.send(workshop.run("nothing")).await;
    unknown.assert_failed(404, "ERR_6100");
    let nobody = post("/api/marketplace/models/echo/run").json(json!({"inputs": {}}));
    server.send(nobody).await.assert_failed(401, "ERR_2000");
    assert_eq!(workshop.executions("true"), 0);
    assert_eq!(workshop.gpus.count("echo", "run").await, 0);
}

#[tokio::test]
async fn a_forged_callback_does_nothing_and_a_good_one_cannot_lie() {
    let mut workshop = Workshop::open().await;
    let server = workshop.serve_with_callbacks("all").await;
    let faults = json!([{"when": "webhook", "kind": "forged_path"}, {"when": "webhook", "kind": "forged_body"}]);
    let behaviour = json!({"runMs": 500, "faults": faults});
    workshop.gpus.behave("echo", behaviour).await;
    let run = accepted(server.send(workshop.run("echo")).await);
    let ended = workshop.ended(&server, &run).await;
    let typed = json!({"prompt": "a lighthouse at dusk"});
    assert_eq!(
        (&ended["status"], &ended["outputPayload"]),
        (&json!("COMPLETED"), &typed)
    );
    let forged = post(format!("/api/webhooks/runpod/{run}/{}", "0".repeat(64)));
    let forged = server.send(forged.json(json!({"status": "FAILED"}))).await;
    forged.assert_failed(404, "ERR_1002");
    workshop.assert_sound();
}
