//! Base models in the store.

use tarsify_domain::RepoError;
use tarsify_domain::Version;
use tarsify_domain::catalog::{
    BaseModelFilter, BaseModelRepository, Category, EndpointRepository, OutputType,
};
use tarsify_domain::id::BaseModelId;
use tarsify_domain::text::{Description, Name, Slug};

use crate::things::{Shop, base_model, endpoint, moment, schema};

#[tokio::test]
async fn a_base_model_is_read_as_it_was_stored() {
    let shop = Shop::open().await;
    let stored = shop.base_model(1, Category::Image).await;
    let found = shop.base_models.find(stored.id).await.unwrap().unwrap();
    assert_eq!(found, stored);
    // Equal objects may differ in order; forms show it.
    let keys = |value: &tarsify_domain::catalog::InputSchema| value.to_value().to_string();
    assert_eq!(keys(&found.input_schema), keys(&schema()));
    let slug = Slug::parse("base-1").unwrap();
    assert_eq!(
        shop.base_models.find_by_slug(&slug).await.unwrap(),
        Some(stored)
    );
    let absent = Slug::parse("base-2").unwrap();
    assert_eq!(shop.base_models.find_by_slug(&absent).await.unwrap(), None);
    let absent = BaseModelId::new(moment(9));
    assert_eq!(shop.base_models.find(absent).await.unwrap(), None);
}

#[tokio::test]
async fn a_slug_belongs_to_one_base_model() {
    let shop = Shop::open().await;
    let first = shop.base_model(1, Category::Image).await;
    let mut second = shop.base_model(2, Category::Text).await;
    second.slug = first.slug.clone();
    let refusal = shop.base_models.revise(&second).await;
    assert!(matches!(refusal, Err(RepoError::Conflict)), "{refusal:?}");
    second.id = BaseModelId::new(moment(3));
    let refusal = shop.base_models.create(&second).await;
    assert!(matches!(refusal, Err(RepoError::Conflict)), "{refusal:?}");
}

#[tokio::test]
async fn an_endpoint_that_is_not_there_is_our_fault() {
    let shop = Shop::open().await;
    let orphan = base_model(1, &endpoint(1), Category::Image);
    let refusal = shop.base_models.create(&orphan).await;
    assert!(
        matches!(refusal, Err(RepoError::Internal(_))),
        "{refusal:?}"
    );
}

#[tokio::test]
async fn a_base_model_is_revised_once_per_version() {
    let shop = Shop::open().await;
    let mut stored = shop.base_model(1, Category::Image).await;
    let mut other = shop.endpoint(2).await;
    other.is_active = false;
    shop.endpoints.revise(&other).await.unwrap();
    stored.endpoint.id = other.id;
    stored.name = Name::parse("Renamed").unwrap();
    stored.description = Some(Description::parse("It paints").unwrap());
    stored.category = Category::Video;
    stored.output_type = OutputType::File;
    stored.is_active = false;
    stored.updated_at = moment(80);
    let revised = shop.base_models.revise(&stored).await.unwrap();
    let mut expected = stored.clone();
    expected.version = Version::new(2);
    // What is told of the endpoint is the endpoint's, whatever the caller thought.
    expected.endpoint.name = other.name;
    expected.endpoint.is_active = false;
    assert_eq!(revised, expected);
    assert_eq!(
        shop.base_models.find(stored.id).await.unwrap(),
        Some(expected)
    );
    let stale = shop.base_models.revise(&stored).await;
    assert!(matches!(stale, Err(RepoError::Stale)), "{stale:?}");
}

#[tokio::test]
async fn what_is_offered_is_switched_on_and_sorted_by_name() {
    let shop = Shop::open().await;
    for (number, name, category) in [
        (1, "zebra", Category::Image),
        (2, "Apple", Category::Text),
        (3, "mango", Category::Image),
        (4, "Banana", Category::Image),
    ] {
        let endpoint = shop.endpoint(number).await;
        let mut model = base_model(number, &endpoint, category);
        model.name = Name::parse(name).unwrap();
        model.is_active = number != 4;
        shop.base_models.create(&model).await.unwrap();
    }
    let names = async |category| {
        let offered = shop
            .base_models
            .list_offered(BaseModelFilter { category })
            .await;
        let names = offered
            .unwrap()
            .into_iter()
            .map(|model| model.name.to_string());
        names.collect::<Vec<_>>()
    };
    assert_eq!(names(None).await, ["Apple", "mango", "zebra"]);
    assert_eq!(names(Some(Category::Image)).await, ["mango", "zebra"]);
    assert_eq!(names(Some(Category::Video)).await, Vec::<String>::new());
}
