//! What a request is told that breaks several rules at once: the address and the method come
//! first, then the credential, the right, the media type and size, the form, and the rest.

use actix_web::http::Method;
use serde_json::json;
use tarsify_domain::people::Realm;

use crate::support::{Ask, Shop, address, without_ids};

const TOO_LARGE: usize = 1_000_001;

/// Everything that can be wrong with a body at once.
fn hopeless(ask: Ask<'_>) -> Ask<'_> {
    ask.header("content-type", "text/plain")
        .raw("{".repeat(TOO_LARGE))
}

#[actix_web::test]
async fn an_unknown_address_is_told_before_anything_else() {
    let shop = Shop::open().await;
    for path in [
        "/",
        "/api",
        "/api/",
        "/api/marketplace/models/",
        "/api/marketplace/models//x",
        "/api/admin/endpoints/x/y",
        "/health/",
        "/API/marketplace/models",
        "/api/marketplace/models/a/b?limit=0",
        "/%ff",
        "/..%2f..%2fetc",
    ] {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            let reply = hopeless(shop.ask(method, path)).token("garbage").await;
            reply.assert(404, "ERR_1002");
        }
    }
}

#[actix_web::test]
async fn a_wrong_method_is_told_before_the_credential_with_those_that_are_right() {
    let shop = Shop::open().await;
    let one = without_ids("/api/studio/tars-models/{id}");
    let cases = [
        (Method::POST, "/health", "GET, HEAD"),
        (Method::DELETE, "/livez", "GET, HEAD"),
        (Method::POST, "/api/marketplace/models", "GET, HEAD"),
        (Method::PUT, "/api/public/models/x", "GET, HEAD"),
        (Method::GET, "/api/marketplace/auth/register", "POST"),
        (Method::GET, "/api/marketplace/auth/profile", "PUT, PATCH"),
        (Method::POST, "/api/consumer/auth/profile", "PUT, PATCH"),
        (Method::DELETE, "/api/studio/tars-models", "POST, GET, HEAD"),
        (Method::POST, &one, "GET, HEAD, PUT, PATCH, DELETE"),
        (Method::PATCH, "/api/admin/endpoints", "POST, GET, HEAD"),
        (Method::TRACE, "/api/admin/base-models", "POST, GET, HEAD"),
        (Method::OPTIONS, "/api/admin/base-models", "POST, GET, HEAD"),
        (
            Method::POST,
            "/api/studio/tars-models/base-models",
            "GET, HEAD",
        ),
    ];
    for (method, path, allow) in cases {
        let reply = hopeless(shop.ask(method, path)).token("garbage").await;
        reply.assert(405, "ERR_1003");
        assert_eq!(reply.header("allow"), allow, "{path}");
    }
    let odd = Method::from_bytes(b"BREW").unwrap();
    let reply = shop.ask(odd, "/health").await;
    reply.assert(405, "ERR_1003");
}

#[actix_web::test]
async fn the_credential_comes_before_the_form() {
    let shop = Shop::open().await;
    let path = "/api/admin/endpoints/no-uuid?limit=0";
    let ask = || hopeless(shop.patch(path)).header("if-match", "nonsense");
    ask().await.assert(401, "ERR_2000");
    ask().token("garbage").await.assert(401, "ERR_2001");
    let consumer = shop.consumer("carla").await;
    ask().token(&consumer).await.assert(401, "ERR_2001");
}

#[actix_web::test]
async fn the_right_comes_before_the_form() {
    let shop = Shop::open().await;
    let developer = shop.developer("dora").await;
    let path = "/api/admin/endpoints/no-uuid";
    let reply = hopeless(shop.patch(path)).token(&developer).await;
    reply.assert(403, "ERR_2003");
    let newcomer = shop.token(Realm::Developers, "newcomer");
    let path = "/api/studio/tars-models/no-uuid";
    let reply = hopeless(shop.patch(path)).token(&newcomer).await;
    reply.assert(404, "ERR_4000");
}

#[actix_web::test]
async fn media_type_and_size_come_before_syntax_and_fields() {
    let shop = Shop::open().await;
    let admin = shop.admin();
    for path in [
        "/api/admin/endpoints/no-uuid",
        "/api/admin/base-models/no-uuid",
        "/api/admin/endpoints/0198b2c4-d5e6-7f80-91a2-b3c4d5e6f7ff",
    ] {
        let reply = hopeless(shop.patch(path)).token(&admin).await;
        reply.assert(415, "ERR_1010");
        let large = shop.patch(path).bytes("{".repeat(TOO_LARGE));
        large.token(&admin).await.assert(413, "ERR_1009");
    }
    let developer = shop.developer("dora").await;
    for way in ["", "/publish"] {
        let path = format!("/api/studio/tars-models/no-uuid{way}");
        let method = if way.is_empty() {
            Method::PUT
        } else {
            Method::POST
        };
        let reply = hopeless(shop.ask(method, path)).token(&developer).await;
        reply.assert(415, "ERR_1010");
    }
}

#[actix_web::test]
async fn the_form_comes_before_what_is_stored() {
    let shop = Shop::open().await;
    let admin = shop.admin();
    let absent = without_ids("/api/admin/base-models/{id}");
    let bad = shop.patch(&absent).json(&json!({ "slug": "Not A Slug" }));
    let reply = bad.token(&admin).header("if-match", "\"7-0\"").await;
    reply.assert_faults(&[("/slug", "pattern")]);
    let unusable = json!({ "inputSchema": { "type": "array" } });
    let reply = shop.patch(&absent).json(&unusable).token(&admin).await;
    reply.assert_faults(&[("/inputSchema/type", "type")]);
    let good = shop.patch(&absent).json(&json!({ "name": "New" }));
    good.token(&admin)
        .header("if-match", "\"7-0\"")
        .await
        .assert(404, "ERR_5503");
}

#[actix_web::test]
async fn the_precondition_comes_before_the_status() {
    let shop = Shop::open().await;
    let token = shop.developer("dora").await;
    let model = shop.published(&token, "in-the-market").await;
    for (method, way) in [(Method::POST, "/publish"), (Method::DELETE, "")] {
        let ask = shop.ask(method, format!("{}{way}", address(&model)));
        let ask = ask.token(&token);
        let stale = ask.clone().header("if-match", "\"1-0\"").await;
        stale.assert(412, "ERR_1011");
        ask.await.assert(409, "ERR_5502");
    }
}

/// Archiving takes no word, but what is no JSON is refused before anything happens.
#[actix_web::test]
async fn a_body_that_nobody_asked_for_is_judged_too() {
    let shop = Shop::open().await;
    let token = shop.developer("dora").await;
    let model = shop.published(&token, "in-the-market").await;
    let archive = || {
        shop.post(format!("{}/archive", address(&model)))
            .token(&token)
    };
    let text = archive().header("content-type", "text/plain").raw("now");
    text.await.assert(415, "ERR_1010");
    let large = archive().bytes(vec![b' '; 1_000_001]);
    large.await.assert(413, "ERR_1009");
    shop.get("/api/marketplace/models/in-the-market")
        .await
        .assert(200, "");
    archive().await.assert(200, "");
}
