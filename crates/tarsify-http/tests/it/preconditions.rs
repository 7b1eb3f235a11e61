//! `If-Match` on everything that has a version and can be changed.

use actix_web::http::Method;
use serde_json::{Value, json};
use tarsify_http::routes;

use crate::support::{Ask, Shop, address};

/// A thing, how it is read, and one way to change it.
struct Way {
    method: Method,
    read: String,
    change: String,
    token: String,
    body: Option<Value>,
}

impl Way {
    fn read<'a>(&self, shop: &'a Shop) -> Ask<'a> {
        shop.get(&self.read).token(&self.token)
    }

    fn change<'a>(&self, shop: &'a Shop) -> Ask<'a> {
        let ask = shop.ask(self.method.clone(), &self.change);
        let ask = ask.token(&self.token);
        match &self.body {
            Some(body) => ask.json(body),
            None => ask,
        }
    }
}

async fn ways_of_packages(shop: &Shop) -> Vec<Way> {
    let mut all = Vec::new();
    for method in [Method::PUT, Method::PATCH, Method::DELETE] {
        let body = json!({ "credits": 700, "priceCents": 700 });
        let made = shop.post("/api/admin/credit-packages").token(&shop.admin());
        let made = made.json(&body).await.assert(201, "").data();
        let path = format!(
            "/api/admin/credit-packages/{}",
            made["id"].as_str().unwrap()
        );
        let body = (method != Method::DELETE).then(|| json!({ "popular": true }));
        all.push(Way {
            method,
            read: path.clone(),
            change: path,
            token: shop.admin(),
            body,
        });
    }
    all
}

/// Every way to change something, each with a fresh thing of its own.
async fn ways(shop: &Shop) -> Vec<Way> {
    let mut all = Vec::new();
    for method in [Method::PUT, Method::PATCH] {
        all.push(Way {
            method: method.clone(),
            read: "/api/marketplace/auth/me".into(),
            change: "/api/marketplace/auth/profile".into(),
            token: shop.consumer(&format!("consumer-{method}")).await,
            body: Some(json!({ "name": "Ada" })),
        });
    }
    for (method, way) in [
        (Method::PUT, "profile"),
        (Method::PATCH, "profile"),
        (Method::POST, "complete-profile"),
    ] {
        let token = shop.developer(&format!("developer-{method}")).await;
        all.push(Way {
            method,
            read: "/api/studio/auth/me".into(),
            change: format!("/api/studio/auth/{way}"),
            token,
            body: Some(json!({ "displayName": "Grace" })),
        });
    }
    for method in [Method::PUT, Method::PATCH, Method::DELETE] {
        for kind in ["endpoints", "base-models"] {
            let name = format!("{kind}-{}", method.as_str().to_lowercase());
            let thing = if kind == "endpoints" {
                shop.endpoint(&name).await
            } else {
                shop.base_model(&name).await
            };
            let path = format!("/api/admin/{kind}/{}", thing["id"].as_str().unwrap());
            let body = (method != Method::DELETE).then(|| json!({ "name": "New" }));
            all.push(Way {
                method: method.clone(),
                read: path.clone(),
                change: path,
                token: shop.admin(),
                body,
            });
        }
    }
    all.extend(ways_of_packages(shop).await);
    for method in [Method::PUT, Method::PATCH] {
        all.push(Way {
            method,
            read: "/api/admin/settings".to_owned(),
            change: "/api/admin/settings".to_owned(),
            token: shop.admin(),
            body: Some(json!({ "maxConcurrentRuns": 7 })),
        });
    }
    let token = shop.developer("maker").await;
    for (number, (method, way)) in [
        (Method::PUT, ""),
        (Method::PATCH, ""),
        (Method::DELETE, ""),
        (Method::POST, "/publish"),
        (Method::POST, "/archive"),
    ]
    .into_iter()
    .enumerate()
    {
        let model = shop.draft(&token, &format!("model-{number}")).await;
        let body = way.is_empty() && method != Method::DELETE;
        all.push(Way {
            method,
            read: address(&model),
            change: format!("{}{way}", address(&model)),
            token: token.clone(),
            body: body.then(|| json!({ "title": "New" })),
        });
    }
    all
}

