//! Endpoints in the store.

use tarsify_domain::catalog::EndpointRepository;
use tarsify_domain::catalog::endpoint::EndpointLimits;
use tarsify_domain::id::EndpointId;
use tarsify_domain::text::{DockerImage, Name};
use tarsify_domain::{RepoError, Version};

use crate::things::{Shop, endpoint, moment};
use tarsify_domain::catalog::Category;

#[tokio::test]
async fn an_endpoint_is_read_as_it_was_stored() {
    let shop = Shop::open().await;
    let stored = shop.endpoint(1).await;
    assert_eq!(shop.endpoints.find(stored.id).await.unwrap(), Some(stored));
    let absent = EndpointId::new(moment(9));
    assert_eq!(shop.endpoints.find(absent).await.unwrap(), None);
}

#[tokio::test]
async fn an_endpoint_counts_its_base_models() {
    let shop = Shop::open().await;
    let model = shop.base_model(1, Category::Image).await;
    let found = shop.endpoints.find(model.endpoint.id).await.unwrap();
    assert_eq!(found.unwrap().base_model_count, 1);
}

#[tokio::test]
async fn a_provider_id_belongs_to_one_endpoint() {
    let shop = Shop::open().await;
    let first = shop.endpoint(1).await;
    let mut twin = endpoint(2);
    twin.provider_endpoint_id = first.provider_endpoint_id.clone();
    let refusal = shop.endpoints.create(&twin).await;
    assert!(matches!(refusal, Err(RepoError::Conflict)), "{refusal:?}");
    let mut second = shop.endpoint(3).await;
    second.provider_endpoint_id = first.provider_endpoint_id;
    let refusal = shop.endpoints.revise(&second).await;
    assert!(matches!(refusal, Err(RepoError::Conflict)), "{refusal:?}");
}

#[tokio::test]
async fn an_id_that_is_used_twice_is_our_fault_and_no_conflict() {
    let shop = Shop::open().await;
    let first = shop.endpoint(1).await;
    let mut twin = endpoint(2);
    twin.id = first.id;
    let refusal = shop.endpoints.create(&twin).await;
    assert!(
        matches!(refusal, Err(RepoError::Internal(_))),
        "{refusal:?}"
    );
}

#[tokio::test]
async fn an_endpoint_is_revised_once_per_version() {
    let shop = Shop::open().await;
    let mut stored = shop.endpoint(1).await;
    stored.name = Name::parse("Renamed").unwrap();
    stored.docker_image = Some(DockerImage::parse("image:1").unwrap());
    stored.limits = EndpointLimits::default();
    stored.is_active = false;
    stored.updated_at = moment(70);
    let revised = shop.endpoints.revise(&stored).await.unwrap();
    let mut expected = stored.clone();
    expected.version = Version::new(2);
    assert_eq!(revised, expected);
    assert_eq!(
        shop.endpoints.find(stored.id).await.unwrap(),
        Some(expected)
    );
    let stale = shop.endpoints.revise(&stored).await;
    assert!(matches!(stale, Err(RepoError::Stale)), "{stale:?}");
    let gone = shop.endpoints.revise(&endpoint(5)).await;
    assert!(matches!(gone, Err(RepoError::Stale)), "{gone:?}");
}
