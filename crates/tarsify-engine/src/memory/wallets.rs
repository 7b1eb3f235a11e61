//! The credits of the in-memory store: what consumers can spend, what is set aside for their
//! runs, and what came of it for developers and for the platform. Nobody spends what he has not.

use std::collections::HashMap;

use tarsify_domain::Credits;
use tarsify_domain::execution::ExecutionStatus;
use tarsify_domain::id::{ConsumerId, DeveloperId};
use tarsify_domain::money::{Division, Millicredits, Price, Share};

use super::row::{Row, Who};

/// A consumer's credits in a [`super::MemoryStore`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wallet {
    /// What he can spend.
    pub available: Millicredits,
    /// What is set aside for runs that have not ended.
    pub held: Millicredits,
}

/// Everybody's credits.
#[derive(Default)]
pub(super) struct Wallets {
    of_consumers: HashMap<ConsumerId, Wallet>,
    of_developers: HashMap<DeveloperId, Millicredits>,
    of_the_platform: Millicredits,
}

impl Wallets {
    pub(super) fn of_consumer(&self, id: ConsumerId) -> Wallet {
        self.of_consumers.get(&id).copied().unwrap_or_default()
    }

    pub(super) fn of_developer(&self, id: DeveloperId) -> Millicredits {
        self.of_developers.get(&id).copied().unwrap_or_default()
    }

    pub(super) const fn of_the_platform(&self) -> Millicredits {
        self.of_the_platform
    }

    /// Gives credits; of nothing or less, nothing.
    pub(super) fn grant(&mut self, id: ConsumerId, given: Credits) {
        let wallet = self.of_consumers.entry(id).or_default();
        wallet.available = plus(wallet.available, given.max(Credits::ZERO).millicredits());
    }

    /// Sets a price aside, or answers what there is to spend instead.
    pub(super) fn hold(&mut self, id: ConsumerId, price: Price) -> Result<(), Credits> {
        let price = price.credits().millicredits();
        if price == Millicredits::ZERO {
            return Ok(());
        }
        let wallet = self.of_consumers.entry(id).or_default();
        if wallet.available < price {
            return Err(wallet.available.credits());
        }
        wallet.available = minus(wallet.available, price);
        wallet.held = plus(wallet.held, price);
        Ok(())
    }

    /// What becomes of the price of a run that has just ended: it is divided when there is a
    /// result, and given back otherwise. A test run has none.
    pub(super) fn resolve(&mut self, row: &Row) {
        let Who::Consumer(consumer) = row.who else {
            return;
        };
        let price = row.price.credits().millicredits();
        let wallet = self.of_consumers.entry(consumer).or_default();
        wallet.held = minus(wallet.held, price);
        if row.status == ExecutionStatus::Completed {
            self.earn(row.model.developer_id, row.share, price);
        } else {
            wallet.available = plus(wallet.available, price);
        }
    }

    fn earn(&mut self, id: DeveloperId, share: Share, captured: Millicredits) {
        let Division {
            developer,
            platform,
        } = share.divide(captured);
        let earned = self.of_developers.entry(id).or_default();
        *earned = plus(*earned, developer);
        self.of_the_platform = plus(self.of_the_platform, platform);
    }
}

const fn plus(amount: Millicredits, more: Millicredits) -> Millicredits {
    Millicredits::new(amount.get().saturating_add(more.get()))
}

const fn minus(amount: Millicredits, less: Millicredits) -> Millicredits {
    Millicredits::new(amount.get().saturating_sub(less.get()))
}
