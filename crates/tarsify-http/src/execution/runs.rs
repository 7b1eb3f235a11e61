//! The engine, for handlers that wait for the end of a run.
//!
//! A caller who hangs up while he waits leaves a task and one entry in the engine's list of
//! waiters behind, for a minute at the most and for nothing when the process stops. What he
//! started goes on in any case.

use std::future::{Ready, ready};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use tarsify_domain::execution::{Admitted, Execution, ExecutionKind};
use tarsify_domain::id::ExecutionId;
use tarsify_domain::{Clock, Scope};
use tarsify_engine::{Engine, ReadError, RunError};

use crate::app::Tools;
use crate::error::{ApiError, run_error};
use crate::lifecycle::Lifecycle;
use crate::metrics::Metrics;

/// The engine, until the process is about to stop.
pub(crate) struct Runs {
    pub(crate) engine: Data<Engine>,
    pub(crate) lifecycle: Data<Lifecycle>,
    pub(crate) stream_life: Duration,
    pub(crate) metrics: Arc<Metrics>,
    clock: Data<dyn Clock>,
}

#[derive(Debug, thiserror::Error)]
#[error("the engine was not handed to the application")]
struct NoEngine;

impl FromRequest for Runs {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let parts = (
            request.app_data::<Data<Engine>>(),
            request.app_data::<Data<Lifecycle>>(),
            request.app_data::<Data<Tools>>(),
            request.app_data::<Data<dyn Clock>>(),
        );
        let (Some(engine), Some(lifecycle), Some(tools), Some(clock)) = parts else {
            return ready(Err(ApiError::internal(NoEngine)));
        };
        ready(Ok(Self {
            engine: Data::clone(engine),
            lifecycle: Data::clone(lifecycle),
            stream_life: tools.settings.stream_life,
            metrics: Arc::clone(&tools.metrics),
            clock: Data::clone(clock),
        }))
    }
}

impl Runs {
    /// Why a model was not run.
    pub(crate) fn refusal(&self, kind: ExecutionKind) -> impl Fn(RunError) -> ApiError + use<> {
        run_error(kind, self.clock.now())
    }

    /// The execution once it has ended, or as it is when `patience` is over or the process is
    /// about to stop.
    ///
    /// # Errors
    /// When there is none, it is somebody else's, or the store fails.
    pub(crate) async fn wait(
        &self,
        scope: Scope,
        id: ExecutionId,
        patience: Duration,
    ) -> Result<Execution, ReadError> {
        let _waiting = self.metrics.http.begin_wait();
        tokio::select! {
            ended = self.engine.wait(scope, id, patience) => ended,
            () = self.lifecycle.drained() => self.engine.status(scope, id).await,
        }
    }

    /// The same for an execution that was just accepted: it stays accepted when the store fails
    /// afterwards, and how it stands may be read again.
    pub(crate) async fn wait_for(
        &self,
        scope: Scope,
        admitted: Admitted,
        patience: Duration,
    ) -> Admitted {
        let Admitted {
            execution,
            is_replay,
        } = admitted;
        let waited = self.wait(scope, execution.summary.id, patience).await;
        Admitted {
            execution: waited.unwrap_or(execution),
            is_replay,
        }
    }
}
