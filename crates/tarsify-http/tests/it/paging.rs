//! Pages by number and by cursor: what `meta` says, and where `Link` leads.

use serde_json::{Value, json};
use time::Duration;

use crate::support::{Reply, Shop, id_of, tars_model_body};

const MARKET: &str = "/api/marketplace/models";

/// A market of seven models that tie in every order.
async fn market() -> (Shop, String) {
    let shop = Shop::open().await;
    let token = shop.developer("grace").await;
    let base = shop.base_model("base").await;
    for number in 0..7_u64 {
        let mut body = tars_model_body(&base["id"], &format!("model-{number}"));
        body["title"] = json!(if number % 2 == 0 { "Even" } else { "odd" });
        body["priceCredits"] = json!(number / 2);
        let made = shop.post("/api/studio/tars-models").token(&token);
        let model = made.json(&body).await.data();
        shop.publish(&token, &model).await;
        shop.store
            .edit_tars_model(id_of(&model), |row| row.total_runs = number / 3);
        if number % 3 == 0 {
            shop.clock.advance(Duration::microseconds(1));
        }
    }
    (shop, token)
}

fn slugs(reply: &Reply) -> Vec<String> {
    let data = reply.data();
    let items = data.as_array().unwrap().iter();
    items
        .map(|item| item["slug"].as_str().unwrap().to_owned())
        .collect()
}

/// Where `Link` leads from `path`; none on the last page.
fn next(path: &str, reply: &Reply) -> Option<String> {
    let link = reply.header("link");
    let cursor = reply.json()["meta"]["nextCursor"].clone();
    if link.is_empty() {
        assert_eq!(cursor, Value::Null, "meta knows a next page, Link does not");
        return None;
    }
    let query = link.strip_prefix('<').unwrap();
    let query = query.strip_suffix(">; rel=\"next\"").unwrap();
    let told = format!("cursor={}", cursor.as_str().unwrap());
    assert!(query.ends_with(&told), "{link}");
    let path = path.split('?').next().unwrap();
    Some(format!("{path}{query}"))
}

async fn walk(shop: &Shop, first: String, token: &str) -> Vec<String> {
    let mut seen = Vec::new();
    let mut path = Some(first);
    while let Some(place) = path {
        let mut ask = shop.get(&place);
        if !token.is_empty() {
            ask = ask.token(token);
        }
        let reply = ask.await;
        reply.assert(200, "");
        let by_number = !place.contains("cursor=");
        let meta = reply.json()["meta"].clone();
        assert_eq!(meta.get("page").is_some(), by_number, "{meta}");
        assert_eq!(meta["total"], 7);
        seen.extend(slugs(&reply));
        path = next(&place, &reply);
        assert!(seen.len() <= 7, "the walk goes in circles");
    }
    seen
}

#[actix_web::test]
async fn the_meta_counts_items_and_pages() {
    let (shop, _) = market().await;
    let cases = [
        ("", (1, 20, 1), 7),
        ("?limit=3", (1, 3, 3), 3),
        ("?limit=3&page=3", (3, 3, 3), 1),
        ("?page=1&limit=7", (1, 7, 1), 7),
        ("?page=2&limit=7", (2, 7, 1), 0),
        ("?page=4294967295&limit=100", (4_294_967_295_u32, 100, 1), 0),
    ];
    for (query, (page, limit, pages), items) in cases {
        let reply = shop.get(format!("{MARKET}{query}")).await;
        let mut meta = reply.json()["meta"].clone();
        let more = meta.as_object_mut().unwrap().remove("nextCursor");
        assert_eq!(more.is_some(), page < pages, "{query}");
        let expected = json!({
            "page": page, "limit": limit, "total": 7, "totalPages": pages, "pages": pages,
        });
        assert_eq!(meta, expected, "{query}");
        assert_eq!(slugs(&reply).len(), items, "{query}");
    }
    let none = shop.get(format!("{MARKET}?category=VIDEO")).await.json();
    let expected = json!({ "page": 1, "limit": 20, "total": 0, "totalPages": 0, "pages": 0 });
    assert_eq!((&none["data"], &none["meta"]), (&json!([]), &expected));
}

