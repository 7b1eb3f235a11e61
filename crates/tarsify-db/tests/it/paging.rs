//! Pages by number and by cursor, in every order, over a market full of ties.

use tarsify_domain::catalog::{
    BaseModelFilter, BaseModelRepository, Category, EndpointRepository, MarketEntry, MarketQuery,
    MarketRepository, MarketSort, TarsModelFilter, TarsModelRepository,
};
use tarsify_domain::page::{Cursor, CursorKey, Limit, PageNumber, Position};
use tarsify_domain::text::SearchText;
use tarsify_domain::{Page, PageRequest, Scope};
use uuid::Uuid;

use crate::things::{Shop, tars_model};

const SORTS: [MarketSort; 6] = [
    MarketSort::Newest,
    MarketSort::Popular,
    MarketSort::Price,
    MarketSort::PriceDescending,
    MarketSort::Title,
    MarketSort::Relevance,
];

fn at(position: Position, limit: i64) -> PageRequest {
    PageRequest {
        position,
        limit: Limit::parse(limit).unwrap(),
    }
}

fn number(number: i64) -> Position {
    Position::Number(PageNumber::parse(number).unwrap())
}

/// Forty published models whose sort values repeat all the time.
async fn full_market() -> Shop {
    let shop = Shop::open().await;
    let developer = shop.developer(1).await;
    let bases = [
        shop.base_model(1, Category::Image).await,
        shop.base_model(2, Category::Audio).await,
    ];
    for number in 0..40_i64 {
        let base = &bases[usize::try_from(number % 2).unwrap()];
        let model = tars_model(number, developer.id, base);
        shop.tars_models.create(&model).await.unwrap();
    }
    let ties = "UPDATE tars_models SET status = 'PUBLISHED', \
        published_at = '2024-01-01T00:00:00.000001Z'::timestamptz \
            + (hashtext(slug) % 3) * interval '1 microsecond', \
        total_runs = abs(hashtext(slug || 'a')) % 4, \
        price_credits = abs(hashtext(slug || 'b')) % 3, \
        title = (ARRAY['Zoo', 'zoo', 'anime Ünder', 'Anime', 'ape'])[abs(hashtext(slug || 'c')) % 5 + 1]";
    shop.test.sql(ties).await;
    shop
}

fn queries() -> Vec<MarketQuery> {
    let mut queries = Vec::new();
    for sort in SORTS {
        for category in [None, Some(Category::Audio)] {
            for search in [None, Some(SearchText::parse("model").unwrap())] {
                queries.push(MarketQuery {
                    category,
                    search,
                    sort,
                });
            }
        }
    }
    queries
}

async fn all(shop: &Shop, query: &MarketQuery) -> Page<MarketEntry> {
    shop.market.list(query, &at(number(1), 100)).await.unwrap()
}

#[tokio::test]
async fn a_walk_by_cursor_sees_every_item_once_and_in_order() {
    let shop = full_market().await;
    for query in queries() {
        let whole = all(&shop, &query).await;
        assert_eq!(whole.next, None);
        assert!(whole.total >= 15, "{query:?}");
        for limit in [1, 7, 20] {
            let mut walked = Vec::new();
            let mut position = number(1);
            loop {
                let request = at(position, limit);
                let page = shop.market.list(&query, &request).await.unwrap();
                assert_eq!(page.total, whole.total, "{query:?}");
                walked.extend(page.items);
                assert!(
                    walked.len() <= whole.items.len(),
                    "{query:?} goes in circles"
                );
                let Some(next) = page.next else { break };
                // Callers carry the cursor as text.
                let carried = Cursor::decode(&next.encode(), query.sort.order()).unwrap();
                position = Position::After(carried);
            }
            assert_eq!(walked, whole.items, "{query:?} by {limit}");
        }
    }
}

#[tokio::test]
async fn pages_by_number_tile_the_list_and_count_it_past_its_end() {
    let shop = full_market().await;
    for query in queries() {
        let whole = all(&shop, &query).await;
        let mut tiles = Vec::new();
        for page in 1..=10 {
            let page = shop
                .market
                .list(&query, &at(number(page), 9))
                .await
                .unwrap();
            assert_eq!(page.total, whole.total, "{query:?}");
            tiles.extend(page.items);
        }
        assert_eq!(tiles, whole.items, "{query:?}");
        let far = at(number(i64::from(u32::MAX)), 100);
        let past = shop.market.list(&query, &far).await.unwrap();
        assert_eq!((past.items.len(), past.total), (0, whole.total));
        assert_eq!(past.next, None);
    }
}

