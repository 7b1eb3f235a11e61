//! The envelope of every successful answer, and the answers that fit into it.

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, ContentType, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, Responder};
use serde::Serialize;
use tarsify_domain::page::{PageRequest, Position};
use tarsify_domain::{Page, Version};
use url::form_urlencoded;
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::etag::{self, ETag};

#[derive(Serialize)]
struct Envelope<'a, T: Serialize> {
    success: bool,
    data: &'a T,
    #[serde(skip_serializing_if = "Option::is_none")]
    meta: Option<&'a PageMeta>,
}

/// Where a page stands in its list. `page` is left out when the page was asked for by cursor.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PageMeta {
    /// The number of this page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 1)]
    page: Option<u32>,
    /// How many items a page holds.
    #[schema(example = 20)]
    limit: u32,
    /// How many items the whole list has.
    #[schema(example = 1)]
    total: u64,
    /// How many pages the whole list has.
    #[schema(example = 1)]
    total_pages: u64,
    /// The same as `totalPages`.
    #[schema(example = 1)]
    pages: u64,
    /// What to send as `cursor` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

impl PageMeta {
    pub(crate) fn new<T>(page: &Page<T>, request: &PageRequest) -> Self {
        let limit = request.limit.get();
        let total_pages = page.total.div_ceil(u64::from(limit));
        Self {
            page: match &request.position {
                Position::Number(number) => Some(number.get()),
                Position::After(_) => None,
            },
            limit,
            total: page.total,
            total_pages,
            pages: total_pages,
            next_cursor: page.next.as_ref().map(tarsify_domain::Cursor::encode),
        }
    }

    /// The `Link` header to the next page: the same query with only the position changed.
    pub(crate) fn link(&self, query: &str) -> Option<String> {
        let cursor = self.next_cursor.as_deref()?;
        let kept = form_urlencoded::parse(query.as_bytes())
            .filter(|(key, _)| key != "page" && key != "cursor");
        let mut next = form_urlencoded::Serializer::new(String::new());
        next.extend_pairs(kept).append_pair("cursor", cursor);
        Some(format!("<?{}>; rel=\"next\"", next.finish()))
    }
}

/// Writes the envelope around `data`.
pub(crate) fn enveloped<T: Serialize>(
    data: &T,
    meta: Option<&PageMeta>,
) -> Result<Vec<u8>, ApiError> {
    serde_json::to_vec(&Envelope {
        success: true,
        data,
        meta,
    })
    .map_err(ApiError::internal)
}

fn json(status: StatusCode, body: Vec<u8>) -> HttpResponse {
    HttpResponse::build(status)
        .content_type(ContentType::json())
        .body(body)
}

/// 200 with `data`, for handlers that have more than one kind of answer.
pub(crate) fn success(data: &impl Serialize) -> Result<HttpResponse, ApiError> {
    Ok(json(StatusCode::OK, enveloped(data, None)?))
}

/// 202 with something that was taken on, and where it is followed.
pub(crate) fn accepted(data: &impl Serialize, place: &str) -> Result<HttpResponse, ApiError> {
    let mut response = json(StatusCode::ACCEPTED, enveloped(data, None)?);
    let place = HeaderValue::from_str(place).map_err(ApiError::internal)?;
    response.headers_mut().insert(header::LOCATION, place);
    Ok(response)
}

/// 200 with something that has no version.
pub(crate) struct Success<T>(pub(crate) T);

impl<T: Serialize> Responder for Success<T> {
    type Body = BoxBody;

    fn respond_to(self, _request: &HttpRequest) -> HttpResponse {
        match enveloped(&self.0, None) {
            Ok(body) => json(StatusCode::OK, body),
            Err(error) => error.into_response(),
        }
    }
}

/// 200 with a single thing that has a version: tagged, and 304 when the caller has it.
pub(crate) struct Resource<T> {
    pub(crate) body: T,
    pub(crate) version: Version,
}

