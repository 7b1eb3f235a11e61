//! Around handlers that make something: a request that carries a key is carried out once, and
//! whoever sends it again is given the same answer. Refusals are not remembered: they changed
//! nothing.

mod stored;

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::time::Duration;

use actix_web::body::{BoxBody, MessageBody, to_bytes};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage, HttpRequest, HttpResponse};
use futures_util::FutureExt;
use sha2::{Digest, Sha256};
use tarsify_domain::ErrorCode;
use tarsify_domain::idempotency::{Begun, IdempotencyClaim, IdempotencyRepository};
use uuid::{Builder, Uuid};

use super::access::Principal;
use crate::error::ApiError;
use crate::extract::effect::Effect;
use crate::extract::key::{self, IDEMPOTENCY_KEY};
use crate::extract::valid::read_body;

/// Says that the answer was given before.
pub(crate) const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// How long a request may take until its key is free again; longer than any handler works.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug, thiserror::Error)]
#[error("the route remembers its answers, but nobody was let in or there is no store for them")]
struct Unprepared;

/// Carries the request out, unless it was carried out under its key before.
pub(crate) async fn remember(
    pattern: &'static str,
    body_may_be_absent: bool,
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if !request.headers().contains_key(IDEMPOTENCY_KEY) {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    let begun = begin(pattern, body_may_be_absent, &mut request).await;
    let (store, claim) = match begun {
        Ok(Turn::Ours(store, claim)) => (store, claim),
        Ok(Turn::Over(answer)) => return Ok(request.into_response(answer)),
        Err(error) => return Ok(request.into_response(error.into_response())),
    };
    let answered = AssertUnwindSafe(next.call(request)).catch_unwind().await;
    match answered {
        Ok(Ok(response)) if response.status().is_success() => {
            Ok(keep(store.as_ref(), &claim, response).await)
        }
        Ok(other) => {
            give_up(store.as_ref(), &claim).await;
            Ok(other?.map_into_boxed_body())
        }
        Err(panic) => {
            give_up(store.as_ref(), &claim).await;
            resume_unwind(panic)
        }
    }
}

/// Who is to answer.
enum Turn {
    /// The handler, under this claim.
    Ours(Data<dyn IdempotencyRepository>, IdempotencyClaim),
    /// Nobody any more.
    Over(HttpResponse),
}

async fn begin(
    pattern: &'static str,
    body_may_be_absent: bool,
    request: &mut ServiceRequest,
) -> Result<Turn, ApiError> {
    let payload = request.take_payload();
    let body = read_body(request.request(), payload, body_may_be_absent).await?;
    let key = key::read(request.headers()).map_err(ApiError::fault)?;
    let principal = request.extensions().get::<Principal>().cloned();
    let store = request.app_data::<Data<dyn IdempotencyRepository>>();
    let (Some(key), Some(Principal(principal)), Some(store)) = (key, principal, store) else {
        return Err(ApiError::internal(Unprepared));
    };
    let store = Data::clone(store);
    let route = format!(
        "{} {}",
        request.method(),
        address(pattern, request.request())
    );
    let claim = IdempotencyClaim {
        principal,
        fingerprint: fingerprint(&route, request.query_string(), &body),
        route,
        key,
    };
    request.set_payload(Payload::from(body));
    request.extensions_mut().insert(Effect(effect(&claim)));
    match store.begin(&claim, PATIENCE).await? {
        Begun::Fresh => Ok(Turn::Ours(store, claim)),
        Begun::Answered(answer) => stored::replay(&answer).map(Turn::Over),
        Begun::Running => Err(ApiError::new(ErrorCode::IdempotencyKeyInProgress)
            .with_header(header::RETRY_AFTER, HeaderValue::from_static("1"))),
        Begun::Reused => Err(ApiError::new(ErrorCode::IdempotencyKeyReused)),
    }
}

/// The id of what a request makes: the same each time that it is sent under its key, so that it is
/// made once even when the answer to the first was lost, and with it what we remember of the key.
fn effect(claim: &IdempotencyClaim) -> Uuid {
    let IdempotencyClaim {
        principal,
        route,
        key,
        fingerprint,
    } = claim;
    let mut hash = Sha256::new();
    for part in [
        principal.as_bytes(),
        b"\n",
        route.as_bytes(),
        b"\n",
        key.as_str().as_bytes(),
    ] {
        hash.update(part);
    }
    hash.update(fingerprint);
    let mut id = [0; 16];
    for (byte, its) in id.iter_mut().zip(hash.finalize()) {
        *byte = its;
    }
    Builder::from_custom_bytes(id).into_uuid()
}

/// The address by its first name, with what stands in the place of its parameters: a key means
/// the same at every alias.
fn address(pattern: &'static str, request: &HttpRequest) -> String {
    let found = request.match_info().iter();
    found.fold(pattern.to_owned(), |address, (name, value)| {
        address.replace(&format!("{{{name}}}"), value)
    })
}

fn fingerprint(route: &str, query: &str, body: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    // Neither of the first two can hold a line feed.
    for part in [route.as_bytes(), b"\n", query.as_bytes(), b"\n", body] {
        hash.update(part);
    }
    hash.finalize().into()
}

/// Keeps a success. What was done stays done when it cannot be kept.
async fn keep(
    store: &dyn IdempotencyRepository,
    claim: &IdempotencyClaim,
    response: ServiceResponse<impl MessageBody + 'static>,
) -> ServiceResponse<BoxBody> {
    let (request, response) = response.into_parts();
    let (response, body) = response.into_parts();
    let Ok(body) = to_bytes(body).await else {
        give_up(store, claim).await;
        let error = ApiError::internal("the body of an answer could not be read");
        return ServiceResponse::new(request, error.into_response());
    };
    let answer = stored::answer(response.status(), response.headers(), &body);
    if let Err(error) = store.finish(claim, &answer).await {
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        tracing::warn!(%error, cause, "an answer could not be kept for repetitions");
    }
    ServiceResponse::new(request, response.set_body(BoxBody::new(body)))
}

/// Gives the key back, so that the request may be sent again at once; otherwise it would have
/// to wait until our patience is over.
async fn give_up(store: &dyn IdempotencyRepository, claim: &IdempotencyClaim) {
    if let Err(error) = store.give_up(claim).await {
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        tracing::warn!(%error, cause, "a key could not be given back");
    }
}
