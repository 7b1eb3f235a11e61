//! What a store of tars models must do.

use serde_json::json;
use tarsify_domain::catalog::{
    BaseModel, Category, ConfigOverrides, Endpoint, InputSchema, OutputType, TarsModel,
    TarsModelFilter, TarsModelStatus,
};
use tarsify_domain::id::DeveloperId;
use tarsify_domain::page::{PageRequest, Position};
use tarsify_domain::text::OutputFormat;
use tarsify_domain::{Scope, Version};

use super::World;
use super::check::{
    assert_conflict, assert_newest_first, assert_one_conflicts, assert_one_is_stale, assert_stale,
    whole_list,
};
use super::world::later;
use crate::builders::{
    base_model, description, endpoint, name, new_consumer, page, price, slug, tars_model, title,
};
use crate::clock::MOMENT;

const ALL: TarsModelFilter = TarsModelFilter { status: None };

/// Everything a scope lists.
async fn listed(world: &World, scope: Scope, filter: TarsModelFilter) -> Vec<TarsModel> {
    whole_list(TarsModel::ORDER, async |page| {
        world.tars_models.list(scope, filter, page).await
    })
    .await
}

pub(super) async fn creation_round_trips(world: World) {
    let developer = world.developer("dora").await;
    let base = world.base_model().await;
    let full = tars_model(&base, developer.id);
    let bare = TarsModel {
        title: title("Größe 大 'quoted' \\ % \u{202e}"),
        description: None,
        overrides: ConfigOverrides::default(),
        price: price(0),
        ..tars_model(&base, developer.id)
    };
    for model in [full, bare] {
        world.tars_models.create(&model).await.unwrap();
        let scope = Scope::Developer(developer.id);
        let found = world.tars_models.find(scope, model.id).await.unwrap();
        assert_eq!(found, Some(model));
    }
}

pub(super) async fn the_overrides_are_kept_as_written(world: World) {
    let written = json!({
        "promptSuffix": " — 'quoted' \\ \" \u{7f} 🎨\n",
        "promptPrefix": null,
        "hiddenFields": [],
        "anything": {"z": 1, "a": [1.5, -1, u64::MAX, null]},
        "lockedInputs": {"b": {}, "a": 1.0}
    });
    let draft = world.draft("dora").await;
    let wanted = TarsModel {
        overrides: ConfigOverrides::parse(written.clone()).unwrap(),
        ..draft
    };
    let revised = world.tars_models.revise(&wanted).await.unwrap();
    let found = world.stored(&revised).await.unwrap();
    assert_eq!(found.overrides, wanted.overrides);
    assert_eq!(found.overrides.to_value().to_string(), written.to_string());
}

pub(super) async fn absent_is_none(world: World) {
    let stored = world.draft("dora").await;
    let absent = tars_model(&base_model(&endpoint(MOMENT)), stored.developer_id);
    assert_eq!(world.stored(&absent).await, None);
}

pub(super) async fn a_taken_slug_conflicts_across_developers(world: World) {
    let first = world.draft("dora").await;
    let other = world.developer("dolores").await;
    let base = world.base_model().await;
    for developer in [first.developer_id, other.id] {
        let second = TarsModel {
            slug: slug(&first.slug.as_str().to_uppercase()),
            ..tars_model(&base, developer)
        };
        assert_conflict(world.tars_models.create(&second).await);
        assert_eq!(world.stored(&second).await, None);
    }
}

pub(super) async fn one_of_two_creations_at_once_wins(world: World) {
    let developer = world.developer("dora").await;
    let base = world.base_model().await;
    let left = tars_model(&base, developer.id);
    let right = TarsModel {
        slug: left.slug.clone(),
        ..tars_model(&base, developer.id)
    };
    assert_one_conflicts(tokio::join!(
        world.tars_models.create(&left),
        world.tars_models.create(&right),
    ));
}

pub(super) async fn scopes_are_apart(world: World) {
    let (hers, his) = (world.draft("dora").await, world.draft("dolf").await);
    let scope = Scope::Developer(his.developer_id);
    assert_eq!(world.tars_models.find(scope, hers.id).await.unwrap(), None);
    assert_eq!(listed(&world, scope, ALL).await, std::slice::from_ref(&his));
    assert_stale(world.tars_models.delete(scope, hers.id, hers.version).await);
    let consumer = Scope::Consumer(new_consumer("carla").id);
    assert_eq!(
        world.tars_models.find(consumer, hers.id).await.unwrap(),
        None
    );
    assert_eq!(listed(&world, consumer, ALL).await, []);
    assert_stale(
        world
            .tars_models
            .delete(consumer, hers.id, hers.version)
            .await,
    );
    assert_eq!(world.stored(&hers).await.as_ref(), Some(&hers));
    let all = listed(&world, Scope::System, ALL).await;
    assert_eq!(all.len(), 2);
    assert!(all.contains(&hers) && all.contains(&his));
}

