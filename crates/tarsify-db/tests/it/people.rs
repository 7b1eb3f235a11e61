//! Consumers and developers in the store.

use futures_util::future::join_all;
use tarsify_domain::people::{ConsumerRepository, DeveloperRepository, PersonStatus, Realm, Role};
use tarsify_domain::text::{AvatarUrl, Bio, Country, EmailAddress, PersonName};
use tarsify_domain::{Credits, RepoError, Version};

use crate::things::{Shop, email, identity, moment, new_consumer, new_developer};

#[tokio::test]
async fn a_consumer_is_found_by_the_identity_he_registered_with() {
    let shop = Shop::open().await;
    let new = new_consumer(1);
    let registered = shop.consumers.register(&new).await.unwrap();
    assert_eq!((registered.id, &registered.email), (new.id, &new.email));
    assert_eq!(registered.name, new.name);
    assert_eq!(registered.subject, "subject-1");
    assert_eq!(registered.status, PersonStatus::Active);
    assert_eq!(registered.credits_balance, Credits::ZERO);
    assert_eq!(registered.version, Version::FIRST);
    assert_eq!(registered.created_at, moment(1));

    let key = identity(Realm::Consumers, 1);
    let found = shop.consumers.find_by_identity(&key).await.unwrap();
    assert_eq!(found, Some(registered));
    for stranger in [
        identity(Realm::Consumers, 2),
        identity(Realm::Developers, 1),
    ] {
        assert_eq!(
            shop.consumers.find_by_identity(&stranger).await.unwrap(),
            None
        );
    }
}

#[tokio::test]
async fn realms_do_not_see_each_other() {
    let shop = Shop::open().await;
    shop.consumers.register(&new_consumer(1)).await.unwrap();
    let key = identity(Realm::Consumers, 1);
    assert_eq!(shop.developers.find_by_identity(&key).await.unwrap(), None);
    // The same subject and address in the other realm is another person.
    let mut twin = new_developer(1);
    twin.id = tarsify_domain::id::DeveloperId::new(moment(99));
    shop.developers.register(&twin).await.unwrap();
}

#[tokio::test]
async fn an_identity_and_an_address_belong_to_one_consumer() {
    let shop = Shop::open().await;
    shop.consumers.register(&new_consumer(1)).await.unwrap();

    let mut same_identity = new_consumer(2);
    same_identity.key = identity(Realm::Consumers, 1);
    let refusal = shop.consumers.register(&same_identity).await;
    assert!(matches!(refusal, Err(RepoError::Conflict)), "{refusal:?}");

    let mut same_address = new_consumer(3);
    same_address.email = Some(email(1));
    let refusal = shop.consumers.register(&same_address).await;
    assert!(matches!(refusal, Err(RepoError::Conflict)), "{refusal:?}");

    // A refused registration leaves nothing behind, not even half a person.
    assert_eq!(shop.test.sql("SELECT count(*) FROM people").await, ["1"]);
    let without_address = |number| {
        let mut new = new_consumer(number);
        new.email = None;
        new
    };
    shop.consumers.register(&without_address(4)).await.unwrap();
    shop.consumers.register(&without_address(5)).await.unwrap();
}

#[tokio::test]
async fn twins_who_register_at_once_become_one() {
    let shop = Shop::open().await;
    let registrations = (0..8).map(|number| {
        let mut new = new_developer(number);
        new.key = identity(Realm::Developers, 0);
        new.email = Some(email(0));
        let developers = &shop.developers;
        async move { developers.register(&new).await }
    });
    let results = join_all(registrations).await;
    let (made, refused): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    assert_eq!(made.len(), 1);
    assert!(
        refused
            .iter()
            .all(|one| matches!(one, Err(RepoError::Conflict))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_consumer_is_revised_once_per_version() {
    let shop = Shop::open().await;
    let mut consumer = shop.consumers.register(&new_consumer(1)).await.unwrap();
    consumer.name = None;
    consumer.avatar_url = Some(AvatarUrl::parse("https://example.com/a.png").unwrap());
    consumer.updated_at = moment(50);
    let revised = shop.consumers.revise(&consumer).await.unwrap();
    let mut expected = consumer.clone();
    expected.version = Version::new(2);
    assert_eq!(revised, expected);
    let key = identity(Realm::Consumers, 1);
    let found = shop.consumers.find_by_identity(&key).await.unwrap();
    assert_eq!(found, Some(expected));
    let stale = shop.consumers.revise(&consumer).await;
    assert!(matches!(stale, Err(RepoError::Stale)), "{stale:?}");
}

#[tokio::test]
async fn a_developer_keeps_what_is_not_his_to_revise() {
    let shop = Shop::open().await;
    let mut developer = shop.developer(1).await;
    developer.display_name = Some(PersonName::parse("Ada").unwrap());
    developer.bio = Some(Bio::parse("").unwrap());
    developer.country = Some(Country::parse("de").unwrap());
    developer.payout_email = Some(email(7));
    developer.profile_is_complete = true;
    developer.updated_at = moment(60);
    let mut expected = developer.clone();
    expected.version = Version::new(2);
    developer.role = Role::Admin;
    developer.status = PersonStatus::Disabled;
    developer.is_verified = true;
    developer.stripe_account_id = Some("acct_1".to_owned());
    developer.email = None;
    let revised = shop.developers.revise(&developer).await.unwrap();
    assert_eq!(revised, expected);
    let key = identity(Realm::Developers, 1);
    let found = shop.developers.find_by_identity(&key).await.unwrap();
    assert_eq!(found, Some(expected));
    let stale = shop.developers.revise(&developer).await;
    assert!(matches!(stale, Err(RepoError::Stale)), "{stale:?}");
}

#[tokio::test]
async fn a_role_goes_to_the_developer_with_the_address() {
    let shop = Shop::open().await;
    shop.developer(1).await;
    shop.consumers.register(&new_consumer(2)).await.unwrap();
    let raised = shop
        .developers
        .assign_role(&email(1), Role::Admin)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (raised.role, raised.version),
        (Role::Admin, Version::new(2))
    );
    assert_eq!(raised.subject, "subject-1");
    let again = shop
        .developers
        .assign_role(&email(1), Role::Admin)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(again.version, Version::new(2), "nothing changed");
    let lowered = shop
        .developers
        .assign_role(&email(1), Role::User)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(lowered.role, Role::User);
    for address in [email(2), EmailAddress::parse("nobody@example.com").unwrap()] {
        let nobody = shop
            .developers
            .assign_role(&address, Role::Admin)
            .await
            .unwrap();
        assert_eq!(nobody, None, "{address}");
    }
}

#[tokio::test]
async fn a_developer_is_read_with_the_number_of_his_models() {
    let shop = Shop::open().await;
    shop.draft(1).await;
    shop.developer(2).await;
    for (number, count) in [(1, 1), (2, 0)] {
        let key = identity(Realm::Developers, number);
        let found = shop
            .developers
            .find_by_identity(&key)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(found.model_count, count);
    }
}

#[tokio::test]
async fn locks_and_revocations_are_read() {
    let shop = Shop::open().await;
    shop.developer(1).await;
    let lock = "UPDATE people SET status = 'DISABLED', \
        tokens_valid_after = '2024-01-01T00:00:00Z'";
    shop.test.sql(lock).await;
    let key = identity(Realm::Developers, 1);
    let found = shop
        .developers
        .find_by_identity(&key)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.status, PersonStatus::Disabled);
    let moment = found.tokens_valid_after.unwrap();
    assert_eq!(moment.unix_timestamp(), 1_704_067_200);
}
