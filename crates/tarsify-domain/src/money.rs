//! Credits, the unit of every price, and the thousandths of them in which the ledger counts.
//! Whole numbers only.

mod share;

pub use share::{Division, Share, proportion};

use crate::error::Misfit;

/// An amount of credits; one credit is one US cent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Credits(i64);

impl Credits {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// Wraps a stored amount.
    #[must_use]
    pub const fn new(amount: i64) -> Self {
        Self(amount)
    }

    /// The amount to store or to show.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The same in the ledger's unit.
    #[must_use]
    pub const fn millicredits(self) -> Millicredits {
        Millicredits(self.0.saturating_mul(Millicredits::IN_A_CREDIT))
    }
}

/// An amount in the ledger: thousandths of a credit, so that a share of one credit is not nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millicredits(i64);

impl Millicredits {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// How many make a credit.
    pub const IN_A_CREDIT: i64 = 1_000;

    /// Wraps a stored amount.
    #[must_use]
    pub const fn new(amount: i64) -> Self {
        Self(amount)
    }

    /// The amount to store or to show.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// Whole credits, rounded down.
    #[must_use]
    pub const fn credits(self) -> Credits {
        Credits(self.0.div_euclid(Self::IN_A_CREDIT))
    }
}

/// What one run of a tars model costs: 0 to 1,000,000 credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Price(Credits);

impl Price {
    /// The highest price a developer may ask.
    pub const MAX: i64 = 1_000_000;
    /// What a model costs when its developer names no price: never free by accident, because
    /// somebody pays for the GPU.
    pub const DEFAULT: Self = Self(Credits(10));

    /// Checks the bounds.
    ///
    /// # Errors
    /// When the amount is negative or above [`Price::MAX`].
    pub fn parse(amount: i64) -> Result<Self, Misfit> {
        if amount < 0 {
            return Err(Misfit::new("minimum", "must be 0 or more"));
        }
        if amount > Self::MAX {
            return Err(Misfit::new("maximum", "must be 1000000 or less"));
        }
        Ok(Self(Credits(amount)))
    }

    /// The price in credits.
    #[must_use]
    pub const fn credits(self) -> Credits {
        self.0
    }
}
