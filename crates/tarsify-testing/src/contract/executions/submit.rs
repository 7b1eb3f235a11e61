//! Claiming what waits to be submitted.

use std::collections::{HashMap, HashSet};

use tarsify_domain::TraceParent;
use tarsify_domain::catalog::endpoint::EndpointLimits;
use tarsify_domain::execution::{
    Attempt, AttemptState, Claim, Claimed, ExecutionStatus, JobPlace, Known, Material,
    NewExecution, Stage, State, Work,
};

use super::world::{ExecutionWorld, LEASE, PAST_A_LEASE, a_claim, ids, only, seconds, submissions};
use crate::builders::{new_run, new_token};

pub(super) async fn a_claim_records_an_attempt_and_leases(world: ExecutionWorld) {
    let model = world.model().await;
    let new = new_run(&model, world.consumer().await);
    let created_at = world.admit(&new).await.summary.created_at;
    let token = new_token();
    let claimed = only(world.claim(&a_claim(Work::Submit(vec![token]))).await);
    let Claimed {
        lease,
        now,
        state,
        place,
        category,
        started_at,
        submission,
        audience,
        trace_parent,
    } = claimed;
    assert_eq!((audience, trace_parent), (None, None));
    assert_eq!((category, started_at), (model.base_model.category, None));
    assert_eq!((lease.id, lease.epoch), (new.id, 1));
    assert!(now >= created_at);
    let report = world.report(new.id).await;
    let recorded = Attempt {
        number: 1,
        state: AttemptState::Calling,
        job: None,
        called_at: now,
        missing_since: None,
        unreadable: 0,
    };
    let expected = State {
        stage: Stage::Submitting,
        attempts: vec![recorded.clone()],
        looks: 0,
        strikes: 1,
        is_cancel_requested: false,
        progress: None,
        created_at,
        deadline_at: report.deadline_at,
    };
    assert_eq!(state, expected);
    let expected = JobPlace {
        endpoint_id: model.endpoint.id,
        provider: model.endpoint.provider,
        provider_endpoint_id: model.endpoint.provider_endpoint_id.clone(),
        timeout: seconds(u64::from(model.base_model.timeout_seconds)),
        limits: EndpointLimits::default(),
    };
    assert_eq!(place, expected);
    let material = Material {
        inputs: new.inputs,
        payload: new.payload,
        concealed: new.concealed,
    };
    assert_eq!(submission, Some((token, material.clone())));
    let stored = world.queue.find_material(new.id).await.unwrap();
    assert_eq!(stored, Some(material));
    assert_eq!(report.stage, Stage::Submitting);
    assert_eq!(report.lease_until, Some(now + LEASE));
    assert_eq!(report.execution.summary.status, ExecutionStatus::Pending);
    let attempts: Vec<_> = report.attempts.into_iter().map(|its| its.attempt).collect();
    assert_eq!(attempts, [recorded]);
    assert_eq!(world.story(new.id).await, ["queued"]);
}

pub(super) async fn a_trace_goes_on_with_every_claim(world: ExecutionWorld) {
    let model = world.model().await;
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let parent = TraceParent::parse(parent).ok();
    let new = NewExecution {
        trace_parent: parent.clone(),
        ..new_run(&model, world.consumer().await)
    };
    world.admit(&new).await;
    let to_submit = only(world.submit_all().await);
    assert_eq!(
        (to_submit.lease.id, to_submit.trace_parent),
        (new.id, parent.clone())
    );
    world.pass(PAST_A_LEASE).await;
    let to_look = only(world.look_all().await);
    assert_eq!((to_look.lease.id, to_look.trace_parent), (new.id, parent));
}

pub(super) async fn what_is_leased_is_not_claimed_again(world: ExecutionWorld) {
    world.run().await;
    world.submit().await;
    for _ in 0..2 {
        assert_eq!(world.submit_all().await, []);
        assert_eq!(world.look_all().await, []);
        assert_eq!(world.sweep_all().await, []);
        world.pass(seconds(15)).await;
    }
}

