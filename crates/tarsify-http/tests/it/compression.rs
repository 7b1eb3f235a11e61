//! Bodies in the codings that callers accept.

use actix_http::encoding::Decoder;
use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::header::ContentEncoding;
use bytes::Bytes;
use futures_util::{StreamExt, stream};

use crate::support::{Reply, Shop};

const MARKET: &str = "/api/marketplace/models";

async fn decoded(reply: &Reply) -> Bytes {
    let coding: ContentEncoding = reply.header("content-encoding").parse().unwrap();
    let body = reply.body.clone();
    let whole = stream::once(async move { Ok::<_, PayloadError>(body) });
    let payload = Payload::Stream {
        payload: Box::pin(whole),
    };
    let mut parts = Decoder::new(payload, coding);
    let mut text = Vec::new();
    while let Some(part) = parts.next().await {
        text.extend_from_slice(&part.unwrap());
    }
    Bytes::from(text)
}

#[actix_web::test]
async fn a_body_is_sent_in_the_coding_that_is_accepted() {
    let shop = Shop::open().await;
    let token = shop.developer("grace").await;
    shop.published(&token, "anime").await;
    for path in [MARKET, "/api/marketplace/models/anime", "/openapi.json"] {
        let plain = shop.get(path).await;
        assert_eq!(plain.header("content-encoding"), "");
        for (accept, coding) in [
            ("gzip", "gzip"),
            ("br", "br"),
            ("zstd", "zstd"),
            ("br;q=0.1, gzip;q=0.9", "gzip"),
            ("gzip;q=0, zstd", "zstd"),
        ] {
            let coded = shop.get(path).header("accept-encoding", accept).await;
            assert_eq!(coded.header("content-encoding"), coding, "{accept}");
            let vary = coded.header("vary").to_lowercase();
            assert!(vary.contains("accept-encoding"), "{vary}");
            assert_ne!(coded.body, plain.body);
            assert_eq!(decoded(&coded).await, plain.body, "{path} {coding}");
        }
        for accept in ["identity", "", "gzip;q=0", "x-unknown"] {
            let reply = shop.get(path).header("accept-encoding", accept).await;
            assert_eq!(reply.header("content-encoding"), "", "{accept}");
            assert_eq!(reply.body, plain.body);
        }
    }
}

#[actix_web::test]
async fn errors_are_sent_as_they_are() {
    let shop = Shop::open().await;
    for path in [
        "/nowhere",
        "/api/admin/endpoints",
        "/api/marketplace/models?page=0",
    ] {
        let reply = shop.get(path).header("accept-encoding", "gzip").await;
        assert_eq!(reply.header("content-encoding"), "");
        assert_eq!(reply.json()["success"], false);
    }
}