impl<T: Serialize> Responder for Resource<T> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let body = match enveloped(&self.body, None) {
            Ok(body) => body,
            Err(error) => return error.into_response(),
        };
        let tag = ETag::of_version(self.version, &body);
        tagged(request, &tag, body)
    }
}

/// 200 with a single thing that nobody revises: tagged by what it looks like, and 304 when the
/// caller has it.
pub(crate) struct Tagged<T>(pub(crate) T);

impl<T: Serialize> Responder for Tagged<T> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        match enveloped(&self.0, None) {
            Ok(body) => tagged(request, &ETag::of_bytes(&body), body),
            Err(error) => error.into_response(),
        }
    }
}

fn tagged(request: &HttpRequest, tag: &ETag, body: Vec<u8>) -> HttpResponse {
    // Only a read can be answered with "you have it": after a change the caller gets it.
    let is_read = request.method() == actix_web::http::Method::GET
        || request.method() == actix_web::http::Method::HEAD;
    match etag::held(request, tag).filter(|_| is_read) {
        Some(held) => etag::not_modified(&held, PRIVATE),
        None => HttpResponse::Ok()
            .content_type(ContentType::json())
            .insert_header((header::ETAG, tag.to_string()))
            .insert_header((header::CACHE_CONTROL, PRIVATE))
            .body(body),
    }
}

/// A caller may keep his own things but has to ask before he shows them again.
const PRIVATE: &str = "private, no-cache";

/// 201 with the new thing and its address.
pub(crate) struct Created<T> {
    pub(crate) body: T,
    pub(crate) version: Version,
    pub(crate) location: String,
}

impl<T: Serialize> Responder for Created<T> {
    type Body = BoxBody;

    fn respond_to(self, _request: &HttpRequest) -> HttpResponse {
        match enveloped(&self.body, None) {
            Ok(body) => HttpResponse::Created()
                .content_type(ContentType::json())
                .insert_header((header::LOCATION, self.location))
                .insert_header((
                    header::ETAG,
                    ETag::of_version(self.version, &body).to_string(),
                ))
                .body(body),
            Err(error) => error.into_response(),
        }
    }
}

/// 201 with a new thing that nobody revises, and its address if it has one of its own.
pub(crate) struct Made<T> {
    pub(crate) body: T,
    pub(crate) location: Option<String>,
}

impl<T: Serialize> Responder for Made<T> {
    type Body = BoxBody;

    fn respond_to(self, _request: &HttpRequest) -> HttpResponse {
        match enveloped(&self.body, None) {
            Ok(body) => {
                let mut response = HttpResponse::Created();
                if let Some(location) = self.location {
                    response.insert_header((header::LOCATION, location));
                }
                response
                    .content_type(ContentType::json())
                    .insert_header((header::ETAG, ETag::of_bytes(&body).to_string()))
                    .body(body)
            }
            Err(error) => error.into_response(),
        }
    }
}

/// 200 with a page of a list.
pub(crate) struct Listed<T> {
    items: Vec<T>,
    meta: PageMeta,
}

impl<T> Listed<T> {
    pub(crate) fn new<S>(page: Page<S>, request: &PageRequest) -> Self
    where
        T: From<S>,
    {
        let meta = PageMeta::new(&page, request);
        Self {
            items: page.items.into_iter().map(T::from).collect(),
            meta,
        }
    }
}

impl<T: Serialize> Responder for Listed<T> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        match enveloped(&self.items, Some(&self.meta)) {
            Ok(body) => {
                let mut response = HttpResponse::Ok();
                if let Some(link) = self.meta.link(request.query_string()) {
                    response.insert_header((header::LINK, link));
                }
                response.content_type(ContentType::json()).body(body)
            }
            Err(error) => error.into_response(),
        }
    }
}

/// 204.
pub(crate) struct NoContent;

impl Responder for NoContent {
    type Body = BoxBody;

    fn respond_to(self, _request: &HttpRequest) -> HttpResponse {
        HttpResponse::NoContent().finish()
    }
}
