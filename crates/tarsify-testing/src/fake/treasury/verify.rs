//! Sums the treasury up again and compares, so that a mistake in the reference itself is found.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use tarsify_domain::RepoError;
use tarsify_domain::ledger::{HoldState, LedgerFault, LedgerReport, LedgerVerifier};
use tarsify_domain::money::Millicredits;

use super::{Account, FakeTreasury, State};
use crate::fake::paging::count;

fn fault(rule: &str, subject: String, detail: String) -> LedgerFault {
    LedgerFault {
        rule: rule.to_owned(),
        subject,
        detail,
    }
}

impl State {
    fn find_faults(&self) -> Vec<LedgerFault> {
        let mut faults = self.faults.clone();
        let balances = self.ledger.balances();
        let sum: i64 = balances.values().sum();
        if sum != 0 {
            let detail = format!("together they hold {sum}");
            faults.push(fault("sum", "all accounts".to_owned(), detail));
        }
        for (account, replayed) in self.ledger.replay() {
            let balance = self.ledger.balance(account);
            if balance != replayed {
                let detail = format!("holds {balance}, its transfers come to {replayed}");
                faults.push(fault("replay", format!("{account:?}"), detail));
            }
        }
        faults.extend(self.held_faults());
        faults.extend(self.run_faults());
        faults.extend(self.reversal_faults());
        faults
    }

    /// What is held is what the active holds come to.
    fn held_faults(&self) -> Vec<LedgerFault> {
        let mut active: BTreeMap<Account, i64> = BTreeMap::new();
        for run in self.runs.values() {
            let hold = run.hold.as_ref();
            let hold = hold.filter(|hold| hold.state == HoldState::Active);
            if let (Some(hold), Some(consumer)) = (hold, run.summary.consumer_id) {
                *active.entry(Account::Held(consumer)).or_default() += hold.amount;
            }
        }
        let held = self.ledger.balances().iter();
        let held = held.filter(|(account, _)| matches!(account, Account::Held(_)));
        let wrong = held.filter_map(|(account, balance)| {
            let sum = active.get(account).copied().unwrap_or_default();
            let detail = format!("holds {balance}, the active holds come to {sum}");
            (sum != *balance).then(|| fault("held", format!("{account:?}"), detail))
        });
        wrong.collect()
    }

    /// What is gone of a purchase is the part of which the price went back, and of its bonus no
    /// more than that.
    fn reversal_faults(&self) -> Vec<LedgerFault> {
        let bought = self.purchases.values();
        let wrong = bought.filter_map(|bought| {
            let id = bought.purchase.id;
            let (gone, reversed) = (self.gone(id), self.reversed(bought));
            let is_right =
                gone.credits == reversed.credits && (0..=reversed.bonus).contains(&gone.bonus);
            let detail = format!("{gone:?} are gone of it, {reversed:?} went back");
            (!is_right).then(|| fault("reversal", format!("purchase {id}"), detail))
        });
        wrong.collect()
    }

    /// A hold is what was captured or released; refunds are at most what was captured; the
    /// developer's part is what his share says.
    fn run_faults(&self) -> Vec<LedgerFault> {
        let mut moved: BTreeMap<(uuid::Uuid, &str), i64> = BTreeMap::new();
        for transfer in self.ledger.transfers() {
            *moved
                .entry((transfer.about.id, transfer.leg.kind))
                .or_default() += transfer.leg.amount;
        }
        let mut faults = Vec::new();
        for run in self.runs.values() {
            let Some(hold) = &run.hold else { continue };
            let id = run.summary.id;
            let sum = |kind| moved.get(&(id.uuid(), kind)).copied().unwrap_or_default();
            let (to_developer, to_platform) = (sum("capture_developer"), sum("capture_platform"));
            let captured = to_developer + to_platform;
            let wanted = match hold.state {
                HoldState::Active => (0, 0),
                HoldState::Captured => (hold.amount, 0),
                HoldState::Released => (0, hold.amount),
            };
            if sum("hold") != hold.amount || (captured, sum("release")) != wanted {
                faults.push(fault(
                    "hold",
                    format!("run {id}"),
                    format!("{:?}", hold.state),
                ));
            }
            let division = run.share.divide(Millicredits::new(captured));
            if division.developer.get() != to_developer || hold.earned != to_developer {
                faults.push(fault(
                    "split",
                    format!("run {id}"),
                    to_developer.to_string(),
                ));
            }
            if hold.remaining() < 0 || hold.taken_back > hold.earned {
                let detail = format!("{} of {} went back", hold.refunded, hold.amount);
                faults.push(fault("refund", format!("run {id}"), detail));
            }
        }
        faults
    }
}

#[async_trait]
impl LedgerVerifier for FakeTreasury {
    async fn verify(&self) -> Result<LedgerReport, RepoError> {
        let state = self.enter().await?;
        let mut faults = state.find_faults();
        let faults_total = count(faults.len());
        faults.truncate(usize::try_from(LedgerReport::NAMED).expect("a hundred fit"));
        Ok(LedgerReport {
            accounts: count(state.ledger.balances().len()),
            transfers: count(state.ledger.transfers().len()),
            faults_total,
            faults,
            took: Duration::from_millis(1),
        })
    }
}
