//! Who watches what a model says while it works, and how far that was told.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tarsify_domain::Scope;
use tarsify_domain::execution::{
    Advance, Audience, Claimed, EventKind, Found, NewEvent, OutputTold, Settlement, Stage, Then,
    Written,
};
use tarsify_domain::id::ExecutionId;

use super::world::{Change, ExecutionWorld, assert_applied, seconds};
use crate::builders::{advance, completion, new_run, object};

const LIFE: Duration = seconds(15);

/// A run, at the provider, of a model that says parts of its output.
async fn talkative(world: &ExecutionWorld) -> ExecutionId {
    let model = world.props.model().await;
    let model = Arc::new(world.props.change(&model, Change::Stream).await);
    let new = new_run(&model, world.consumer().await);
    world.admit(&new).await;
    world.accept().await
}

async fn looked_at(world: &ExecutionWorld, id: ExecutionId) -> Claimed {
    world.queue.hint(id, 1, None).await.unwrap();
    let claimed = world.look().await;
    assert_eq!(claimed.lease.id, id);
    claimed
}

fn delta(index: u32) -> NewEvent {
    NewEvent {
        kind: EventKind::OutputDelta,
        data: object(json!({"index": index, "text": format!("part {index} ")})),
    }
}

fn told(epoch: i64) -> OutputTold {
    OutputTold {
        epoch,
        attempt: 1,
        parts: 2,
        bytes: 14,
        has_text: true,
        held: "is it \0 CANA".to_owned(),
        may_lack: false,
        is_over: false,
    }
}

async fn says_something(world: &ExecutionWorld, id: ExecutionId) -> bool {
    match world.log.read_history(Scope::System, id, 0, 1).await {
        Ok(Found::Here(history)) => history.streams_output,
        other => panic!("{other:?}"),
    }
}

pub(super) async fn only_models_that_say_something_are_watched(world: ExecutionWorld) {
    let silent = world.accepted().await;
    let loud = talkative(&world).await;
    let nobodys = ExecutionId::new(crate::clock::MOMENT);
    assert!(!says_something(&world, silent).await);
    assert!(says_something(&world, loud).await);
    world.log.watch(&[], LIFE).await.unwrap();
    world
        .log
        .watch(&[silent, nobodys, loud], LIFE)
        .await
        .unwrap();
    assert_eq!(looked_at(&world, silent).await.audience, None);
    let expected = Audience {
        is_here: true,
        told: None,
    };
    assert_eq!(looked_at(&world, loud).await.audience, Some(expected));
}

pub(super) async fn who_watches_is_gone_after_a_while(world: ExecutionWorld) {
    let id = talkative(&world).await;
    let is_here = async || {
        let claimed = looked_at(&world, id).await;
        let rest = advance(&claimed, Stage::Queued);
        assert_applied(world.advance(&rest).await);
        claimed.audience.map(|audience| audience.is_here)
    };
    assert_eq!(is_here().await, None);
    world.log.watch(&[id], LIFE).await.unwrap();
    for _ in 0..3 {
        world.pass(seconds(8)).await;
        assert_eq!(is_here().await, Some(true));
        world.log.watch(&[id], LIFE).await.unwrap();
    }
    world.pass(seconds(16)).await;
    assert_eq!(is_here().await, Some(false));
    world.log.watch(&[id], LIFE).await.unwrap();
    assert_eq!(is_here().await, Some(true));
}

pub(super) async fn how_far_it_was_told_is_kept(world: ExecutionWorld) {
    let id = talkative(&world).await;
    world.log.watch(&[id], LIFE).await.unwrap();
    let claimed = looked_at(&world, id).await;
    let told = told(claimed.lease.epoch);
    let spoken = Advance {
        events: vec![NewEvent::plain(EventKind::Started), delta(0), delta(1)],
        told: Some(told.clone()),
        then: Then::After(Duration::ZERO),
        ..advance(&claimed, Stage::Running)
    };
    assert_applied(world.advance(&spoken).await);
    // By a lease that is another's by now nothing is written.
    let late = Advance {
        told: Some(OutputTold::default()),
        ..spoken
    };
    assert_eq!(world.advance(&late).await, Written::Refused);
    let expected = |is_here| {
        Some(Audience {
            is_here,
            told: Some(told.clone()),
        })
    };
    let claimed = looked_at(&world, id).await;
    assert_eq!(claimed.audience, expected(true));
    // Who says nothing of it changes nothing about it, nor does time.
    assert_applied(world.advance(&advance(&claimed, Stage::Running)).await);
    world.pass(seconds(100)).await;
    assert_eq!(looked_at(&world, id).await.audience, expected(false));
    let kinds = world.story(id).await;
    assert_eq!(kinds, ["queued", "started", "output_delta", "output_delta"]);
}

pub(super) async fn the_last_parts_come_before_the_end(world: ExecutionWorld) {
    let id = talkative(&world).await;
    world.log.watch(&[id], LIFE).await.unwrap();
    let claimed = looked_at(&world, id).await;
    let end = Settlement {
        deltas: Some(vec![delta(0), delta(1)]),
        ..completion(&claimed, json!({"text": "part 0 part 1"}))
    };
    assert_applied(world.settle(&end).await);
    assert_eq!(world.settle(&end).await, Written::Refused);
    let kinds = world.story(id).await;
    assert_eq!(
        kinds,
        ["queued", "output_delta", "output_delta", "completed"]
    );
    let events = world.props.events(id).await;
    assert_eq!(events[1..3], [(2, delta(0)), (3, delta(1))]);
    let history = world.log.read_history(Scope::System, id, 0, 10).await;
    let Ok(Found::Here(history)) = history else {
        panic!("{history:?}");
    };
    assert_eq!((history.last, history.has_ended), (4, true));
    assert_eq!(Value::Object(history.events[1].data.clone())["index"], 0);
}

pub(super) async fn what_has_ended_is_not_watched(world: ExecutionWorld) {
    let id = talkative(&world).await;
    world.log.watch(&[id], LIFE).await.unwrap();
    let claimed = looked_at(&world, id).await;
    assert!(claimed.audience.is_some());
    // A job is left, so that it is looked at once more.
    let end = Settlement {
        deltas: Some(Vec::new()),
        attempts: Vec::new(),
        has_orphans: true,
        ..crate::builders::settlement(&claimed, tarsify_domain::execution::EndReason::Deadline)
    };
    assert_applied(world.settle(&end).await);
    world.log.watch(&[id], LIFE).await.unwrap();
    assert_eq!(world.look().await.audience, None);
    assert_eq!(world.story(id).await, ["queued", "timed_out"]);
}
