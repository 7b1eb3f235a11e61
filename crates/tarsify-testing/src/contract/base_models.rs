//! What a store of base models must do.

use serde_json::json;
use tarsify_domain::Version;
use tarsify_domain::catalog::base_model::Seconds;
use tarsify_domain::catalog::{
    BaseModel, BaseModelFilter, Category, Endpoint, InputSchema, OutputType,
};
use tarsify_domain::text::OutputFormat;

use super::World;
use super::check::{
    assert_conflict, assert_newest_first, assert_one_conflicts, assert_one_is_stale, assert_stale,
    whole_list,
};
use super::world::later;
use crate::builders::{base_model, description, endpoint, name, slug, tars_model};
use crate::clock::MOMENT;

const ALL: BaseModelFilter = BaseModelFilter { category: None };

fn only(category: Category) -> BaseModelFilter {
    BaseModelFilter {
        category: Some(category),
    }
}

pub(super) async fn creation_round_trips(world: World) {
    let endpoint = world.endpoint().await;
    let full = base_model(&endpoint);
    let bare = BaseModel {
        description: None,
        name: name("Größe 大 'SDXL' \\ %"),
        category: Category::Document,
        output_type: OutputType::Json,
        estimated: Seconds::parse(1).unwrap(),
        timeout: Seconds::parse(Seconds::MAX).unwrap(),
        streams_output: true,
        is_active: false,
        ..base_model(&endpoint)
    };
    for model in [full, bare] {
        world.base_models.create(&model).await.unwrap();
        let found = world.base_models.find(model.id).await.unwrap();
        assert_eq!(found, Some(model.clone()));
        let found = world.base_models.find_by_slug(&model.slug).await.unwrap();
        assert_eq!(found, Some(model));
    }
}

pub(super) async fn the_schema_is_kept_as_written(world: World) {
    // Forms show the fields in the order of the schema, so the order is part of it.
    let written = json!({
        "type": "object",
        "required": ["z"],
        "properties": {
            "z": {"default": -0.5, "examples": [null, true, "✓ 'quoted' \\ \" \u{7f}"]},
            "aa": {"minimum": i64::MIN, "maximum": u64::MAX},
            "b": {"multipleOf": 1e-9, "const": 1.0, "title": ""}
        },
        "$defs": {},
        "allOf": []
    });
    let model = BaseModel {
        input_schema: InputSchema::parse(written.clone()).unwrap(),
        ..base_model(&world.endpoint().await)
    };
    world.base_models.create(&model).await.unwrap();
    let found = world.base_models.find(model.id).await.unwrap().unwrap();
    assert_eq!(found.input_schema, model.input_schema);
    assert_eq!(
        found.input_schema.to_value().to_string(),
        written.to_string()
    );
}

pub(super) async fn absent_is_none(world: World) {
    let stored = world.base_model().await;
    let absent = base_model(&endpoint(MOMENT));
    assert_eq!(world.base_models.find(absent.id).await.unwrap(), None);
    for strange in [absent.slug, slug(&format!("{}-x", stored.slug))] {
        let found = world.base_models.find_by_slug(&strange).await.unwrap();
        assert_eq!(found, None);
    }
}

pub(super) async fn a_taken_slug_conflicts(world: World) {
    let first = world.base_model().await;
    let second = BaseModel {
        slug: slug(&first.slug.as_str().to_uppercase()),
        ..base_model(&world.endpoint().await)
    };
    assert_conflict(world.base_models.create(&second).await);
    assert_eq!(world.base_models.find(second.id).await.unwrap(), None);
}

pub(super) async fn one_of_two_creations_at_once_wins(world: World) {
    let left = base_model(&world.endpoint().await);
    let right = BaseModel {
        slug: left.slug.clone(),
        ..base_model(&world.endpoint().await)
    };
    assert_one_conflicts(tokio::join!(
        world.base_models.create(&left),
        world.base_models.create(&right),
    ));
}

pub(super) async fn a_revision_stores_every_field(world: World) {
    let created = world.base_model().await;
    let elsewhere = world.endpoint().await;
    let wanted = BaseModel {
        endpoint: base_model(&elsewhere).endpoint,
        slug: slug("after"),
        name: name("After"),
        description: Some(description("")),
        category: Category::Audio,
        input_schema: InputSchema::parse(json!({"type": "object"})).unwrap(),
        output_type: OutputType::File,
        output_format: OutputFormat::parse("wav").unwrap(),
        estimated: Seconds::parse(99).unwrap(),
        timeout: Seconds::parse(1).unwrap(),
        streams_output: true,
        is_active: false,
        updated_at: later(60),
        ..created.clone()
    };
    let bent = BaseModel {
        tars_model_count: 7,
        created_at: later(30),
        ..wanted.clone()
    };
    let revised = world.base_models.revise(&bent).await.unwrap();
    let expected = BaseModel {
        version: Version::FIRST.next(),
        ..wanted
    };
    assert_eq!(revised, expected);
    let found = world.base_models.find(created.id).await.unwrap();
    assert_eq!(found, Some(expected.clone()));
    let old = world.base_models.find_by_slug(&created.slug).await.unwrap();
    assert_eq!(old, None, "the old slug is free");
    let cleared = BaseModel {
        description: None,
        ..expected
    };
    let revised = world.base_models.revise(&cleared).await.unwrap();
    assert_eq!(revised.description, None);
    assert_eq!(revised.version, cleared.version.next());
}

