//! Around each handler: lets in whom the route's access rule lets in, before anything else of
//! the request is looked at, and turns a panic into an answer.

use std::fmt::Write as _;
use std::panic::AssertUnwindSafe;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header;
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage, HttpRequest};
use futures_util::FutureExt;
use sha2::{Digest, Sha256};
use tarsify_domain::ErrorCode;
use tarsify_domain::limits::LimitCategory;
use tarsify_domain::people::{Credential, Gate, IdentityKey, Realm};
use tarsify_engine::Engine;
use tracing::Instrument;
use url::form_urlencoded;

use crate::error::ApiError;
use crate::limits;
use crate::route::Access;

/// Who made the request, for its line in the log.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) kind: &'static str,
    pub(crate) id: String,
}

/// Whose a key for repetitions is: everybody has his own.
#[derive(Debug, Clone)]
pub(crate) struct Principal(pub(crate) String);

impl Principal {
    /// Somebody without an id of ours. At some issuers the subject is an e-mail address, which
    /// is kept nowhere but with its person.
    fn of_identity(key: &IdentityKey) -> Self {
        let IdentityKey {
            realm,
            issuer,
            subject,
        } = key;
        let name = format!("{}\n{issuer}\n{subject}", realm.as_str());
        let hash = Sha256::digest(name.as_bytes());
        let principal = String::from("identity:");
        Self(hash.iter().fold(principal, |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        }))
    }
}

/// The caller showed no more than a token for the run in the path, which was given to whom the run
/// belongs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ByStreamToken;

/// The parameter in the query that holds such a token.
pub(crate) const STREAM_TOKEN: &str = "token";

/// Who is let in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Admission {
    pub(crate) access: Access,
    /// Whether a stream token will do.
    pub(crate) by_stream_token: bool,
    /// What its requests count as, beside what all requests do.
    pub(crate) category: Option<LimitCategory>,
}

/// Lets the request through to its handler, or answers it.
pub(crate) async fn guard(
    admission: Admission,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    // Routing is over, so a second handle on the request is harmless here; it answers when
    // the handler takes the first one down with it.
    let handle = request.request().clone();
    let admitted = handle.clone();
    // The gate reads the store too, so it is inside.
    let answered = AssertUnwindSafe(async move {
        match let_in(admission, &admitted).await {
            Ok(()) => Ok(next.call(request).await?.map_into_boxed_body()),
            Err(error) => Ok(ServiceResponse::new(admitted, error.into_response())),
        }
    });
    let answered = answered.catch_unwind();
    let outcome = if handle.method().is_safe() {
        answered.await.ok()
    } else {
        // A caller who hangs up takes his request's future with him, but not a change that is
        // under way: it is finished and announced all the same. The task cannot outlive its
        // worker, and its panic is caught above.
        actix_web::rt::spawn(answered.in_current_span())
            .await
            .ok()
            .and_then(Result::ok)
    };
    outcome.unwrap_or_else(|| {
        let error = ApiError::internal("a handler panicked; the panic is in the log");
        Ok(ServiceResponse::new(handle, error.into_response()))
    })
}

/// Whoever guesses credentials is counted before they are looked at.
async fn let_in(admission: Admission, request: &HttpRequest) -> Result<(), ApiError> {
    if let Some(category @ (LimitCategory::AuthSession | LimitCategory::AuthAction)) =
        admission.category
    {
        limits::count_by_address(request, category).await?;
    }
    admit(admission, request).await?;
    limits::count_caller(request).await
}

#[derive(Debug, thiserror::Error)]
#[error("the gate was not handed to the application")]
struct NoGate;

