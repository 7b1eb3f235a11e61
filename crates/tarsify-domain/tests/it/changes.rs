//! When the catalogue's revision moves: once for every change that the market could show,
//! after it is committed, and never for what failed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tarsify_domain::Expected;
use tarsify_domain::catalog::{CatalogChanges, TarsModel, TarsModelChange, TarsModelStatus};
use tarsify_domain::people::{Developer, DeveloperProfile, Realm};
use tarsify_testing::builders::{identity_key, new_base_model, new_endpoint};

use crate::interloper::Interloper;
use crate::workshop::{Workshop, base_model_switched, endpoint_switched};

const ANY: &Expected = &Expected::Any;

/// Everything that changes what the market shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Publish,
    Archive,
    Revise,
    RemoveWhatWasRun,
    CreateBaseModel,
    ReviseBaseModel,
    RetireBaseModel,
    RegisterEndpoint,
    ReviseEndpoint,
    RetireEndpoint,
    ReviseDeveloper,
    CompleteDeveloper,
}

const ALL: [Change; 12] = [
    Change::Publish,
    Change::Archive,
    Change::Revise,
    Change::RemoveWhatWasRun,
    Change::CreateBaseModel,
    Change::ReviseBaseModel,
    Change::RetireBaseModel,
    Change::RegisterEndpoint,
    Change::ReviseEndpoint,
    Change::RetireEndpoint,
    Change::ReviseDeveloper,
    Change::CompleteDeveloper,
];

async fn developer(shop: &Workshop) -> Developer {
    let key = identity_key(Realm::Developers, "of-DRAFT");
    let developers = shop.store.world().developers;
    developers.find_by_identity(&key).await.unwrap().unwrap()
}

/// A draft that was run, so that every change has something to act on.
async fn furnished() -> (Workshop, TarsModel) {
    let shop = Workshop::new();
    let draft = shop.model(TarsModelStatus::Draft).await;
    shop.store
        .edit_tars_model(draft.id, |stored| stored.total_runs = 1);
    (shop, draft)
}

/// Makes the change on this repository and tells whether it succeeded.
async fn make(
    change: Change,
    shop: &Workshop,
    draft: &TarsModel,
    repository: Arc<Interloper>,
) -> bool {
    let wiring = shop.wiring();
    let (dora, id, base) = (draft.developer_id, draft.id, draft.base_model.id);
    let tars = wiring.tars(repository.clone());
    let base_models = wiring.base_models(repository.clone());
    let endpoints = wiring.endpoints(repository.clone());
    let developers = wiring.developers(repository);
    let model = shop.store.world().base_models.find(base).await;
    let endpoint = model.unwrap().unwrap().endpoint.id;
    let person = developer(shop).await;
    let profile = DeveloperProfile::default();
    match change {
        Change::Publish => tars.publish(dora, id, ANY).await.is_ok(),
        Change::Archive => tars.archive(dora, id, ANY).await.is_ok(),
        Change::Revise => {
            let change = TarsModelChange::default();
            tars.revise(dora, id, ANY, change).await.is_ok()
        }
        Change::RemoveWhatWasRun => tars.remove(dora, id, ANY).await.is_ok(),
        Change::CreateBaseModel => base_models.create(new_base_model(endpoint)).await.is_ok(),
        Change::ReviseBaseModel => {
            let change = base_model_switched(true);
            base_models.revise(base, ANY, change).await.is_ok()
        }
        Change::RetireBaseModel => base_models.retire(base, ANY).await.is_ok(),
        Change::RegisterEndpoint => endpoints.register(new_endpoint()).await.is_ok(),
        Change::ReviseEndpoint => {
            let change = endpoint_switched(true);
            endpoints.revise(endpoint, ANY, change).await.is_ok()
        }
        Change::RetireEndpoint => endpoints.retire(endpoint, ANY).await.is_ok(),
        Change::ReviseDeveloper => developers.revise(person, ANY, profile).await.is_ok(),
        Change::CompleteDeveloper => developers.complete(person, ANY, profile).await.is_ok(),
    }
}

/// Were it announced before it is committed, a reader in between would remember the old state
/// under the new revision, for ever.
#[tokio::test]
async fn each_change_is_announced_once_and_only_after_it_is_committed() {
    for change in ALL {
        let (shop, draft) = furnished().await;
        let before = shop.changes.revision();
        let at_commit = Arc::new(AtomicU64::new(u64::MAX));
        let (changes, seen) = (shop.changes.clone(), at_commit.clone());
        let watcher = Interloper::after_write(&shop.store, move || {
            seen.store(changes.revision(), Ordering::SeqCst);
            Box::pin(async {})
        });
        assert!(make(change, &shop, &draft, watcher).await, "{change:?}");
        assert_eq!(at_commit.load(Ordering::SeqCst), before, "{change:?}");
        assert_eq!(shop.changes.revision(), before + 1, "{change:?}");
    }
}

#[tokio::test]
async fn what_the_store_could_not_write_is_not_announced() {
    for change in ALL {
        let (shop, draft) = furnished().await;
        let before = shop.changes.revision();
        let store = shop.store.clone();
        // What reads first gets its answer and fails only at its write.
        let breaker = Interloper::after_find(&shop.store, move || {
            store.start_outage();
            Box::pin(async {})
        });
        let store = shop.store.clone();
        let writes = store.writes();
        let made = match change {
            // These read nothing of their own before; the next test refuses their writes.
            Change::CreateBaseModel | Change::RegisterEndpoint => continue,
            Change::ReviseDeveloper | Change::CompleteDeveloper => {
                let person = developer(&shop).await;
                store.start_outage();
                let profile = DeveloperProfile::default();
                let revise = shop.developers.revise(person, ANY, profile);
                revise.await.is_ok()
            }
            _ => make(change, &shop, &draft, breaker).await,
        };
        assert!(!made, "{change:?}");
        assert!(
            store.writes() > writes,
            "{change:?} never came to its write"
        );
        assert_eq!(shop.changes.revision(), before, "{change:?}");
    }
}

#[tokio::test]
async fn what_is_new_but_taken_is_not_announced() {
    let shop = Workshop::new();
    let base = shop.base_model().await;
    let endpoint = shop.endpoints.find(base.endpoint.id).await.unwrap();
    let before = shop.changes.revision();
    let mut new = new_endpoint();
    new.provider_endpoint_id = endpoint.provider_endpoint_id;
    shop.endpoints.register(new).await.unwrap_err();
    let mut new = new_base_model(endpoint.id);
    new.slug = base.slug;
    shop.base_models.create(new).await.unwrap_err();
    assert_eq!(shop.changes.revision(), before);
}

#[tokio::test]
async fn what_the_market_never_shows_is_not_announced() {
    let shop = Workshop::new();
    let base = shop.base_model().await;
    let dora = shop.developer("dora").await;
    let before = shop.changes.revision();
    let draft = shop.draft(dora, &base).await;
    shop.tars.remove(dora, draft.id, ANY).await.unwrap();
    assert_eq!(shop.changes.revision(), before);
}

#[test]
fn a_stored_version_counts_once_however_often_it_is_observed() {
    let changes = CatalogChanges::new();
    let mut wanted = changes.revision();
    for (version, is_new) in [
        // Nothing is known at first, so whatever comes first may be somebody's change.
        (0, true),
        (0, false),
        (1, true),
        (1, false),
        (1, false),
        (7, true),
        // A restored database may go back, and its market is another one.
        (3, true),
        (3, false),
    ] {
        changes.observe(version);
        wanted += u64::from(is_new);
        assert_eq!(changes.revision(), wanted, "at {version}");
    }
}
