//! Accepting an execution: what is stored, and which model is refused.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use tarsify_domain::Credits;
use tarsify_domain::execution::{
    AdmitError, Concealed, ExecutionKind, ExecutionStatus, Material, ModelRef, NewExecution, Stage,
};
use tarsify_domain::id::{DeveloperId, ExecutionId, TarsModelId};

use super::world::{Change, ExecutionWorld, ids};
use crate::builders::{new_run, new_test_run, object, price, slug};
use crate::clock::MOMENT;

const UNDER_A_MODEL: [Change; 3] = [
    Change::Revise,
    Change::ReviseBaseModel,
    Change::ReviseEndpoint,
];

pub(super) async fn an_admission_stores_what_was_asked(world: ExecutionWorld) {
    let model = world.model().await;
    let consumer = world.consumer().await;
    let new = new_run(&model, consumer);
    let execution = world.admit(&new).await;
    assert_eq!(execution.inputs, new.inputs);
    assert_eq!(execution.output, None);
    let summary = &execution.summary;
    assert_eq!(summary.id, new.id);
    assert_eq!(summary.kind, ExecutionKind::Run);
    assert_eq!(summary.consumer_id, Some(consumer));
    assert_eq!(summary.tester_id, None);
    let expected = ModelRef {
        id: model.id,
        slug: model.slug.clone(),
        title: model.title.clone(),
        base_model_name: model.base_model.name.clone(),
        category: model.base_model.category,
        output_type: model.base_model.output_type,
        estimated_seconds: model.base_model.estimated_seconds,
    };
    assert_eq!(summary.model, expected);
    assert_eq!(summary.status, ExecutionStatus::Pending);
    assert_eq!((summary.reason, summary.message.clone()), (None, None));
    assert_eq!(
        (summary.price, summary.charged),
        (model.price, Credits::ZERO)
    );
    assert_eq!((summary.started_at, summary.completed_at), (None, None));
    assert_eq!(
        (summary.queue_time_ms, summary.execution_time_ms),
        (None, None)
    );
    assert_eq!(world.found(new.id).await, execution);
    let report = world.report(new.id).await;
    assert_eq!(report.execution, execution);
    assert_eq!(report.stage, Stage::Created);
    assert_eq!(report.endpoint_id, model.endpoint.id);
    assert_eq!(report.deadline_at - summary.created_at, new.deadline_in);
    assert!(report.next_action_at.is_some());
    assert_eq!(
        (report.lease_until, report.cancel_requested_at),
        (None, None)
    );
    assert_eq!(report.attempts, []);
    assert_eq!(world.story(new.id).await, ["queued"]);
}

pub(super) async fn a_test_run_is_its_developers_and_costs_nothing(world: ExecutionWorld) {
    let model = world.model().await;
    assert_ne!(model.price, price(0), "the case needs a model with a price");
    let execution = world.admit(&new_test_run(&model, 5)).await;
    let summary = execution.summary;
    assert_eq!(summary.kind, ExecutionKind::TestRun);
    assert_eq!(summary.consumer_id, None);
    assert_eq!(summary.tester_id, Some(model.developer_id));
    assert_eq!((summary.price, summary.charged), (price(0), Credits::ZERO));
}

fn odd_object() -> Map<String, Value> {
    object(json!({
        "z": false, "a": [], "nothing": null, "": "", "nul": "a\u{0}b", "N\u{0}L": {},
        "script": "Ζωή 明日香 \u{202e}\u{0301} 👩‍🚀 O'Neil \\ %_ \"",
        "numbers": [0, -1, 1.5, 1e300, u64::MAX, i64::MIN, 0.1],
        "deep": {"z": {"y": [[[{"x": null}]]]}, "b": 1, "a": 2},
    }))
}

pub(super) async fn any_json_is_kept(world: ExecutionWorld) {
    let model = world.model().await;
    let consumer = world.consumer().await;
    let odd = "prefix \u{0} 明日 ".to_owned();
    let material = Material {
        inputs: odd_object(),
        payload: Map::from_iter([("payload".into(), Value::Object(odd_object()))]),
        concealed: Concealed {
            merged_prompt: Some(format!("{odd}sunset")),
            own_prompt: None,
            texts: vec![odd],
        },
    };
    let new = NewExecution {
        inputs: material.inputs.clone(),
        payload: material.payload.clone(),
        concealed: material.concealed.clone(),
        ..new_run(&model, consumer)
    };
    assert_eq!(world.admit(&new).await.inputs, material.inputs);
    assert_eq!(world.found(new.id).await.inputs, material.inputs);
    let stored = world.queue.find_material(new.id).await.unwrap().unwrap();
    assert_eq!(stored, material);
    let written = |map: &Map<String, Value>| serde_json::to_string(map).unwrap();
    assert_eq!(
        written(&stored.payload),
        written(&material.payload),
        "the keys stay in their order"
    );
    let (_, submitted) = world.submit().await.submission.unwrap();
    assert_eq!(submitted, material);
    let nobodys = ExecutionId::new(MOMENT);
    assert_eq!(world.queue.find_material(nobodys).await.unwrap(), None);
}

