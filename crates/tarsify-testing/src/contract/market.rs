//! What a view of the market must show. Searching has its own suite.

use serde_json::json;
use tarsify_domain::catalog::base_model::Seconds;
use tarsify_domain::catalog::market::MarketDeveloper;
use tarsify_domain::catalog::{
    BaseModel, Category, InputSchema, MarketEntry, MarketQuery, MarketSort, OutputType, TarsModel,
    TarsModelStatus,
};
use tarsify_domain::people::{Developer, NewDeveloper};
use tarsify_domain::text::{OutputFormat, Title};

use super::World;
use super::check::{assert_newest_first, whole_list};
use super::world::later;
use crate::builders::{
    base_model, name, new_developer, person_name, price, slug, tars_model, title,
};

const NEWEST: MarketQuery = MarketQuery {
    category: None,
    search: None,
    sort: MarketSort::Newest,
};

/// Everything that a query finds.
pub(super) async fn found(world: &World, query: &MarketQuery) -> Vec<MarketEntry> {
    whole_list(query.sort.order(), async |page| {
        world.market.list(query, page).await
    })
    .await
}

async fn sorted(world: &World, sort: MarketSort) -> Vec<MarketEntry> {
    found(world, &MarketQuery { sort, ..NEWEST }).await
}

fn entry(model: &TarsModel, base: &BaseModel, developer_name: &str) -> MarketEntry {
    MarketEntry {
        id: model.id,
        slug: model.slug.clone(),
        title: model.title.clone(),
        description: model.description.clone(),
        base_model_name: base.name.clone(),
        category: base.category,
        output_type: base.output_type,
        output_format: base.output_format.clone(),
        estimated_seconds: base.estimated.get(),
        price: model.price,
        total_runs: 0,
        developer: MarketDeveloper {
            id: model.developer_id,
            name: developer_name.to_owned(),
        },
        published_at: model.published_at.unwrap(),
    }
}

pub(super) async fn an_entry_shows_every_field(world: World) {
    let dora = NewDeveloper {
        display_name: Some(person_name("Dora 明")),
        ..new_developer("dora")
    };
    let dora = world.developers.register(&dora).await.unwrap();
    let base = world.base_model().await;
    let full = world.publish(tars_model(&base, dora.id)).await;
    let bare = TarsModel {
        description: None,
        ..tars_model(&base, dora.id)
    };
    let bare = world.publish(bare).await;
    let entries = found(&world, &NEWEST).await;
    assert_eq!(entries.len(), 2);
    for model in [full, bare] {
        let expected = entry(&model, &base, "Dora 明");
        assert!(entries.contains(&expected), "{expected:?} in {entries:?}");
        let source = world.market.find(&model.slug).await.unwrap();
        assert_eq!(source.unwrap().entry, expected);
    }
}

pub(super) async fn the_source_holds_schema_and_overrides(world: World) {
    let developer = world.developer("dora").await;
    let base = world.base_model().await;
    let model = world.publish(tars_model(&base, developer.id)).await;
    let source = world.market.find(&model.slug).await.unwrap().unwrap();
    assert_eq!(source.input_schema, base.input_schema);
    assert_eq!(source.overrides, model.overrides);
}

pub(super) async fn only_what_is_published_shows(world: World) {
    let draft = world.draft("dora").await;
    assert_eq!(found(&world, &NEWEST).await, []);
    assert_eq!(world.market.find(&draft.slug).await.unwrap(), None);
    assert_eq!(world.market.find(&slug("nothing")).await.unwrap(), None);
    let mut model = draft;
    for (status, shows) in [
        (TarsModelStatus::Published, true),
        (TarsModelStatus::Archived, false),
        (TarsModelStatus::Published, true),
    ] {
        model.status = status;
        model.published_at = Some(later(60));
        model = world.tars_models.revise(&model).await.unwrap();
        assert_eq!(found(&world, &NEWEST).await.len(), usize::from(shows));
        let source = world.market.find(&model.slug).await.unwrap();
        assert_eq!(source.is_some(), shows, "{status:?}");
    }
}

