//! Bodies that are no good before a single field is looked at. Nothing of them is stored.

use actix_web::http::Method;
use bytes::Bytes;
use serde_json::json;

use crate::support::{Shop, endpoint_body};

const ENDPOINTS: &str = "/api/admin/endpoints";
/// Bytes that a body may have.
const MOST: usize = 1_000_000;

/// A good body of exactly so many bytes.
fn padded(length: usize) -> String {
    let body = endpoint_body("ep-padded").to_string();
    let padding = " ".repeat(length - body.len());
    format!("{body}{padding}")
}

#[actix_web::test]
async fn broken_json_is_refused_with_the_place_of_the_fault() {
    let shop = Shop::open().await;
    let admin = shop.admin();
    let deep = |open: &str, close: &str| {
        let (open, close) = (open.repeat(10_000), close.repeat(10_000));
        Bytes::from(format!("{open}1{close}"))
    };
    let cases: Vec<(Bytes, &str, &str)> = vec![
        ("".into(), "", "syntax"),
        ("{".into(), "", "syntax"),
        ("{\"name\":}".into(), "", "syntax"),
        ("{'name':1}".into(), "", "syntax"),
        ("{} {}".into(), "", "syntax"),
        ("NaN".into(), "", "syntax"),
        ("{\"a\":1e999}".into(), "", "syntax"),
        ("\u{feff}{}".into(), "", "syntax"),
        (Bytes::from_static(b"{\"name\":\"\xff\xfe\"}"), "", "syntax"),
        (Bytes::from_static(b"{\"name\":\"\\ud800\"}"), "", "syntax"),
        (Bytes::from_static(b"\xff\xfe{\0}\0"), "", "syntax"),
        ("[]".into(), "", "type"),
        ("null".into(), "", "type"),
        ("\"text\"".into(), "", "type"),
        ("{\"name\":1,\"name\":2}".into(), "/name", "duplicateKey"),
        (
            "{\"limits\":{\"maxPerDay\":1,\"maxPerDay\":1}}".into(),
            "/limits/maxPerDay",
            "duplicateKey",
        ),
        (
            "{\"name\":1,\"na\\u006de\":2}".into(),
            "/name",
            "duplicateKey",
        ),
        ("{\"name\":\"a\\u0000b\"}".into(), "/name", "pattern"),
        (
            "{\"unknown\":[{\"x\":\"\\u0000\"}]}".into(),
            "/unknown/0/x",
            "pattern",
        ),
        (deep("[", "]"), &*"/0".repeat(64).leak(), "depth"),
        (deep("{\"a\":", "}"), &*"/a".repeat(64).leak(), "depth"),
    ];
    let writes = shop.store.writes();
    for (body, path, code) in cases {
        let reply = shop.post(ENDPOINTS).token(&admin).bytes(body.clone()).await;
        reply.assert_faults(&[(path, code)]);
        let streamed = shop.post(ENDPOINTS).token(&admin).chunked(body).await;
        streamed.assert_faults(&[(path, code)]);
    }
    assert_eq!(shop.store.writes(), writes);
}

#[actix_web::test]
async fn a_body_of_one_megabyte_is_taken_and_one_byte_more_is_not() {
    let shop = Shop::open().await;
    let admin = shop.admin();
    let send = |length: usize| shop.post(ENDPOINTS).token(&admin).bytes(padded(length));
    let stream = |length: usize| shop.post(ENDPOINTS).token(&admin).chunked(padded(length));
    let writes = shop.store.writes();
    send(MOST + 1).await.assert(413, "ERR_1009");
    stream(MOST + 1).await.assert(413, "ERR_1009");
    let lying = shop.post(ENDPOINTS).token(&admin);
    let lying = lying
        .header("content-type", "application/json")
        .header("content-length", "99999999999999999999")
        .await;
    assert!(matches!(lying.status, 400 | 413), "{}", lying.status);
    assert_eq!(shop.store.writes(), writes);
    send(MOST).await.assert(201, "");
    stream(MOST).await.assert(409, "ERR_5506");
}

