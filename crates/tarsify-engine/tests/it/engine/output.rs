//! What a model says while it works is told to who watches, once, in order, and without what its
//! developer keeps to himself; whatever becomes of that, the run comes to its end.

mod talker;

use serde_json::{Value, json};
use tarsify_domain::Scope;
use tarsify_domain::execution::{EventKind, ExecutionStatus};
use tarsify_domain::id::ExecutionId;
use tarsify_engine::provider::StreamAnswer;
use tarsify_engine::{Followed, Following};

use super::workshop::Workshop;
use talker::{Booth, said};

/// The parts that were told of a run.
fn deltas(booth: &Booth, id: ExecutionId) -> Vec<Value> {
    let events = booth.store.events(id).into_iter();
    let deltas = events.filter(|event| event.kind == EventKind::OutputDelta);
    deltas.map(|event| Value::Object(event.data)).collect()
}

fn joined(deltas: &[Value]) -> String {
    let texts = deltas.iter().filter_map(|delta| delta["text"].as_str());
    texts.collect()
}

/// What is told until the end.
async fn to_the_end(mut following: Following) -> Vec<EventKind> {
    let mut kinds = Vec::new();
    while let Followed::Event(event) = following.next().await.unwrap() {
        kinds.push(event.kind);
    }
    kinds
}

#[tokio::test]
async fn who_watches_is_told_everything_once_and_in_order() {
    let booth = Booth::open(json!({}));
    let (scope, id) = booth.run().await;
    let following = booth.engine.follow(scope, id, 0).await.unwrap();
    booth.submitted().await;
    for (number, words) in ["Once ", "upon ", "a "].into_iter().enumerate() {
        booth.says([said(words)]);
        booth.looked().await;
        assert_eq!(deltas(&booth, id).len(), number + 1, "at once");
    }
    // What it has said since is told before it ends.
    booth.says([said("ti"), said("me")]);
    booth.completes(json!("Once upon a time"));
    booth.looked().await;
    let told = deltas(&booth, id);
    assert_eq!(joined(&told), "Once upon a time");
    let numbers: Vec<_> = told.iter().map(|delta| delta["index"].clone()).collect();
    assert_eq!(Value::Array(numbers), json!([0, 1, 2, 3, 4]));
    booth.engine.tell_followers().await.unwrap();
    let kinds = to_the_end(following).await;
    assert_eq!(
        kinds,
        [
            [EventKind::Queued, EventKind::Accepted, EventKind::Started].as_slice(),
            &[EventKind::OutputDelta; 5],
            &[EventKind::Completed],
        ]
        .concat()
    );
}

#[tokio::test]
async fn nothing_is_read_while_nobody_watches() {
    let booth = Booth::open(json!({}));
    let (scope, id) = booth.run().await;
    let mut all = booth.engine.follow_all(Scope::System, None).await.unwrap();
    booth.says([said("a "), said("b "), said("c ")]);
    booth.submitted().await;
    booth.looked().await;
    booth.looked().await;
    assert_eq!(booth.reads(), 0, "who watches everything watches nothing");
    let following = booth.engine.follow(scope, id, 0).await.unwrap();
    booth.looked().await;
    assert_eq!(booth.reads(), 1);
    drop(following);
    booth.clock.advance(time::Duration::seconds(16));
    booth.engine.renew_watches().await.unwrap();
    booth.looked().await;
    assert_eq!(booth.reads(), 1, "he is gone");
    // Whoever comes back goes on where it was.
    let following = booth.engine.follow(scope, id, 0).await.unwrap();
    for _ in 0..4 {
        booth.clock.advance(time::Duration::seconds(10));
        booth.engine.renew_watches().await.unwrap();
        booth.looked().await;
    }
    assert_eq!(booth.reads(), 5);
    assert_eq!(joined(&deltas(&booth, id)), "a b c ");
    booth.engine.tell_followers().await.unwrap();
    assert!(matches!(all.next().await, Ok(Followed::Event(_))));
    drop(following);
}