async fn admit(admission: Admission, request: &HttpRequest) -> Result<(), ApiError> {
    let Admission {
        access,
        by_stream_token,
        category: _,
    } = admission;
    if access == Access::Public {
        return Ok(());
    }
    if by_stream_token
        && !request.headers().contains_key(header::AUTHORIZATION)
        && let Some(token) = stream_token(request)
    {
        return admit_by_stream_token(request, &token).await;
    }
    let gate = request
        .app_data::<Data<Gate>>()
        .ok_or_else(|| ApiError::internal(NoGate))?;
    let token = bearer(request)?;
    let credential = Credential::Bearer(&token);
    let caller = match access {
        Access::Public => return Ok(()),
        Access::AnyConsumer => {
            verified(request, gate.identity(Realm::Consumers, credential).await?)
        }
        Access::AnyDeveloper => {
            verified(request, gate.identity(Realm::Developers, credential).await?)
        }
        Access::Consumer => {
            let (identity, consumer) = gate.consumer(credential).await?;
            let caller = Caller {
                kind: "consumer",
                id: consumer.to_string(),
            };
            let principal = Principal(format!("consumer:{consumer}"));
            request.extensions_mut().insert(principal);
            request.extensions_mut().insert(identity);
            request.extensions_mut().insert(consumer);
            caller
        }
        Access::Developer => {
            let developer = gate.developer(credential).await?;
            let caller = Caller {
                kind: "developer",
                id: developer.id.to_string(),
            };
            let principal = Principal(format!("developer:{}", developer.id));
            request.extensions_mut().insert(principal);
            request.extensions_mut().insert(developer);
            caller
        }
        Access::Admin => {
            let admin = gate.admin(credential).await?;
            let id = match admin.developer {
                Some(id) => id.to_string(),
                None => loggable(&admin.identity.key.subject),
            };
            let principal = match admin.developer {
                Some(id) => Principal(format!("developer:{id}")),
                None => Principal::of_identity(&admin.identity.key),
            };
            request.extensions_mut().insert(principal);
            request.extensions_mut().insert(admin);
            Caller { kind: "admin", id }
        }
    };
    request.extensions_mut().insert(caller);
    Ok(())
}

fn stream_token(request: &HttpRequest) -> Option<String> {
    let mut query = form_urlencoded::parse(request.query_string().as_bytes());
    let token = query.find(|(name, _)| name == STREAM_TOKEN)?.1;
    Some(token.into_owned())
}

async fn admit_by_stream_token(request: &HttpRequest, token: &str) -> Result<(), ApiError> {
    let engine = request.app_data::<Data<Engine>>();
    let engine = engine.ok_or_else(|| ApiError::internal("there is no engine"))?;
    let id = request
        .match_info()
        .get("id")
        .and_then(|id| id.parse().ok());
    let is_good = match id {
        Some(id) => engine.spend_stream_token(id, token).await?,
        None => false,
    };
    if !is_good {
        return Err(ApiError::new(ErrorCode::InvalidToken)
            .saying("The stream token was used, has expired or is for another run. Ask for a new one: POST to stream-token of the run.")
            .challenging());
    }
    request.extensions_mut().insert(ByStreamToken);
    request.extensions_mut().insert(Caller {
        kind: "stream",
        id: String::new(),
    });
    Ok(())
}

fn verified(request: &HttpRequest, identity: tarsify_domain::people::VerifiedIdentity) -> Caller {
    // Not registered yet, so there is no id of ours to log.
    let caller = Caller {
        kind: "visitor",
        id: String::new(),
    };
    let principal = Principal::of_identity(&identity.key);
    request.extensions_mut().insert(principal);
    request.extensions_mut().insert(identity);
    caller
}

/// An administrator without a profile is known by his subject only, and at some issuers that
/// is an e-mail address, which must not be logged.
fn loggable(subject: &str) -> String {
    if subject.contains('@') {
        String::new()
    } else {
        subject.to_owned()
    }
}

/// The token that a request shows, whatever it is good for.
///
/// # Errors
/// When there is none, or more than one.
pub(crate) fn bearer(request: &HttpRequest) -> Result<String, ApiError> {
    let mut headers = request.headers().get_all(header::AUTHORIZATION);
    let Some(value) = headers.next() else {
        return Err(ApiError::new(ErrorCode::NoCredential).challenging());
    };
    let token = value.to_str().ok().and_then(|value| {
        let (scheme, token) = value.trim().split_once(' ')?;
        let token = token.trim();
        (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then(|| token.to_owned())
    });
    match token {
        Some(token) if headers.next().is_none() => Ok(token),
        _ => Err(ApiError::new(ErrorCode::InvalidToken)
            .saying("Send exactly one header of the form: Authorization: Bearer <ID token>.")
            .challenging()),
    }
}
