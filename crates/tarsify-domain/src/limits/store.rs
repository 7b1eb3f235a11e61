//! Where the limits are kept, and what every process knows of them: a change is in force
//! everywhere as soon as each process has looked again, and a store that fails changes nothing.

use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;

use super::{LimitSettings, LimitSettingsPatch};
use crate::audit::{Actor, Reason};
use crate::clock::{Clock, Timestamp};
use crate::error::RepoError;
use crate::version::{Expected, Version};

/// The limits as they are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredLimits {
    /// The limits.
    pub settings: LimitSettings,
    /// Grows with every change.
    pub version: Version,
    /// When they were last changed.
    pub updated_at: Timestamp,
}

/// Stores the limits, of which there is one set from the beginning: the defaults. Every method is
/// one atomic step.
#[async_trait]
pub trait LimitSettingsRepository: Send + Sync {
    /// The limits.
    async fn find(&self) -> Result<StoredLimits, RepoError>;

    /// Replaces the limits that stand at `limits.version`, gives them the next version, and
    /// remembers who did it and why; `Stale` when they no longer stand there.
    async fn revise(&self, limits: &StoredLimits, by: &Author) -> Result<StoredLimits, RepoError>;
}

/// Who changes the limits, and why if he says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// Who.
    pub actor: Actor,
    /// Why.
    pub reason: Option<Reason>,
}

/// Why the limits were not changed or shown.
#[derive(Debug, thiserror::Error)]
pub enum LimitSettingsError {
    /// They are not as the caller believes.
    #[error("the limits are not as the caller believes")]
    PreconditionFailed,
    /// The store failed.
    #[error(transparent)]
    Repo(#[from] RepoError),
}

/// Whether callers are held to the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enforcement {
    /// They are.
    On,
    /// They are not: somebody in front of this process sees to it, or nobody needs to.
    Off,
}

/// The limits, and what this process knows of them.
pub struct Limits {
    repository: Arc<dyn LimitSettingsRepository>,
    clock: Arc<dyn Clock>,
    enforcement: Enforcement,
    /// The newest that were seen; the defaults until then.
    known: RwLock<Known>,
}

#[derive(Default, Clone)]
struct Known {
    settings: Arc<LimitSettings>,
    version: Option<Version>,
}

impl Limits {
    /// Builds the use cases on their ports.
    #[must_use]
    pub fn new(
        repository: Arc<dyn LimitSettingsRepository>,
        clock: Arc<dyn Clock>,
        enforcement: Enforcement,
    ) -> Self {
        Self {
            repository,
            clock,
            enforcement,
            known: RwLock::default(),
        }
    }

    /// The same over other connections, for who looks again and again.
    ///
    /// # Errors
    /// When the store behind `repository` fails; what is known stays in force.
    pub async fn refresh_through(
        &self,
        repository: &dyn LimitSettingsRepository,
    ) -> Result<(), RepoError> {
        self.learn(&repository.find().await?);
        Ok(())
    }

    /// Looks at the store again.
    ///
    /// # Errors
    /// When the store fails; what is known stays in force.
    pub async fn refresh(&self) -> Result<(), RepoError> {
        self.refresh_through(self.repository.as_ref()).await
    }

    /// The newest limits that this process knows of, whether callers are held to them or not.
    #[must_use]
    pub fn known(&self) -> Arc<LimitSettings> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&known.settings)
    }

    /// The limits that callers are held to, if they are.
    #[must_use]
    pub fn in_force(&self) -> Option<Arc<LimitSettings>> {
        match self.enforcement {
            Enforcement::On => Some(self.known()),
            Enforcement::Off => None,
        }
    }

    /// The limits as they are stored.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn find(&self) -> Result<StoredLimits, RepoError> {
        let stored = self.repository.find().await?;
        self.learn(&stored);
        Ok(stored)
    }

    /// Changes what `patch` mentions; in force at once here, and soon everywhere.
    ///
    /// # Errors
    /// When they are not what the caller expects, or the store fails.
    pub async fn revise(
        &self,
        author: &Author,
        expected: &Expected,
        patch: LimitSettingsPatch,
    ) -> Result<StoredLimits, LimitSettingsError> {
        let stored = self.repository.find().await?;
        if !expected.admits(stored.version) {
            return Err(LimitSettingsError::PreconditionFailed);
        }
        let changed = StoredLimits {
            settings: stored.settings.changed(patch),
            version: stored.version,
            updated_at: self.clock.now(),
        };
        match self.repository.revise(&changed, author).await {
            Ok(revised) => {
                self.learn(&revised);
                Ok(revised)
            }
            Err(RepoError::Stale) if expected.is_stated() => {
                Err(LimitSettingsError::PreconditionFailed)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A look that began before a change may end after it, so only what is newer counts.
    fn learn(&self, stored: &StoredLimits) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.version.is_none_or(|version| version < stored.version) {
            known.settings = Arc::new(stored.settings.clone());
            known.version = Some(stored.version);
        }
    }
}
