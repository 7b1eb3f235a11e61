//! Removing: gone when nobody ever ran it, otherwise only out of the way.

use tarsify_domain::Expected;
use tarsify_domain::catalog::{NewTarsModel, TarsModelStatus};
use tarsify_testing::builders::new_tars_model;

use crate::workshop::{Workshop, answer, one_of};

const ANY: &Expected = &Expected::Any;

#[tokio::test]
async fn what_was_never_run_is_gone_and_its_slug_is_free() {
    for status in [TarsModelStatus::Draft, TarsModelStatus::Archived] {
        let shop = Workshop::new();
        let model = shop.model(status).await;
        let dora = model.developer_id;
        let remove = shop.tars.remove(dora, model.id, ANY).await;
        assert_eq!(answer(remove), "ok");
        assert_eq!(answer(shop.tars.find(dora, model.id).await), "NotFound");
        let again = shop.tars.remove(dora, model.id, ANY).await;
        assert_eq!(answer(again), "NotFound");
        let new = NewTarsModel {
            slug: model.slug,
            ..new_tars_model(model.base_model.id)
        };
        assert_eq!(answer(shop.tars.create(dora, new).await), "ok");
    }
}

#[tokio::test]
async fn a_draft_that_was_run_is_archived_as_if_by_archiving() {
    let shop = Workshop::new();
    let draft = shop.model(TarsModelStatus::Draft).await;
    shop.store
        .edit_tars_model(draft.id, |stored| stored.total_runs = 1);
    let now = shop.later();
    let remove = shop.tars.remove(draft.developer_id, draft.id, ANY).await;
    remove.unwrap();
    let left = shop.stored(&draft).await.unwrap();
    assert_eq!(left.status, TarsModelStatus::Archived);
    assert_eq!(left.updated_at, now);
    assert_eq!(left.version, draft.version.next());
    assert_eq!(left.total_runs, 1);
}

#[tokio::test]
async fn an_archived_one_that_was_run_stays_as_it_is() {
    let shop = Workshop::new();
    let archived = shop.model(TarsModelStatus::Archived).await;
    shop.store
        .edit_tars_model(archived.id, |stored| stored.total_runs = 1);
    let before = shop.stored(&archived).await;
    let (dora, id) = (archived.developer_id, archived.id);
    shop.later();
    assert_eq!(answer(shop.tars.remove(dora, id, ANY).await), "ok");
    assert_eq!(shop.stored(&archived).await, before);
    let stale = shop.tars.remove(dora, id, &one_of(&[1])).await;
    assert_eq!(answer(stale), "PreconditionFailed");
}