pub(super) async fn edits_show_at_once(world: World) {
    let developer = world.developer("dora").await;
    let base = world.base_model().await;
    let model = world.publish(tars_model(&base, developer.id)).await;
    let edited = TarsModel {
        title: title("Edited"),
        slug: slug("edited"),
        description: None,
        price: price(999),
        ..model.clone()
    };
    let edited = world.tars_models.revise(&edited).await.unwrap();
    let shown = developer.display_name.unwrap();
    let expected = entry(&edited, &base, shown.as_str());
    assert_eq!(
        found(&world, &NEWEST).await,
        std::slice::from_ref(&expected)
    );
    assert_eq!(world.market.find(&model.slug).await.unwrap(), None);
    let source = world.market.find(&edited.slug).await.unwrap();
    assert_eq!(source.unwrap().entry, expected);
}

pub(super) async fn a_nameless_developer_is_called_developer(world: World) {
    let nameless = NewDeveloper {
        display_name: None,
        ..new_developer("nameless")
    };
    let nameless = world.developers.register(&nameless).await.unwrap();
    let base = world.base_model().await;
    let model = world.publish(tars_model(&base, nameless.id)).await;
    let expected = entry(&model, &base, "Developer");
    assert_eq!(
        found(&world, &NEWEST).await,
        std::slice::from_ref(&expected)
    );
    let source = world.market.find(&model.slug).await.unwrap();
    assert_eq!(source.unwrap().entry, expected);
}

pub(super) async fn the_developers_new_name_shows(world: World) {
    let developer = world.developer("dora").await;
    let base = world.base_model().await;
    let model = world.publish(tars_model(&base, developer.id)).await;
    let renamed = Developer {
        display_name: Some(person_name("Dora the Second")),
        ..developer
    };
    let renamed = world.developers.revise(&renamed).await.unwrap();
    let expected = entry(&model, &base, "Dora the Second");
    assert_eq!(found(&world, &NEWEST).await, [expected]);
    let nameless = Developer {
        display_name: None,
        ..renamed
    };
    world.developers.revise(&nameless).await.unwrap();
    let expected = entry(&model, &base, "Developer");
    assert_eq!(found(&world, &NEWEST).await, [expected]);
}

pub(super) async fn the_base_models_new_face_shows(world: World) {
    let developer = world.developer("dora").await;
    let base = world.base_model().await;
    let model = world.publish(tars_model(&base, developer.id)).await;
    let changed = BaseModel {
        name: name("Changed"),
        category: Category::Audio,
        input_schema: InputSchema::parse(json!({"type": "object"})).unwrap(),
        output_type: OutputType::Audio,
        output_format: OutputFormat::parse("wav").unwrap(),
        estimated: Seconds::parse(77).unwrap(),
        ..base
    };
    let changed = world.base_models.revise(&changed).await.unwrap();
    let shown = developer.display_name.unwrap();
    let expected = entry(&model, &changed, shown.as_str());
    assert_eq!(
        found(&world, &NEWEST).await,
        std::slice::from_ref(&expected)
    );
    let source = world.market.find(&model.slug).await.unwrap().unwrap();
    assert_eq!(source.entry, expected);
    assert_eq!(source.input_schema, changed.input_schema);
}

pub(super) async fn lists_filter_by_category(world: World) {
    let developer = world.developer("dora").await;
    let endpoint = world.endpoint().await;
    for category in [Category::Audio, Category::Audio, Category::Video] {
        let base = BaseModel {
            category,
            ..base_model(&endpoint)
        };
        let base = world.store_base_model(base).await;
        world.publish(tars_model(&base, developer.id)).await;
    }
    for (category, expected) in [
        (Category::Audio, 2),
        (Category::Video, 1),
        (Category::Text, 0),
    ] {
        let query = MarketQuery {
            category: Some(category),
            ..NEWEST
        };
        let entries = found(&world, &query).await;
        assert_eq!(entries.len(), expected, "{category:?}");
        assert!(entries.iter().all(|entry| entry.category == category));
    }
}

