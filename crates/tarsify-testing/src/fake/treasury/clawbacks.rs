//! What is looked for at developers when a dispute is lost: the money that came to them by runs
//! of the consumer who paid nothing in the end.

use std::collections::BTreeMap;

use tarsify_domain::Timestamp;
use tarsify_domain::id::{DeveloperId, ExecutionId, PurchaseId, TarsModelId};
use tarsify_domain::money::Millicredits;
use tarsify_domain::payments::Verdict;

use super::reversals::{fresh, leg};
use super::runs::Fact;
use super::{Account, State, subject};

impl State {
    pub(super) fn claw_back(&mut self, limit: u32, now: Timestamp) -> u64 {
        let mut many = 0;
        for place in 0..self.reversals.len() {
            let reversal = &mut self.reversals[place];
            let lost = match &reversal.effect {
                Some(effect) if reversal.verdict == Some(Verdict::Lost) => effect.lost,
                _ => 0,
            };
            if lost == 0 || reversal.is_clawed || many == u64::from(limit) {
                continue;
            }
            reversal.is_clawed = true;
            many += 1;
            let effect = reversal.effect.as_ref().expect("it has one");
            let (purchase, missing) = (effect.purchase, effect.missing());
            for (developer, share) in self.mark_clawed(purchase, missing, now) {
                self.claw_back_from(developer, share, now);
            }
        }
        many
    }

    /// Marks the runs to which the lost money went: those that were paid for after the purchase,
    /// the last ones first. Answers what their developers have to give back.
    fn mark_clawed(
        &mut self,
        purchase: PurchaseId,
        mut missing: i64,
        now: Timestamp,
    ) -> BTreeMap<DeveloperId, i64> {
        let bought = &self.purchases[&purchase].purchase;
        let (consumer, since) = (bought.consumer, bought.paid_at.expect("it was paid"));
        let mut spent: Vec<(Timestamp, ExecutionId)> = Vec::new();
        for (id, run) in &self.runs {
            let hold = run.hold.as_ref().filter(|hold| hold.remaining() > 0);
            let resolved_at = hold.and_then(|hold| hold.resolved_at);
            if let Some(at) = resolved_at.filter(|at| *at >= since)
                && run.summary.consumer_id == Some(consumer)
            {
                spent.push((at, *id));
            }
        }
        spent.sort_unstable();
        let mut shares = BTreeMap::new();
        let mut sums: BTreeMap<(TarsModelId, DeveloperId), i64> = BTreeMap::new();
        for (_, id) in spent.into_iter().rev() {
            let run = self.runs.get_mut(&id).expect("it was there");
            let hold = run.hold.as_mut().expect("it was there");
            let part = hold.remaining().min(missing);
            let before = Millicredits::new(hold.refunded + hold.clawed);
            let share = run.share.taken_back(before, Millicredits::new(part)).get();
            hold.clawed += part;
            hold.taken_back += share;
            missing -= part;
            if share > 0 {
                *shares.entry(run.developer).or_default() += share;
                *sums
                    .entry((run.summary.model.id, run.developer))
                    .or_default() += share;
            }
            if missing == 0 {
                break;
            }
        }
        let facts = sums.into_iter().map(|((model, developer), share)| Fact {
            model,
            developer,
            consumer,
            day: now.date(),
            ended: None,
            gross: 0,
            earned: -share,
        });
        self.facts.extend(facts);
        shares
    }

    fn claw_back_from(&mut self, developer: DeveloperId, share: i64, now: Timestamp) {
        let back = self.take_back(developer, share);
        let legs = [
            leg(
                "clawback_pending",
                (Account::Pending(developer), Account::Loss),
                back.pending,
            ),
            leg(
                "clawback_payable",
                (Account::Payable(developer), Account::Loss),
                back.payable,
            ),
            leg(
                "clawback_owed",
                (Account::Owed(developer), Account::Loss),
                back.rest,
            ),
        ];
        self.ledger
            .must_post(subject("clawback", fresh(now)), now, &legs);
    }
}
