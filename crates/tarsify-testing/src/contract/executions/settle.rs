//! The one end.

use serde_json::json;
use tarsify_domain::execution::{
    Advance, Attempt, AttemptState, EndReason, Ending, Exchange, ExecutionStatus, Lease, Operation,
    Settlement, Stage, Then, Written,
};
use tarsify_domain::id::ExecutionId;

use super::world::{ExecutionWorld, PAST_A_LEASE, assert_applied, assert_not_due, seconds};
use crate::builders::{advance, attempt, completion, new_job, settlement};

pub(super) async fn a_result_is_stored(world: ExecutionWorld) {
    let claimed = world.looked_at().await;
    let id = claimed.lease.id;
    let output = json!({"image": "https://example.com/1.png", "seed": 7});
    let mut end = completion(&claimed, output.clone());
    end.exchanges = vec![Exchange {
        attempt: 1,
        operation: Operation::Status,
        http_status: Some(200),
        took: seconds(1),
        said: "COMPLETED".into(),
    }];
    assert_not_due(world.settle(&end).await);
    let report = world.report(id).await;
    let execution = world.found(id).await;
    assert_eq!(report.execution, execution);
    assert_eq!(execution.output, Some(output));
    let summary = execution.summary;
    assert_eq!(summary.status, ExecutionStatus::Completed);
    assert_eq!((summary.reason, summary.message), (None, None));
    assert_eq!(summary.queue_time_ms, Some(250));
    assert_eq!(summary.execution_time_ms, Some(1_750));
    let completed_at = summary.completed_at.unwrap();
    assert!(completed_at >= claimed.now);
    assert_eq!(report.stage, Stage::Ended);
    assert_eq!((report.lease_until, report.next_action_at), (None, None));
    assert_eq!(report.attempts[0].attempt, end.attempts[0]);
    assert_eq!(report.attempts[0].attempt.state, AttemptState::Won);
    assert_eq!(report.attempts[0].exchanges.len(), 1);
    assert_eq!(world.story(id).await, ["queued", "completed"]);
}

pub(super) async fn every_end_is_told(world: ExecutionWorld) {
    for reason in EndReason::ALL {
        let claimed = world.looked_at().await;
        let id = claimed.lease.id;
        let end = settlement(&claimed, *reason);
        assert_not_due(world.settle(&end).await);
        let (status, last) = match end.ending {
            Ending::Completed => (ExecutionStatus::Completed, "completed"),
            Ending::Failed => (ExecutionStatus::Failed, "failed"),
            Ending::TimedOut => (ExecutionStatus::TimedOut, "timed_out"),
            Ending::Cancelled => (ExecutionStatus::Cancelled, "cancelled"),
        };
        let execution = world.found(id).await;
        assert_eq!(execution.output, None);
        assert_eq!(execution.summary.status, status, "{reason:?}");
        assert_eq!(execution.summary.reason, Some(*reason));
        assert_eq!(execution.summary.message, end.message);
        assert!(execution.summary.completed_at.is_some());
        assert_eq!(world.story(id).await, ["queued", last], "{reason:?}");
    }
}

pub(super) async fn any_result_is_kept(world: ExecutionWorld) {
    for output in [
        json!(false),
        json!([]),
        json!(""),
        json!(0),
        json!({}),
        json!("a\u{0}b"),
        json!({"N\u{0}L": ["\u{0}", null, {"z": 1, "a": 2}], "script": "明日 👩‍🚀 \u{202e} '\"\\"}),
        json!([1.5, 1e300, u64::MAX, i64::MIN, -1, 0.1]),
        json!("long ".repeat(100_000)),
    ] {
        let claimed = world.looked_at().await;
        assert_applied(world.settle(&completion(&claimed, output.clone())).await);
        let stored = world.found(claimed.lease.id).await.output;
        let stored = stored.unwrap();
        assert_eq!(stored, output);
        assert_eq!(stored.to_string(), output.to_string(), "to the byte");
    }
}

async fn assert_refused(world: &ExecutionWorld, id: ExecutionId, refused: &Settlement) {
    let before = world.everything(id).await;
    assert_eq!(world.settle(refused).await, Written::Refused);
    assert_eq!(world.everything(id).await, before, "something was written");
}

pub(super) async fn an_end_comes_once(world: ExecutionWorld) {
    let claimed = world.looked_at().await;
    let id = claimed.lease.id;
    let end = settlement(&claimed, EndReason::ProviderError);
    assert_applied(world.settle(&end).await);
    assert_refused(&world, id, &end).await;
    assert_refused(&world, id, &completion(&claimed, json!("too late"))).await;
    let of_an_end = Settlement {
        from: Stage::Ended,
        ..completion(&claimed, json!("too late"))
    };
    assert_refused(&world, id, &of_an_end).await;
}

