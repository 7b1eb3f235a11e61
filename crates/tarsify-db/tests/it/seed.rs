//! Seeding endpoints again and again.

use futures_util::future::join_all;
use tarsify_db::{PgSeedRepository, SeedOutcome};
use tarsify_domain::catalog::endpoint::ProviderEndpointId;
use tarsify_domain::catalog::{Endpoint, EndpointRepository};
use tarsify_domain::text::Name;
use tarsify_domain::{RepoError, Version};

use crate::things::{Shop, endpoint, moment};

const PLACEHOLDER: &str = "unset-tts";

fn wanted(id: &str, number: i64) -> Endpoint {
    let mut endpoint = endpoint(number);
    endpoint.provider_endpoint_id = ProviderEndpointId::parse(id).unwrap();
    endpoint.is_active = id != PLACEHOLDER;
    endpoint
}

#[tokio::test]
async fn a_placeholder_becomes_real_once_and_then_stays() {
    let shop = Shop::open().await;
    let seed = PgSeedRepository::new(shop.test.database.clone());
    let plant = async |id: &str, number| {
        let endpoint = wanted(id, number);
        seed.seed_endpoint("tts", &endpoint, PLACEHOLDER)
            .await
            .unwrap()
    };
    let (id, outcome) = plant(PLACEHOLDER, 1).await;
    assert_eq!(outcome, SeedOutcome::Created);
    assert!(!shop.endpoints.find(id).await.unwrap().unwrap().is_active);
    assert_eq!(plant(PLACEHOLDER, 2).await, (id, SeedOutcome::Kept));
    assert_eq!(plant("real", 3).await, (id, SeedOutcome::Activated));
    let real = shop.endpoints.find(id).await.unwrap().unwrap();
    assert_eq!(
        (real.provider_endpoint_id.as_str(), real.is_active),
        ("real", true)
    );
    assert_eq!(
        (real.version, real.updated_at),
        (Version::new(2), moment(3))
    );
    assert_eq!(plant("other", 4).await, (id, SeedOutcome::Kept));
    assert_eq!(plant(PLACEHOLDER, 5).await, (id, SeedOutcome::Kept));
    assert_eq!(shop.endpoints.find(id).await.unwrap(), Some(real));
}

#[tokio::test]
async fn what_an_administrator_changed_stays() {
    let shop = Shop::open().await;
    let seed = PgSeedRepository::new(shop.test.database.clone());
    let first = seed
        .seed_endpoint("tts", &wanted(PLACEHOLDER, 1), PLACEHOLDER)
        .await;
    let (id, _) = first.unwrap();
    let mut revised = shop.endpoints.find(id).await.unwrap().unwrap();
    revised.name = Name::parse("Mine").unwrap();
    let revised = shop.endpoints.revise(&revised).await.unwrap();
    let again = seed
        .seed_endpoint("tts", &wanted("real", 2), PLACEHOLDER)
        .await
        .unwrap();
    assert_eq!(again, (id, SeedOutcome::Kept));
    assert_eq!(shop.endpoints.find(id).await.unwrap(), Some(revised));

    let fresh = seed
        .seed_endpoint("sdxl", &wanted("live", 3), PLACEHOLDER)
        .await
        .unwrap();
    assert_eq!(fresh.1, SeedOutcome::Created);
    let mut off = shop.endpoints.find(fresh.0).await.unwrap().unwrap();
    assert!(off.is_active);
    off.is_active = false;
    shop.endpoints.revise(&off).await.unwrap();
    let again = seed
        .seed_endpoint("sdxl", &wanted("live", 4), PLACEHOLDER)
        .await
        .unwrap();
    assert_eq!(again, (fresh.0, SeedOutcome::Kept));
    assert!(
        !shop
            .endpoints
            .find(fresh.0)
            .await
            .unwrap()
            .unwrap()
            .is_active
    );
}

#[tokio::test]
async fn an_endpoint_that_has_the_id_already_is_taken_for_a_new_key() {
    let shop = Shop::open().await;
    let seed = PgSeedRepository::new(shop.test.database.clone());
    let mut own = endpoint(1);
    own.provider_endpoint_id = ProviderEndpointId::parse("shared").unwrap();
    shop.endpoints.create(&own).await.unwrap();
    for _ in 0..2 {
        let taken = seed
            .seed_endpoint("tts", &wanted("shared", 2), PLACEHOLDER)
            .await;
        assert_eq!(taken.unwrap(), (own.id, SeedOutcome::Kept));
    }
    let planted = seed
        .seed_endpoint("sdxl", &wanted(PLACEHOLDER, 3), PLACEHOLDER)
        .await;
    planted.unwrap();
    let clash = seed
        .seed_endpoint("sdxl", &wanted("shared", 4), PLACEHOLDER)
        .await;
    assert!(matches!(clash, Err(RepoError::Conflict)), "{clash:?}");
}

#[tokio::test]
async fn twins_seed_one_endpoint() {
    let shop = Shop::open().await;
    let work = (0..8).map(|number| {
        let seed = PgSeedRepository::new(shop.test.database.clone());
        async move {
            seed.seed_endpoint("tts", &wanted("real", number), PLACEHOLDER)
                .await
        }
    });
    let results: Vec<_> = join_all(work)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    let created = results
        .iter()
        .filter(|(_, outcome)| *outcome == SeedOutcome::Created);
    assert_eq!(created.count(), 1, "{results:?}");
    assert!(
        results.iter().all(|(id, _)| *id == results[0].0),
        "{results:?}"
    );
    assert_eq!(shop.test.sql("SELECT count(*) FROM endpoints").await, ["1"]);
}