#[actix_web::test]
async fn no_way_to_change_something_is_missing_here() {
    let shop = Shop::open().await;
    let tried = ways(&shop).await.len();
    let document = tarsify_http::document();
    let revisions = routes()
        .iter()
        .filter(|route| {
            let path = route.paths().next().unwrap();
            let method = route.method().as_str().to_lowercase();
            let parameters = &document["paths"][path][method]["parameters"];
            let parameters = parameters.as_array().into_iter().flatten();
            parameters
                .into_iter()
                .any(|parameter| parameter["name"] == "If-Match")
        })
        .count();
    assert_eq!(tried, revisions);
    let changing = routes()
        .iter()
        .filter(|route| *route.method() != Method::GET)
        // Runs are started, nudged and called off, and revised by nobody.
        .filter(|route| {
            let path = route.paths().next().unwrap();
            !["/runs/", "/executions/", "/test-run", "/webhooks/", "/consumers/"]
                .iter()
                .any(|part| path.contains(part))
        })
        .filter(|route| {
            let path = route.paths().next().unwrap();
            let creates = *route.method() == Method::POST
                && !path.contains("{id}")
                && !path.ends_with("complete-profile");
            !creates
        })
        .count();
    assert_eq!(revisions, changing, "a change does not honour If-Match");
}

#[actix_web::test]
async fn only_the_version_that_was_read_is_changed() {
    let shop = Shop::open().await;
    for way in ways(&shop).await {
        let place = format!("{} {}", way.method, way.change);
        let before = way.read(&shop).await;
        let tag = before.etag().to_owned();
        let version: i64 = tag
            .trim_start_matches('"')
            .split('-')
            .next()
            .unwrap()
            .parse()
            .unwrap();
        let writes = shop.store.writes();
        let wrong = [
            format!("\"{}-x\"", version + 1),
            format!("\"{}-x\"", version - 1),
            format!("W/{tag}"),
            tag.trim_matches('"').to_owned(),
            "\"other\"".into(),
            "\"\"".into(),
            "garbage".into(),
            "\"1".into(),
            "\"-1-x\"".into(),
            "\"99999999999999999999-x\"".into(),
            String::new(),
            "\u{fc}".into(),
            "\"a\", \"b\"".into(),
        ];
        for value in wrong {
            let reply = way.change(&shop).header("if-match", &value).await;
            assert_eq!(reply.outcome(), (412, "ERR_1011".into()), "{place} {value}");
        }
        assert_eq!(shop.store.writes(), writes, "{place}");
        assert_eq!(way.read(&shop).await.text(), before.text(), "{place}");
        let list = format!("\"0-x\", {tag}");
        let right = way.change(&shop).header("if-match", list).await;
        assert!(matches!(right.status, 200 | 204), "{place}");
        if way.method == Method::DELETE && way.change.contains("tars-models") {
            way.read(&shop).await.assert(404, "ERR_5500");
            continue;
        }
        let stale = way.change(&shop).header("if-match", &tag).await;
        stale.assert(412, "ERR_1011");
        let now = way.read(&shop).await.etag().to_owned();
        assert_ne!(now, tag, "{place}");
    }
}

#[actix_web::test]
async fn a_star_or_nothing_means_any_version() {
    for header in [Some("*"), Some("\"0-x\", *"), None] {
        let shop = Shop::open().await;
        for way in ways(&shop).await {
            let mut ask = way.change(&shop);
            if let Some(value) = header {
                ask = ask.header("if-match", value);
            }
            let reply = ask.await;
            assert!(matches!(reply.status, 200 | 204), "{}", reply.text());
        }
    }
}

#[actix_web::test]
async fn the_tag_of_a_compressed_answer_is_taken() {
    let shop = Shop::open().await;
    for way in ways(&shop).await {
        let gzip = way.read(&shop).header("accept-encoding", "gzip").await;
        let reply = way.change(&shop).header("if-match", gzip.etag()).await;
        assert!(matches!(reply.status, 200 | 204), "{}", reply.text());
    }
}

#[actix_web::test]
async fn of_two_changes_of_one_version_at_once_one_wins() {
    let shop = Shop::open().await;
    for way in ways(&shop).await {
        let place = format!("{} {}", way.method, way.change);
        let tag = way.read(&shop).await.etag().to_owned();
        let change = async || way.change(&shop).header("if-match", &tag).await.outcome();
        let (one, other) = tokio::join!(change(), change());
        let lost = (412, "ERR_1011".to_owned());
        let won = |outcome: &(u16, String)| matches!(outcome.0, 200 | 204);
        assert!(
            won(&one) && other == lost || won(&other) && one == lost,
            "{place}: {one:?} and {other:?}"
        );
    }
}
