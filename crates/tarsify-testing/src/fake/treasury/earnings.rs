//! What developers earn, and how it comes to be payable.

use std::time::Duration;

use async_trait::async_trait;
use tarsify_domain::earnings::{
    Earning, EarningFilter, Earnings, EarningsRepository, MonthSums, PayoutStatus,
};
use tarsify_domain::id::{DeveloperId, ExecutionId};
use tarsify_domain::ledger::HoldState;
use tarsify_domain::money::{Millicredits, Share};
use tarsify_domain::{Page, PageRequest, RepoError, Timestamp};
use time::{Date, Month};

use super::ledger::Leg;
use super::reversals::fresh;
use super::{Account, FakeTreasury, State, subject};
use crate::fake::paging::{Direction, Sorting, microseconds, page};

impl State {
    fn earnings(&self, developer: DeveloperId, now: Timestamp) -> Earnings {
        let balance = |account| Millicredits::new(self.ledger.balance(account));
        let payouts = self.payouts.values().map(|sending| &sending.payout);
        let paid = payouts
            .filter(|payout| payout.developer == developer && payout.status == PayoutStatus::Paid);
        let owed = self.ledger.balance(Account::Owed(developer));
        let this_month = (now.year(), now.month());
        let last_month = match now.month() {
            Month::January => (now.year() - 1, Month::December),
            later => (now.year(), later.previous()),
        };
        Earnings {
            pending: balance(Account::Pending(developer)),
            available: balance(Account::Payable(developer)),
            in_payout: balance(Account::InPayout(developer)),
            paid_out: Millicredits::new(
                paid.map(|payout| payout.amount.millicredits().get()).sum(),
            ),
            owed: Millicredits::new(-owed),
            this_month: self.month(developer, this_month),
            last_month: self.month(developer, last_month),
        }
    }

    fn month(&self, developer: DeveloperId, month: (i32, Month)) -> MonthSums {
        let is_in = |day: Date| (day.year(), day.month()) == month;
        let facts = self.facts.iter();
        let facts = facts.filter(|fact| fact.developer == developer && is_in(fact.day));
        let (gross, net) = facts.fold((0, 0), |(gross, net), fact| {
            (gross + fact.gross, net + fact.earned)
        });
        MonthSums {
            gross: Millicredits::new(gross),
            net: Millicredits::new(net),
        }
    }

    fn history(&self, developer: DeveloperId, filter: &EarningFilter) -> Vec<Earning> {
        let his = self.runs.values().filter(|run| run.developer == developer);
        let earned = his.filter(|run| run.share > Share::NONE);
        let rows = earned.filter_map(|run| {
            let hold = run.hold.as_ref()?;
            let earned_at = hold
                .resolved_at
                .filter(|_| hold.state == HoldState::Captured)?;
            Some(Earning {
                run: run.summary.id,
                model: run.summary.model.id,
                slug: run.summary.model.slug.as_str().to_owned(),
                title: run.summary.model.title.as_str().to_owned(),
                gross: Millicredits::new(hold.amount),
                earned: Millicredits::new(hold.earned),
                taken_back: Millicredits::new(hold.taken_back),
                earned_at,
                is_mature: hold.is_mature,
            })
        });
        let EarningFilter { from, to } = *filter;
        rows.filter(|row| {
            from.is_none_or(|from| from <= row.earned_at) && to.is_none_or(|to| row.earned_at < to)
        })
        .collect()
    }

    fn mature(&mut self, up_to: Timestamp, limit: u32, now: Timestamp) -> u64 {
        // Whoever waits longest comes first.
        let waiting = self.developers.keys().filter_map(|developer| {
            let oldest = self.ripe(*developer, up_to).into_iter();
            let oldest = oldest.map(|id| self.runs[&id].hold.as_ref().and_then(|h| h.resolved_at));
            Some((oldest.min()?, *developer))
        });
        let mut developers: Vec<_> = waiting.collect();
        developers.sort_unstable();
        let mut left = usize::try_from(limit).expect("a limit fits");
        let mut many = 0;
        for (_, developer) in developers {
            let mut ripe = self.ripe(developer, up_to);
            ripe.truncate(left);
            left -= ripe.len();
            many += crate::fake::paging::count(ripe.len());
            if !ripe.is_empty() {
                self.mature_runs(developer, &ripe, now);
            }
        }
        many
    }

    fn ripe(&self, developer: DeveloperId, up_to: Timestamp) -> Vec<ExecutionId> {
        let his = self.runs.values().filter(|run| run.developer == developer);
        let ripe = his.filter(|run| {
            run.hold.as_ref().is_some_and(|hold| {
                let is_old = hold.resolved_at.is_some_and(|at| at <= up_to);
                hold.state == HoldState::Captured && !hold.is_mature && is_old
            })
        });
        ripe.map(|run| run.summary.id).collect()
    }

    fn mature_runs(&mut self, developer: DeveloperId, runs: &[ExecutionId], now: Timestamp) {
        let mut due = 0;
        for id in runs {
            let run = self.runs.get_mut(id).expect("it was there");
            let hold = run.hold.as_mut().expect("it was there");
            hold.is_mature = true;
            due += hold.earned - hold.taken_back;
        }
        let (pending, payable) = (Account::Pending(developer), Account::Payable(developer));
        let owed = Account::Owed(developer);
        // What was taken back from other earnings may have come out of these.
        let due = due.min(self.ledger.balance(pending));
        let debt = due.min(-self.ledger.balance(owed));
        let leg = |kind, from, to, amount| Leg {
            kind,
            from,
            to,
            amount,
        };
        let legs = [
            leg("mature", pending, payable, due),
            leg("recover", payable, owed, debt),
        ];
        self.ledger
            .must_post(subject("maturing", fresh(now)), now, &legs);
    }
}

#[async_trait]
impl EarningsRepository for FakeTreasury {
    async fn find_earnings(&self, developer: DeveloperId) -> Result<Earnings, RepoError> {
        let now = self.clock.now();
        Ok(self.enter().await?.earnings(developer, now))
    }

    async fn list_history(
        &self,
        developer: DeveloperId,
        filter: &EarningFilter,
        request: &PageRequest,
    ) -> Result<Page<Earning>, RepoError> {
        let rows = self.enter().await?.history(developer, filter);
        let sorting = Sorting {
            order: Earning::ORDER,
            direction: Direction::Descending,
            place: |row: &Earning| (microseconds(row.earned_at), row.run.uuid()),
        };
        Ok(page(rows, request, &sorting))
    }

    async fn mature(&self, after: Duration, limit: u32) -> Result<u64, RepoError> {
        let now = self.clock.now();
        Ok(self.enter().await?.mature(now - after, limit, now))
    }
}
