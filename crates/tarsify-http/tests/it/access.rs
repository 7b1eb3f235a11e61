//! Every route of the table refuses strangers, at each of its addresses.

use actix_web::http::Method;
use serde_json::json;
use tarsify_domain::people::Realm;
use tarsify_http::{Access, routes};
use tarsify_testing::FakeAuthenticator;

use crate::support::{Ask, Shop, address, without_ids};

/// The addresses that anybody may use. This list may only shrink.
const PUBLIC: [&str; 13] = [
    "GET /api/marketplace/credits/packages",
    "GET /api/marketplace/models",
    "GET /api/marketplace/models/{slug}",
    "GET /api/public/models",
    "GET /api/public/models/{slug}",
    "GET /health",
    "GET /health/live",
    "GET /health/ready",
    "GET /livez",
    "GET /metrics",
    "GET /readyz",
    "POST /api/webhooks/runpod/{executionId}/{token}",
    "POST /api/webhooks/stripe",
];

/// Every address of the table with its method and its rule.
fn addresses() -> Vec<(Method, &'static str, Access)> {
    let table = routes();
    let each = table.iter().flat_map(|route| {
        let method = route.method().clone();
        let access = route.access();
        route
            .paths()
            .map(move |path| (method.clone(), path, access))
            .collect::<Vec<_>>()
    });
    each.collect()
}

/// The tokens that a test shows everywhere.
struct Tokens {
    consumer: String,
    developer: String,
    new_consumer: String,
    new_developer: String,
    admin: String,
}

impl Tokens {
    async fn issue(shop: &Shop) -> Self {
        Self {
            consumer: shop.consumer("carla").await,
            developer: shop.developer("dora").await,
            new_consumer: shop.token(Realm::Consumers, "newcomer"),
            new_developer: shop.token(Realm::Developers, "newcomer"),
            admin: shop.admin(),
        }
    }

    /// What each stranger is told at an address with this rule.
    fn strangers(&self, access: Access) -> Vec<(&str, (u16, &'static str))> {
        let invalid = (401, "ERR_2001");
        let mut all = vec![
            ("garbage", invalid),
            (FakeAuthenticator::EXPIRED, (401, "ERR_2002")),
        ];
        match access {
            Access::Public => all.clear(),
            Access::AnyConsumer | Access::Consumer => {
                all.extend([
                    (self.developer.as_str(), invalid),
                    (&self.new_developer, invalid),
                    (&self.admin, invalid),
                ]);
            }
            Access::AnyDeveloper | Access::Developer | Access::Admin => {
                all.extend([
                    (self.consumer.as_str(), invalid),
                    (&self.new_consumer, invalid),
                ]);
            }
        }
        match access {
            Access::Consumer => all.push((&self.new_consumer, (404, "ERR_3000"))),
            Access::Developer => all.push((&self.new_developer, (404, "ERR_4000"))),
            Access::Admin => all.extend([
                (self.developer.as_str(), (403, "ERR_2003")),
                (&self.new_developer, (403, "ERR_2003")),
            ]),
            Access::Public | Access::AnyConsumer | Access::AnyDeveloper => {}
        }
        all
    }

    /// Somebody whom the rule lets in.
    fn friend(&self, access: Access) -> &str {
        match access {
            Access::Public => "garbage",
            Access::AnyConsumer => &self.new_consumer,
            Access::Consumer => &self.consumer,
            Access::AnyDeveloper => &self.new_developer,
            Access::Developer => &self.developer,
            Access::Admin => &self.admin,
        }
    }
}

/// A request that would go wrong in several ways behind the gate.
fn knock<'a>(shop: &'a Shop, method: &Method, path: &str) -> Ask<'a> {
    let ask = shop.ask(method.clone(), without_ids(path)).briefly();
    if method == Method::GET {
        ask
    } else {
        ask.bytes("{")
    }
}

#[test]
fn the_list_of_public_routes_only_shrinks() {
    let mut public: Vec<_> = addresses()
        .into_iter()
        .filter(|(_, _, access)| *access == Access::Public)
        .map(|(method, path, _)| format!("{method} {path}"))
        .collect();
    public.sort();
    assert_eq!(public, PUBLIC);
}

#[test]
fn the_address_says_whom_a_route_is_for() {
    for (method, path, access) in addresses() {
        let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| path.starts_with(prefix));
        let registers = path.ends_with("/auth/register");
        let expected = if PUBLIC.contains(&format!("{method} {path}").as_str()) {
            Access::Public
        } else if begins(&["/api/admin/"]) {
            Access::Admin
        } else if begins(&["/api/studio/", "/api/developer/"]) {
            if registers {
                Access::AnyDeveloper
            } else {
                Access::Developer
            }
        } else {
            assert!(begins(&["/api/marketplace/", "/api/consumer/"]), "{path}");
            if registers {
                Access::AnyConsumer
            } else {
                Access::Consumer
            }
        };
        assert_eq!(access, expected, "{method} {path}");
    }
}

