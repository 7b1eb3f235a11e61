//! Settings that would open a door are refused.

use tarsify_auth::{AuthSettings, JwksCache, JwksSettings, SetupError, TokenAuthenticator};
use time::Duration;

use crate::world::{TestClock, firebase_settings};

fn build(settings: AuthSettings) -> Result<TokenAuthenticator, SetupError> {
    let clock = TestClock::new();
    let settings_of_keys = JwksSettings::new("http://127.0.0.1:9/keys");
    let keys = JwksCache::new(settings_of_keys, clock.clone()).unwrap();
    TokenAuthenticator::new(settings, &keys, clock)
}

fn with_users(project: &str) -> AuthSettings {
    AuthSettings {
        users_project_id: Some(project.to_owned()),
        ..firebase_settings()
    }
}

#[test]
fn two_realms_have_two_projects() {
    assert!(build(firebase_settings()).is_ok());
    assert!(build(AuthSettings::default()).is_ok());
    let same = build(with_users("shop-devs"));
    assert!(matches!(same, Err(SetupError::SameProject(project)) if project == "shop-devs"));
}

#[test]
fn a_project_id_is_one() {
    for project in ["example.com:shop-1", "shop_1"] {
        assert!(build(with_users(project)).is_ok(), "{project}");
    }
    let long = "x".repeat(129);
    for project in ["", " ", "shop users", "shop/users", "ladé", long.as_str()] {
        let built = build(with_users(project));
        assert!(matches!(built, Err(SetupError::ProjectId(_))), "{project}");
    }
}

#[test]
fn the_leeway_is_a_minute_at_most() {
    for (seconds, is_good) in [(-1, false), (0, true), (60, true), (61, false)] {
        let built = build(AuthSettings {
            leeway: Duration::seconds(seconds),
            ..firebase_settings()
        });
        match built {
            Ok(_) => assert!(is_good, "{seconds}"),
            Err(error) => {
                assert!(!is_good && matches!(error, SetupError::Leeway), "{seconds}");
            }
        }
    }
}
