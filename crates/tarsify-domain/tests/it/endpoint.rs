//! What administrators do with endpoints: register, change, switch off.

use tarsify_domain::catalog::endpoint::{EndpointLimits, ProviderEndpointId};
use tarsify_domain::catalog::{Endpoint, EndpointChange, NewEndpoint};
use tarsify_domain::id::EndpointId;
use tarsify_domain::{Expected, PageRequest, Patch, Version};
use tarsify_testing::builders::{name, new_endpoint};
use tarsify_testing::clock::MOMENT;

use crate::interloper::Interloper;
use crate::workshop::{Workshop, answer, endpoint_switched, one_of};

const ANY: &Expected = &Expected::Any;

fn renamed(text: &str) -> EndpointChange {
    EndpointChange {
        name: Some(name(text)),
        ..EndpointChange::default()
    }
}

async fn stored(shop: &Workshop, id: EndpointId) -> Endpoint {
    shop.endpoints.find(id).await.unwrap()
}

#[tokio::test]
async fn a_new_endpoint_is_at_version_one_and_is_what_was_said() {
    let shop = Workshop::new();
    let now = shop.later();
    let new = new_endpoint();
    let made = shop.endpoints.register(new.clone()).await.unwrap();
    assert_eq!((made.created_at, made.updated_at), (now, now));
    assert_eq!(made.version, Version::FIRST);
    assert_eq!(made.base_model_count, 0);
    assert_eq!(stored(&shop, made.id).await, made);
    let said = NewEndpoint {
        provider_endpoint_id: made.provider_endpoint_id,
        provider: made.provider,
        name: made.name,
        source: made.source,
        docker_image: made.docker_image,
        gpu_type: made.gpu_type,
        is_active: made.is_active,
        limits: made.limits,
    };
    assert_eq!(said, new);
}

#[tokio::test]
async fn the_providers_id_belongs_to_one_endpoint() {
    let shop = Workshop::new();
    let first = shop.endpoint().await;
    let second = shop.endpoint().await;
    let new = NewEndpoint {
        provider_endpoint_id: first.provider_endpoint_id.clone(),
        ..new_endpoint()
    };
    assert_eq!(answer(shop.endpoints.register(new).await), "IdTaken");
    for (endpoint, wanted) in [(&second, "IdTaken"), (&first, "ok")] {
        let change = EndpointChange {
            provider_endpoint_id: Some(first.provider_endpoint_id.clone()),
            ..EndpointChange::default()
        };
        let revise = shop.endpoints.revise(endpoint.id, ANY, change).await;
        assert_eq!(answer(revise), wanted);
    }
}

#[tokio::test]
async fn only_what_is_mentioned_changes() {
    type Edit = fn(&mut EndpointChange, &mut Endpoint);
    let table: [(&str, Edit); 7] = [
        ("nothing", |_, _| {}),
        ("name", |change, wanted| {
            wanted.name = name("Renamed");
            change.name = Some(wanted.name.clone());
        }),
        ("provider id", |change, wanted| {
            wanted.provider_endpoint_id = ProviderEndpointId::parse("moved").unwrap();
            change.provider_endpoint_id = Some(wanted.provider_endpoint_id.clone());
        }),
        ("no image", |change, wanted| {
            wanted.docker_image = None;
            change.docker_image = Patch::Clear;
        }),
        ("off", |change, wanted| {
            wanted.is_active = false;
            change.is_active = Some(false);
        }),
        ("limits", |change, wanted| {
            wanted.limits.max_per_day = Some(7);
            change.limits = Patch::Set(wanted.limits);
        }),
        ("no limits", |change, wanted| {
            wanted.limits = EndpointLimits::default();
            change.limits = Patch::Clear;
        }),
    ];
    for (what, edit) in table {
        let shop = Workshop::new();
        let mut wanted = shop.endpoint().await;
        let mut change = EndpointChange::default();
        wanted.updated_at = shop.later();
        wanted.version = wanted.version.next();
        edit(&mut change, &mut wanted);
        let revised = shop.endpoints.revise(wanted.id, ANY, change).await;
        assert_eq!(revised.unwrap(), wanted, "{what}");
        assert_eq!(stored(&shop, wanted.id).await, wanted, "{what}");
    }
}

#[tokio::test]
async fn retiring_only_switches_off_and_can_be_undone() {
    let shop = Workshop::new();
    let base = shop.base_model().await;
    let id = base.endpoint.id;
    let before = stored(&shop, id).await;
    let now = shop.later();
    shop.endpoints.retire(id, ANY).await.unwrap();
    let retired = Endpoint {
        is_active: false,
        version: before.version.next(),
        updated_at: now,
        ..before
    };
    assert_eq!(stored(&shop, id).await, retired);
    assert_eq!(retired.base_model_count, 1);
    let listed = shop.endpoints.list(&PageRequest::default()).await.unwrap();
    assert_eq!(listed.items, [retired]);
    assert!(!shop.base_models.find(base.id).await.unwrap().can_run());
    let revived = shop
        .endpoints
        .revise(id, ANY, endpoint_switched(true))
        .await;
    assert!(revived.unwrap().is_active);
}

#[tokio::test]
async fn what_does_not_exist_is_not_found_whatever_version_is_stated() {
    let shop = Workshop::new();
    let id = EndpointId::new(MOMENT);
    let expected = &one_of(&[1]);
    let answers = [
        answer(shop.endpoints.find(id).await),
        answer(shop.endpoints.revise(id, expected, renamed("Any")).await),
        answer(shop.endpoints.retire(id, expected).await),
    ];
    assert_eq!(answers, ["NotFound"; 3]);
}

#[tokio::test]
async fn a_stated_version_must_be_the_current_one() {
    for (expected, wanted) in [
        (one_of(&[1]), "ok"),
        (one_of(&[5, 1]), "ok"),
        (one_of(&[2]), "PreconditionFailed"),
        (one_of(&[]), "PreconditionFailed"),
    ] {
        let shop = Workshop::new();
        let (first, second) = (shop.endpoint().await, shop.endpoint().await);
        let change = renamed("Another name");
        let revise = shop.endpoints.revise(first.id, &expected, change).await;
        assert_eq!(answer(revise), wanted, "{expected:?}");
        let retire = shop.endpoints.retire(second.id, &expected).await;
        assert_eq!(answer(retire), wanted, "{expected:?}");
        let untouched = stored(&shop, second.id).await == second;
        assert_eq!(untouched, wanted != "ok");
    }
}

#[tokio::test]
async fn a_lost_race_is_a_conflict_or_the_failure_of_what_was_stated() {
    for (expected, wanted) in [
        (Expected::Any, "Repo(Stale)"),
        (one_of(&[1]), "PreconditionFailed"),
    ] {
        let shop = Workshop::new();
        let endpoint = shop.endpoint().await;
        let (id, rivals) = (endpoint.id, shop.wiring().endpoints(shop.store.clone()));
        let rivals = std::sync::Arc::new(rivals);
        let rival = Interloper::after_find(&shop.store, move || {
            let rivals = rivals.clone();
            Box::pin(async move {
                let revise = rivals.revise(id, ANY, renamed("The rival's name"));
                revise.await.unwrap();
            })
        });
        let endpoints = shop.wiring().endpoints(rival);
        let retire = endpoints.retire(id, &expected).await;
        assert_eq!(answer(retire), wanted);
        let left = stored(&shop, id).await;
        assert_eq!(left.name, name("The rival's name"));
        assert!(left.is_active);
    }
}
