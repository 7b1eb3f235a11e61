//! What a process knows of the limits, and how they are changed.

use std::sync::Arc;

use serde_json::json;
use tarsify_domain::audit::{Actor, Reason};
use tarsify_domain::limits::{
    Author, Enforcement, LimitCategory, LimitSettingsError, LimitSettingsPatch,
    LimitSettingsRepository, Limits,
};
use tarsify_domain::{Expected, Version};
use tarsify_testing::{FakeLimitSettings, TestClock};

fn limits(store: &Arc<FakeLimitSettings>, enforcement: Enforcement) -> Limits {
    let repository: Arc<dyn LimitSettingsRepository> = Arc::<FakeLimitSettings>::clone(store);
    Limits::new(repository, Arc::new(TestClock::new()), enforcement)
}

fn author() -> Author {
    Author {
        actor: Actor {
            issuer: "https://issuer.example.com".to_owned(),
            subject: "ada".to_owned(),
            developer: None,
        },
        reason: Reason::parse("a crowd is coming").ok(),
    }
}

fn uploads(max: u32) -> LimitSettingsPatch {
    let limits = json!({"upload": {"max": max}});
    LimitSettingsPatch {
        limits: LimitSettingsPatch::read_limits(&limits).ok(),
        ..LimitSettingsPatch::default()
    }
}

fn known_uploads(limits: &Limits) -> u32 {
    limits.known().quota(LimitCategory::Upload).get()
}

#[tokio::test]
async fn a_change_is_known_at_once_here_and_elsewhere_after_a_look() {
    let store = FakeLimitSettings::new();
    let (here, elsewhere) = (
        limits(&store, Enforcement::On),
        limits(&store, Enforcement::On),
    );
    assert_eq!((known_uploads(&here), known_uploads(&elsewhere)), (30, 30));
    let revised = here.revise(&author(), &Expected::Any, uploads(7)).await;
    assert_eq!(revised.unwrap().version, Version::FIRST.next());
    assert_eq!((known_uploads(&here), known_uploads(&elsewhere)), (7, 30));
    elsewhere.refresh().await.unwrap();
    assert_eq!(known_uploads(&elsewhere), 7);
    assert_eq!(store.audit(), [author()]);
}

#[tokio::test]
async fn what_is_known_outlives_the_store() {
    let store = FakeLimitSettings::new();
    let here = limits(&store, Enforcement::On);
    here.revise(&author(), &Expected::Any, uploads(7))
        .await
        .unwrap();
    store.start_outage();
    here.refresh().await.unwrap_err();
    assert_eq!(known_uploads(&here), 7);
}

#[tokio::test]
async fn whoever_expects_another_version_changes_nothing() {
    let store = FakeLimitSettings::new();
    let here = limits(&store, Enforcement::On);
    let old = Expected::OneOf(vec![Version::FIRST]);
    here.revise(&author(), &old, uploads(7)).await.unwrap();
    let refused = here.revise(&author(), &old, uploads(8)).await;
    assert!(matches!(
        refused,
        Err(LimitSettingsError::PreconditionFailed)
    ));
    assert_eq!(known_uploads(&here), 7);
    assert_eq!(store.audit().len(), 1);
}

#[tokio::test]
async fn without_enforcement_nothing_is_in_force() {
    let store = FakeLimitSettings::new();
    assert!(limits(&store, Enforcement::Off).in_force().is_none());
    assert!(limits(&store, Enforcement::On).in_force().is_some());
}