pub(super) async fn a_revision_of_an_old_version_is_stale(world: World) {
    let created = world.base_model().await;
    let revised = world.base_models.revise(&created).await.unwrap();
    let late = BaseModel {
        name: name("Late"),
        ..created
    };
    assert_stale(world.base_models.revise(&late).await);
    let found = world.base_models.find(revised.id).await.unwrap();
    assert_eq!(found, Some(revised));
    let absent = base_model(&world.endpoint().await);
    assert_stale(world.base_models.revise(&absent).await);
}

pub(super) async fn a_revision_to_a_taken_slug_conflicts(world: World) {
    let (taken, free) = (world.base_model().await, world.base_model().await);
    let greedy = BaseModel {
        slug: taken.slug,
        ..free.clone()
    };
    assert_conflict(world.base_models.revise(&greedy).await);
    let found = world.base_models.find(free.id).await.unwrap();
    assert_eq!(found, Some(free));
}

pub(super) async fn one_of_two_revisions_at_once_wins(world: World) {
    let created = world.base_model().await;
    assert_one_is_stale(tokio::join!(
        world.base_models.revise(&created),
        world.base_models.revise(&created),
    ));
}

pub(super) async fn the_endpoint_is_seen_as_it_is_now(world: World) {
    let endpoint = world.endpoint().await;
    let model = world.store_base_model(base_model(&endpoint)).await;
    assert!(model.can_run());
    let renamed = Endpoint {
        name: name("Renamed"),
        is_active: false,
        ..endpoint
    };
    world.endpoints.revise(&renamed).await.unwrap();
    let found = world.base_models.find(model.id).await.unwrap().unwrap();
    assert_eq!(found.endpoint.name, renamed.name);
    assert!(!found.endpoint.is_active);
    assert_eq!(found.version, model.version, "it was not revised itself");
}

pub(super) async fn tars_models_are_counted(world: World) {
    let developer = world.developer("dora").await;
    let (base, other) = (world.base_model().await, world.base_model().await);
    world
        .store_tars_model(tars_model(&base, developer.id))
        .await;
    world.publish(tars_model(&base, developer.id)).await;
    world
        .store_tars_model(tars_model(&other, developer.id))
        .await;
    let found = world.base_models.find(base.id).await.unwrap().unwrap();
    assert_eq!(found.tars_model_count, 2, "by id");
    let found = world.base_models.find_by_slug(&base.slug).await.unwrap();
    assert_eq!(found.unwrap().tars_model_count, 2, "by slug");
    let listed = whole_list(BaseModel::ORDER, async |page| {
        world.base_models.list(ALL, page).await
    })
    .await;
    for model in listed {
        let expected = if model.id == base.id { 2 } else { 1 };
        assert_eq!(model.tars_model_count, expected, "in a list");
    }
    let revised = world.base_models.revise(&base).await.unwrap();
    assert_eq!(revised.tars_model_count, 2, "after a revision");
}

pub(super) async fn lists_are_newest_first_and_page_both_ways(world: World) {
    let list = async |page: &_| world.base_models.list(ALL, page).await;
    assert_eq!(whole_list(BaseModel::ORDER, list).await, []);
    let endpoint = world.endpoint().await;
    let mut created = Vec::new();
    for seconds in [3, 1, 2, 2, 2] {
        let aged = Endpoint {
            created_at: later(seconds),
            ..endpoint.clone()
        };
        created.push(world.store_base_model(base_model(&aged)).await);
    }
    let listed = whole_list(BaseModel::ORDER, list).await;
    assert_newest_first(listed.iter().map(|model| model.created_at));
    assert_eq!(listed.len(), created.len());
    for model in created {
        assert!(listed.contains(&model), "{model:?}");
    }
}

pub(super) async fn lists_filter_by_category(world: World) {
    let endpoint = world.endpoint().await;
    for category in [Category::Audio, Category::Audio, Category::Video] {
        let model = BaseModel {
            category,
            ..base_model(&endpoint)
        };
        world.store_base_model(model).await;
    }
    for (category, expected) in [
        (Category::Audio, 2),
        (Category::Video, 1),
        (Category::Text, 0),
    ] {
        let listed = whole_list(BaseModel::ORDER, async |page| {
            world.base_models.list(only(category), page).await
        })
        .await;
        assert_eq!(listed.len(), expected, "{category:?}");
        assert!(listed.iter().all(|model| model.category == category));
    }
}

pub(super) async fn the_offer_is_what_is_switched_on_by_name(world: World) {
    let endpoint = world.endpoint().await;
    for (called, category, is_active) in [
        ("Chatterbox", Category::Audio, true),
        ("Alpha", Category::Image, true),
        ("Backstage", Category::Image, false),
        ("Delta", Category::Image, true),
    ] {
        let model = BaseModel {
            name: name(called),
            category,
            is_active,
            ..base_model(&endpoint)
        };
        world.store_base_model(model).await;
    }
    for (filter, expected) in [
        (ALL, vec!["Alpha", "Chatterbox", "Delta"]),
        (only(Category::Image), vec!["Alpha", "Delta"]),
        (only(Category::Video), vec![]),
    ] {
        let offered = world.base_models.list_offered(filter).await.unwrap();
        let names: Vec<_> = offered.iter().map(|model| model.name.as_str()).collect();
        assert_eq!(names, expected, "{filter:?}");
    }
}
