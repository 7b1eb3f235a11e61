//! Tars models in the store.

use futures_util::future::join_all;
use tarsify_domain::catalog::{
    Category, ConfigOverrides, TarsModelFilter, TarsModelRepository, TarsModelStatus,
};
use tarsify_domain::id::{ConsumerId, TarsModelId};
use tarsify_domain::money::Price;
use tarsify_domain::text::{Slug, Title};
use tarsify_domain::{PageRequest, RepoError, Scope, Version};

use crate::things::{Shop, moment, tars_model};

#[tokio::test]
async fn a_tars_model_is_read_as_it_was_stored() {
    let shop = Shop::open().await;
    let stored = shop.draft(1).await;
    let found = shop
        .tars_models
        .find(Scope::System, stored.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found, stored);
    let text = |overrides: &ConfigOverrides| overrides.to_value().to_string();
    assert_eq!(
        text(&found.overrides),
        text(&stored.overrides),
        "the developer's own order"
    );
}

#[tokio::test]
async fn developers_see_and_touch_only_their_own() {
    let shop = Shop::open().await;
    let mine = shop.draft(1).await;
    let other = shop.draft(2).await;
    let me = Scope::Developer(mine.developer_id);
    let stranger = Scope::Developer(other.developer_id);
    let consumer = Scope::Consumer(ConsumerId::new(moment(1)));
    assert_eq!(
        shop.tars_models.find(me, mine.id).await.unwrap(),
        Some(mine.clone())
    );
    let page = PageRequest::default();
    for (scope, seen) in [(me, 1), (stranger, 1), (consumer, 0), (Scope::System, 2)] {
        let filter = TarsModelFilter::default();
        let list = shop.tars_models.list(scope, filter, &page).await.unwrap();
        assert_eq!(
            (list.total, list.items.len()),
            (seen, usize::try_from(seen).unwrap())
        );
    }
    for scope in [stranger, consumer] {
        assert_eq!(shop.tars_models.find(scope, mine.id).await.unwrap(), None);
        let refusal = shop.tars_models.delete(scope, mine.id, mine.version).await;
        assert!(matches!(refusal, Err(RepoError::Stale)), "{refusal:?}");
    }
    let mut stolen = mine.clone();
    stolen.developer_id = other.developer_id;
    let refusal = shop.tars_models.revise(&stolen).await;
    assert!(matches!(refusal, Err(RepoError::Stale)), "{refusal:?}");
    shop.tars_models
        .delete(me, mine.id, mine.version)
        .await
        .unwrap();
    assert_eq!(shop.tars_models.find(me, mine.id).await.unwrap(), None);
}

#[tokio::test]
async fn a_tars_model_is_revised_once_per_version() {
    let shop = Shop::open().await;
    let mut model = shop.draft(1).await;
    shop.test.sql("UPDATE tars_models SET total_runs = 5").await;
    model.title = Title::parse("Renamed").unwrap();
    model.description = None;
    model.price = Price::parse(0).unwrap();
    model.overrides = ConfigOverrides::default();
    model.base_model = shop.base_model(3, Category::Audio).await.into();
    model.updated_at = moment(90);
    model.publish(moment(90)).unwrap();
    let revised = shop.tars_models.revise(&model).await.unwrap();
    let mut expected = model.clone();
    expected.version = Version::new(2);
    expected.total_runs = 5;
    assert_eq!(revised, expected);
    let found = shop
        .tars_models
        .find(Scope::System, model.id)
        .await
        .unwrap();
    assert_eq!(found, Some(expected));
    let stale = shop.tars_models.revise(&model).await;
    assert!(matches!(stale, Err(RepoError::Stale)), "{stale:?}");
}

#[tokio::test]
async fn of_many_who_want_a_slug_one_gets_it() {
    let shop = Shop::open().await;
    let developer = shop.developer(1).await;
    let base = shop.base_model(1, Category::Image).await;
    let creations = (0..12).map(|number| {
        let mut model = tars_model(number, developer.id, &base);
        model.slug = Slug::parse("wanted").unwrap();
        let repository = &shop.tars_models;
        async move { repository.create(&model).await }
    });
    let results = join_all(creations).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    let refused = results
        .iter()
        .filter(|result| matches!(result, Err(RepoError::Conflict)));
    assert_eq!(refused.count(), 11, "{results:?}");

    let mut other = tars_model(50, developer.id, &base);
    shop.tars_models.create(&other).await.unwrap();
    other.slug = Slug::parse("wanted").unwrap();
    let refusal = shop.tars_models.revise(&other).await;
    assert!(matches!(refusal, Err(RepoError::Conflict)), "{refusal:?}");
}

#[tokio::test]
async fn of_many_who_revise_one_version_one_succeeds() {
    let shop = Shop::open().await;
    let model = shop.draft(1).await;
    let revisions = (0..8).map(|_| shop.tars_models.revise(&model));
    let results = join_all(revisions).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    let stale = results
        .iter()
        .filter(|result| matches!(result, Err(RepoError::Stale)));
    assert_eq!(stale.count(), 7);
}

#[tokio::test]
async fn only_what_is_unpublished_and_never_ran_is_deleted() {
    let shop = Shop::open().await;
    let mut model = shop.draft(1).await;
    let me = Scope::Developer(model.developer_id);
    let refused = async |id: TarsModelId, version: Version, why: &str| {
        let refusal = shop.tars_models.delete(me, id, version).await;
        assert!(
            matches!(refusal, Err(RepoError::Stale)),
            "{why}: {refusal:?}"
        );
    };
    refused(model.id, model.version.next(), "another version").await;
    refused(TarsModelId::new(moment(5)), model.version, "absent").await;
    model = shop.publish(model).await;
    refused(model.id, model.version, "published").await;
    model.archive().unwrap();
    model = shop.tars_models.revise(&model).await.unwrap();
    shop.test.sql("UPDATE tars_models SET total_runs = 1").await;
    refused(model.id, model.version, "it ran").await;
    shop.test.sql("UPDATE tars_models SET total_runs = 0").await;
    shop.tars_models
        .delete(me, model.id, model.version)
        .await
        .unwrap();
    assert_eq!(
        shop.test.sql("SELECT count(*) FROM tars_models").await,
        ["0"]
    );
}

#[tokio::test]
async fn a_list_can_be_of_one_status() {
    let shop = Shop::open().await;
    let draft = shop.draft(1).await;
    let second = shop.draft(2).await;
    let published = shop.publish(second).await;
    let of = async |status| {
        let filter = TarsModelFilter { status };
        let page = PageRequest::default();
        let list = shop
            .tars_models
            .list(Scope::System, filter, &page)
            .await
            .unwrap();
        list.items
            .into_iter()
            .map(|model| model.id)
            .collect::<Vec<_>>()
    };
    assert_eq!(of(Some(TarsModelStatus::Draft)).await, [draft.id]);
    assert_eq!(of(Some(TarsModelStatus::Published)).await, [published.id]);
    assert_eq!(of(Some(TarsModelStatus::Archived)).await, []);
    assert_eq!(of(None).await, [published.id, draft.id]);
}
