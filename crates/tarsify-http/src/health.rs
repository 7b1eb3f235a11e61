//! Whether the process lives and wants requests.

use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::web::Data;
use serde::Serialize;
use tarsify_domain::health::{SchemaState, StoreHealth};
use utoipa::ToSchema;

use crate::envelope::Success;
use crate::error::ApiError;

/// Where the process is in its life.
#[derive(Debug, Default)]
pub struct Lifecycle {
    draining: AtomicBool,
}

impl Lifecycle {
    /// The process is about to stop: it answers, but asks not to be sent anything new.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::SeqCst);
    }

    fn is_draining(&self) -> bool {
        self.draining.load(Ordering::SeqCst)
    }
}

/// The process answers.
#[derive(Serialize, ToSchema)]
pub(crate) struct LiveOut {
    /// Always `ok`.
    #[schema(example = "ok")]
    status: &'static str,
}

/// What the process knows of itself.
#[derive(Serialize, ToSchema)]
pub(crate) struct HealthOut {
    /// `ok` when it can serve.
    #[schema(example = "ok")]
    status: &'static str,
    /// The program's version.
    #[schema(example = "0.1.0")]
    version: &'static str,
    /// The parts it needs, with their state.
    parts: PartsOut,
}

/// The parts that the process needs.
#[derive(Serialize, ToSchema)]
pub(crate) struct PartsOut {
    /// The database and its schema.
    #[schema(example = "ok")]
    database: &'static str,
}

/// Says that the process answers. It looks at nothing else.
pub(crate) async fn show_liveness() -> Success<LiveOut> {
    Success(LiveOut { status: "ok" })
}

/// Says whether the process wants requests: its database is reachable, the schema has all that
/// it needs, and it is not about to stop.
pub(crate) async fn show_readiness(
    health: Data<dyn StoreHealth>,
    lifecycle: Data<Lifecycle>,
) -> Result<Success<LiveOut>, ApiError> {
    check(health.as_ref(), &lifecycle).await?;
    Ok(Success(LiveOut { status: "ok" }))
}

/// Says what the process knows of itself.
pub(crate) async fn show_health(
    health: Data<dyn StoreHealth>,
    lifecycle: Data<Lifecycle>,
) -> Result<Success<HealthOut>, ApiError> {
    check(health.as_ref(), &lifecycle).await?;
    let parts = PartsOut { database: "ok" };
    Ok(Success(HealthOut {
        status: "ok",
        version: env!("CARGO_PKG_VERSION"),
        parts,
    }))
}

async fn check(health: &dyn StoreHealth, lifecycle: &Lifecycle) -> Result<(), ApiError> {
    let not_ready = |message: &'static str| Err(ApiError::unavailable().saying(message));
    if lifecycle.is_draining() {
        return not_ready("This process is about to stop.");
    }
    match health.schema_state().await? {
        // Migrations run before the new version is rolled out and never take away what this
        // version needs, so a schema that is ahead serves.
        SchemaState::Current | SchemaState::Ahead { .. } => Ok(()),
        SchemaState::Behind { .. } => {
            not_ready("The database needs migrations: run tarsify migrate.")
        }
    }
}