pub(super) async fn nothing_is_written_after_the_end(world: ExecutionWorld) {
    let claimed = world.looked_at().await;
    let id = claimed.lease.id;
    assert_applied(world.settle(&completion(&claimed, json!(1))).await);
    let before = world.everything(id).await;
    for to in [Stage::Queued, Stage::Running] {
        let late = advance(&claimed, to);
        assert_eq!(world.advance(&late).await, Written::Refused);
    }
    for to in Stage::ALL {
        let back = Advance {
            from: Stage::Ended,
            ..advance(&claimed, *to)
        };
        if *to != Stage::Ended {
            let refusal = world.queue.advance(&back).await;
            assert!(!matches!(refusal, Ok(Written::Applied { .. })), "{to:?}");
        }
    }
    assert_eq!(world.everything(id).await, before);
}

pub(super) async fn an_old_lease_ends_nothing(world: ExecutionWorld) {
    let old = world.looked_at().await;
    let id = old.lease.id;
    world.pass(PAST_A_LEASE).await;
    let new = world.look().await;
    assert_refused(&world, id, &completion(&old, json!("zombie"))).await;
    let not_yet = Settlement {
        lease: Lease {
            epoch: new.lease.epoch + 1,
            ..new.lease
        },
        ..completion(&new, json!("early"))
    };
    assert_refused(&world, id, &not_yet).await;
    let nobodys = Settlement {
        lease: Lease {
            id: ExecutionId::new(crate::clock::MOMENT),
            ..new.lease
        },
        ..completion(&new, json!("nobody's"))
    };
    assert_eq!(world.settle(&nobodys).await, Written::Refused);
    assert_applied(world.settle(&completion(&new, json!("right"))).await);
    assert_eq!(world.found(id).await.output, Some(json!("right")));
}

pub(super) async fn an_end_from_elsewhere_is_refused(world: ExecutionWorld) {
    let claimed = world.looked_at().await;
    for from in [Stage::Created, Stage::Submitting, Stage::Running] {
        let elsewhere = Settlement {
            from,
            ..completion(&claimed, json!(1))
        };
        assert_refused(&world, claimed.lease.id, &elsewhere).await;
    }
}

pub(super) async fn an_end_rests(world: ExecutionWorld) {
    let claimed = world.looked_at().await;
    world.queue.hint(claimed.lease.id, 1, None).await.unwrap();
    assert_not_due(world.settle(&completion(&claimed, json!(1))).await);
    for _ in 0..2 {
        assert_eq!(world.submit_all().await, []);
        assert_eq!(world.look_all().await, []);
        assert_eq!(world.sweep_all().await, []);
        world.pass(seconds(3_600)).await;
    }
}

pub(super) async fn jobs_that_are_left_are_called_off(world: ExecutionWorld) {
    let claimed = world.looked_at().await;
    let id = claimed.lease.id;
    let seen = Advance {
        looks: 9,
        then: Then::After(seconds(0)),
        ..advance(&claimed, Stage::Queued)
    };
    world.advance(&seen).await;
    let claimed = world.look().await;
    let end = Settlement {
        attempts: vec![attempt(&claimed, AttemptState::Orphaned)],
        has_orphans: true,
        ..settlement(&claimed, EndReason::Deadline)
    };
    assert_applied(world.settle(&end).await);
    let ended = world.found(id).await;
    let claimed = world.look().await;
    assert_eq!(claimed.lease.id, id);
    assert_eq!(claimed.state.stage, Stage::Ended);
    assert_eq!((claimed.state.looks, claimed.state.strikes), (0, 1));
    assert!(claimed.state.attempts[0].live_job().is_some());
    let unanswered = Advance {
        looks: 1,
        then: Then::After(seconds(10)),
        ..advance(&claimed, Stage::Ended)
    };
    assert_not_due(world.advance(&unanswered).await);
    assert_eq!(world.look_all().await, []);
    world.pass(seconds(11)).await;
    let claimed = world.look().await;
    assert_eq!(claimed.state.looks, 1);
    let over = Advance {
        attempts: vec![attempt(&claimed, AttemptState::Over)],
        then: Then::Rest,
        ..advance(&claimed, Stage::Ended)
    };
    assert_not_due(world.advance(&over).await);
    world.pass(seconds(3_600)).await;
    assert_eq!(world.look_all().await, []);
    let after = world.found(id).await;
    assert_eq!(after.output, ended.output);
    assert_eq!(after.summary.status, ended.summary.status);
    assert_eq!(world.story(id).await, ["queued", "timed_out"]);
}

pub(super) async fn a_job_that_was_told_too_late_is_called_off(world: ExecutionWorld) {
    let id = world.run().await;
    let claimed = world.submit().await;
    let job = new_job();
    world.queue.hint(id, 1, Some(&job)).await.unwrap();
    // Its worker knows of no job.
    let end = Settlement {
        attempts: vec![attempt(&claimed, AttemptState::Lost)],
        ..settlement(&claimed, EndReason::Deadline)
    };
    assert_applied(world.settle(&end).await);
    let claimed = world.look().await;
    assert_eq!(claimed.state.stage, Stage::Ended);
    let attempt: &Attempt = &claimed.state.attempts[0];
    assert_eq!(attempt.live_job(), Some(&job));
}
