//! How the price of a run is divided between the developer of the model and the platform.

use crate::error::Misfit;
use crate::money::Millicredits;

/// The developer's part of a price, in ten-thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Share(i64);

/// A price, divided. The two parts always make the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Division {
    /// What the developer earns.
    pub developer: Millicredits,
    /// What the platform keeps.
    pub platform: Millicredits,
}

impl Share {
    /// 70 %.
    pub const DEFAULT: Self = Self(7_000);
    /// Nothing: a developer's runs of his own model.
    pub const NONE: Self = Self(0);
    /// All of it.
    pub const WHOLE: i64 = 10_000;

    /// Checks the bounds.
    ///
    /// # Errors
    /// When it is negative or more than the whole.
    pub fn parse(ten_thousandths: i64) -> Result<Self, Misfit> {
        if (0..=Self::WHOLE).contains(&ten_thousandths) {
            Ok(Self(ten_thousandths))
        } else {
            Err(Misfit::new("range", "must be 0 to 10000"))
        }
    }

    /// The part to store.
    #[must_use]
    pub const fn ten_thousandths(self) -> i64 {
        self.0
    }

    /// What the platform keeps, in ten-thousandths.
    #[must_use]
    pub const fn platform_ten_thousandths(self) -> i64 {
        Self::WHOLE - self.0
    }

    /// Divides what was captured: the developer's part is rounded down, the platform has the
    /// rest.
    #[must_use]
    pub fn divide(self, amount: Millicredits) -> Division {
        let developer = Millicredits::new(proportion(amount.get(), self.0, Self::WHOLE));
        Division {
            developer,
            platform: Millicredits::new(amount.get().saturating_sub(developer.get())),
        }
    }

    /// What the developer gives back of `given`, when `before` has been given back already: so
    /// that refunds in parts come to exactly what one refund of all would.
    #[must_use]
    pub fn taken_back(self, before: Millicredits, given: Millicredits) -> Millicredits {
        let after = Millicredits::new(before.get().saturating_add(given.get()));
        let (upto, from) = (self.divide(after).developer, self.divide(before).developer);
        Millicredits::new(upto.get().saturating_sub(from.get()))
    }
}

/// `part` of `whole` of an amount, rounded down; nothing of an empty whole.
#[must_use]
pub fn proportion(amount: i64, part: i64, whole: i64) -> i64 {
    let product = i128::from(amount) * i128::from(part);
    let quotient = product.checked_div_euclid(i128::from(whole));
    quotient
        .and_then(|part| i64::try_from(part).ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests;
