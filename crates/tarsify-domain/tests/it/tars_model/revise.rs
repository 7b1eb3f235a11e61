//! Partial changes: what is kept, cleared and checked again.

use serde_json::json;
use tarsify_domain::catalog::{
    BaseModelChange, ConfigOverrides, NewBaseModel, TarsModel, TarsModelChange, TarsModelError,
    TarsModelStatus,
};
use tarsify_domain::id::BaseModelId;
use tarsify_domain::{Expected, Patch};
use tarsify_testing::builders::{description, new_base_model, price, slug, title};
use tarsify_testing::clock::MOMENT;

use crate::workshop::{Workshop, answer, overrides, paths, schema_without_sizes};

const ANY: &Expected = &Expected::Any;

pub(super) fn retitled(text: &str) -> TarsModelChange {
    TarsModelChange {
        title: Some(title(text)),
        ..TarsModelChange::default()
    }
}

fn rebuilt(base: BaseModelId) -> TarsModelChange {
    TarsModelChange {
        base_model_id: Some(base),
        ..TarsModelChange::default()
    }
}

async fn revise(shop: &Workshop, model: &TarsModel, change: TarsModelChange) -> TarsModel {
    let revised = shop.tars.revise(model.developer_id, model.id, ANY, change);
    revised.await.unwrap()
}

#[tokio::test]
async fn only_what_is_mentioned_changes() {
    type Edit = fn(&mut TarsModelChange, &mut TarsModel);
    let table: [(&str, Edit); 7] = [
        ("nothing", |_, _| {}),
        ("title", |change, wanted| {
            wanted.title = title("Logo Maker");
            change.title = Some(wanted.title.clone());
        }),
        ("slug", |change, wanted| {
            wanted.slug = slug("logo-maker");
            change.slug = Some(wanted.slug.clone());
        }),
        ("description", |change, wanted| {
            wanted.description = Some(description("Makes logos."));
            change.description = Patch::Set(description("Makes logos."));
        }),
        ("no description", |change, wanted| {
            wanted.description = None;
            change.description = Patch::Clear;
        }),
        ("price", |change, wanted| {
            wanted.price = price(0);
            change.price = Some(wanted.price);
        }),
        ("overrides", |change, wanted| {
            wanted.overrides = overrides(json!({"lockedInputs": {"width": 512}}));
            change.overrides = Patch::Set(wanted.overrides.clone());
        }),
    ];
    for status in TarsModelStatus::ALL {
        for (name, edit) in table {
            let shop = Workshop::new();
            let mut wanted = shop.model(*status).await;
            let mut change = TarsModelChange::default();
            wanted.version = wanted.version.next();
            wanted.updated_at = shop.later();
            edit(&mut change, &mut wanted);
            let revised = revise(&shop, &wanted, change).await;
            assert_eq!(revised, wanted, "{name} of {status:?}");
            assert_eq!(shop.stored(&wanted).await, Some(wanted), "{name}");
        }
    }
}

#[tokio::test]
async fn cleared_overrides_are_empty() {
    let shop = Workshop::new();
    let draft = shop.model(TarsModelStatus::Draft).await;
    let change = TarsModelChange {
        overrides: Patch::Clear,
        ..TarsModelChange::default()
    };
    let revised = revise(&shop, &draft, change).await;
    assert_eq!(revised.overrides, ConfigOverrides::default());
    assert_eq!(revised.description, draft.description);
}

#[tokio::test]
async fn new_overrides_must_fit() {
    let shop = Workshop::new();
    let draft = shop.model(TarsModelStatus::Draft).await;
    let change = TarsModelChange {
        overrides: Patch::Set(overrides(json!({"lockedInputs": {"steps": 101}}))),
        ..retitled("Never stored")
    };
    let revise = shop.tars.revise(draft.developer_id, draft.id, ANY, change);
    let error = revise.await.unwrap_err();
    let TarsModelError::OverridesDoNotFit(issues) = error else {
        panic!("{error:?}");
    };
    assert_eq!(paths(&issues), ["/lockedInputs/steps"]);
    assert_eq!(shop.stored(&draft).await, Some(draft));
}

