//! Keeps what developers earn and have paid out, what has to be sent for it, and the sums of how
//! their models do.

mod account;
mod analytics;
mod outbox;
mod payout;

pub use account::PgEarningsRepository;
pub(crate) use analytics::BUCKET;
pub use analytics::PgAnalyticsRepository;
pub use outbox::PgOutbox;
pub use payout::PgPayoutRepository;
