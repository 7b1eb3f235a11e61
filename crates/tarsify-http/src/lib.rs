//! Speaks HTTP: the envelope, the extractors, the wire types, the handlers, the one error
//! table, and the OpenAPI document made of the route table.
//!
//! It holds no business rule and knows neither the database nor how tokens are checked: it
//! is handed the use cases.

mod app;
mod catalog;
mod docs;
mod envelope;
mod error;
mod etag;
mod execution;
mod extract;
mod health;
mod lifecycle;
mod limits;
mod metrics;
mod middleware;
mod money;
mod openapi;
mod people;
mod route;
mod routes;
mod wire;

pub use app::{HttpSettings, Services, configure, cors};
pub use catalog::market_cache::MarketCache;
pub use error::{ApiError, status_of};
pub use lifecycle::Lifecycle;
pub use limits::{CallerLimits, LocalRateLimiter, TrustedProxies, limit};
pub use metrics::Metrics;
pub use middleware::answer::answer;
pub use middleware::late::turn_away;
pub use openapi::{document, markdown};
pub use route::{Access, Route};
pub use routes::routes;