pub(super) async fn what_is_submitted_is_never_submitted_again_by_itself(world: ExecutionWorld) {
    let id = world.run().await;
    let first = world.submit().await;
    world.pass(PAST_A_LEASE).await;
    assert_eq!(world.submit_all().await, []);
    let second = world.look().await;
    assert_eq!(second.lease.id, id);
    assert_eq!(second.lease.epoch, first.lease.epoch + 1);
    assert_eq!(second.state.stage, Stage::Submitting);
    assert_eq!(second.state.strikes, 2);
    assert_eq!(second.state.attempts.len(), 1);
    assert_eq!(second.submission, None);
}

pub(super) async fn every_attempt_has_its_own_token(world: ExecutionWorld) {
    let model = world.model().await;
    let consumer = world.consumer().await;
    world.runs(&model, consumer, 3).await;
    let tokens: Vec<_> = (0..5).map(|_| new_token()).collect();
    let claimed = world.claim(&a_claim(Work::Submit(tokens.clone()))).await;
    let mut used = HashSet::new();
    for claimed in &claimed {
        let (token, _) = claimed.submission.clone().unwrap();
        assert!(tokens.contains(&token) && used.insert(token));
        let known = Known {
            attempt: 1,
            has_job: false,
        };
        let found = world.queue.find_callback(claimed.lease.id, &token).await;
        assert_eq!(found.unwrap(), Some(known));
    }
    assert_eq!(used.len(), 3);
}

pub(super) async fn limits_are_kept(world: ExecutionWorld) {
    let model = world.model().await;
    let consumer = world.consumer().await;
    let all = world.runs(&model, consumer, 6).await;
    let few_tokens = a_claim(submissions(2));
    assert_eq!(ids(&world.claim(&few_tokens).await), all[..2]);
    let low_limit = Claim {
        limit: 3,
        ..a_claim(submissions(10))
    };
    assert_eq!(ids(&world.claim(&low_limit).await), all[2..5]);
    assert_eq!(world.claim(&a_claim(submissions(0))).await, []);
    assert_eq!(ids(&world.submit_all().await), all[5..]);
}

pub(super) async fn allowances_are_kept(world: ExecutionWorld) {
    let mut models = Vec::new();
    let consumer = world.consumer().await;
    for _ in 0..4 {
        let model = world.model().await;
        world.runs(&model, consumer, 4).await;
        models.push(model.endpoint.id);
    }
    let count = |claimed: Vec<Claimed>| {
        let at = |endpoint| {
            let its = claimed
                .iter()
                .filter(|one| one.place.endpoint_id == endpoint);
            its.count()
        };
        models
            .iter()
            .map(|endpoint| at(*endpoint))
            .collect::<Vec<_>>()
    };
    let claim = Claim {
        allowance: 1,
        allowances: HashMap::from([(models[0], 3), (models[1], 0)]),
        ..a_claim(submissions(100))
    };
    assert_eq!(count(world.claim(&claim).await), [3, 0, 1, 1]);
    assert_eq!(count(world.claim(&claim).await), [1, 0, 1, 1]);
    let nothing = Claim {
        allowance: 0,
        allowances: HashMap::new(),
        ..claim
    };
    assert_eq!(world.claim(&nothing).await, []);
    let one = Claim {
        limit: 1,
        allowance: 2,
        ..nothing
    };
    assert_eq!(world.claim(&one).await.len(), 1, "the limit is for all");
}

pub(super) async fn a_pause_is_kept(world: ExecutionWorld) {
    let id = world.put_back(seconds(20)).await;
    assert_eq!(world.submit_all().await, []);
    world.pass(seconds(10)).await;
    assert_eq!(world.submit_all().await, []);
    world.pass(seconds(11)).await;
    let claimed = world.submit().await;
    assert_eq!(claimed.lease.id, id);
    let attempts = &claimed.state.attempts;
    let states: Vec<_> = attempts.iter().map(|its| (its.number, its.state)).collect();
    let expected = [(1, AttemptState::Undone), (2, AttemptState::Calling)];
    assert_eq!(states, expected);
    assert!(claimed.submission.is_some());
}

pub(super) async fn nothing_is_submitted_past_its_deadline(world: ExecutionWorld) {
    let model = world.model().await;
    let new = NewExecution {
        deadline_in: seconds(60),
        ..new_run(&model, world.consumer().await)
    };
    world.admit(&new).await;
    world.pass(seconds(61)).await;
    assert_eq!(world.submit_all().await, []);
    assert_eq!(world.look_all().await, []);
    assert_eq!(ids(&world.sweep_all().await), [new.id]);
}
