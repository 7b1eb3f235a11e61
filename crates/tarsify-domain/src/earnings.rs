//! What developers earn, how it comes to them, and how their models do.

pub mod account;
pub mod analytics;
pub mod history;
pub mod outbox;
pub mod payout;

pub use account::{Earnings, EarningsRepository, MonthSums};
pub use analytics::{
    Analytics, AnalyticsDay, AnalyticsRepository, Period, RunSums, TimeBucket, TopModel,
};
pub use history::{Earning, EarningFilter};
pub use outbox::{Delivery, Outbox, Sent};
pub use payout::{
    NewPayout, Payout, PayoutEnd, PayoutError, PayoutRepository, PayoutStatus, Payouts,
};