#[tokio::test]
async fn models_that_say_nothing_are_not_asked() {
    let booth = Booth::silent();
    let (scope, id) = booth.run().await;
    let _following = booth.engine.follow(scope, id, 0).await.unwrap();
    booth.submitted().await;
    booth.looked().await;
    booth.completes(json!("Once"));
    booth.looked().await;
    assert_eq!(booth.reads(), 0);
    assert!(deltas(&booth, id).is_empty());
}

#[tokio::test]
async fn a_secret_in_parts_is_seen_by_nobody() {
    let canary = "CANARY-1234567";
    let booth = Booth::open(json!({"secretInputs": {"negative": canary}}));
    let (scope, id) = booth.run().await;
    let _following = booth.engine.follow(scope, id, 0).await.unwrap();
    booth.submitted().await;
    for letter in format!("it is {canary}, and {canary}").chars() {
        booth.engine.renew_watches().await.unwrap();
        booth.says([said(&letter.to_string())]);
        booth.looked().await;
    }
    booth.completes(json!("done"));
    booth.looked().await;
    let told = deltas(&booth, id);
    assert_eq!(joined(&told), "it is [hidden], and [hidden]");
    let events = format!("{:?}", booth.store.events(id));
    assert!(!events.contains("CANARY"), "{events}");
}

#[tokio::test]
async fn what_cannot_be_read_harms_no_run() {
    for answer in [StreamAnswer::Unread, StreamAnswer::Lost] {
        let booth = Booth::open(json!({}));
        let (scope, id) = booth.run().await;
        let _following = booth.engine.follow(scope, id, 0).await.unwrap();
        booth.submitted().await;
        booth.says([said("Once "), answer.clone(), said("upon")]);
        for _ in 0..3 {
            booth.looked().await;
        }
        booth.says([answer.clone()]);
        booth.completes(json!("Once upon"));
        booth.looked().await;
        let ended = booth.engine.status(scope, id).await.unwrap();
        assert_eq!(
            ended.summary.status,
            ExecutionStatus::Completed,
            "{answer:?}"
        );
        assert_eq!(joined(&deltas(&booth, id)), "Once upon");
    }
}

#[tokio::test]
async fn a_stream_that_hangs_holds_up_no_end() {
    let booth = Booth::open(json!({}));
    let (scope, id) = booth.run().await;
    let _following = booth.engine.follow(scope, id, 0).await.unwrap();
    booth.submitted().await;
    booth.hangs();
    booth.completes(json!("Once"));
    booth.looked().await;
    let ended = booth.engine.status(scope, id).await.unwrap();
    assert_eq!(ended.summary.status, ExecutionStatus::Completed);
}

#[tokio::test]
async fn the_emulators_chat_is_told_over_http() {
    for kind in [
        None,
        Some("rate_limited"),
        Some("internal_error"),
        Some("malformed"),
    ] {
        let workshop = Workshop::open();
        let mut model = workshop.model("chat", "demo-vllm", json!({}));
        model.base_model.streams_output = true;
        workshop.store.add_model(model);
        let faults = kind.map(|kind| json!({"when": "stream", "kind": kind}));
        workshop.behave(
            "demo-vllm",
            json!({"faults": faults.into_iter().collect::<Vec<_>>()}),
        );
        let (scope, id) = workshop.submit("chat", json!({"prompt": "a sunset"})).await;
        let _following = workshop.engine.follow(scope, id, 0).await.unwrap();
        let ended = workshop.see_through(scope, id).await;
        assert_eq!(ended.summary.status, ExecutionStatus::Completed, "{kind:?}");
        let events = workshop.store.events(id).into_iter();
        let told = events.filter(|event| event.kind == EventKind::OutputDelta);
        let told: String = told
            .map(|event| event.data["text"].as_str().unwrap().to_owned())
            .collect();
        let output = ended.output.unwrap();
        match kind {
            None => assert_eq!(told, output["choices"][0]["tokens"][0].as_str().unwrap()),
            Some(_) => assert_eq!(told, ""),
        }
        assert!(workshop.emulator.counts("demo-vllm").of("stream") > 0);
        workshop.close().await;
    }
}