#[actix_web::test]
async fn links_lead_through_every_order_without_gaps() {
    let (shop, token) = market().await;
    for query in [
        "sort=newest",
        "sort=popular",
        "sort=price",
        "sort=-price",
        "sort=title",
        "search=anime",
        "search=anime&sort=title",
        "category=IMAGE&sort=price",
        "",
    ] {
        let whole = slugs(&shop.get(format!("{MARKET}?{query}")).await);
        assert_eq!(whole.len(), 7, "{query}");
        for limit in [1, 3, 7] {
            for path in [MARKET, "/api/public/models"] {
                let first = format!("{path}?{query}&limit={limit}");
                assert_eq!(walk(&shop, first, "").await, whole, "{query} by {limit}");
            }
            let by_number = format!("{MARKET}?{query}&limit={limit}&page=1");
            assert_eq!(walk(&shop, by_number, "").await, whole, "{query}");
        }
    }
    let own = "/api/studio/tars-models?status=PUBLISHED";
    let whole = slugs(&shop.get(own).token(&token).await);
    let walked = walk(&shop, format!("{own}&limit=2"), &token).await;
    assert_eq!(walked, whole);
}

#[actix_web::test]
async fn administrators_lists_are_walked_too() {
    let shop = Shop::open().await;
    let admin = shop.admin();
    for number in 0..7 {
        shop.base_model(&format!("model-{number}")).await;
    }
    for path in ["/api/admin/base-models", "/api/admin/endpoints"] {
        let mut ids = Vec::new();
        let mut place = Some(format!("{path}?limit=2"));
        while let Some(now) = place {
            let reply = shop.get(&now).token(&admin).await;
            let data = reply.data();
            let items = data.as_array().unwrap().clone();
            ids.extend(items.into_iter().map(|item| item["id"].clone()));
            place = next(&now, &reply);
        }
        let whole = shop.get(path).token(&admin).await.data();
        let whole: Vec<_> = whole.as_array().unwrap().iter().collect();
        let expected: Vec<_> = whole.iter().map(|item| item["id"].clone()).collect();
        assert_eq!(ids, expected, "{path}");
    }
}

#[actix_web::test]
async fn page_and_cursor_do_not_go_together() {
    let (shop, _) = market().await;
    let first = shop.get(format!("{MARKET}?limit=2")).await.json();
    let cursor = first["meta"]["nextCursor"].as_str().unwrap();
    let reply = shop.get(format!("{MARKET}?page=1&cursor={cursor}")).await;
    reply.assert_faults(&[("/page", "conflict")]);
}

#[actix_web::test]
async fn a_cursor_means_nothing_in_another_order() {
    let (shop, token) = market().await;
    let sorts = ["newest", "popular", "price", "-price", "title"];
    for from in sorts {
        let first = shop.get(format!("{MARKET}?limit=2&sort={from}")).await;
        let meta = first.json()["meta"].clone();
        let cursor = meta["nextCursor"].as_str().unwrap();
        for to in sorts {
            let reply = shop
                .get(format!("{MARKET}?sort={to}&cursor={cursor}"))
                .await;
            if from == to {
                reply.assert(200, "");
            } else {
                reply.assert_faults(&[("/cursor", "format")]);
            }
        }
        let search = shop.get(format!("{MARKET}?search=anime&cursor={cursor}"));
        search.await.assert_faults(&[("/cursor", "format")]);
        let own = shop.get(format!("/api/studio/tars-models?cursor={cursor}"));
        let own = own.token(&token).await;
        if from == "newest" {
            // The same order by name: it leads somewhere in his own list, never into another's.
            own.assert(200, "");
        } else {
            own.assert_faults(&[("/cursor", "format")]);
        }
    }
}
