//! A developer's earnings, run by run.

use crate::clock::Timestamp;
use crate::id::{ExecutionId, TarsModelId};
use crate::money::Millicredits;
use crate::page::{KeyKind, Order};

/// What one run brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earning {
    /// The run.
    pub run: ExecutionId,
    /// Its model.
    pub model: TarsModelId,
    /// The model's name in addresses.
    pub slug: String,
    /// The model's title.
    pub title: String,
    /// What the consumer paid.
    pub gross: Millicredits,
    /// What of it the developer earned.
    pub earned: Millicredits,
    /// What of that was taken back since, by refunds and disputes.
    pub taken_back: Millicredits,
    /// When.
    pub earned_at: Timestamp,
    /// Whether it may be paid out.
    pub is_mature: bool,
}

impl Earning {
    /// The order of the history: newest first.
    pub const ORDER: Order = Order {
        name: "newest",
        key: KeyKind::Integer,
    };

    /// What the platform kept.
    #[must_use]
    pub const fn platform_fee(&self) -> Millicredits {
        Millicredits::new(self.gross.get().saturating_sub(self.earned.get()))
    }
}

/// Which earnings are wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EarningFilter {
    /// Not before this moment.
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub to: Option<Timestamp>,
}
