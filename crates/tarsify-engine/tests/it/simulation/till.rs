//! The money of a world by the simulation's own books: what people were given, and what has been
//! set aside, paid and earned since. After each step the wallets of the store are held against
//! them.

use std::collections::BTreeMap;

use tarsify_domain::Credits;
use tarsify_domain::execution::{
    Ending, ExecutionReport, ExecutionStatus, NewExecution, Requester,
};
use tarsify_domain::id::{ConsumerId, DeveloperId};
use tarsify_domain::money::Price;

use super::bug::Bug;
use super::people;
use super::run::Wish;
use super::time::SECOND;
use super::world::{Happening, Lawful, Violation, World, rule};

/// What of a price its developer earns here, in hundredths; not the default, so that nobody's
/// default passes for it.
pub(super) const HUNDREDTHS: i64 = 65;

/// The books, in credits.
#[derive(Default)]
pub(super) struct Till {
    books: BTreeMap<ConsumerId, Book>,
    /// What the runs of each developer's models came to.
    sales: BTreeMap<DeveloperId, i64>,
}

/// What is known of one consumer's credits.
#[derive(Default, Clone, Copy)]
struct Book {
    granted: i64,
    held: i64,
    paid: i64,
}

impl Book {
    const fn available(self) -> i64 {
        self.granted - self.held - self.paid
    }
}

impl World {
    /// Gives everybody something to spend; some have little.
    pub(super) fn fund(&mut self, everybody: &[Requester]) {
        for requester in everybody {
            let Requester::Consumer(consumer) = *requester else {
                continue;
            };
            let granted = if self.dice.chance(100) {
                i64::try_from(self.dice.below(200)).unwrap()
            } else {
                1_000_000
            };
            self.store.grant(consumer, Credits::new(granted));
            self.till.books.entry(consumer).or_default().granted = granted;
        }
    }

    /// An admission set the price aside.
    pub(super) fn book_hold(&mut self, run: usize, new: &NewExecution) -> Lawful {
        let Requester::Consumer(consumer) = new.requester else {
            return Ok(());
        };
        let price = credits(new.model.price);
        let book = self.till.books.entry(consumer).or_default();
        let before = *book;
        book.held += price;
        rule(
            price <= before.available(),
            "nobody spends what he has not",
            run,
            || format!("{price} of {}", before.available()),
        )?;
        if std::mem::take(&mut self.runs[run].was_refused_credit) {
            self.saw("admission: accepted once there were credits again");
        }
        if self.has(Bug::HoldsTwice) {
            let twin = NewExecution {
                id: people::execution_id(&mut self.dice),
                idempotency: None,
                ..new.clone()
            };
            if price > 0 {
                let _twice = self.admit(&twin);
            }
        }
        Ok(())
    }

    /// An admission was refused because there is too little.
    pub(super) fn refused_credit(
        &mut self,
        run: usize,
        new: &NewExecution,
        (required, available): (Credits, Credits),
        wish: Wish,
    ) -> Lawful {
        let price = new.model.price.credits();
        let book = match new.requester {
            Requester::Consumer(consumer) => self.till.books.get(&consumer).copied(),
            Requester::Developer { .. } => None,
        };
        let is_right = book.is_some_and(|book| {
            required == price && available.get() == book.available() && available < required
        });
        rule(is_right, "who has enough is accepted", run, || {
            format!("{required:?} of {available:?}")
        })?;
        self.saw("admission: refused for want of credits");
        self.runs[run].was_refused_credit = true;
        if self.dice.chance(500) {
            let after = self.dice.between(SECOND, 40 * SECOND);
            self.put_in(after, Happening::Wished { run, wish });
        }
        Ok(())
    }

    /// A run has ended, and its price is taken or given back.
    pub(super) fn book_end(&mut self, run: usize, ending: Ending) {
        let its = &self.runs[run];
        let (Requester::Consumer(consumer), Some(model)) = (its.plan.requester, &its.model) else {
            return;
        };
        let price = credits(model.price);
        let developer = model.developer_id;
        let book = self.till.books.entry(consumer).or_default();
        book.held -= price;
        if ending == Ending::Completed {
            book.paid += price;
            *self.till.sales.entry(developer).or_default() += price;
            if price > 0 {
                self.saw("money: a price was paid");
            }
        } else if price > 0 {
            self.saw("money: a price was given back");
        }
    }

    /// E10: what is charged is the price of what completed, and nothing else.
    pub(super) fn audit_charge(&self, run: usize, report: &ExecutionReport) -> Lawful {
        let summary = &report.execution.summary;
        let expected = match summary.status {
            ExecutionStatus::Completed => summary.price.credits(),
            _ => Credits::ZERO,
        };
        rule(
            summary.charged == expected,
            "E10: what completed is charged, once, and nothing else",
            run,
            || format!("{:?} for {:?}", summary.charged, summary.status),
        )
    }

    /// E1 and E2: the price of each run is set aside while it is open and resolved once when it
    /// has ended, so that nothing appears and nothing is lost.
    pub(super) fn audit_money(&self) -> Lawful {
        for (consumer, book) in &self.till.books {
            let wallet = self.store.wallet(*consumer);
            let (available, held) = (wallet.available.get(), wallet.held.get());
            let said = |what: &str| format!("{what}: {wallet:?} of {consumer}");
            broken(
                held == book.held * 1_000,
                "E1: what is set aside is the price of what is open",
                || said(&format!("{} credits are to be held", book.held)),
            )?;
            broken(
                available + held + book.paid * 1_000 == book.granted * 1_000,
                "E2: each end takes or gives back its price, once",
                || said(&format!("{} given, {} paid", book.granted, book.paid)),
            )?;
        }
        let mut earned = 0;
        for (developer, sales) in &self.till.sales {
            let its = self.store.earned(*developer).get();
            earned += its;
            broken(
                its == sales * 10 * HUNDREDTHS,
                "a price is divided by the share of its run",
                || format!("{its} earned of {sales} credits by {developer}"),
            )?;
        }
        let sales: i64 = self.till.sales.values().sum();
        let kept = self.store.revenue().get();
        broken(
            kept + earned == sales * 1_000,
            "what is taken is divided without a rest",
            || format!("{kept} kept and {earned} earned of {sales} credits"),
        )
    }
}

const fn credits(price: Price) -> i64 {
    price.credits().get()
}

/// Breaks a rule that belongs to no run in particular, unless it holds.
fn broken(holds: bool, rule: &'static str, said: impl FnOnce() -> String) -> Lawful {
    if holds {
        return Ok(());
    }
    Err(Violation {
        rule,
        run: None,
        said: said(),
    })
}
