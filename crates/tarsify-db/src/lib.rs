//! Keeps the domain in PostgreSQL: the connections, one adapter for each port, and the
//! migrations. It decides no business rule, and no row or connection leaves it.

mod base_model;
mod consumer;
mod developer;
mod earnings;
mod endpoint;
mod error;
mod execution;
mod health;
mod idempotency;
mod invariants;
mod ledger;
mod limits;
mod listing;
mod market;
mod migrator;
mod payments;
mod person;
mod pool;
mod retention;
mod seed;
mod settings;
mod statement;
mod stored;
mod tars_model;
mod tls;

pub use base_model::PgBaseModelRepository;
pub use consumer::PgConsumerRepository;
pub use developer::PgDeveloperRepository;
pub use earnings::{PgAnalyticsRepository, PgEarningsRepository, PgOutbox, PgPayoutRepository};
pub use endpoint::PgEndpointRepository;
pub use execution::PgExecutionRepository;
pub use health::PgStoreHealth;
pub use idempotency::PgIdempotencyRepository;
pub use invariants::{BrokenInvariant, PgInvariants};
pub use ledger::{PgCheckpoints, PgLedgerVerifier, PgWalletRepository};
pub use limits::PgLimitSettingsRepository;
pub use market::PgMarketRepository;
pub use migrator::{MigrateError, Migrator};
pub use payments::{PgPackageRepository, PgPurchaseRepository};
pub use pool::Database;
pub use retention::PgRetention;
pub use seed::{PgSeedRepository, SeedOutcome};
pub use settings::{ConnectError, DatabaseSettings};
pub use tars_model::PgTarsModelRepository;
