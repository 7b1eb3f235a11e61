//! What administrators do with base models, and what developers are offered of them.

use std::sync::Arc;

use serde_json::json;
use tarsify_domain::catalog::base_model::Seconds;
use tarsify_domain::catalog::{
    BaseModel, BaseModelChange, BaseModelError, BaseModelFilter, Category, NewBaseModel,
    TarsModelStatus,
};
use tarsify_domain::id::{BaseModelId, EndpointId};
use tarsify_domain::{Expected, PageRequest, Patch, Version};
use tarsify_testing::builders::{name, new_base_model, slug};
use tarsify_testing::clock::MOMENT;

use crate::interloper::Interloper;
use crate::workshop::{
    Workshop, answer, base_model_switched, endpoint_switched, one_of, paths, schema,
    schema_without_sizes,
};

const ANY: &Expected = &Expected::Any;

fn renamed(text: &str) -> BaseModelChange {
    BaseModelChange {
        name: Some(name(text)),
        ..BaseModelChange::default()
    }
}

async fn stored(shop: &Workshop, id: BaseModelId) -> BaseModel {
    shop.base_models.find(id).await.unwrap()
}

#[tokio::test]
async fn a_new_base_model_is_at_version_one_and_is_what_was_said() {
    let shop = Workshop::new();
    let endpoint = shop.endpoint().await;
    let now = shop.later();
    let new = new_base_model(endpoint.id);
    let made = shop.base_models.create(new.clone()).await.unwrap();
    assert_eq!((made.created_at, made.updated_at), (now, now));
    assert_eq!(made.version, Version::FIRST);
    assert_eq!(made.tars_model_count, 0);
    assert_eq!(made.endpoint.name, endpoint.name);
    assert!(made.can_run());
    assert_eq!(stored(&shop, made.id).await, made);
    let said = NewBaseModel {
        endpoint_id: made.endpoint.id,
        slug: made.slug,
        name: made.name,
        description: made.description,
        category: made.category,
        input_schema: made.input_schema,
        output_type: made.output_type,
        output_format: made.output_format,
        estimated: made.estimated,
        timeout: made.timeout,
        streams_output: made.streams_output,
        is_active: made.is_active,
    };
    assert_eq!(said, new);
}

#[tokio::test]
async fn a_schema_that_cannot_be_used_is_refused_before_anything_is_looked_up() {
    let shop = Workshop::new();
    let base = shop.base_model().await;
    let unusable = [
        (json!({"type": "array"}), "/type"),
        (
            json!({"type": "object", "properties": {"width": {"type": "number!"}}}),
            "/properties/width/type",
        ),
    ];
    for (unusable, place) in unusable {
        let new = NewBaseModel {
            input_schema: schema(unusable.clone()),
            ..new_base_model(EndpointId::new(MOMENT))
        };
        let change = BaseModelChange {
            input_schema: Some(schema(unusable)),
            endpoint_id: Some(EndpointId::new(MOMENT)),
            ..BaseModelChange::default()
        };
        let (reads, stale) = (shop.store.reads(), one_of(&[]));
        let create = shop.base_models.create(new).await.unwrap_err();
        let revise = shop.base_models.revise(base.id, &stale, change);
        for error in [create, revise.await.unwrap_err()] {
            let BaseModelError::SchemaUnusable(issues) = error else {
                panic!("{error:?}");
            };
            assert_eq!(paths(&issues), [place]);
        }
        assert_eq!(shop.store.reads(), reads);
    }
    assert_eq!(stored(&shop, base.id).await, base);
}

#[tokio::test]
async fn the_endpoint_must_exist_but_may_be_off() {
    let shop = Workshop::new();
    let unknown = EndpointId::new(MOMENT);
    let create = shop.base_models.create(new_base_model(unknown)).await;
    assert_eq!(answer(create), "EndpointNotFound");
    let base = shop.base_model().await;
    let moved = |endpoint_id| BaseModelChange {
        endpoint_id: Some(endpoint_id),
        ..BaseModelChange::default()
    };
    let revise = shop.base_models.revise(base.id, ANY, moved(unknown)).await;
    assert_eq!(answer(revise), "EndpointNotFound");
    assert_eq!(stored(&shop, base.id).await, base);
    let off = shop.endpoint().await;
    shop.endpoints.retire(off.id, ANY).await.unwrap();
    let revise = shop.base_models.revise(base.id, ANY, moved(off.id)).await;
    let revised = revise.unwrap();
    assert_eq!(
        (revised.endpoint.id, &revised.endpoint.name),
        (off.id, &off.name)
    );
    assert!(revised.is_active && !revised.can_run());
    let create = shop.base_models.create(new_base_model(off.id)).await;
    assert!(!create.unwrap().can_run());
}

#[tokio::test]
async fn a_slug_belongs_to_one_base_model() {
    let shop = Workshop::new();
    let (first, second) = (shop.base_model().await, shop.base_model().await);
    let new = NewBaseModel {
        slug: first.slug.clone(),
        ..new_base_model(first.endpoint.id)
    };
    assert_eq!(answer(shop.base_models.create(new).await), "SlugTaken");
    for (model, wanted) in [(&second, "SlugTaken"), (&first, "ok")] {
        let change = BaseModelChange {
            slug: Some(first.slug.clone()),
            ..BaseModelChange::default()
        };
        let revise = shop.base_models.revise(model.id, ANY, change).await;
        assert_eq!(answer(revise), wanted);
    }
}

