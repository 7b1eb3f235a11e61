//! Packages of credits on offer.

use std::sync::Arc;

use async_trait::async_trait;

use crate::audit::Actor;
use crate::clock::{Clock, Timestamp};
use crate::error::{Misfit, RepoError};
use crate::id::PackageId;
use crate::money::Credits;
use crate::version::{Expected, Version};

/// How many credits a package holds and what they cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackageAmounts {
    /// The credits that are paid for.
    pub credits: Credits,
    /// Those that come on top.
    pub bonus: Credits,
    /// The price in US cents.
    pub price_cents: i64,
}

impl PackageAmounts {
    /// Most credits, bonus credits and cents.
    pub const MAX: i64 = 10_000_000;
    /// The smallest price that a card is charged.
    pub const MIN_PRICE: i64 = 50;

    /// Checks a number of credits.
    ///
    /// # Errors
    /// When it is below 1 or too much.
    pub fn parse_credits(number: i64) -> Result<Credits, Misfit> {
        within(number, 1, "must be between 1 and 10000000").map(Credits::new)
    }

    /// Checks a number of bonus credits.
    ///
    /// # Errors
    /// When it is below nothing or too much.
    pub fn parse_bonus(number: i64) -> Result<Credits, Misfit> {
        within(number, 0, "must be between 0 and 10000000").map(Credits::new)
    }

    /// Checks a price.
    ///
    /// # Errors
    /// When it is too little for a card or too much.
    pub fn parse_price(cents: i64) -> Result<i64, Misfit> {
        within(cents, Self::MIN_PRICE, "must be between 50 and 10000000")
    }
}

fn within(number: i64, least: i64, message: &'static str) -> Result<i64, Misfit> {
    if (least..=PackageAmounts::MAX).contains(&number) {
        Ok(number)
    } else {
        Err(Misfit::new("range", message))
    }
}

/// A package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreditPackage {
    /// Its id.
    pub id: PackageId,
    /// What it holds and costs.
    pub amounts: PackageAmounts,
    /// The currency of the price.
    pub currency: String,
    /// Whether it is recommended.
    pub is_popular: bool,
    /// Whether it is on offer.
    pub is_active: bool,
    /// Grows with every revision.
    pub version: Version,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last revised.
    pub updated_at: Timestamp,
}

/// A package that is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewPackage {
    /// What it holds and costs.
    pub amounts: PackageAmounts,
    /// Whether it is recommended.
    pub is_popular: bool,
    /// Whether it is on offer.
    pub is_active: bool,
}

/// What is changed of a package. What was bought stays as it was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PackagePatch {
    /// The credits that are paid for.
    pub credits: Option<Credits>,
    /// Those that come on top.
    pub bonus: Option<Credits>,
    /// The price in US cents.
    pub price_cents: Option<i64>,
    /// Whether it is recommended.
    pub is_popular: Option<bool>,
    /// Whether it is on offer.
    pub is_active: Option<bool>,
}

/// Why a package was not made, changed or found.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// There is none.
    #[error("there is no such package")]
    NotFound,
    /// It is not as the caller believes.
    #[error("the package is not as the caller believes")]
    PreconditionFailed,
    /// The store failed.
    #[error(transparent)]
    Repo(#[from] RepoError),
}

/// Stores packages. Every method is one atomic step; those that change something remember who
/// did it.
#[async_trait]
pub trait PackageRepository: Send + Sync {
    /// The packages, the cheapest first; only those on offer, or all.
    async fn list(&self, which: Shown) -> Result<Vec<CreditPackage>, RepoError>;

    /// The package with this id, on offer or not.
    async fn find(&self, id: PackageId) -> Result<Option<CreditPackage>, RepoError>;

    /// Stores a new package.
    async fn create(&self, package: &CreditPackage, actor: &Actor) -> Result<(), RepoError>;

    /// Replaces the package that stands at `package.version` and gives it the next version;
    /// `Stale` when it no longer stands there.
    async fn revise(
        &self,
        package: &CreditPackage,
        actor: &Actor,
    ) -> Result<CreditPackage, RepoError>;
}

/// Which packages are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Those on offer.
    OnOffer,
    /// All of them.
    All,
}

/// What is done with packages.
pub struct Packages {
    repository: Arc<dyn PackageRepository>,
    clock: Arc<dyn Clock>,
}

impl Packages {
    /// Builds the use cases on their ports.
    #[must_use]
    pub fn new(repository: Arc<dyn PackageRepository>, clock: Arc<dyn Clock>) -> Self {
        Self { repository, clock }
    }

    /// The packages, the cheapest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list(&self, which: Shown) -> Result<Vec<CreditPackage>, PackageError> {
        Ok(self.repository.list(which).await?)
    }

    /// The package with this id.
    ///
    /// # Errors
    /// When there is none, or the store fails.
    pub async fn find(&self, id: PackageId) -> Result<CreditPackage, PackageError> {
        let found = self.repository.find(id).await?;
        found.ok_or(PackageError::NotFound)
    }

    /// Makes a package.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn create(
        &self,
        actor: &Actor,
        new: NewPackage,
    ) -> Result<CreditPackage, PackageError> {
        let NewPackage {
            amounts,
            is_popular,
            is_active,
        } = new;
        let now = self.clock.now();
        let package = CreditPackage {
            id: PackageId::new(now),
            amounts,
            currency: "usd".to_owned(),
            is_popular,
            is_active,
            version: Version::FIRST,
            created_at: now,
            updated_at: now,
        };
        self.repository.create(&package, actor).await?;
        Ok(package)
    }

    /// Changes what `patch` mentions.
    ///
    /// # Errors
    /// When there is no such package, it is not what the caller expects, or the store fails.
    pub async fn revise(
        &self,
        actor: &Actor,
        id: PackageId,
        expected: &Expected,
        patch: PackagePatch,
    ) -> Result<CreditPackage, PackageError> {
        let mut package = self.find(id).await?;
        if !expected.admits(package.version) {
            return Err(PackageError::PreconditionFailed);
        }
        let PackagePatch {
            credits,
            bonus,
            price_cents,
            is_popular,
            is_active,
        } = patch;
        let amounts = &mut package.amounts;
        amounts.credits = credits.unwrap_or(amounts.credits);
        amounts.bonus = bonus.unwrap_or(amounts.bonus);
        amounts.price_cents = price_cents.unwrap_or(amounts.price_cents);
        package.is_popular = is_popular.unwrap_or(package.is_popular);
        package.is_active = is_active.unwrap_or(package.is_active);
        package.updated_at = self.clock.now();
        match self.repository.revise(&package, actor).await {
            Err(RepoError::Stale) if expected.is_stated() => Err(PackageError::PreconditionFailed),
            other => Ok(other?),
        }
    }

    /// Takes a package off the offer.
    ///
    /// # Errors
    /// As [`Packages::revise`].
    pub async fn withdraw(
        &self,
        actor: &Actor,
        id: PackageId,
        expected: &Expected,
    ) -> Result<CreditPackage, PackageError> {
        let patch = PackagePatch {
            is_active: Some(false),
            ..PackagePatch::default()
        };
        self.revise(actor, id, expected, patch).await
    }
}
