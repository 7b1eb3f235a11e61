//! The stand-in for RunPod, as a command.

use serde_json::{Value, json};

use crate::support::Place;

#[tokio::test]
async fn the_emulator_takes_a_job_and_ends_when_it_is_asked_to() {
    let place = Place::empty();
    let emulator = place.start(&["emulator", "--listen", "127.0.0.1:0"]);
    let told = |text: &str| {
        let (_, rest) = text.split_once("http://")?;
        let (address, _) = rest.split_once('\n')?;
        Some(format!("http://{address}"))
    };
    let base = emulator.wait_for_out(told).await;
    let run = reqwest::Client::builder()
        .build()
        .unwrap()
        .post(format!("{base}/echo/runsync"));
    let answer = run.json(&json!({ "input": { "prompt": "Hello" } })).send();
    let answer: Value = answer.await.unwrap().json().await.unwrap();
    assert_eq!(answer["status"], "COMPLETED", "{answer}");
    assert_eq!(answer["output"], json!({ "prompt": "Hello" }));
    emulator.signal("INT");
    emulator.ended().await.assert_code(0);
}

#[tokio::test]
async fn the_emulator_is_open_to_others_only_with_a_key() {
    let place = Place::empty();
    let said = place.run(&["emulator", "--listen", "0.0.0.0:0"]).await;
    said.assert_code(1).assert_one_line(&["--api-key"]);
    place.write("script.json", "{\"endpoints\": 5}");
    let said = place.run(&["emulator", "--script", "script.json"]).await;
    said.assert_code(1).assert_one_line(&["script.json"]);
}
