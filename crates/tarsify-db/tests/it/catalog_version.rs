//! The number that tells every process that the catalogue has changed.

use tarsify_domain::catalog::{
    BaseModelRepository, EndpointRepository, MarketRepository, TarsModelRepository,
};
use tarsify_domain::people::{ConsumerRepository, DeveloperRepository, Realm};
use tarsify_domain::text::PersonName;
use tarsify_domain::{Scope, Version};

use crate::support::Outside;
use crate::things::{Shop, identity, new_consumer};

#[tokio::test]
async fn every_change_of_what_is_shown_gives_a_new_number() {
    let shop = Shop::open().await;
    let mut last = shop.market.version().await.unwrap();
    let mut model = shop.draft(1).await;
    let mut grew = async |what: &str| {
        let now = shop.market.version().await.unwrap();
        assert!(now > last, "{what}");
        last = now;
    };
    grew("a new model").await;
    model = shop.publish(model).await;
    grew("a published one").await;
    model.archive().unwrap();
    model = shop.tars_models.revise(&model).await.unwrap();
    grew("an archived one").await;

    let base_id = model.base_model.id;
    let base = shop.base_models.find(base_id).await.unwrap().unwrap();
    shop.base_models.revise(&base).await.unwrap();
    grew("a revised base model").await;
    let endpoint = shop
        .endpoints
        .find(base.endpoint.id)
        .await
        .unwrap()
        .unwrap();
    shop.endpoints.revise(&endpoint).await.unwrap();
    grew("a revised endpoint").await;

    let key = identity(Realm::Developers, 1);
    let mut developer = shop
        .developers
        .find_by_identity(&key)
        .await
        .unwrap()
        .unwrap();
    developer.display_name = Some(PersonName::parse("Ada").unwrap());
    shop.developers.revise(&developer).await.unwrap();
    grew("another name").await;

    let (id, version) = (model.id, model.version);
    shop.tars_models
        .delete(Scope::System, id, version)
        .await
        .unwrap();
    grew("a deleted one").await;
}

#[tokio::test]
async fn what_is_not_shown_leaves_the_number() {
    let shop = Shop::open().await;
    let first = shop.draft(1).await;
    let model = shop.publish(first).await;
    let before = shop.market.version().await.unwrap();
    shop.test
        .sql("UPDATE tars_models SET total_runs = total_runs + 1")
        .await;
    let mut consumer = shop.consumers.register(&new_consumer(5)).await.unwrap();
    consumer.name = None;
    shop.consumers.revise(&consumer).await.unwrap();
    shop.developer(6).await;
    let key = identity(Realm::Developers, 1);
    let developer = shop
        .developers
        .find_by_identity(&key)
        .await
        .unwrap()
        .unwrap();
    shop.developers.revise(&developer).await.unwrap();
    let stale = shop
        .tars_models
        .delete(Scope::System, model.id, Version::new(77))
        .await;
    stale.unwrap_err();
    assert_eq!(shop.market.version().await.unwrap(), before);
}

#[tokio::test]
async fn a_transaction_gives_one_number_when_it_commits() {
    let shop = Shop::open().await;
    let first = shop.draft(1).await;
    shop.publish(first).await;
    let before = shop.market.version().await.unwrap();
    let outside = Outside::connect(&shop.test.url).await;
    let changes = "BEGIN; UPDATE tars_models SET title = 'New'; UPDATE base_models SET name = 'New'; \
        UPDATE people SET name = 'Newer'";
    outside.sql(changes).await;
    assert_eq!(
        shop.market.version().await.unwrap(),
        before,
        "not before the commit"
    );
    // The lock is not held before the commit either.
    let other = "BEGIN; SELECT version FROM catalog_version FOR UPDATE NOWAIT; ROLLBACK";
    shop.test.sql(other).await;
    outside.sql("COMMIT").await;
    assert_eq!(shop.market.version().await.unwrap(), before + 1);
    outside
        .sql("BEGIN; UPDATE tars_models SET title = 'Other'; ROLLBACK")
        .await;
    assert_eq!(shop.market.version().await.unwrap(), before + 1);
}

#[tokio::test]
async fn changes_at_the_same_time_do_not_stand_in_each_others_way() {
    let shop = Shop::open().await;
    let mut models = Vec::new();
    for number in 0..8 {
        models.push(shop.draft(number).await);
    }
    let before = shop.market.version().await.unwrap();
    let work = models.into_iter().map(|mut model| {
        let repository = &shop.tars_models;
        async move {
            for _ in 0..10 {
                model = repository.revise(&model).await.unwrap();
            }
        }
    });
    futures_util::future::join_all(work).await;
    assert_eq!(shop.market.version().await.unwrap(), before + 80);
}
