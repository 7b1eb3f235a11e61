//! The fake authenticator knows what tests handed out, and the clock moves.

use std::sync::Arc;

use tarsify_domain::Clock;
use tarsify_domain::people::{AuthError, Authenticator, Credential, Realm};
use tarsify_testing::builders::identity;
use tarsify_testing::{FakeAuthenticator, TestClock};
use time::Duration;

fn authenticator() -> (FakeAuthenticator, TestClock) {
    let clock = TestClock::new();
    (FakeAuthenticator::new(Arc::new(clock.clone())), clock)
}

#[tokio::test]
async fn a_token_stands_for_its_identity_in_its_realm_until_it_expires() {
    let (authenticator, clock) = authenticator();
    let carla = identity(Realm::Consumers, "carla");
    let token = authenticator.token_of(Realm::Consumers, "carla");
    let check = async |realm| {
        authenticator
            .authenticate(realm, Credential::Bearer(&token))
            .await
    };
    assert_eq!(check(Realm::Consumers).await.unwrap(), carla);
    assert!(matches!(
        check(Realm::Developers).await,
        Err(AuthError::Invalid(_))
    ));
    clock.advance(Duration::hours(1));
    assert_eq!(clock.now(), carla.expires_at);
    assert!(matches!(
        check(Realm::Consumers).await,
        Err(AuthError::Expired)
    ));
}

#[tokio::test]
async fn strange_and_expired_tokens_and_outages_are_told_apart() {
    let (authenticator, _clock) = authenticator();
    let check = async |token| {
        authenticator
            .authenticate(Realm::Consumers, Credential::Bearer(token))
            .await
            .unwrap_err()
    };
    assert!(matches!(check("strange").await, AuthError::Invalid(_)));
    let expired = FakeAuthenticator::EXPIRED;
    assert!(matches!(check(expired).await, AuthError::Expired));
    authenticator.start_outage();
    assert!(matches!(check(expired).await, AuthError::Unavailable(_)));
    authenticator.end_outage();
    assert!(matches!(check(expired).await, AuthError::Expired));
}