#[tokio::test]
async fn only_what_is_mentioned_changes() {
    type Edit = fn(&mut BaseModelChange, &mut BaseModel);
    let table: [(&str, Edit); 7] = [
        ("nothing", |_, _| {}),
        ("name", |change, wanted| {
            wanted.name = name("Renamed");
            change.name = Some(wanted.name.clone());
        }),
        ("slug", |change, wanted| {
            wanted.slug = slug("renamed");
            change.slug = Some(wanted.slug.clone());
        }),
        ("no description", |change, wanted| {
            wanted.description = None;
            change.description = Patch::Clear;
        }),
        ("category", |change, wanted| {
            wanted.category = Category::Video;
            change.category = Some(wanted.category);
        }),
        ("schema", |change, wanted| {
            wanted.input_schema = schema_without_sizes();
            change.input_schema = Some(schema_without_sizes());
        }),
        ("timeout", |change, wanted| {
            wanted.timeout = Seconds::parse(Seconds::MAX).unwrap();
            change.timeout = Some(wanted.timeout);
        }),
    ];
    for (what, edit) in table {
        let shop = Workshop::new();
        let mut wanted = shop.base_model().await;
        let mut change = BaseModelChange::default();
        wanted.updated_at = shop.later();
        wanted.version = wanted.version.next();
        edit(&mut change, &mut wanted);
        let revised = shop.base_models.revise(wanted.id, ANY, change).await;
        assert_eq!(revised.unwrap(), wanted, "{what}");
        assert_eq!(stored(&shop, wanted.id).await, wanted, "{what}");
    }
}

#[tokio::test]
async fn retiring_only_switches_off_and_leaves_what_is_made_of_it() {
    let shop = Workshop::new();
    let published = shop.model(TarsModelStatus::Published).await;
    let id = published.base_model.id;
    let before = stored(&shop, id).await;
    let now = shop.later();
    shop.base_models.retire(id, ANY).await.unwrap();
    let retired = BaseModel {
        is_active: false,
        version: before.version.next(),
        updated_at: now,
        ..before
    };
    assert_eq!(stored(&shop, id).await, retired);
    assert_eq!(retired.tars_model_count, 1);
    let left = shop.stored(&published).await.unwrap();
    assert_eq!(left.status, TarsModelStatus::Published);
    assert_eq!(left.version, published.version);
    let change = base_model_switched(true);
    let revived = shop.base_models.revise(id, ANY, change).await;
    assert!(revived.unwrap().can_run());
}

#[tokio::test]
async fn developers_are_offered_what_is_on_and_administrators_see_all() {
    let shop = Workshop::new();
    let (on, off) = (shop.base_model().await, shop.base_model().await);
    shop.switch_off_base_model(&off).await;
    let stalled = shop.base_model().await;
    let switched = shop
        .endpoints
        .revise(stalled.endpoint.id, ANY, endpoint_switched(false));
    switched.await.unwrap();
    let audio = BaseModelChange {
        category: Some(Category::Audio),
        ..BaseModelChange::default()
    };
    shop.change_base_model(&stalled, audio).await;
    let offered = async |category| {
        let filter = BaseModelFilter { category };
        let offered = shop.base_models.list_offered(filter).await.unwrap();
        offered.iter().map(|model| model.id).collect::<Vec<_>>()
    };
    let mut all = offered(None).await;
    all.sort_unstable();
    let mut wanted = [on.id, stalled.id];
    wanted.sort_unstable();
    assert_eq!(all, wanted);
    assert_eq!(offered(Some(Category::Audio)).await, [stalled.id]);
    let filter = BaseModelFilter::default();
    let page = PageRequest::default();
    assert_eq!(shop.base_models.list(filter, &page).await.unwrap().total, 3);
}

#[tokio::test]
async fn what_does_not_exist_is_not_found_whatever_version_is_stated() {
    let shop = Workshop::new();
    let id = BaseModelId::new(MOMENT);
    let expected = &one_of(&[1]);
    let change = renamed("Any name");
    let answers = [
        answer(shop.base_models.find(id).await),
        answer(shop.base_models.revise(id, expected, change).await),
        answer(shop.base_models.retire(id, expected).await),
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
        let (first, second) = (shop.base_model().await, shop.base_model().await);
        let change = renamed("Another name");
        let revise = shop.base_models.revise(first.id, &expected, change).await;
        assert_eq!(answer(revise), wanted, "{expected:?}");
        let retire = shop.base_models.retire(second.id, &expected).await;
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
        let base = shop.base_model().await;
        let (id, rivals) = (base.id, shop.wiring().base_models(shop.store.clone()));
        let rivals = Arc::new(rivals);
        let rival = Interloper::after_find(&shop.store, move || {
            let rivals = rivals.clone();
            Box::pin(async move {
                let revise = rivals.revise(id, ANY, renamed("The rival's name"));
                revise.await.unwrap();
            })
        });
        let base_models = shop.wiring().base_models(rival);
        let retire = base_models.retire(id, &expected).await;
        assert_eq!(answer(retire), wanted);
        let left = stored(&shop, id).await;
        assert_eq!(left.name, name("The rival's name"));
        assert!(left.is_active);
    }
}
