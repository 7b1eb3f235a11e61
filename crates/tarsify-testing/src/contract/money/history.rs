//! Random histories of everything that happens to money, lived through by the reference and by
//! another store at the same time. After every step both have the same in every account, and
//! their books are in order.

use std::collections::VecDeque;
use std::sync::Arc;

use tarsify_domain::execution::{NewExecution, RunnableModel};

use super::world::{MoneyWorld, WEEK, actor, days, reason};
use crate::builders::{new_run, page};
use crate::fake::Account;

mod chance;
mod past;
mod step;

use chance::Chance;
use past::Past;
use step::Step;

/// How many steps a failure tells of.
const TOLD: usize = 20;

/// How a side says that it did something that answers nothing.
const ACCEPTED: &str = "Ok(())";

/// One of the two stores.
struct Side {
    world: MoneyWorld,
    models: Vec<Arc<RunnableModel>>,
}

/// Lets two stores that hold nothing yet live through the same history, which only `seed`
/// decides.
///
/// # Panics
/// When they differ, or when the books of one of them are wrong. The message tells the seed and
/// the last steps.
pub async fn live(seed: u64, steps: usize, reference: MoneyWorld, store: MoneyWorld) {
    let mut sides = [reference, store].map(|world| Side {
        world,
        models: Vec::new(),
    });
    let mut past = Past::new(Chance::new(seed));
    let mut told = VecDeque::new();
    for number in 0..steps {
        let step = past.next();
        told.push_back(format!("{number}: {step:?}"));
        if told.len() > TOLD {
            told.pop_front();
        }
        let [left, right] = &mut sides;
        let (ours, theirs) = (left.take(&step).await, right.take(&step).await);
        let where_it_was = || {
            let told: Vec<_> = told.iter().map(String::as_str).collect();
            format!("history {seed}, the last steps: {}", told.join("\n"))
        };
        assert_eq!(ours, theirs, "answers of {}", where_it_was());
        if let Step::Begin { id, .. } = step
            && ours == ACCEPTED
        {
            past.accepted(id);
        }
        compare(left, right, where_it_was).await;
    }
    let [left, right] = &sides;
    for consumer in past.consumers() {
        let (ours, theirs) = (left.reads(consumer).await, right.reads(consumer).await);
        assert_eq!(ours, theirs, "{consumer} at the end of history {seed}");
    }
}

/// Demands that both have the same in every account, and that both books are in order.
async fn compare(left: &Side, right: &Side, where_it_was: impl Fn() -> String) {
    let ours = left.world.props.balances().await;
    let theirs = right.world.props.balances().await;
    let differing: Vec<_> = ours
        .iter()
        .filter(|(account, balance)| theirs.get(account) != Some(balance))
        .map(|(account, balance)| (*account, *balance, theirs.get(account)))
        .collect();
    assert!(differing.is_empty(), "{differing:?} in {}", where_it_was());
    assert_eq!(ours.len(), theirs.len(), "accounts in {}", where_it_was());
    for side in [left, right] {
        let report = side.world.ledger.verify().await.unwrap();
        assert!(
            report.is_sound(),
            "{:?} in {}",
            report.faults,
            where_it_was()
        );
    }
    let guarded = ours
        .iter()
        .filter(|(account, _)| account.owner().is_some() && !matches!(account, Account::Owed(_)));
    for (account, balance) in guarded {
        assert!(*balance >= 0, "{account:?} in {}", where_it_was());
    }
}

impl Side {
    /// Takes a step and answers what came of it, in words that are the same for every store.
    async fn take(&mut self, step: &Step) -> String {
        let world = &self.world;
        match step {
            Step::Consumer(new) => {
                world.props.consumer(new).await;
                String::new()
            }
            Step::Developer(new) => {
                world.props.developer(new).await;
                String::new()
            }
            Step::Model(developer, credits) => {
                let model = world.props.model(*developer, *credits).await;
                self.models.push(model);
                String::new()
            }
            Step::Account(developer, account) => {
                let attached = world.payouts.attach_account(*developer, account).await;
                format!("{attached:?}")
            }
            Step::Open(purchase) => format!("{:?}", world.purchases.open(purchase).await),
            Step::Tell(message) => {
                format!("{:?}", world.purchases.apply(message).await)
            }
            Step::ClawBack => format!("{:?}", world.purchases.claw_back(100).await),
            Step::Begin {
                id,
                consumer,
                model,
                share,
            } => {
                let new = NewExecution {
                    id: *id,
                    developer_share: *share,
                    ..new_run(&self.models[*model], *consumer)
                };
                format!("{:?}", world.props.begin(&new).await)
            }
            Step::End(run, end) => {
                world.props.end(*run, *end).await;
                String::new()
            }
            Step::Refund(new) => {
                let why = reason("history");
                let refund = world.wallets.refund(new, &actor(), &why).await;
                let refund = refund.map(|refund| (refund.amount, refund.from_developer));
                format!("{refund:?}")
            }
            Step::Adjust(adjustment) => format!("{:?}", world.wallets.adjust(adjustment).await),
            Step::Pass(number) => {
                world.props.pass(days(*number)).await;
                String::new()
            }
            Step::Mature(limit) => format!("{:?}", world.earnings.mature(WEEK, *limit).await),
            Step::Request(new) => {
                let payout = world.payouts.request(new).await;
                let payout = payout.map(|payout| (payout.amount, payout.status));
                format!("{payout:?}")
            }
            // Of a payout that was refused stores tell only that they do not know it.
            Step::Finish(payout, end) => {
                world.payouts.finish(*payout, end).await.is_ok().to_string()
            }
            Step::Tally => {
                world.props.tally().await;
                String::new()
            }
        }
    }

    /// What a consumer reads at the end.
    async fn reads(&self, consumer: tarsify_domain::id::ConsumerId) -> String {
        let wallet = self.world.wallet(consumer).await;
        let mut lines = Vec::new();
        for number in 1.. {
            let page = page(number, 100);
            let list = self.world.wallets.list_statement(consumer, None, &page);
            let list = list.await.unwrap().items;
            if list.is_empty() {
                break;
            }
            let told = list
                .iter()
                .map(|line| (line.kind, line.amount, line.balance_after));
            lines.extend(told);
        }
        format!("{wallet:?} {lines:?}")
    }
}
