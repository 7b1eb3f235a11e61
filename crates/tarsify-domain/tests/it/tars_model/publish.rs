//! The way into the market: what is checked, in which order, and what it leaves on the model.

use serde_json::json;
use tarsify_domain::Expected;
use tarsify_domain::catalog::{BaseModelChange, InputSchema, TarsModelError, TarsModelStatus};

use crate::workshop::{Workshop, answer, base_model_switched, endpoint_switched, paths, schema};

const ANY: &Expected = &Expected::Any;

#[tokio::test]
async fn publishing_dates_the_model_and_gives_it_a_version() {
    let shop = Workshop::new();
    let draft = shop.model(TarsModelStatus::Draft).await;
    let now = shop.later();
    let published = shop.tars.publish(draft.developer_id, draft.id, ANY).await;
    let published = published.unwrap();
    assert_eq!(published.status, TarsModelStatus::Published);
    assert_eq!(published.published_at, Some(now));
    assert_eq!(published.updated_at, now);
    assert_eq!(published.created_at, draft.created_at);
    assert_eq!(published.version, draft.version.next());
    assert_eq!(shop.stored(&draft).await, Some(published));
}

#[tokio::test]
async fn archiving_keeps_the_date_and_publishing_again_sets_it_anew() {
    let shop = Workshop::new();
    let published = shop.model(TarsModelStatus::Published).await;
    let (dora, id) = (published.developer_id, published.id);
    let archived_at = shop.later();
    let archived = shop.tars.archive(dora, id, ANY).await.unwrap();
    assert_eq!(archived.published_at, published.published_at);
    assert_eq!(archived.updated_at, archived_at);
    assert_eq!(archived.created_at, published.created_at);
    let again_at = shop.later();
    let again = shop.tars.publish(dora, id, ANY).await.unwrap();
    assert_eq!(again.published_at, Some(again_at));
    assert_ne!(again.published_at, published.published_at);
    assert_eq!(again.created_at, published.created_at);
}

#[tokio::test]
async fn revising_a_published_model_does_not_date_it_anew() {
    let shop = Workshop::new();
    let published = shop.model(TarsModelStatus::Published).await;
    let now = shop.later();
    let (dora, id) = (published.developer_id, published.id);
    let change = super::revise::retitled("Another title");
    let revised = shop.tars.revise(dora, id, ANY, change).await.unwrap();
    assert_eq!(revised.published_at, published.published_at);
    assert_eq!(revised.updated_at, now);
}

#[tokio::test]
async fn what_is_switched_off_is_named_the_base_model_before_its_endpoint() {
    let table = [
        (true, true, "ok"),
        (true, false, "EndpointNotActive"),
        (false, true, "BaseModelNotActive"),
        (false, false, "BaseModelNotActive"),
    ];
    for status in [TarsModelStatus::Draft, TarsModelStatus::Archived] {
        for (base_is_on, endpoint_is_on, wanted) in table {
            let shop = Workshop::new();
            let model = shop.model(status).await;
            let base = shop.base_models.find(model.base_model.id).await.unwrap();
            let change = base_model_switched(base_is_on);
            shop.change_base_model(&base, change).await;
            let change = endpoint_switched(endpoint_is_on);
            let switched = shop.endpoints.revise(base.endpoint.id, ANY, change);
            switched.await.unwrap();
            let publish = shop.tars.publish(model.developer_id, model.id, ANY).await;
            let row = format!("{status:?}, base {base_is_on}, endpoint {endpoint_is_on}");
            assert_eq!(answer(publish), wanted, "{row}");
        }
    }
}

/// A model that is in the market already is told so, whatever else is wrong with it; the
/// switch comes before the fit, because an operator has to act first.
#[tokio::test]
async fn the_status_is_checked_before_the_switches_and_those_before_the_fit() {
    let shop = Workshop::new();
    let published = shop.model(TarsModelStatus::Published).await;
    let draft = shop.model(TarsModelStatus::Draft).await;
    for (model, wanted) in [
        (&published, "StatusForbids(Published)"),
        (&draft, "BaseModelNotActive"),
    ] {
        let base = shop.base_models.find(model.base_model.id).await.unwrap();
        let spoilt = BaseModelChange {
            input_schema: Some(narrow()),
            ..base_model_switched(false)
        };
        shop.change_base_model(&base, spoilt).await;
        let publish = shop.tars.publish(model.developer_id, model.id, ANY).await;
        assert_eq!(answer(publish), wanted);
    }
}

#[tokio::test]
async fn a_schema_that_changed_since_is_held_against_every_override() {
    let shop = Workshop::new();
    let draft = shop.model(TarsModelStatus::Draft).await;
    let base = shop.base_models.find(draft.base_model.id).await.unwrap();
    let change = BaseModelChange {
        input_schema: Some(narrow()),
        ..BaseModelChange::default()
    };
    shop.change_base_model(&base, change).await;
    let publish = shop.tars.publish(draft.developer_id, draft.id, ANY).await;
    let error = publish.unwrap_err();
    let TarsModelError::OverridesDoNotFit(issues) = error else {
        panic!("{error:?}");
    };
    let mut paths = paths(&issues);
    paths.sort_unstable();
    let wanted = [
        "/defaultInputs/steps",
        "/lockedInputs/height",
        "/lockedInputs/width",
    ];
    assert_eq!(paths, wanted);
    assert_eq!(shop.stored(&draft).await.unwrap().status, draft.status);
}

/// Every field of the builders' schema, with less room than the builders' overrides need.
fn narrow() -> InputSchema {
    schema(json!({
        "type": "object",
        "properties": {
            "prompt": {"type": "string"},
            "width": {"type": "integer", "maximum": 512},
            "height": {"type": "integer", "maximum": 512},
            "steps": {"type": "integer", "maximum": 20},
            "seed": {"type": "integer"},
            "scheduler": {"type": "string"}
        },
        "required": ["prompt"]
    }))
}