pub(super) async fn a_revision_stores_every_field(world: World) {
    let draft = world.draft("dora").await;
    let elsewhere = world.base_model().await;
    let wanted = TarsModel {
        base_model: elsewhere.into(),
        title: title("After"),
        slug: slug("after"),
        description: Some(description("")),
        overrides: ConfigOverrides::parse(json!({"promptPrefix": "after "})).unwrap(),
        price: price(1_000_000),
        status: TarsModelStatus::Published,
        updated_at: later(60),
        published_at: Some(later(59)),
        ..draft.clone()
    };
    let bent = TarsModel {
        total_runs: 7,
        created_at: later(30),
        ..wanted.clone()
    };
    let revised = world.tars_models.revise(&bent).await.unwrap();
    let expected = TarsModel {
        version: Version::FIRST.next(),
        ..wanted
    };
    assert_eq!(revised, expected);
    assert_eq!(world.stored(&draft).await, Some(expected.clone()));
    let archived = TarsModel {
        status: TarsModelStatus::Archived,
        description: None,
        overrides: ConfigOverrides::default(),
        ..expected
    };
    let revised = world.tars_models.revise(&archived).await.unwrap();
    let expected = TarsModel {
        version: archived.version.next(),
        ..archived
    };
    assert_eq!(revised, expected);
    assert_eq!(world.stored(&draft).await, Some(expected));
}

pub(super) async fn a_revision_never_moves_a_model_to_another_developer(world: World) {
    let (hers, his) = (world.draft("dora").await, world.draft("dolf").await);
    let stolen = TarsModel {
        developer_id: his.developer_id,
        ..hers.clone()
    };
    // Whether it is refused or only ignored, the model stays where it is.
    drop(world.tars_models.revise(&stolen).await);
    let thief = Scope::Developer(his.developer_id);
    assert_eq!(world.tars_models.find(thief, hers.id).await.unwrap(), None);
    let found = world.stored(&hers).await.unwrap();
    assert_eq!(found.developer_id, hers.developer_id);
}

pub(super) async fn a_revision_of_an_old_version_is_stale(world: World) {
    let draft = world.draft("dora").await;
    let revised = world.tars_models.revise(&draft).await.unwrap();
    let late = TarsModel {
        title: title("Late"),
        ..draft.clone()
    };
    assert_stale(world.tars_models.revise(&late).await);
    assert_eq!(world.stored(&draft).await, Some(revised));
    let base = world.base_model().await;
    let absent = tars_model(&base, draft.developer_id);
    assert_stale(world.tars_models.revise(&absent).await);
}

pub(super) async fn a_revision_to_a_taken_slug_conflicts(world: World) {
    let (taken, free) = (world.draft("dora").await, world.draft("dolf").await);
    let greedy = TarsModel {
        slug: taken.slug,
        ..free.clone()
    };
    assert_conflict(world.tars_models.revise(&greedy).await);
    assert_eq!(world.stored(&free).await, Some(free));
}

pub(super) async fn one_of_two_revisions_at_once_wins(world: World) {
    let draft = world.draft("dora").await;
    assert_one_is_stale(tokio::join!(
        world.tars_models.revise(&draft),
        world.tars_models.revise(&draft),
    ));
}

pub(super) async fn the_base_model_is_seen_as_it_is_now(world: World) {
    let endpoint = world.endpoint().await;
    let base = world.store_base_model(base_model(&endpoint)).await;
    let developer = world.developer("dora").await;
    let draft = world
        .store_tars_model(tars_model(&base, developer.id))
        .await;
    let changed = BaseModel {
        slug: slug("changed"),
        name: name("Changed"),
        category: Category::Video,
        input_schema: InputSchema::parse(json!({"type": "object"})).unwrap(),
        output_type: OutputType::File,
        output_format: OutputFormat::parse("mp4").unwrap(),
        is_active: false,
        ..base
    };
    let changed = world.base_models.revise(&changed).await.unwrap();
    let off = Endpoint {
        is_active: false,
        ..endpoint
    };
    world.endpoints.revise(&off).await.unwrap();
    let found = world.stored(&draft).await.unwrap();
    let mut expected = tars_model(&changed, developer.id).base_model;
    expected.endpoint_is_active = false;
    assert_eq!(found.base_model, expected);
    assert_eq!(found.version, draft.version, "it was not revised itself");
    let scope = Scope::Developer(developer.id);
    assert_eq!(listed(&world, scope, ALL).await, [found]);
}

