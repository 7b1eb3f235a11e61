//! How a developer's models do.

mod wire;

use actix_web::web::Data;
use tarsify_domain::earnings::AnalyticsRepository;
use tarsify_domain::id::TarsModelId;
use tarsify_domain::{Clock, ErrorCode};
use time::UtcOffset;

pub(crate) use wire::{AnalyticsOut, AnalyticsQueryIn};

use crate::envelope::Tagged;
use crate::error::ApiError;
use crate::extract::{PathId, Query, RegisteredDeveloper};

/// Shows how all of the caller's models did.
pub(crate) async fn show_analytics(
    analytics: Data<dyn AnalyticsRepository>,
    clock: Data<dyn Clock>,
    RegisteredDeveloper(developer): RegisteredDeveloper,
    Query(AnalyticsQueryIn { period }): Query<AnalyticsQueryIn>,
) -> Result<Tagged<AnalyticsOut>, ApiError> {
    // Whoever has no models has no runs either.
    let found = analytics.find(developer.id, None, period).await?;
    let today = clock.now().to_offset(UtcOffset::UTC).date();
    let found = found.unwrap_or_default();
    Ok(Tagged(AnalyticsOut::new(found, period, today)))
}

/// Shows how one of the caller's models did.
pub(crate) async fn show_model_analytics(
    analytics: Data<dyn AnalyticsRepository>,
    clock: Data<dyn Clock>,
    RegisteredDeveloper(developer): RegisteredDeveloper,
    path: PathId<TarsModelId>,
    Query(AnalyticsQueryIn { period }): Query<AnalyticsQueryIn>,
) -> Result<Tagged<AnalyticsOut>, ApiError> {
    let model = Some(path.id()?);
    let found = analytics.find(developer.id, model, period).await?;
    let found = found.ok_or_else(|| ApiError::new(ErrorCode::TarsModelNotFound))?;
    let today = clock.now().to_offset(UtcOffset::UTC).date();
    Ok(Tagged(AnalyticsOut::new(found, period, today)))
}