#[tokio::test]
async fn another_base_model_must_be_there_be_on_and_fit_the_overrides_that_stay() {
    let shop = Workshop::new();
    let draft = shop.model(TarsModelStatus::Draft).await;
    let off = shop.base_model().await;
    shop.switch_off_base_model(&off).await;
    let endpoint = shop.endpoint().await;
    let misfitting = NewBaseModel {
        input_schema: schema_without_sizes(),
        ..new_base_model(endpoint.id)
    };
    let misfitting = shop.base_models.create(misfitting).await.unwrap();
    for (base, wanted) in [
        (BaseModelId::new(MOMENT), "BaseModelNotFound"),
        (off.id, "BaseModelNotActive"),
        (misfitting.id, "OverridesDoNotFit"),
    ] {
        let (dora, id) = (draft.developer_id, draft.id);
        let revise = shop.tars.revise(dora, id, ANY, rebuilt(base)).await;
        let answer = answer(revise);
        assert!(answer.starts_with(wanted), "{answer} is not {wanted}");
        assert_eq!(shop.stored(&draft).await.as_ref(), Some(&draft));
    }
    let cleared = TarsModelChange {
        overrides: Patch::Clear,
        ..rebuilt(misfitting.id)
    };
    let revised = revise(&shop, &draft, cleared).await;
    assert_eq!(revised.base_model, misfitting.into());
}

/// A way around what publishing checks would put a model into the market that nobody can run.
#[tokio::test]
async fn only_what_is_published_must_not_move_to_an_endpoint_that_is_off() {
    for (status, wanted) in [
        (TarsModelStatus::Published, "EndpointNotActive"),
        (TarsModelStatus::Draft, "ok"),
        (TarsModelStatus::Archived, "ok"),
    ] {
        let shop = Workshop::new();
        let model = shop.model(status).await;
        let base = shop.base_model().await;
        shop.switch_off_endpoint_of(&base).await;
        let (dora, id) = (model.developer_id, model.id);
        let revise = shop.tars.revise(dora, id, ANY, rebuilt(base.id)).await;
        assert_eq!(answer(revise), wanted, "{status:?}");
    }
}

#[tokio::test]
async fn another_base_model_takes_the_old_ones_place() {
    let shop = Workshop::new();
    let draft = shop.model(TarsModelStatus::Draft).await;
    let base = shop.base_model().await;
    let revised = revise(&shop, &draft, rebuilt(base.id)).await;
    assert_eq!(revised.base_model, base.clone().into());
    assert_eq!(revised.overrides, draft.overrides);
    let count = async |id| shop.base_models.find(id).await.unwrap().tars_model_count;
    assert_eq!(count(base.id).await, 1);
    assert_eq!(count(draft.base_model.id).await, 0);
}

/// A front end that sends the whole form back must not be refused for what it did not touch.
#[tokio::test]
async fn the_base_model_it_has_already_is_not_checked_again() {
    let shop = Workshop::new();
    let draft = shop.model(TarsModelStatus::Draft).await;
    let base = shop.base_models.find(draft.base_model.id).await.unwrap();
    let spoilt = BaseModelChange {
        input_schema: Some(schema_without_sizes()),
        is_active: Some(false),
        ..BaseModelChange::default()
    };
    shop.change_base_model(&base, spoilt).await;
    let change = TarsModelChange {
        base_model_id: Some(base.id),
        ..retitled("Logo Maker")
    };
    assert_eq!(
        revise(&shop, &draft, change).await.title,
        title("Logo Maker")
    );
}

#[tokio::test]
async fn a_taken_slug_is_refused_and_ones_own_is_not() {
    let shop = Workshop::new();
    let draft = shop.model(TarsModelStatus::Draft).await;
    let other = shop.model(TarsModelStatus::Archived).await;
    for (wish, wanted) in [(&other.slug, "SlugTaken"), (&draft.slug, "ok")] {
        let change = TarsModelChange {
            slug: Some(wish.clone()),
            ..TarsModelChange::default()
        };
        let revise = shop.tars.revise(draft.developer_id, draft.id, ANY, change);
        assert_eq!(answer(revise.await), wanted);
    }
}