pub(super) async fn drafts_and_archived_models_are_deleted(world: World) {
    let draft = world.draft("dora").await;
    let archived = TarsModel {
        status: TarsModelStatus::Archived,
        ..world.draft("dolf").await
    };
    let archived = world.tars_models.revise(&archived).await.unwrap();
    for (model, scope) in [
        (&draft, Scope::Developer(draft.developer_id)),
        (&archived, Scope::System),
    ] {
        let delete = || world.tars_models.delete(scope, model.id, model.version);
        delete().await.unwrap();
        assert_eq!(world.stored(model).await, None);
        assert_stale(delete().await);
    }
    let reborn = TarsModel {
        slug: draft.slug,
        ..archived
    };
    world.store_tars_model(reborn).await;
}

pub(super) async fn a_published_model_is_not_deleted(world: World) {
    let developer = world.developer("dora").await;
    let base = world.base_model().await;
    let published = world.publish(tars_model(&base, developer.id)).await;
    for scope in [Scope::Developer(developer.id), Scope::System] {
        assert_stale(
            world
                .tars_models
                .delete(scope, published.id, published.version)
                .await,
        );
    }
    assert_eq!(world.stored(&published).await.as_ref(), Some(&published));
}

pub(super) async fn deletion_is_guarded_by_version(world: World) {
    let draft = world.draft("dora").await;
    let revised = world.tars_models.revise(&draft).await.unwrap();
    let scope = Scope::Developer(draft.developer_id);
    for wrong in [draft.version, revised.version.next()] {
        assert_stale(world.tars_models.delete(scope, draft.id, wrong).await);
    }
    assert_eq!(world.stored(&draft).await, Some(revised));
}

pub(super) async fn a_deletion_and_a_revision_at_once_do_not_both_win(world: World) {
    let draft = world.draft("dora").await;
    let scope = Scope::Developer(draft.developer_id);
    let published = TarsModel {
        status: TarsModelStatus::Published,
        published_at: Some(later(60)),
        ..draft.clone()
    };
    let (revision, deletion) = tokio::join!(
        world.tars_models.revise(&published),
        world.tars_models.delete(scope, draft.id, draft.version),
    );
    let is_left = world.stored(&draft).await.is_some();
    assert_eq!(revision.is_ok(), is_left);
    assert_one_is_stale((revision.map(drop), deletion));
}

/// Stores a draft of this age.
async fn draft_at(world: &World, base: &BaseModel, developer: DeveloperId, age: i64) -> TarsModel {
    let aged = BaseModel {
        created_at: later(age),
        ..base.clone()
    };
    world.store_tars_model(tars_model(&aged, developer)).await
}

pub(super) async fn lists_are_newest_first_and_page_both_ways(world: World) {
    let developer = world.developer("dora").await.id;
    let scope = Scope::Developer(developer);
    assert_eq!(listed(&world, scope, ALL).await, []);
    let base = world.base_model().await;
    let mut created = Vec::new();
    for age in [3, 1, 2, 2, 2] {
        created.push(draft_at(&world, &base, developer, age).await);
    }
    world.draft("dolf").await;
    let listed = listed(&world, scope, ALL).await;
    assert_newest_first(listed.iter().map(|model| model.created_at));
    assert_eq!(listed.len(), created.len());
    for model in created {
        assert!(listed.contains(&model), "{model:?}");
    }
}

pub(super) async fn lists_filter_by_status(world: World) {
    let developer = world.developer("dora").await.id;
    let base = world.base_model().await;
    for _ in 0..3 {
        world.store_tars_model(tars_model(&base, developer)).await;
    }
    for _ in 0..2 {
        world.publish(tars_model(&base, developer)).await;
    }
    for (status, expected) in [
        (TarsModelStatus::Draft, 3),
        (TarsModelStatus::Published, 2),
        (TarsModelStatus::Archived, 0),
    ] {
        let filter = TarsModelFilter {
            status: Some(status),
        };
        let listed = listed(&world, Scope::Developer(developer), filter).await;
        assert_eq!(listed.len(), expected, "{status:?}");
        assert!(listed.iter().all(|model| model.status == status));
    }
}

pub(super) async fn a_cursor_outlives_its_item(world: World) {
    let developer = world.developer("dora").await.id;
    let base = world.base_model().await;
    let oldest = draft_at(&world, &base, developer, 1).await;
    let newest = draft_at(&world, &base, developer, 2).await;
    let scope = Scope::Developer(developer);
    let first = page(1, 1);
    let first_page = world.tars_models.list(scope, ALL, &first).await.unwrap();
    assert_eq!(first_page.items, std::slice::from_ref(&newest));
    let deletion = world.tars_models.delete(scope, newest.id, newest.version);
    deletion.await.unwrap();
    let rest = PageRequest {
        position: Position::After(first_page.next.unwrap()),
        limit: first.limit,
    };
    let rest = world.tars_models.list(scope, ALL, &rest).await.unwrap();
    assert_eq!((rest.items, rest.total), (vec![oldest], 1));
}
