//! The limits, for administrators.

mod wire;

use actix_web::web::Data;
use tarsify_domain::audit::Actor;
use tarsify_domain::limits::{Author, StoredLimits};

pub(crate) use wire::{RateLimitsOut, UpdateRateLimitsIn};

use super::CallerLimits;
use crate::envelope::Resource;
use crate::error::ApiError;
use crate::extract::{Administrator, IfMatch, Valid};

/// Shows the limits on callers.
pub(crate) async fn show_rate_limits(
    limits: Data<CallerLimits>,
    _admin: Administrator,
) -> Result<Resource<RateLimitsOut>, ApiError> {
    Ok(resource(limits.limits().find().await?))
}

/// Changes the limits on callers: absent keeps. In force everywhere within seconds.
pub(crate) async fn update_rate_limits(
    limits: Data<CallerLimits>,
    Administrator(admin): Administrator,
    Valid(body): Valid<UpdateRateLimitsIn>,
    IfMatch(expected): IfMatch,
) -> Result<Resource<RateLimitsOut>, ApiError> {
    let (patch, reason) = body.into_parts();
    let author = Author {
        actor: Actor::from(&admin),
        reason,
    };
    let changed = limits.limits().revise(&author, &expected, patch).await?;
    Ok(resource(changed))
}

fn resource(stored: StoredLimits) -> Resource<RateLimitsOut> {
    Resource {
        version: stored.version,
        body: stored.into(),
    }
}
