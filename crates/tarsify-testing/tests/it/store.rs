//! What the fake store offers beyond its ports.

use tarsify_domain::catalog::{TarsModel, TarsModelStatus};
use tarsify_domain::health::{SchemaState, StoreHealth};
use tarsify_domain::people::{PersonStatus, Realm};
use tarsify_domain::{RepoError, Scope};
use tarsify_testing::builders::{
    base_model, endpoint, identity_key, new_consumer, new_developer, page, tars_model,
};
use tarsify_testing::clock::MOMENT;
use tarsify_testing::{FakeHealth, FakeStore, World};

#[expect(clippy::unwrap_used, reason = "a test cannot go on without its draft")]
async fn draft(world: &World) -> TarsModel {
    let endpoint = endpoint(MOMENT);
    world.endpoints.create(&endpoint).await.unwrap();
    let base = base_model(&endpoint);
    world.base_models.create(&base).await.unwrap();
    let developer = world.developers.register(&new_developer("dora")).await;
    let model = tars_model(&base, developer.unwrap().id);
    world.tars_models.create(&model).await.unwrap();
    model
}

#[tokio::test]
async fn an_outage_hides_everything_and_loses_nothing() {
    let store = FakeStore::new();
    let world = store.world();
    let model = draft(&world).await;
    store.start_outage();
    let reading = world.tars_models.find(Scope::System, model.id).await;
    assert!(matches!(reading, Err(RepoError::Unavailable(_))));
    let writing = world.tars_models.revise(&model).await;
    assert!(matches!(writing, Err(RepoError::Unavailable(_))));
    let version = world.market.version().await;
    assert!(matches!(version, Err(RepoError::Unavailable(_))));
    store.end_outage();
    let reading = world.tars_models.find(Scope::System, model.id).await;
    assert_eq!(reading.unwrap(), Some(model));
}

#[tokio::test]
async fn reads_and_writes_are_counted_but_not_looks_at_the_version() {
    let store = FakeStore::new();
    let world = store.world();
    draft(&world).await;
    assert_eq!((store.reads(), store.writes()), (0, 4));
    world.endpoints.list(&page(1, 10)).await.unwrap();
    world.market.version().await.unwrap();
    assert_eq!((store.reads(), store.writes()), (1, 4));
}

#[tokio::test]
async fn a_model_that_was_run_is_not_deleted() {
    let store = FakeStore::new();
    let world = store.world();
    let model = draft(&world).await;
    store.edit_tars_model(model.id, |stored| {
        stored.status = TarsModelStatus::Archived;
        stored.total_runs = 1;
    });
    let deletion = world
        .tars_models
        .delete(Scope::System, model.id, model.version)
        .await;
    assert!(matches!(deletion, Err(RepoError::Stale)));
}

#[tokio::test]
async fn people_can_be_locked_out_behind_the_ports() {
    let store = FakeStore::new();
    let world = store.world();
    let new = new_consumer("carla");
    world.consumers.register(&new).await.unwrap();
    store.edit_consumer(new.id, |carla| carla.status = PersonStatus::Disabled);
    let key = identity_key(Realm::Consumers, "carla");
    let carla = world.consumers.find_by_identity(&key).await.unwrap();
    assert_eq!(carla.unwrap().status, PersonStatus::Disabled);
}

#[tokio::test]
async fn health_is_what_a_test_says() {
    let health = FakeHealth::new();
    assert_eq!(health.schema_state().await.unwrap(), SchemaState::Current);
    let behind = SchemaState::Behind {
        missing: vec!["20260101000000".into()],
    };
    health.set(behind.clone());
    assert_eq!(health.schema_state().await.unwrap(), behind);
    health.start_outage();
    let state = health.schema_state().await;
    assert!(matches!(state, Err(RepoError::Unavailable(_))));
}