/// Publishes a model for each of these titles, prices and moments.
async fn publish_all(world: &World, models: &[(&str, i64, i64)]) {
    let developer = world.developer("dora").await;
    let base = world.base_model().await;
    for (called, credits, seconds) in models {
        let model = TarsModel {
            title: title(called),
            price: price(*credits),
            ..tars_model(&base, developer.id)
        };
        world.publish_at(model, later(*seconds)).await;
    }
}

fn titles(entries: &[MarketEntry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.title.as_str()).collect()
}

pub(super) async fn newest_is_by_publication(world: World) {
    publish_all(
        &world,
        &[("Second", 1, 20), ("Third", 1, 10), ("First", 1, 30)],
    )
    .await;
    let entries = sorted(&world, MarketSort::Newest).await;
    assert_eq!(titles(&entries), ["First", "Second", "Third"]);
}

pub(super) async fn prices_sort_both_ways(world: World) {
    publish_all(&world, &[("Nine", 9, 1), ("Ten", 10, 2), ("Free", 0, 3)]).await;
    let cheap = sorted(&world, MarketSort::Price).await;
    assert_eq!(titles(&cheap), ["Free", "Nine", "Ten"]);
    let dear = sorted(&world, MarketSort::PriceDescending).await;
    assert_eq!(titles(&dear), ["Ten", "Nine", "Free"]);
}

pub(super) async fn titles_sort(world: World) {
    publish_all(
        &world,
        &[("Cinema", 1, 1), ("Anime", 1, 2), ("Banner", 1, 3)],
    )
    .await;
    let entries = sorted(&world, MarketSort::Title).await;
    assert_eq!(titles(&entries), ["Anime", "Banner", "Cinema"]);
}

pub(super) async fn every_order_pages_through_ties(world: World) {
    let twin = ("Twin 'quoted' ✓", 5, 50);
    let other = ("Another", 7, 70);
    publish_all(&world, &[twin, twin, other, twin, other, twin]).await;
    for sort in [
        MarketSort::Newest,
        MarketSort::Popular,
        MarketSort::Price,
        MarketSort::PriceDescending,
        MarketSort::Title,
    ] {
        let entries = sorted(&world, sort).await;
        assert_eq!(entries.len(), 6, "{sort:?}");
        let mut ids: Vec<_> = entries.iter().map(|entry| entry.id).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 6, "{sort:?} shows each once");
    }
    let newest = sorted(&world, MarketSort::Newest).await;
    assert_newest_first(newest.iter().map(|entry| entry.published_at));
}

/// The market's version after a step must not be what it was before.
async fn assert_version_moves(world: &World, since: &mut i64, what: &str) {
    let now = world.market.version().await.unwrap();
    assert_ne!(now, *since, "the version must change with {what}");
    *since = now;
}

pub(super) async fn the_version_follows_what_shows(world: World) {
    let developer = world.developer("dora").await;
    let base = world.base_model().await;
    let mut version = world.market.version().await.unwrap();

    let model = world.publish(tars_model(&base, developer.id)).await;
    assert_version_moves(&world, &mut version, "a publication").await;

    let edited = TarsModel {
        title: Title::parse("Edited").unwrap(),
        ..model
    };
    let edited = world.tars_models.revise(&edited).await.unwrap();
    assert_version_moves(&world, &mut version, "an edit").await;

    let renamed = BaseModel {
        name: name("Renamed"),
        ..base
    };
    world.base_models.revise(&renamed).await.unwrap();
    assert_version_moves(&world, &mut version, "a base model's new name").await;

    let renamed = Developer {
        display_name: Some(person_name("Renamed")),
        ..developer
    };
    world.developers.revise(&renamed).await.unwrap();
    assert_version_moves(&world, &mut version, "a developer's new name").await;

    let archived = TarsModel {
        status: TarsModelStatus::Archived,
        ..edited
    };
    world.tars_models.revise(&archived).await.unwrap();
    assert_version_moves(&world, &mut version, "an archiving").await;
}

pub(super) async fn the_version_stands_still_by_itself(world: World) {
    let developer = world.developer("dora").await;
    let base = world.base_model().await;
    world.publish(tars_model(&base, developer.id)).await;
    let version = world.market.version().await.unwrap();
    found(&world, &NEWEST).await;
    assert_eq!(world.market.version().await.unwrap(), version);
}