#[actix_web::test]
async fn only_json_is_taken() {
    let shop = Shop::open().await;
    let admin = shop.admin();
    let body = endpoint_body("ep-typed").to_string();
    let ask = || shop.post(ENDPOINTS).token(&admin).raw(body.clone());
    let writes = shop.store.writes();
    ask().await.assert(415, "ERR_1010");
    for kind in [
        "text/plain",
        "text/json",
        "application/jsonp",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/merge-patch+json",
        "application",
        "",
        "\u{fc}",
    ] {
        let reply = ask().header("content-type", kind).await;
        reply.assert(415, "ERR_1010");
    }
    assert_eq!(shop.store.writes(), writes);
    for (number, kind) in [
        "application/json; charset=utf-8",
        "Application/JSON",
        " application/json ;charset=utf-8",
    ]
    .into_iter()
    .enumerate()
    {
        let body = endpoint_body(&format!("ep-{number}")).to_string();
        let ask = shop.post(ENDPOINTS).token(&admin).raw(body);
        ask.header("content-type", kind).await.assert(201, "");
    }
}

#[actix_web::test]
async fn only_a_body_that_comes_as_it_is_is_taken() {
    let shop = Shop::open().await;
    let admin = shop.admin();
    let body = endpoint_body("ep-coded").to_string();
    let ask = || shop.post(ENDPOINTS).token(&admin).bytes(body.clone());
    let writes = shop.store.writes();
    for coding in [
        "gzip",
        "GZIP",
        "br",
        "zstd",
        "deflate",
        "identity, gzip",
        "rot13",
    ] {
        let reply = ask().header("content-encoding", coding).await;
        reply.assert(415, "ERR_1010");
        assert_eq!(reply.header("accept-encoding"), "identity");
    }
    let twice = ask().header("content-encoding", "identity");
    let twice = twice.header("content-encoding", "gzip").await;
    twice.assert(415, "ERR_1010");
    assert_eq!(shop.store.writes(), writes);
    let plain = ask().header("content-encoding", "Identity").await;
    plain.assert(201, "");
}

#[actix_web::test]
async fn a_body_may_be_absent_only_where_it_says_so() {
    let shop = Shop::open().await;
    let token = shop.developer("grace").await;
    let model = shop.draft(&token, "bare").await;
    let publish = format!("{}/publish", crate::support::address(&model));
    shop.post(&publish).token(&token).await.assert(200, "");
    let reply = shop.post(&publish).token(&token).raw("").await;
    reply.assert(409, "ERR_5502");
    let archive = shop.post(&publish).token(&token);
    archive
        .clone()
        .raw("{\"action\":\"archive\"}")
        .await
        .assert(415, "ERR_1010");
    let streamed = archive.chunked("{\"action\":\"archive\"}").await;
    assert_eq!(streamed.data()["status"], "ARCHIVED");
    for path in [
        "/api/studio/auth/profile",
        "/api/studio/auth/complete-profile",
    ] {
        let method = if path.ends_with("file") && !path.contains("complete") {
            Method::PATCH
        } else {
            Method::POST
        };
        let reply = shop.ask(method, path).token(&token).await;
        reply.assert(415, "ERR_1010");
    }
}

#[actix_web::test]
async fn fields_that_nobody_knows_are_ignored() {
    let shop = Shop::open().await;
    let token = shop.consumer("ada").await;
    let body = json!({
        "name": "Ada", "creditsBalance": 1_000_000, "id": "x", "status": "ADMIN", "version": 9,
        "email": "eve@example.com", "firebaseUid": "eve",
    });
    let ask = shop.patch("/api/marketplace/auth/profile").token(&token);
    let data = ask.json(&body).await.data();
    assert_eq!(data["creditsBalance"], 0);
    assert_eq!(data["email"], "ada@example.com");
    assert_eq!(data["firebaseUid"], "ada");
}
