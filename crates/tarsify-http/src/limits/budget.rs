//! What a caller may begin: runs, test runs and purchases. The handler counts by itself, because
//! only it knows whether a request does anything: a repetition is not counted.

use std::convert::Infallible;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use tarsify_domain::idempotency::IdempotencyClaim;
use tarsify_domain::limits::LimitCategory;
use tarsify_engine::Engine;

use super::caller::Allowance;
use crate::error::ApiError;

/// What the caller may begin.
pub(crate) struct TaskBudget(HttpRequest);

impl FromRequest for TaskBudget {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        ready(Ok(Self(request.clone())))
    }
}

impl TaskBudget {
    /// Counts what the request is about to begin.
    ///
    /// # Errors
    /// When it is too much.
    pub(crate) async fn take(&self) -> Result<(), ApiError> {
        super::count_by_principal(&self.0, LimitCategory::TaskCreation).await
    }

    /// The same for a run, unless it was accepted before under its key.
    ///
    /// # Errors
    /// When it is too much, or the store fails.
    pub(crate) async fn take_for_run(
        &self,
        engine: &Engine,
        claim: Option<&IdempotencyClaim>,
    ) -> Result<(), ApiError> {
        if let Some(claim) = claim
            && self.0.extensions().contains::<Allowance>()
            && engine.is_known(claim).await?
        {
            return Ok(());
        }
        self.take().await
    }

    /// How many runs of the caller may be unfinished at once; no limit when nobody is held to any.
    pub(crate) fn concurrent_runs(&self) -> Option<u32> {
        let extensions = self.0.extensions();
        extensions
            .get::<Allowance>()
            .map(Allowance::concurrent_runs)
    }
}
