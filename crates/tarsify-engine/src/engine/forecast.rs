//! When a run may be done. Asked for one run at a time, and never for what has ended.

use tarsify_domain::RepoError;
use tarsify_domain::execution::{ExecutionSummary, Forecast, Outlook};

use super::Engine;

impl Engine {
    /// When a run that was read just now may be done, and its place among those that wait for the
    /// same endpoint. What has ended has neither, and the store is not asked about it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn forecast(&self, run: &ExecutionSummary) -> Result<Forecast, RepoError> {
        if run.status.is_terminal() {
            return Ok(Forecast::default());
        }
        let outlook = self.shared.executions.find_outlook(run.id).await?;
        Ok(outlook.as_ref().map(Outlook::forecast).unwrap_or_default())
    }
}
