//! What every store of the limits on callers must do, as cases that run against any of them.

use std::any::Any;
use std::sync::Arc;

use serde_json::json;
use tarsify_domain::audit::{Actor, Reason};
use tarsify_domain::limits::{
    Author, LimitSettings, LimitSettingsPatch, LimitSettingsRepository, StoredLimits,
};
use tarsify_domain::{Timestamp, Version};
use time::Duration;

use super::check::{assert_one_is_stale, assert_stale};
use crate::clock::MOMENT;

/// A store of the limits that nobody has changed yet.
pub struct LimitWorld {
    /// The store.
    pub settings: Arc<dyn LimitSettingsRepository>,
    /// Whatever the store needs to live, such as its database; dropped after the port.
    pub keep: Box<dyn Any + Send + Sync>,
}

fn author() -> Author {
    Author {
        actor: Actor {
            issuer: "https://issuer.example.com/developers".to_owned(),
            subject: "ada".to_owned(),
            developer: None,
        },
        reason: Reason::parse("a crowd is coming").ok(),
    }
}

/// The limits with room for so many runs at once and other tiers and limits, changed later.
fn changed(stored: &StoredLimits, runs: u32) -> StoredLimits {
    let tiers = json!([
        {"name": "everybody", "minPurchased": 0, "multiplier": 0.5},
        {"name": "ünlü \"kişi\"", "minPurchased": 7, "multiplier": 12.25},
    ]);
    let limits = json!({"userApi": {"max": 11}, "upload": {"max": 1_000_000}});
    let providers = json!({"runpod": {"maxPerDay": runs, "retryOn429": false}});
    let patch = LimitSettingsPatch {
        tiers: Some(LimitSettingsPatch::read_tiers(&tiers).unwrap()),
        limits: Some(LimitSettingsPatch::read_limits(&limits).unwrap()),
        max_concurrent_runs: Some(runs),
        providers: Some(LimitSettingsPatch::read_providers(&providers).unwrap()),
    };
    StoredLimits {
        settings: stored.settings.changed(patch),
        updated_at: later(),
        ..stored.clone()
    }
}

fn later() -> Timestamp {
    MOMENT + Duration::minutes(1)
}

/// Every store begins with the defaults.
///
/// # Panics
/// When it does not hold.
pub async fn every_store_begins_with_the_defaults(world: LimitWorld) {
    let stored = world.settings.find().await.unwrap();
    assert_eq!(stored.settings, LimitSettings::default());
    assert_eq!(stored.version, Version::FIRST);
}

/// What is changed is found again.
///
/// # Panics
/// When it does not hold.
pub async fn a_change_round_trips(world: LimitWorld) {
    let first = world.settings.find().await.unwrap();
    let wanted = changed(&first, 77);
    let revised = world.settings.revise(&wanted, &author()).await.unwrap();
    let expected = StoredLimits {
        version: first.version.next(),
        ..wanted
    };
    assert_eq!(revised, expected);
    assert_eq!(world.settings.find().await.unwrap(), expected);
}

/// A change of what has been changed meanwhile is refused.
///
/// # Panics
/// When it does not hold.
pub async fn a_change_of_an_old_version_is_stale(world: LimitWorld) {
    let first = world.settings.find().await.unwrap();
    let revised = world
        .settings
        .revise(&changed(&first, 6), &author())
        .await
        .unwrap();
    assert_stale(world.settings.revise(&changed(&first, 7), &author()).await);
    assert_eq!(world.settings.find().await.unwrap(), revised);
}

/// Of two changes at once one is refused.
///
/// # Panics
/// When it does not hold.
pub async fn one_of_two_changes_at_once_wins(world: LimitWorld) {
    let first = world.settings.find().await.unwrap();
    let (one, other, by) = (changed(&first, 6), changed(&first, 7), author());
    let results = tokio::join!(
        world.settings.revise(&one, &by),
        world.settings.revise(&other, &by),
    );
    assert_one_is_stale(results);
}

/// Makes one `#[tokio::test]` of every case about limits. The argument names an async function
/// without arguments that makes a [`LimitWorld`].
#[macro_export]
macro_rules! limit_contract_tests {
    ($world:ident) => {
        $crate::limit_contract_tests!(@ $world
            every_store_begins_with_the_defaults,
            a_change_round_trips,
            a_change_of_an_old_version_is_stale,
            one_of_two_changes_at_once_wins,
        );
    };
    (@ $world:ident $($case:ident,)+) => {
        $(
            #[tokio::test]
            async fn $case() {
                $crate::contract::limits::$case($world().await).await;
            }
        )+
    };
}
