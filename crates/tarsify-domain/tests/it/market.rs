//! What the public sees, and how a reader knows that what it remembers is still true.

use std::sync::Arc;

use tarsify_domain::catalog::{
    Market, MarketQuery, MarketSort, TarsModel, TarsModelChange, TarsModelStatus,
};
use tarsify_domain::{Expected, PageRequest};
use tarsify_testing::FakeStore;
use tarsify_testing::builders::{slug, title};

use crate::interloper::Interloper;
use crate::workshop::{Workshop, answer};

const ANY: &Expected = &Expected::Any;
const NEWEST: MarketQuery = MarketQuery {
    category: None,
    search: None,
    sort: MarketSort::Newest,
};

#[tokio::test]
async fn it_shows_what_is_published_and_nothing_else() {
    for (status, wanted) in [
        (TarsModelStatus::Draft, "NotFound"),
        (TarsModelStatus::Published, "ok"),
        (TarsModelStatus::Archived, "NotFound"),
    ] {
        let shop = Workshop::new();
        let model = shop.model(status).await;
        let found = shop.market.find(&model.slug).await;
        assert_eq!(answer(found), wanted, "{status:?}");
        let page = shop.market.list(&NEWEST, &PageRequest::default()).await;
        assert_eq!(page.unwrap().total > 0, wanted == "ok", "{status:?}");
    }
    let shop = Workshop::new();
    let found = shop.market.find(&slug("nobody-made-it")).await;
    assert_eq!(answer(found), "NotFound");
}

#[tokio::test]
async fn the_form_holds_nothing_of_what_the_developer_hid() {
    let shop = Workshop::new();
    let model = shop.model(TarsModelStatus::Published).await;
    let detail = shop.market.find(&model.slug).await.unwrap();
    let properties = &detail.input_schema["properties"];
    assert!(properties.get("prompt").is_some());
    assert_eq!(properties.get("seed"), None);
    assert_eq!(properties.get("scheduler"), None);
    let form = detail.input_schema.to_string();
    assert!(!form.contains("anime style"), "{form}");
    assert_eq!(detail.entry.title, model.title);
}

#[tokio::test]
async fn an_outage_is_no_empty_market() {
    let shop = Workshop::new();
    let model = shop.model(TarsModelStatus::Published).await;
    let before = shop.market.revision();
    shop.store.start_outage();
    let answers = [
        answer(shop.market.find(&model.slug).await),
        answer(shop.market.list(&NEWEST, &PageRequest::default()).await),
        answer(shop.market.observe_changes().await),
    ];
    for answer in answers {
        assert!(answer.starts_with("Repo(Unavailable"), "{answer}");
    }
    assert_eq!(shop.market.revision(), before);
}

/// Remembers one title as a cache would: under the revision it took before it read.
struct Memory {
    revision: u64,
    title: String,
}

async fn read(market: &Market, model: &TarsModel) -> Memory {
    let revision = market.revision();
    let detail = market.find(&model.slug).await.unwrap();
    Memory {
        revision,
        title: detail.entry.title.to_string(),
    }
}

fn retitled() -> TarsModelChange {
    TarsModelChange {
        title: Some(title("Changed meanwhile")),
        ..TarsModelChange::default()
    }
}

/// The store answered the reader with the old title, and the change was committed before the
/// answer arrived. What the reader holds is old; its revision must say so.
#[tokio::test]
async fn a_change_between_the_read_and_its_answer_makes_the_memory_useless() {
    let shop = Workshop::new();
    let model = shop.model(TarsModelStatus::Published).await;
    let tars = Arc::new(shop.wiring().tars(shop.store.clone()));
    let (dora, id) = (model.developer_id, model.id);
    let rival = Interloper::after_find(&shop.store, move || {
        let tars = tars.clone();
        Box::pin(async move {
            tars.revise(dora, id, ANY, retitled()).await.unwrap();
        })
    });
    let market = shop.wiring().market(rival);
    let memory = read(&market, &model).await;
    assert_eq!(memory.title, model.title.as_str());
    assert_ne!(memory.revision, market.revision());
    let fresh = read(&shop.market, &model).await;
    assert_eq!(fresh.title, "Changed meanwhile");
    assert_eq!(fresh.revision, shop.market.revision());
}

#[tokio::test]
async fn another_processs_change_is_learnt_of_at_the_next_look_and_counts_once() {
    let shop = Workshop::new();
    let model = shop.model(TarsModelStatus::Published).await;
    let other = Workshop::process(shop.store.clone());
    other.market.observe_changes().await.unwrap();
    let memory = read(&other.market, &model).await;
    other.market.observe_changes().await.unwrap();
    assert_eq!(memory.revision, other.market.revision());
    let (dora, id) = (model.developer_id, model.id);
    shop.tars.revise(dora, id, ANY, retitled()).await.unwrap();
    assert_eq!(memory.revision, other.market.revision());
    other.market.observe_changes().await.unwrap();
    assert_eq!(memory.revision + 1, other.market.revision());
    other.market.observe_changes().await.unwrap();
    assert_eq!(memory.revision + 1, other.market.revision());
    let fresh = read(&other.market, &model).await;
    assert_eq!(fresh.title, "Changed meanwhile");
}

#[tokio::test]
async fn a_market_read_another_way_learns_of_the_same_changes() {
    let shop = Workshop::new();
    let model = shop.model(TarsModelStatus::Published).await;
    let elsewhere = FakeStore::new();
    let market = shop.market.through(elsewhere.clone());
    assert_eq!(answer(market.find(&model.slug).await), "NotFound");
    shop.changes.changed_here();
    assert_eq!(market.revision(), shop.market.revision());
    elsewhere.start_outage();
    assert_eq!(answer(shop.market.find(&model.slug).await), "ok");
}