#[actix_web::test]
async fn every_route_refuses_strangers() {
    let shop = Shop::open().await;
    let tokens = Tokens::issue(&shop).await;
    let writes = shop.store.writes();
    let mut refused = 0;
    for (method, path, access) in addresses() {
        let place = format!("{method} {path}");
        let anonymous = knock(&shop, &method, path).await;
        if access != Access::Public {
            assert_eq!(anonymous.outcome(), (401, "ERR_2000".into()), "{place}");
            assert_eq!(anonymous.header("www-authenticate"), "Bearer", "{place}");
        }
        for (token, (status, code)) in tokens.strangers(access) {
            let reply = knock(&shop, &method, path).token(token).await;
            assert_eq!(reply.outcome(), (status, code.into()), "{place} {token}");
            let challenge = if status == 401 { "Bearer" } else { "" };
            assert_eq!(reply.header("www-authenticate"), challenge, "{place}");
            refused += 1;
        }
    }
    assert!(refused > 200, "only {refused} strangers knocked");
    assert_eq!(shop.store.writes(), writes, "a stranger changed something");
}

#[actix_web::test]
async fn every_route_lets_in_whom_it_is_for() {
    let shop = Shop::open().await;
    let tokens = Tokens::issue(&shop).await;
    for (method, path, access) in addresses() {
        let friend = tokens.friend(access);
        let reply = knock(&shop, &method, path).token(friend).await;
        let (status, code) = reply.outcome();
        let refused = matches!(status, 401 | 403) || code == "ERR_3000" || code == "ERR_4000";
        assert!(!refused, "{method} {path}: {status} {code}");
        if access == Access::Public {
            let anonymous = knock(&shop, &method, path).await;
            assert_eq!(anonymous.status, reply.status, "{method} {path}");
        }
    }
}

#[actix_web::test]
async fn a_header_that_is_no_single_bearer_token_is_refused() {
    let shop = Shop::open().await;
    let token = shop.consumer("carla").await;
    let me = || shop.get("/api/marketplace/auth/me");
    let cases: [&[u8]; 8] = [
        b"",
        b"Bearer",
        b"Bearer ",
        b"Basic Y2FybGE6",
        b"\xff\xfe",
        token.as_bytes(),
        b"Bearer: x",
        b"Token x",
    ];
    for value in cases {
        let reply = me().header("authorization", value).await;
        reply.assert(401, "ERR_2001");
    }
    me().token(&token)
        .token(&token)
        .await
        .assert(401, "ERR_2001");
    for form in ["bearer", "BEARER", "Bearer  ", "Bearer"] {
        let reply = me().header("authorization", format!("{form} {token}"));
        reply.await.assert(200, "");
    }
}

#[actix_web::test]
async fn another_developers_models_answer_like_absent_ones() {
    let shop = Shop::open().await;
    let dora = shop.developer("dora").await;
    let eve = shop.developer("eve").await;
    let draft = shop.draft(&dora, "private-idea").await;
    let absent = without_ids("/api/studio/tars-models/{id}");
    let writes = shop.store.writes();
    let ways = [
        (Method::GET, "", None),
        (Method::PUT, "", Some(json!({ "title": "Mine now" }))),
        (Method::PATCH, "", Some(json!({ "title": "Mine now" }))),
        (Method::DELETE, "", None),
        (Method::POST, "/publish", Some(json!({}))),
        (Method::POST, "/archive", None),
    ];
    for (method, way, body) in ways {
        let send = async |place: String| {
            let mut ask = shop
                .ask(method.clone(), format!("{place}{way}"))
                .token(&eve);
            ask = ask.header("x-request-id", "same");
            if let Some(body) = &body {
                ask = ask.json(body);
            }
            // A version that the model really has must not tell anything either.
            ask.header("if-match", "\"1-0\"").await
        };
        let foreign = send(address(&draft)).await;
        let nothing = send(absent.clone()).await;
        foreign.assert(404, "ERR_5500");
        assert_eq!(foreign.text(), nothing.text(), "{method} {way}");
    }
    assert_eq!(shop.store.writes(), writes);
    let list = shop.get("/api/studio/tars-models").token(&eve).await;
    assert_eq!(list.data(), json!([]));
    assert_eq!(list.json()["meta"]["total"], 0);
}