#[tokio::test]
async fn every_order_sorts_by_what_it_says() {
    let shop = full_market().await;
    let sorted = async |sort| {
        let query = MarketQuery {
            category: None,
            search: None,
            sort,
        };
        all(&shop, &query).await.items
    };
    let newest = sorted(MarketSort::Newest).await;
    assert!(newest.is_sorted_by_key(|entry| std::cmp::Reverse((entry.published_at, entry.id))));
    let popular = sorted(MarketSort::Popular).await;
    assert!(popular.is_sorted_by_key(|entry| std::cmp::Reverse((entry.total_runs, entry.id))));
    let cheap = sorted(MarketSort::Price).await;
    assert!(cheap.is_sorted_by_key(|entry| (entry.price, entry.id)));
    let dear = sorted(MarketSort::PriceDescending).await;
    assert!(dear.is_sorted_by_key(|entry| std::cmp::Reverse((entry.price, entry.id))));
    let titles = sorted(MarketSort::Title).await;
    assert!(titles.is_sorted_by_key(|entry| (entry.title.as_str().to_lowercase(), entry.id)));
}

#[tokio::test]
async fn cursors_from_strangers_are_places_too() {
    let shop = full_market().await;
    for query in queries() {
        let whole = all(&shop, &query).await;
        for extreme in [i64::MIN, -1, 0, i64::MAX] {
            let key = match query.sort {
                MarketSort::Title => CursorKey::Text(format!("{extreme}\u{10ffff}'\\")),
                _ => CursorKey::Integer(extreme),
            };
            let cursor = Cursor {
                order: query.sort.order().name.to_owned(),
                key,
                id: Uuid::nil(),
            };
            let page = at(Position::After(cursor), 100);
            let page = shop.market.list(&query, &page).await.unwrap();
            assert_eq!(page.total, whole.total, "{query:?}");
        }
    }
}

#[tokio::test]
async fn the_other_lists_are_walked_alike() {
    let shop = full_market().await;
    shop.test
        .sql("UPDATE tars_models SET created_at = date_trunc('minute', created_at)")
        .await;
    shop.test
        .sql("UPDATE base_models SET created_at = '2024-01-01'")
        .await;
    shop.test
        .sql("UPDATE endpoints SET created_at = '2024-01-01'")
        .await;
    let filter = TarsModelFilter::default();
    let whole = shop
        .tars_models
        .list(Scope::System, filter, &at(number(1), 100))
        .await
        .unwrap();
    let mut walked = Vec::new();
    let mut position = number(1);
    loop {
        let page = at(position, 7);
        let page = shop
            .tars_models
            .list(Scope::System, filter, &page)
            .await
            .unwrap();
        assert_eq!(page.total, 40);
        walked.extend(page.items);
        assert!(walked.len() <= 40);
        let Some(next) = page.next else { break };
        position = Position::After(next);
    }
    assert_eq!(walked, whole.items);

    let filter = BaseModelFilter::default();
    let first = shop
        .base_models
        .list(filter, &at(number(1), 1))
        .await
        .unwrap();
    let after = at(Position::After(first.next.clone().unwrap()), 1);
    let second = shop.base_models.list(filter, &after).await.unwrap();
    assert_eq!((first.total, second.total, second.next), (2, 2, None));
    assert!(first.items[0].id > second.items[0].id);
    let audio = BaseModelFilter {
        category: Some(Category::Audio),
    };
    assert_eq!(
        shop.base_models
            .list(audio, &at(number(1), 5))
            .await
            .unwrap()
            .total,
        1
    );

    let first = shop.endpoints.list(&at(number(1), 1)).await.unwrap();
    let after = at(Position::After(first.next.clone().unwrap()), 1);
    let second = shop.endpoints.list(&after).await.unwrap();
    assert_eq!((first.total, second.total, second.next), (2, 2, None));
    assert!(first.items[0].id > second.items[0].id);
    let past = shop.endpoints.list(&at(number(9), 5)).await.unwrap();
    assert_eq!((past.items.len(), past.total), (0, 2));
}
