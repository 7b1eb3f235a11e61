//! What the doctor says of the provider and of runs.

use serde_json::{Value, json};

use crate::support::Workshop;

#[tokio::test]
async fn a_provider_that_answers_is_well_and_one_that_does_not_is_not() {
    let workshop = Workshop::open().await;
    let said = workshop.place.run(&["doctor"]).await.assert_code(0);
    assert!(
        said.out.contains("answers for the endpoint echo"),
        "{said:#?}"
    );
    assert_eq!(workshop.gpus.count("echo", "health").await, 1);
    assert_eq!(workshop.gpus.count("echo", "run").await, 0);

    let mut place = workshop.place;
    place.set("RUNPOD_BASE_URL", "http://127.0.0.1:1/v2");
    let said = place.run(&["doctor"]).await.assert_code(1);
    assert!(said.out.contains("RUNPOD_BASE_URL"), "{said:#?}");
    place.set("RUNPOD_BASE_URL", "");
    let said = place.run(&["doctor"]).await.assert_code(1);
    assert!(said.out.contains("RUNPOD_API_KEY"), "{said:#?}");
}

#[tokio::test]
async fn runs_that_wait_are_counted_and_broken_promises_named() {
    let workshop = Workshop::open().await;
    let api = workshop.serve("api").await;
    for _ in 0..3 {
        workshop.submit(&api, "echo").await;
    }
    let said = workshop.place.run(&["doctor"]).await.assert_code(0);
    assert!(said.out.contains('3'), "{said:#?}");

    let worker = workshop.serve("worker").await;
    workshop.all_ended().await;
    worker.stop("INT").await.assert_code(0);
    let run = workshop.store.sql("SELECT id FROM executions LIMIT 1");
    workshop.store.sql(&format!(
        "DELETE FROM execution_events WHERE execution_id = '{run}' AND kind = 'completed'"
    ));
    let said = workshop
        .place
        .run(&["doctor", "--json"])
        .await
        .assert_code(1);
    let findings: Vec<Value> = serde_json::from_str(&said.out).unwrap();
    let ill: Vec<&Value> = findings
        .iter()
        .filter(|finding| finding["ok"] == json!(false))
        .collect();
    assert!(!ill.is_empty(), "{said:#?}");
    let named = ill
        .iter()
        .any(|finding| finding["message"].as_str().unwrap().contains(&run));
    assert!(named, "{said:#?}");
}