pub(super) async fn an_id_is_admitted_once(world: ExecutionWorld) {
    let model = world.model().await;
    let new = new_run(&model, world.consumer().await);
    world.admit(&new).await;
    let before = world.everything(new.id).await;
    let other = NewExecution {
        inputs: Map::new(),
        ..new.clone()
    };
    let again = world.repository.admit(&other).await;
    assert!(matches!(again, Err(AdmitError::Repo(_))), "{again:?}");
    assert_eq!(world.everything(new.id).await, before);
}

pub(super) async fn models_are_found_by_name_and_by_owner(world: ExecutionWorld) {
    let (model, other) = (world.model().await, world.model().await);
    let by_slug = world.models.find_by_slug(&model.slug).await.unwrap();
    assert_eq!(by_slug.as_ref(), Some(&*model));
    let absent = world.models.find_by_slug(&slug("no-such-model")).await;
    assert_eq!(absent.unwrap(), None);
    let own = async |developer: DeveloperId, id: TarsModelId| {
        world.models.find_own(developer, id).await.unwrap()
    };
    assert_eq!(
        own(model.developer_id, model.id).await.as_ref(),
        Some(&*model)
    );
    assert_eq!(own(other.developer_id, model.id).await, None);
    let nobodys = TarsModelId::new(MOMENT);
    assert_eq!(own(model.developer_id, nobodys).await, None);
    let draft = world.props.change(&model, Change::Unpublish).await;
    let by_slug = world.models.find_by_slug(&model.slug).await.unwrap();
    assert_eq!(by_slug, Some(draft), "in whichever status it is");
}

async fn assert_changed(world: &ExecutionWorld, new: &NewExecution, why: &str) {
    let refusal = world.repository.admit(new).await;
    assert!(
        matches!(refusal, Err(AdmitError::ModelChanged)),
        "{why}: {refusal:?}"
    );
    let report = world.repository.find_report(new.id).await.unwrap();
    assert_eq!(report, None, "{why}: a refusal stores nothing");
}

pub(super) async fn a_changed_model_is_refused(world: ExecutionWorld) {
    let consumer = world.consumer().await;
    for change in UNDER_A_MODEL {
        let model = world.model().await;
        let changed = Arc::new(world.props.change(&model, change).await);
        let why = format!("{change:?}");
        assert_ne!(changed.stamp(), model.stamp(), "{why}");
        assert_changed(&world, &new_run(&model, consumer), &why).await;
        assert_changed(&world, &new_test_run(&model, 5), &why).await;
        world.admit(&new_run(&changed, consumer)).await;
        world.admit(&new_test_run(&changed, 5)).await;
    }
}

pub(super) async fn a_deleted_model_is_refused(world: ExecutionWorld) {
    let consumer = world.consumer().await;
    let model = world.model().await;
    world.props.delete(&model).await;
    assert_changed(&world, &new_run(&model, consumer), "deleted").await;
    assert_changed(&world, &new_test_run(&model, 5), "deleted").await;
    let found = world.models.find_by_slug(&model.slug).await.unwrap();
    assert_eq!(found, None);
}

pub(super) async fn consumers_run_only_what_is_on_offer(world: ExecutionWorld) {
    let consumer = world.consumer().await;
    for change in [
        Change::Unpublish,
        Change::SwitchOffBaseModel,
        Change::SwitchOffEndpoint,
    ] {
        let model = world.model().await;
        // Even whoever has seen the change.
        let changed = Arc::new(world.props.change(&model, change).await);
        let why = format!("{change:?}");
        assert_changed(&world, &new_run(&changed, consumer), &why).await;
    }
}

pub(super) async fn developers_try_what_is_not_on_offer(world: ExecutionWorld) {
    let model = world.model().await;
    let draft = Arc::new(world.props.change(&model, Change::Unpublish).await);
    let new = new_test_run(&draft, 5);
    world.admit(&new).await;
    assert_eq!(world.submit().await.lease.id, new.id);
}

pub(super) async fn what_was_admitted_stays_as_it_was(world: ExecutionWorld) {
    let model = world.model().await;
    let new = new_run(&model, world.consumer().await);
    let execution = world.admit(&new).await;
    let changed = world.props.change(&model, Change::Unpublish).await;
    let changed = world
        .props
        .change(&changed, Change::SwitchOffBaseModel)
        .await;
    world
        .props
        .change(&changed, Change::SwitchOffEndpoint)
        .await;
    assert_eq!(world.found(new.id).await, execution);
    let claimed = world.submit_all().await;
    assert_eq!(ids(&claimed), [new.id], "what was accepted is run");
    let place = &claimed[0].place;
    assert_eq!(place.endpoint_id, model.endpoint.id);
    assert_eq!(
        place.provider_endpoint_id,
        model.endpoint.provider_endpoint_id
    );
}
