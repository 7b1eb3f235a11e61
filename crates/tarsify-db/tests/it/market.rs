//! What the market shows.

use tarsify_domain::catalog::{
    Category, EndpointRepository, MarketQuery, MarketRepository, MarketSort, TarsModel,
    TarsModelRepository,
};
use tarsify_domain::people::DeveloperRepository;
use tarsify_domain::text::Slug;
use tarsify_domain::{PageRequest, Scope};

use crate::things::{Shop, moment, schema, tars_model};

fn everything() -> MarketQuery {
    MarketQuery {
        category: None,
        search: None,
        sort: MarketSort::Newest,
    }
}

async fn shown(shop: &Shop, query: &MarketQuery) -> Vec<String> {
    let page = PageRequest::default();
    let list = shop.market.list(query, &page).await.unwrap();
    assert_eq!(usize::try_from(list.total).unwrap(), list.items.len());
    list.items
        .into_iter()
        .map(|entry| entry.slug.to_string())
        .collect()
}

#[tokio::test]
async fn only_what_is_published_is_shown() {
    let shop = Shop::open().await;
    shop.draft(1).await;
    let second = shop.draft(2).await;
    let mut archived = shop.publish(second).await;
    archived.archive().unwrap();
    shop.tars_models.revise(&archived).await.unwrap();
    let third = shop.draft(3).await;
    shop.publish(third).await;
    assert_eq!(shown(&shop, &everything()).await, ["model-3"]);
    for (slug, is_shown) in [("model-1", false), ("model-2", false), ("model-3", true)] {
        let found = shop.market.find(&Slug::parse(slug).unwrap()).await.unwrap();
        assert_eq!(found.is_some(), is_shown, "{slug}");
    }
}

#[tokio::test]
async fn an_endpoint_that_is_switched_off_hides_nothing() {
    let shop = Shop::open().await;
    let first = shop.draft(1).await;
    let model = shop.publish(first).await;
    let base = shop.test.sql("SELECT endpoint_id FROM base_models").await;
    let id = base[0].parse().unwrap();
    let mut endpoint = shop.endpoints.find(id).await.unwrap().unwrap();
    endpoint.is_active = false;
    shop.endpoints.revise(&endpoint).await.unwrap();
    assert_eq!(shown(&shop, &everything()).await, [model.slug.as_str()]);
}

#[tokio::test]
async fn an_entry_and_its_source_tell_all_that_is_stored() {
    let shop = Shop::open().await;
    let first = shop.draft(1).await;
    let model: TarsModel = shop.publish(first).await;
    shop.test
        .sql("UPDATE tars_models SET total_runs = 12")
        .await;
    let source = shop.market.find(&model.slug).await.unwrap().unwrap();
    assert_eq!(source.input_schema, schema());
    assert_eq!(source.overrides, model.overrides);
    let entry = source.entry;
    assert_eq!((entry.id, &entry.title), (model.id, &model.title));
    assert_eq!((entry.price, entry.total_runs), (model.price, 12));
    assert_eq!(entry.description, model.description);
    assert_eq!(entry.base_model_name, model.base_model.name);
    assert_eq!(entry.category, model.base_model.category);
    assert_eq!(entry.estimated_seconds, 7);
    assert_eq!(entry.published_at, moment(1_000));
    assert_eq!(entry.developer.id, model.developer_id);
    assert_eq!(entry.developer.name, "Developer 1");
    let page = PageRequest::default();
    let list = shop.market.list(&everything(), &page).await.unwrap();
    assert_eq!(list.items, [entry]);
}

#[tokio::test]
async fn a_developer_without_a_name_is_called_developer() {
    let shop = Shop::open().await;
    let first = shop.draft(1).await;
    let model = shop.publish(first).await;
    let key = crate::things::identity(tarsify_domain::people::Realm::Developers, 1);
    let mut developer = shop
        .developers
        .find_by_identity(&key)
        .await
        .unwrap()
        .unwrap();
    developer.display_name = None;
    shop.developers.revise(&developer).await.unwrap();
    let source = shop.market.find(&model.slug).await.unwrap().unwrap();
    assert_eq!(source.entry.developer.name, "Developer");
}

#[tokio::test]
async fn a_category_is_that_of_the_base_model() {
    let shop = Shop::open().await;
    let developer = shop.developer(1).await;
    for (number, category) in [
        (1, Category::Image),
        (2, Category::Audio),
        (3, Category::Image),
    ] {
        let base = shop.base_model(number, category).await;
        let model = tars_model(number, developer.id, &base);
        shop.tars_models.create(&model).await.unwrap();
        shop.publish(model).await;
    }
    let of = async |category| {
        let query = MarketQuery {
            category: Some(category),
            ..everything()
        };
        shown(&shop, &query).await
    };
    assert_eq!(of(Category::Image).await, ["model-3", "model-1"]);
    assert_eq!(of(Category::Audio).await, ["model-2"]);
    assert_eq!(of(Category::Document).await, Vec::<String>::new());
    let page = PageRequest::default();
    let filter = tarsify_domain::catalog::TarsModelFilter::default();
    let all = shop
        .tars_models
        .list(Scope::System, filter, &page)
        .await
        .unwrap();
    assert_eq!(all.total, 3);
}
