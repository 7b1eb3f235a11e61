//! What a developer earns.

mod wire;

use actix_web::web::Data;
use tarsify_domain::earnings::EarningsRepository;

pub(crate) use wire::{EarningOut, EarningsHistoryQueryIn, EarningsOut};

use crate::app::Tools;
use crate::envelope::{Listed, Tagged};
use crate::error::ApiError;
use crate::extract::{Query, RegisteredDeveloper};

/// Shows what the caller has earned and what became of it.
pub(crate) async fn show_earnings(
    earnings: Data<dyn EarningsRepository>,
    tools: Data<Tools>,
    RegisteredDeveloper(developer): RegisteredDeveloper,
) -> Result<Tagged<EarningsOut>, ApiError> {
    let found = earnings.find_earnings(developer.id).await?;
    let share = tools.settings.developer_share;
    Ok(Tagged(EarningsOut::new(found, share)))
}

/// Lists the runs that the caller earned by, newest first.
pub(crate) async fn list_earnings(
    earnings: Data<dyn EarningsRepository>,
    RegisteredDeveloper(developer): RegisteredDeveloper,
    Query(EarningsHistoryQueryIn { filter, page }): Query<EarningsHistoryQueryIn>,
) -> Result<Listed<EarningOut>, ApiError> {
    let runs = earnings.list_history(developer.id, &filter, &page).await?;
    Ok(Listed::new(runs, &page))
}
