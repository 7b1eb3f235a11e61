//! Holds callers to the limits: counts requests before anything is done for them, says in every
//! counted answer how much is left, and refuses with 429 what is too much. Health, the documents
//! and what providers send are not counted.

mod address;
pub(crate) mod admin;
mod budget;
mod caller;
mod counter;
mod tally;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage, HttpRequest};
use tarsify_domain::limits::{LimitCategory, LimitKey, Multiplier};

pub use address::TrustedProxies;
pub use caller::CallerLimits;
pub use counter::LocalRateLimiter;

pub(crate) use budget::TaskBudget;

use crate::app::Tools;
use crate::error::ApiError;
use caller::Allowance;
use tally::{Tallies, Tally};

/// Counts every request of the API by the address that it comes from, and tells every caller how
/// he stands. It belongs around the routes and inside [`crate::cors`], so that pages of other
/// origins can read a refusal too.
///
/// # Errors
/// Never by itself: an error of the framework is passed on.
pub async fn limit(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if !is_counted(request.match_info().as_str()) {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    let counted = count_by_address(request.request(), LimitCategory::GlobalApi).await;
    let mut response = match counted {
        Ok(()) => next.call(request).await?.map_into_boxed_body(),
        Err(refusal) => {
            let (request, _payload) = request.into_parts();
            ServiceResponse::new(request, refusal.into_response())
        }
    };
    let tallies = response.request().extensions_mut().remove::<Tallies>();
    let tools = response.request().app_data::<Data<Tools>>().cloned();
    if let (Some(tallies), Some(tools)) = (tallies, tools) {
        tallies.tell(response.headers_mut(), tools.clock.now());
    }
    Ok(response)
}

/// Whether an address, as the router reads it, is one of the API's own.
pub(crate) fn is_counted(path: &str) -> bool {
    path.starts_with("/api/") && !path.starts_with("/api/webhooks/")
}

/// Counts a request by the address that it comes from.
///
/// # Errors
/// When it is too much.
pub(crate) async fn count_by_address(
    request: &HttpRequest,
    category: LimitCategory,
) -> Result<(), ApiError> {
    let Some(limits) = request.app_data::<Data<CallerLimits>>() else {
        return Ok(());
    };
    let Some(settings) = limits.in_force() else {
        return Ok(());
    };
    let tools = request.app_data::<Data<Tools>>();
    let proxies = tools.map(|tools| &tools.settings.trusted_proxies);
    let key = LimitKey {
        category,
        subject: address::subject(address::of_caller(request, proxies)),
    };
    let quota = settings.quota(category);
    let decision = limits.limiter().take(&key, quota).await;
    note(request, Tally::new(category, quota, decision))
}

/// Remembers what the caller whom the gate has let in may do, and counts the request as his.
///
/// # Errors
/// When it is too much.
pub(crate) async fn count_caller(request: &HttpRequest) -> Result<(), ApiError> {
    let Some(limits) = request.app_data::<Data<CallerLimits>>() else {
        return Ok(());
    };
    let Some(allowance) = Allowance::of(limits, request).await else {
        return Ok(());
    };
    request.extensions_mut().insert(allowance);
    count_by_principal(request, LimitCategory::UserApi).await
}

/// Counts a request of a caller whom [`count_caller`] knows.
///
/// # Errors
/// When it is too much.
async fn count_by_principal(
    request: &HttpRequest,
    category: LimitCategory,
) -> Result<(), ApiError> {
    let allowance = request.extensions().get::<Allowance>().cloned();
    let limits = request.app_data::<Data<CallerLimits>>();
    let (Some(allowance), Some(limits)) = (allowance, limits) else {
        return Ok(());
    };
    let quota = allowance.quota(category);
    let key = LimitKey {
        category,
        subject: allowance.subject,
    };
    let decision = limits.limiter().take(&key, quota).await;
    note(request, Tally::new(category, quota, decision))
}

fn note(request: &HttpRequest, tally: Tally) -> Result<(), ApiError> {
    let refusal = tally.refusal();
    if let (Some(_), Some(tools)) = (&refusal, request.app_data::<Data<Tools>>()) {
        tools.metrics.http.refused(tally.category());
    }
    let mut extensions = request.extensions_mut();
    match extensions.get_mut::<Tallies>() {
        Some(tallies) => tallies.add(tally),
        None => {
            extensions.insert(Tallies::of(tally));
        }
    }
    refusal.map_or(Ok(()), Err)
}

/// What everybody has.
const ORDINARY: Multiplier = Multiplier::ONE;
