//! The limits on callers in memory.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use tarsify_domain::limits::{Author, LimitSettings, LimitSettingsRepository, StoredLimits};
use tarsify_domain::{RepoError, Version};

use crate::clock::MOMENT;

/// A store of the limits.
pub struct FakeLimitSettings {
    state: Mutex<(StoredLimits, Vec<Author>)>,
    is_out_of_order: AtomicBool,
}

impl FakeLimitSettings {
    /// With the limits that every store begins with.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Self::holding(LimitSettings::default())
    }

    /// With these.
    #[must_use]
    pub fn holding(settings: LimitSettings) -> Arc<Self> {
        let stored = StoredLimits {
            settings,
            version: Version::FIRST,
            updated_at: MOMENT,
        };
        Arc::new(Self {
            state: Mutex::new((stored, Vec::new())),
            is_out_of_order: AtomicBool::new(false),
        })
    }

    /// Every call answers `Unavailable` from now on.
    pub fn start_outage(&self) {
        self.is_out_of_order.store(true, Ordering::SeqCst);
    }

    /// Who changed the limits, and why, oldest first.
    #[must_use]
    pub fn audit(&self) -> Vec<Author> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.1.clone()
    }

    async fn enter(&self) -> Result<(), RepoError> {
        tokio::task::yield_now().await;
        if self.is_out_of_order.load(Ordering::SeqCst) {
            return Err(RepoError::Unavailable(
                "a test put the limits out of order".into(),
            ));
        }
        Ok(())
    }
}

#[async_trait]
impl LimitSettingsRepository for FakeLimitSettings {
    async fn find(&self) -> Result<StoredLimits, RepoError> {
        self.enter().await?;
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(state.0.clone())
    }

    async fn revise(&self, limits: &StoredLimits, by: &Author) -> Result<StoredLimits, RepoError> {
        self.enter().await?;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.0.version != limits.version {
            return Err(RepoError::Stale);
        }
        state.0 = StoredLimits {
            version: limits.version.next(),
            ..limits.clone()
        };
        state.1.push(by.clone());
        Ok(state.0.clone())
    }
}
