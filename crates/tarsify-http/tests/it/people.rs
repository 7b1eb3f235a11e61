//! Who may act, and who no longer may.

use tarsify_domain::id::{ConsumerId, DeveloperId};
use tarsify_domain::people::{AdminRule, PersonStatus, Realm, Role};
use tarsify_testing::builders::{email, identity};
use tarsify_testing::clock::MOMENT;
use time::Duration;

use crate::support::{Plan, Shop};

const ME: &str = "/api/marketplace/auth/me";
const STUDIO_ME: &str = "/api/studio/auth/me";
const ENDPOINTS: &str = "/api/admin/endpoints";

async fn developer_id(shop: &Shop, token: &str) -> DeveloperId {
    let me = shop.get(STUDIO_ME).token(token).await.data();
    me["id"].as_str().unwrap().parse().unwrap()
}

async fn consumer_id(shop: &Shop, token: &str) -> ConsumerId {
    let me = shop.get(ME).token(token).await.data();
    me["id"].as_str().unwrap().parse().unwrap()
}

#[actix_web::test]
async fn a_token_ends_with_its_hour() {
    let shop = Shop::open().await;
    let token = shop.consumer("carla").await;
    shop.clock.advance(Duration::minutes(59));
    shop.get(ME).token(&token).await.assert(200, "");
    shop.clock.advance(Duration::minutes(1));
    shop.get(ME).token(&token).await.assert(401, "ERR_2002");
}

#[actix_web::test]
async fn disabled_people_are_refused_at_once() {
    let shop = Shop::open().await;
    let consumer = shop.consumer("carla").await;
    let developer = shop.developer("dora").await;
    let admin = shop.developer("root").await;
    let id = consumer_id(&shop, &consumer).await;
    shop.store
        .edit_consumer(id, |row| row.status = PersonStatus::Disabled);
    for token in [&developer, &admin] {
        let id = developer_id(&shop, token).await;
        shop.store
            .edit_developer(id, |row| row.status = PersonStatus::Disabled);
    }
    shop.get(ME).token(&consumer).await.assert(403, "ERR_2003");
    for path in [STUDIO_ME, "/api/studio/tars-models"] {
        let reply = shop.get(path).token(&developer).await;
        reply.assert(403, "ERR_2003");
        assert!(reply.text().contains("disabled"));
    }
    // The configuration makes him an administrator; the store says that he is locked out.
    shop.get(ENDPOINTS)
        .token(&admin)
        .await
        .assert(403, "ERR_2003");
}

#[actix_web::test]
async fn a_sign_in_that_was_ended_is_void_and_a_later_one_is_good() {
    let shop = Shop::open().await;
    let consumer = shop.consumer("carla").await;
    let developer = shop.developer("dora").await;
    let ended = MOMENT + Duration::seconds(1);
    let id = consumer_id(&shop, &consumer).await;
    shop.store
        .edit_consumer(id, |row| row.tokens_valid_after = Some(ended));
    let id = developer_id(&shop, &developer).await;
    shop.store
        .edit_developer(id, |row| row.tokens_valid_after = Some(ended));
    let people = [
        (Realm::Consumers, "carla", consumer, ME),
        (Realm::Developers, "dora", developer, STUDIO_ME),
    ];
    for (realm, subject, old, path) in people {
        shop.get(path).token(&old).await.assert(401, "ERR_2001");
        let mut later = identity(realm, subject);
        later.authenticated_at = ended;
        let new = shop.tokens.token(later);
        shop.get(path).token(&new).await.assert(200, "");
    }
}

#[actix_web::test]
async fn the_same_subject_of_another_issuer_is_somebody_else() {
    let shop = Shop::open().await;
    shop.consumer("carla").await;
    let mut other = identity(Realm::Consumers, "carla");
    other.key.issuer = "https://elsewhere.example.com".into();
    let token = shop.tokens.token(other);
    shop.get(ME).token(&token).await.assert(404, "ERR_3000");
}

#[actix_web::test]
async fn a_role_makes_an_administrator_and_takes_it_away_at_once() {
    let shop = Shop::open().await;
    let dora = shop.developer("dora").await;
    shop.get(ENDPOINTS)
        .token(&dora)
        .await
        .assert(403, "ERR_2003");
    let address = email("dora@example.com");
    for (role, status) in [(Role::Admin, 200), (Role::User, 403)] {
        shop.services
            .developers
            .assign_role(&address, role)
            .await
            .unwrap();
        let reply = shop.get(ENDPOINTS).token(&dora).await;
        assert_eq!(reply.status, status);
    }
}

#[actix_web::test]
async fn only_the_named_issuer_makes_local_administrators() {
    let admins = AdminRule {
        local_issuer: Some("https://local.example.com".into()),
        ..AdminRule::default()
    };
    let plan = Plan {
        admins,
        ..Plan::default()
    };
    let shop = Shop::planned(plan).await;
    let cases = [
        ("https://local.example.com", "admin:ada", 200),
        ("https://local.example.com", "developer:ada", 403),
        ("https://local.example.com", "ADMIN:ada", 403),
        ("https://issuer.example.com/developers", "admin:ada", 403),
    ];
    for (issuer, subject, status) in cases {
        let mut somebody = identity(Realm::Developers, subject);
        somebody.key.issuer = issuer.into();
        let token = shop.tokens.token(somebody);
        let reply = shop.get(ENDPOINTS).token(&token).await;
        assert_eq!(reply.status, status, "{issuer} {subject}");
    }
    // The same words in the other realm open nothing.
    let mut consumer = identity(Realm::Consumers, "admin:ada");
    consumer.key.issuer = "https://local.example.com".into();
    let token = shop.tokens.token(consumer);
    shop.get(ENDPOINTS)
        .token(&token)
        .await
        .assert(401, "ERR_2001");
}

#[actix_web::test]
async fn nobody_registers_twice_or_with_a_taken_address() {
    let shop = Shop::open().await;
    for (realm, path, code) in [
        (
            Realm::Consumers,
            "/api/marketplace/auth/register",
            "ERR_3001",
        ),
        (Realm::Developers, "/api/studio/auth/register", "ERR_4001"),
    ] {
        let token = shop.token(realm, "ada");
        shop.post(path).token(&token).await.assert(201, "");
        shop.post(path).token(&token).await.assert(409, code);
        let mut twin = identity(realm, "twin");
        twin.email = Some(email("ada@example.com"));
        let token = shop.tokens.token(twin);
        shop.post(path).token(&token).await.assert(409, code);
    }
}

#[actix_web::test]
async fn an_outage_of_the_keys_is_no_refusal() {
    let shop = Shop::open().await;
    let token = shop.consumer("carla").await;
    shop.tokens.start_outage();
    for bearer in [token.as_str(), "garbage"] {
        let reply = shop.get(ME).token(bearer).await;
        reply.assert(503, "ERR_1005");
        assert_eq!(reply.header("retry-after"), "1");
        assert!(!reply.text().contains("keys away"), "the cause is told");
    }
    shop.get("/api/marketplace/models").await.assert(200, "");
    shop.tokens.end_outage();
    shop.get(ME).token(&token).await.assert(200, "");
}
