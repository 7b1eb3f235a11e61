//! How often somebody may ask: what is counted, for whom, and the port of who counts.

mod settings;
mod store;

use std::time::Duration;

use async_trait::async_trait;

pub use settings::{LimitSettings, LimitSettingsPatch, Multiplier, Tier};
pub use store::{
    Author, Enforcement, LimitSettingsError, LimitSettingsRepository, Limits, StoredLimits,
};

use crate::words::words;

words!(
    /// What requests are counted as. Each has a limit of its own.
    LimitCategory {
        /// Anything of the API, by the address that it comes from.
        GlobalApi = "globalApi",
        /// Anything of the API, by who asks.
        UserApi = "userApi",
        /// What begins a run or a purchase, by who asks.
        TaskCreation = "taskCreation",
        /// What sends a file, by who asks.
        Upload = "upload",
        /// Looking at one's own session, by the address that it comes from.
        AuthSession = "authSession",
        /// Registering and signing in, by the address that it comes from.
        AuthAction = "authAction",
    }
);

/// Whose requests of one category are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LimitKey {
    /// What they are counted as.
    pub category: LimitCategory,
    /// Who asks: an address, or who he is here.
    pub subject: String,
}

/// So many in a minute: all of them at once, and then one whenever its part of the minute is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Quota {
    per_minute: u32,
}

impl Quota {
    /// At least one a minute.
    #[must_use]
    pub const fn per_minute(many: u32) -> Self {
        Self {
            per_minute: if many == 0 { 1 } else { many },
        }
    }

    /// How many in a minute.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.per_minute
    }

    /// How long it takes until one more may come.
    #[must_use]
    pub fn interval(self) -> Duration {
        Duration::from_secs(60) / self.per_minute
    }
}

/// What was decided about one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// How long to wait before the next try, when this one is refused.
    pub retry_after: Option<Duration>,
    /// How many more may come at once.
    pub remaining: u32,
    /// How long until as many may come at once as ever.
    pub reset_after: Duration,
}

impl Decision {
    /// Whether the request may go on.
    #[must_use]
    pub const fn is_allowed(&self) -> bool {
        self.retry_after.is_none()
    }
}

/// Counts requests. It never fails: when it cannot count together with other processes, it counts
/// alone.
#[async_trait]
pub trait RateLimiter: Send + Sync {
    /// Counts one request, and decides whether it may go on; one that is refused costs nothing.
    async fn take(&self, key: &LimitKey, quota: Quota) -> Decision;
}
