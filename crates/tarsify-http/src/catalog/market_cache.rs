//! Ready-made answers of the market, bounded in bytes. An answer is kept under the revision
//! of the catalogue that it was made from, so that no change can leave a stale one behind.

use std::future::Future;
use std::sync::Arc;

use actix_web::http::header::{self, ContentType};
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use tarsify_domain::catalog::MarketQuery;
use tarsify_domain::page::{CursorKey, Position};
use tarsify_domain::text::Slug;
use tarsify_domain::{Cursor, ErrorCode, PageRequest};

use crate::error::ApiError;
use crate::etag::{self, ETag};

/// What was asked of the market.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Wanted {
    Page(MarketQuery, PageRequest),
    Model(Slug),
}

impl Wanted {
    /// What the caller's own words take: what he looks for, and a cursor may carry a long text.
    fn bytes(&self) -> usize {
        match self {
            Self::Page(MarketQuery { search, .. }, PageRequest { position, .. }) => {
                let place = match position {
                    Position::After(Cursor {
                        key: CursorKey::Text(text),
                        ..
                    }) => text.len(),
                    Position::After(_) | Position::Number(_) => 0,
                };
                place + search.as_ref().map_or(0, |search| search.as_str().len())
            }
            Self::Model(slug) => slug.as_str().len(),
        }
    }
}

/// An answer, ready to be sent.
#[derive(Debug)]
pub(crate) struct Prepared {
    /// None: the market has no such model.
    content: Option<Content>,
}

#[derive(Debug)]
struct Content {
    body: Bytes,
    tag: ETag,
    link: Option<String>,
}

/// Caches may keep the market but have to ask before they show it again.
const SHARED: &str = "public, no-cache";

impl Prepared {
    pub(crate) fn found(body: Vec<u8>, link: Option<String>) -> Self {
        let tag = ETag::of_bytes(&body);
        Self {
            content: Some(Content {
                body: Bytes::from(body),
                tag,
                link,
            }),
        }
    }

    pub(crate) const fn absent() -> Self {
        Self { content: None }
    }

    /// Sends the answer, or says that the caller has it already.
    pub(crate) fn answer(&self, request: &HttpRequest) -> Result<HttpResponse, ApiError> {
        let Some(Content { body, tag, link }) = &self.content else {
            return Err(ApiError::new(ErrorCode::ModelNotFound));
        };
        if let Some(held) = etag::held(request, tag) {
            return Ok(etag::not_modified(&held, SHARED));
        }
        let mut response = HttpResponse::Ok();
        response
            .content_type(ContentType::json())
            .insert_header((header::ETAG, tag.to_string()))
            .insert_header((header::CACHE_CONTROL, SHARED));
        if let Some(link) = link {
            response.insert_header((header::LINK, link.as_str()));
        }
        Ok(response.body(body.clone()))
    }

    fn bytes(&self) -> usize {
        self.content.as_ref().map_or(0, |content| {
            content.body.len() + content.link.as_ref().map_or(0, String::len)
        })
    }
}

#[derive(Debug, Clone)]
struct ByBytes;

/// What an entry costs beside its texts: numbers, tags, the cache's own bookkeeping.
const OVERHEAD: usize = 512;

impl Weighter<(u64, Wanted), Arc<Prepared>> for ByBytes {
    fn weight(&self, (_, wanted): &(u64, Wanted), prepared: &Arc<Prepared>) -> u64 {
        let bytes = wanted.bytes() + prepared.bytes() + OVERHEAD;
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }
}

/// Ready-made answers of the market.
#[derive(Debug)]
pub struct MarketCache {
    answers: Cache<(u64, Wanted), Arc<Prepared>, ByBytes>,
}

impl MarketCache {
    /// A cache that keeps about this many bytes.
    #[must_use]
    pub fn new(bytes: u64) -> Self {
        let expected_entries = usize::try_from(bytes / 8_192).unwrap_or(usize::MAX).max(16);
        Self {
            answers: Cache::with_weighter(expected_entries, bytes, ByBytes),
        }
    }

    /// The answer to `wanted`, made by `prepare` unless it is there. Callers who want the same
    /// at the same time wait for one of them to make it.
    pub(crate) async fn get(
        &self,
        revision: u64,
        wanted: Wanted,
        prepare: impl Future<Output = Result<Prepared, ApiError>>,
    ) -> Result<Arc<Prepared>, ApiError> {
        let key = (revision, wanted);
        self.answers
            .get_or_insert_async(&key, async { prepare.await.map(Arc::new) })
            .await
    }
}
