//! The statements that the adapters really send use the indexes that were made for them.

use std::time::Duration;

use tarsify_db::{Database, DatabaseSettings, PgMarketRepository, PgTarsModelRepository};
use tarsify_domain::catalog::{
    MarketQuery, MarketRepository, MarketSort, TarsModelFilter, TarsModelRepository,
};
use tarsify_domain::page::{Limit, PageNumber, Position};
use tarsify_domain::text::SearchText;
use tarsify_domain::{PageRequest, Scope};

use crate::support::Outside;
use crate::things::Shop;

/// A shop with 4,000 models of eight developers.
async fn large_shop() -> Shop {
    let shop = Shop::open().await;
    shop.draft(1).await;
    for number in 2..9 {
        shop.developer(number).await;
    }
    let fill = "INSERT INTO tars_models (id, developer_id, base_model_id, title, slug, description, \
            config_overrides, price_credits, status, created_at, updated_at, published_at, total_runs) \
        SELECT gen_random_uuid(), (ARRAY(SELECT id FROM developers))[n % 8 + 1], \
            (SELECT id FROM base_models LIMIT 1), 'Title ' || md5(n::text), 'slug-' || n, \
            md5('a' || n), '{}', n % 1000, 'PUBLISHED', now() - n * interval '1 second', now(), \
            now() - n * interval '1 second', n % 777 \
        FROM generate_series(1, 4000) AS n; \
        ANALYZE";
    shop.test.sql(fill).await;
    shop.test.sql("VACUUM").await;
    shop
}

/// How often each index was used by what `work` sent.
async fn used(shop: &Shop, index: &str, work: impl AsyncFnOnce(Database)) -> i64 {
    let outside = Outside::connect(&shop.test.url).await;
    let count = format!("SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = '{index}'");
    let before: i64 = outside.sql(&count).await[0].parse().unwrap();
    let mut settings = DatabaseSettings::new(&shop.test.url);
    settings.application_name = format!("plan of {index}");
    let database = Database::connect(&settings).await.unwrap();
    work(database.clone()).await;
    // A session's numbers are complete when it has ended.
    database.close();
    drop(database);
    let name = &settings.application_name;
    let alive = format!("SELECT count(*) FROM pg_stat_activity WHERE application_name = '{name}'");
    while outside.sql(&alive).await != ["0"] {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let after: i64 = outside.sql(&count).await[0].parse().unwrap();
    after - before
}

#[tokio::test]
async fn every_order_of_the_market_has_its_index() {
    let shop = large_shop().await;
    for (sort, index) in [
        (MarketSort::Newest, "tars_models_market_newest_index"),
        (MarketSort::Popular, "tars_models_market_popular_index"),
        (MarketSort::Price, "tars_models_market_price_index"),
        (
            MarketSort::PriceDescending,
            "tars_models_market_price_index",
        ),
        (MarketSort::Title, "tars_models_market_title_index"),
    ] {
        let query = MarketQuery {
            category: None,
            search: None,
            sort,
        };
        let scans = used(&shop, index, async |database| {
            let market = PgMarketRepository::new(database);
            let first = market.list(&query, &PageRequest::default()).await.unwrap();
            let mut next = first.next.unwrap();
            // More often than the server plans anew for each value.
            for _ in 0..8 {
                let page = PageRequest {
                    position: Position::After(next),
                    limit: Limit::DEFAULT,
                };
                next = market.list(&query, &page).await.unwrap().next.unwrap();
            }
        })
        .await;
        assert!(scans >= 9, "{sort:?} used {index} {scans} times");
    }
}

#[tokio::test]
async fn slugs_searches_and_owners_have_their_indexes() {
    let shop = large_shop().await;
    let scans = used(&shop, "tars_models_slug_unique", async |database| {
        let slug = tarsify_domain::text::Slug::parse("slug-77").unwrap();
        PgMarketRepository::new(database)
            .find(&slug)
            .await
            .unwrap()
            .unwrap();
    });
    assert!(scans.await >= 1);
    let scans = used(&shop, "tars_models_market_search_index", async |database| {
        let query = MarketQuery {
            category: None,
            search: Some(SearchText::parse("slug 77").unwrap()),
            sort: MarketSort::Relevance,
        };
        let page = PageRequest::default();
        let found = PgMarketRepository::new(database)
            .list(&query, &page)
            .await
            .unwrap();
        assert!(found.total >= 1);
    });
    assert!(scans.await >= 1);
    let developer = shop
        .test
        .sql("SELECT developer_id FROM tars_models LIMIT 1")
        .await;
    let scans = used(&shop, "tars_models_developer_index", async |database| {
        let scope = Scope::Developer(developer[0].parse().unwrap());
        let page = PageRequest {
            position: Position::Number(PageNumber::parse(3).unwrap()),
            limit: Limit::DEFAULT,
        };
        let models = PgTarsModelRepository::new(database);
        let list = models
            .list(scope, TarsModelFilter::default(), &page)
            .await
            .unwrap();
        assert!(list.total >= 400);
    });
    assert!(scans.await >= 1);
}
