//! Drafts: what they begin as, and what keeps one from being made.

use serde_json::json;
use tarsify_domain::Version;
use tarsify_domain::catalog::{NewTarsModel, TarsModelError, TarsModelStatus};
use tarsify_domain::id::BaseModelId;
use tarsify_testing::builders::new_tars_model;
use tarsify_testing::clock::MOMENT;

use crate::workshop::{Workshop, answer, overrides, paths};

#[tokio::test]
async fn a_new_model_is_a_draft_at_version_one_that_nobody_has_run() {
    let shop = Workshop::new();
    let base = shop.base_model().await;
    let dora = shop.developer("dora").await;
    let now = shop.later();
    let new = new_tars_model(base.id);
    let made = shop.tars.create(dora, new.clone()).await.unwrap();
    assert_eq!(made.status, TarsModelStatus::Draft);
    assert_eq!(made.version, Version::FIRST);
    assert_eq!(made.total_runs, 0);
    assert_eq!(made.published_at, None);
    assert_eq!((made.created_at, made.updated_at), (now, now));
    assert_eq!(made.developer_id, dora);
    assert_eq!(made.base_model, base.into());
    let said = NewTarsModel {
        base_model_id: made.base_model.id,
        title: made.title.clone(),
        slug: made.slug.clone(),
        description: made.description.clone(),
        price: made.price,
        overrides: made.overrides.clone(),
    };
    assert_eq!(said, new);
    assert_eq!(shop.stored(&made).await, Some(made));
}

#[tokio::test]
async fn it_needs_a_base_model_that_exists_and_is_switched_on() {
    let shop = Workshop::new();
    let dora = shop.developer("dora").await;
    let unknown = new_tars_model(BaseModelId::new(MOMENT));
    let create = shop.tars.create(dora, unknown).await;
    assert_eq!(answer(create), "BaseModelNotFound");
    let base = shop.base_model().await;
    shop.switch_off_base_model(&base).await;
    let create = shop.tars.create(dora, new_tars_model(base.id)).await;
    assert_eq!(answer(create), "BaseModelNotActive");
}

#[tokio::test]
async fn it_may_be_drafted_while_the_endpoint_is_off() {
    let shop = Workshop::new();
    let dora = shop.developer("dora").await;
    let base = shop.base_model().await;
    shop.switch_off_endpoint_of(&base).await;
    let create = shop.tars.create(dora, new_tars_model(base.id)).await;
    assert!(!create.unwrap().base_model.endpoint_is_active);
}

#[tokio::test]
async fn every_override_that_does_not_fit_is_named_and_nothing_is_stored() {
    let shop = Workshop::new();
    let dora = shop.developer("dora").await;
    let base = shop.base_model().await;
    let new = NewTarsModel {
        overrides: overrides(json!({
            "defaultInputs": {"steps": "many"},
            "lockedInputs": {"width": 1, "height": 1024},
        })),
        ..new_tars_model(base.id)
    };
    let writes = shop.store.writes();
    let error = shop.tars.create(dora, new).await.unwrap_err();
    let TarsModelError::OverridesDoNotFit(issues) = error else {
        panic!("{error:?}");
    };
    let mut paths = paths(&issues);
    paths.sort_unstable();
    assert_eq!(paths, ["/defaultInputs/steps", "/lockedInputs/width"]);
    assert_eq!(shop.store.writes(), writes);
}

#[tokio::test]
async fn a_slug_belongs_to_one_model_whoever_has_it() {
    let shop = Workshop::new();
    let base = shop.base_model().await;
    let dora = shop.developer("dora").await;
    let taken = shop.draft(dora, &base).await.slug;
    for developer in [dora, shop.developer("emil").await] {
        let new = NewTarsModel {
            slug: taken.clone(),
            ..new_tars_model(base.id)
        };
        let create = shop.tars.create(developer, new).await;
        assert_eq!(answer(create), "SlugTaken");
    }
}

#[tokio::test]
async fn an_outage_is_told_apart_from_what_is_missing() {
    let shop = Workshop::new();
    let dora = shop.developer("dora").await;
    let base = shop.base_model().await;
    shop.store.start_outage();
    let create = shop.tars.create(dora, new_tars_model(base.id)).await;
    let answer = answer(create);
    assert!(answer.starts_with("Repo(Unavailable"), "{answer}");
}
