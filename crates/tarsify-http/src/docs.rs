//! The interactive documentation, served from the binary itself.

use actix_web::http::header;
use actix_web::web::{self, Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use tarsify_domain::ErrorCode;
use utoipa_swagger_ui::Config;

use crate::error::ApiError;
use crate::etag::{self, ETag};
use crate::openapi;
use crate::route::reading;

/// The page loads its own scripts and nothing else; its styles are partly inline.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'";

struct Document {
    body: web::Bytes,
    tag: ETag,
}

pub(crate) fn mount(config: &mut ServiceConfig) {
    let body = web::Bytes::from(openapi::document().to_string());
    let tag = ETag::of_bytes(&body);
    let document = Data::new(Document { body, tag });
    let pages = Data::new(Config::from("/openapi.json"));
    config
        .service(
            web::resource("/openapi.json")
                .app_data(document)
                .route(reading().to(show_document)),
        )
        .service(web::resource("/docs").route(reading().to(redirect)))
        .service(
            web::resource("/docs/{file:.*}")
                .app_data(pages)
                .route(reading().to(show_page)),
        );
}

async fn show_document(request: HttpRequest, document: Data<Document>) -> HttpResponse {
    if let Some(held) = etag::held(&request, &document.tag) {
        return etag::not_modified(&held, "public, no-cache");
    }
    HttpResponse::Ok()
        .content_type("application/json")
        .insert_header((header::ETAG, document.tag.to_string()))
        .insert_header((header::CACHE_CONTROL, "public, no-cache"))
        .body(document.body.clone())
}

async fn redirect() -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, "/docs/"))
        .finish()
}

async fn show_page(
    file: Path<String>,
    pages: Data<Config<'static>>,
) -> Result<HttpResponse, ApiError> {
    let found = utoipa_swagger_ui::serve(&file, pages.into_inner());
    let found = found.map_err(|error| ApiError::internal(error.to_string()))?;
    let page = found.ok_or_else(|| ApiError::new(ErrorCode::NotFound))?;
    Ok(HttpResponse::Ok()
        .content_type(page.content_type)
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::CACHE_CONTROL, "public, no-cache"))
        .body(page.bytes.into_owned()))
}
