//! The demo endpoints, end to end.

use std::time::Duration;

use serde_json::json;

use crate::support::{Lab, PATIENCE};

#[tokio::test]
async fn every_demo_endpoint_has_a_worker() {
    let lab = Lab::quick();
    for (endpoint, input, pointer, beginning) in [
        (
            "demo-tts",
            json!({ "text": "hello" }),
            "/audio",
            "data:audio/wav;base64,UklGR",
        ),
        (
            "demo-sdxl",
            json!({ "prompt": "a boat", "width": 64, "height": 64 }),
            "/image_url",
            "data:image/png;base64,iVBORw0KGgo",
        ),
        (
            "demo-whisper",
            json!({ "audio": "https://example.com/a.mp3" }),
            "/transcription",
            "This transcript",
        ),
        (
            "demo-vllm",
            json!({ "prompt": "hello" }),
            "/choices/0/tokens/0",
            "This is the Tarsify emulator",
        ),
    ] {
        let (_, body) = lab
            .post(
                &format!("/v2/{endpoint}/runsync"),
                &json!({ "input": input }),
            )
            .await;
        assert_eq!(body["status"], "COMPLETED", "{endpoint}: {body}");
        let value = body["output"].pointer(pointer).unwrap().as_str().unwrap();
        assert!(value.starts_with(beginning), "{endpoint}: {}", &value[..60]);
        assert!(body["output"]["emulated"].is_string());
    }
    lab.end().await;
}

#[tokio::test]
async fn progress_is_told_when_it_is_asked_for() {
    let lab = Lab::quick();
    let asked = json!({ "input": { "prompt": "x", "width": 16, "height": 16 } });
    // However slow whoever looks is, it does not end meanwhile. Nor does he look too often: that is refused.
    lab.behave(
        "demo-sdxl",
        &json!({ "runMs": 60_000, "progressSteps": 99 }),
    )
    .await;
    let id = lab.run("demo-sdxl", &asked).await;
    let seen = async {
        loop {
            let (_, body) = lab.get(&format!("/v2/demo-sdxl/status/{id}")).await;
            if body["output"]["percent"].is_u64() {
                return body["status"].clone();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let status = tokio::time::timeout(PATIENCE, seen).await.unwrap();
    assert_eq!(status, "IN_PROGRESS");

    lab.behave("demo-sdxl", &json!({ "runMs": 10, "progressSteps": 1 }))
        .await;
    let id = lab.run("demo-sdxl", &asked).await;
    let body = lab.until("demo-sdxl", &id, "COMPLETED").await;
    assert!(body["output"]["image_url"].is_string(), "{body}");
    lab.end().await;
}
