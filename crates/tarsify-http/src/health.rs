//! Whether the process lives and wants requests.

use actix_web::web::Data;
use serde::Serialize;
use tarsify_domain::health::{PartHealth, SchemaState, StoreHealth};
use utoipa::ToSchema;

use crate::envelope::Success;
use crate::error::ApiError;
use crate::lifecycle::Lifecycle;

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
    /// `ok`, or `degraded` when a part is not as it should be.
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
    /// The database and its schema: `ok`, `unreachable`, `behind` (it needs migrations) or
    /// `ahead` (it was migrated for a newer version, and serves).
    #[schema(example = "ok")]
    database: &'static str,
    /// `serving`, or `stopping`.
    #[schema(example = "serving")]
    process: &'static str,
    /// What processes share and may lose, where it is used: `ok`, or `unreachable`. The process is
    /// ready without it.
    #[schema(example = "ok")]
    #[serde(skip_serializing_if = "Option::is_none")]
    redis: Option<&'static str>,
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

/// Says what the process knows of itself, also when something is wrong: whether to send it
/// requests is what readiness tells.
pub(crate) async fn show_health(
    health: Data<dyn StoreHealth>,
    redis: Option<Data<dyn PartHealth>>,
    lifecycle: Data<Lifecycle>,
) -> Success<HealthOut> {
    let database = match health.schema_state().await {
        Ok(SchemaState::Current) => "ok",
        Ok(SchemaState::Behind { .. }) => "behind",
        Ok(SchemaState::Ahead { .. }) => "ahead",
        Err(_) => "unreachable",
    };
    let process = if lifecycle.is_draining() {
        "stopping"
    } else {
        "serving"
    };
    let redis = redis.map(|redis| {
        if redis.is_answering() {
            "ok"
        } else {
            "unreachable"
        }
    });
    let is_well =
        matches!(database, "ok" | "ahead") && process == "serving" && redis != Some("unreachable");
    Success(HealthOut {
        status: if is_well { "ok" } else { "degraded" },
        version: env!("CARGO_PKG_VERSION"),
        parts: PartsOut {
            database,
            process,
            redis,
        },
    })
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
