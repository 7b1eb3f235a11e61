//! What a store of endpoints must do.

use tarsify_domain::Version;
use tarsify_domain::catalog::endpoint::{EndpointLimits, ProviderEndpointId};
use tarsify_domain::catalog::{BaseModel, Endpoint, EndpointSource};
use tarsify_domain::text::{DockerImage, GpuType};

use super::World;
use super::check::{
    assert_conflict, assert_newest_first, assert_one_conflicts, assert_one_is_stale, assert_stale,
    whole_list,
};
use super::world::later;
use crate::builders::{base_model, endpoint, name};
use crate::clock::MOMENT;

fn provider_id(text: &str) -> ProviderEndpointId {
    ProviderEndpointId::parse(text).unwrap()
}

fn bare(provider_endpoint_id: &str) -> Endpoint {
    Endpoint {
        provider_endpoint_id: provider_id(provider_endpoint_id),
        name: name("Größe 大 'SDXL' \\ %"),
        source: EndpointSource::Custom,
        docker_image: None,
        is_active: false,
        limits: EndpointLimits::default(),
        ..endpoint(MOMENT)
    }
}

fn full_limits() -> EndpointLimits {
    EndpointLimits {
        max_concurrency: Some(0),
        max_per_minute: Some(60),
        max_per_day: Some(u32::MAX),
        retry_on_429: Some(false),
        max_retries: Some(3),
        base_backoff_ms: Some(250),
    }
}

pub(super) async fn creation_round_trips(world: World) {
    let full = Endpoint {
        limits: full_limits(),
        ..endpoint(MOMENT)
    };
    for endpoint in [full, bare("bare")] {
        world.endpoints.create(&endpoint).await.unwrap();
        let found = world.endpoints.find(endpoint.id).await.unwrap();
        assert_eq!(found, Some(endpoint));
    }
}

pub(super) async fn absent_is_none(world: World) {
    world.endpoint().await;
    let found = world.endpoints.find(endpoint(MOMENT).id).await.unwrap();
    assert_eq!(found, None);
}

pub(super) async fn a_taken_provider_id_conflicts(world: World) {
    let first = world.store_endpoint(bare("abc123xyz")).await;
    assert_conflict(world.endpoints.create(&bare("abc123xyz")).await);
    // What an id in another case means is the provider's to say, so it is another id.
    world.store_endpoint(bare("ABC123xyz")).await;
    let found = world.endpoints.find(first.id).await.unwrap();
    assert_eq!(found, Some(first));
}

pub(super) async fn one_of_two_creations_at_once_wins(world: World) {
    let (left, right) = (bare("same"), bare("same"));
    assert_one_conflicts(tokio::join!(
        world.endpoints.create(&left),
        world.endpoints.create(&right),
    ));
}

pub(super) async fn a_revision_stores_every_field(world: World) {
    let created = world.store_endpoint(bare("before")).await;
    let wanted = Endpoint {
        provider_endpoint_id: provider_id("After_1.2-3"),
        name: name("After"),
        source: EndpointSource::Hub,
        docker_image: Some(DockerImage::parse("example.com/after@sha256:00").unwrap()),
        gpu_type: GpuType::parse("NVIDIA H200").unwrap(),
        is_active: true,
        limits: full_limits(),
        updated_at: later(60),
        ..created.clone()
    };
    let bent = Endpoint {
        base_model_count: 7,
        created_at: later(30),
        ..wanted.clone()
    };
    let revised = world.endpoints.revise(&bent).await.unwrap();
    let expected = Endpoint {
        version: Version::FIRST.next(),
        ..wanted
    };
    assert_eq!(revised, expected);
    let found = world.endpoints.find(created.id).await.unwrap();
    assert_eq!(found, Some(expected.clone()));
    let cleared = Endpoint {
        docker_image: None,
        limits: EndpointLimits::default(),
        ..expected
    };
    let cleared_version = cleared.version.next();
    let revised = world.endpoints.revise(&cleared).await.unwrap();
    let expected = Endpoint {
        version: cleared_version,
        ..cleared
    };
    assert_eq!(revised, expected);
}

pub(super) async fn a_revision_of_an_old_version_is_stale(world: World) {
    let created = world.endpoint().await;
    let revised = world.endpoints.revise(&created).await.unwrap();
    let late = Endpoint {
        name: name("Late"),
        ..created
    };
    assert_stale(world.endpoints.revise(&late).await);
    let early = Endpoint {
        version: revised.version.next(),
        ..late
    };
    assert_stale(world.endpoints.revise(&early).await);
    let found = world.endpoints.find(revised.id).await.unwrap();
    assert_eq!(found, Some(revised));
    assert_stale(world.endpoints.revise(&endpoint(MOMENT)).await);
}

pub(super) async fn a_revision_to_a_taken_provider_id_conflicts(world: World) {
    world.store_endpoint(bare("taken")).await;
    let free = world.store_endpoint(bare("free")).await;
    let greedy = Endpoint {
        provider_endpoint_id: provider_id("taken"),
        ..free.clone()
    };
    assert_conflict(world.endpoints.revise(&greedy).await);
    let found = world.endpoints.find(free.id).await.unwrap();
    assert_eq!(found, Some(free.clone()));
    let same = world.endpoints.revise(&free).await.unwrap();
    assert_eq!(same.provider_endpoint_id, provider_id("free"), "its own id");
}

pub(super) async fn one_of_two_revisions_at_once_wins(world: World) {
    let created = world.endpoint().await;
    assert_one_is_stale(tokio::join!(
        world.endpoints.revise(&created),
        world.endpoints.revise(&created),
    ));
}

pub(super) async fn base_models_are_counted(world: World) {
    let (left, right) = (world.endpoint().await, world.endpoint().await);
    let moving = world.store_base_model(base_model(&left)).await;
    let off = BaseModel {
        is_active: false,
        ..base_model(&left)
    };
    world.store_base_model(off).await;
    let found = world.endpoints.find(left.id).await.unwrap().unwrap();
    assert_eq!(found.base_model_count, 2, "switched-off ones count too");
    let moved = BaseModel {
        endpoint: base_model(&right).endpoint,
        ..moving
    };
    world.base_models.revise(&moved).await.unwrap();
    let listed = whole_list(Endpoint::ORDER, async |page| {
        world.endpoints.list(page).await
    })
    .await;
    for endpoint in listed {
        assert_eq!(endpoint.base_model_count, 1, "in a list");
    }
    let revised = world.endpoints.revise(&right).await.unwrap();
    assert_eq!(revised.base_model_count, 1, "after a revision");
}

pub(super) async fn lists_are_newest_first_and_page_both_ways(world: World) {
    let list = async |page: &_| world.endpoints.list(page).await;
    assert_eq!(whole_list(Endpoint::ORDER, list).await, []);
    let mut created = Vec::new();
    for seconds in [3, 1, 2, 2, 2, -5_000_000_000] {
        created.push(world.store_endpoint(endpoint(later(seconds))).await);
    }
    let listed = whole_list(Endpoint::ORDER, list).await;
    assert_newest_first(listed.iter().map(|endpoint| endpoint.created_at));
    assert_eq!(listed.len(), created.len());
    for endpoint in created {
        assert!(listed.contains(&endpoint), "{endpoint:?}");
    }
}
