//! Wallets, statements and receipts, read from the transfers, and what administrators change.

use async_trait::async_trait;
use tarsify_domain::audit::{Actor, Reason};
use tarsify_domain::execution::{ExecutionKind, Found};
use tarsify_domain::id::{ConsumerId, ExecutionId, RefundId};
use tarsify_domain::ledger::{
    Adjustment, AdjustmentError, EntryKind, EntrySubject, NewRefund, Receipt, ReceiptEntry,
    ReceiptKind, Refund, RefundError, StatementEntry, Wallet, WalletRepository,
};
use tarsify_domain::money::Millicredits;
use tarsify_domain::page::CursorKey;
use tarsify_domain::{Page, PageRequest, RepoError, Scope, Timestamp};

use super::ledger::{Lacking, Leg};
use super::reversals::ReversalKind;
use super::runs::{Fact, Run};
use super::{Account, FakeAuditEntry, FakeTreasury, State, subject};
use crate::fake::paging::{Direction, Sorting, page};

impl State {
    fn wallet(&self, consumer: ConsumerId) -> Wallet {
        let balance = |account| Millicredits::new(self.ledger.balance(account));
        let facts = self.facts.iter().filter(|fact| fact.consumer == consumer);
        Wallet {
            available: balance(Account::Available(consumer)),
            held: balance(Account::Held(consumer)),
            lifetime_purchased: self.lifetime_purchased(consumer),
            lifetime_spent: Millicredits::new(facts.map(|fact| fact.gross).sum()).credits(),
        }
    }

    /// The lines of a statement, oldest first. What moved for one reason is one line, wherever it
    /// came from and went to.
    fn statement(&self, consumer: ConsumerId) -> Vec<StatementEntry> {
        let wallet = Account::Available(consumer);
        let mut lines: Vec<StatementEntry> = Vec::new();
        for (number, transfer) in (1_i64..).zip(self.ledger.transfers()) {
            let amount = match transfer.leg {
                leg if leg.to == wallet => leg.amount,
                leg if leg.from == wallet => -leg.amount,
                _ => continue,
            };
            let kind = self.entry_kind(transfer.leg.kind, transfer.about);
            let same = lines
                .iter()
                .position(|line| line.subject == transfer.about && line.kind == kind);
            let before = same.map_or(0, |same| lines.remove(same).amount.get());
            lines.push(StatementEntry {
                id: number,
                kind,
                amount: Millicredits::new(before + amount),
                balance_after: Millicredits::new(transfer.after.expect("a wallet was touched")),
                subject: transfer.about,
                model_title: self.model_title(transfer.about),
                created_at: transfer.at,
            });
        }
        lines
    }

    fn entry_kind(&self, transfer: &str, about: EntrySubject) -> EntryKind {
        match transfer {
            "purchase" => EntryKind::Purchase,
            "bonus" => EntryKind::Bonus,
            "welcome" => EntryKind::Welcome,
            "adjustment" => EntryKind::Adjustment,
            "hold" => EntryKind::Hold,
            "release" => EntryKind::Release,
            "refund_pending" | "refund_payable" | "refund_platform" => EntryKind::Refund,
            "card_refund" => EntryKind::CardRefund,
            "chargeback" | "reversal_recovered" => EntryKind::Chargeback,
            "chargeback_returned" | "bonus_returned" => EntryKind::ChargebackReturned,
            "bonus_reversal" => {
                let mut reversals = self.reversals.iter();
                let its = reversals.find(|reversal| reversal.id.uuid() == about.id);
                match its.expect("the reversal is kept").kind {
                    ReversalKind::Refund => EntryKind::CardRefund,
                    ReversalKind::Dispute => EntryKind::Chargeback,
                }
            }
            other => panic!("{other} stands on no statement"),
        }
    }

    fn model_title(&self, about: EntrySubject) -> Option<String> {
        let run = match about.kind {
            "execution" => ExecutionId::from_uuid(about.id),
            "refund" => {
                let mut refunds = self.refunds.iter();
                refunds.find(|refund| refund.id.uuid() == about.id)?.run
            }
            _ => return None,
        };
        let run = self.runs.get(&run)?;
        Some(run.summary.model.title.as_str().to_owned())
    }

    fn receipt(&self, run: &Run) -> Receipt {
        let refunds = self.refunds.iter().filter(|one| one.run == run.summary.id);
        let mut entries = Vec::new();
        if let Some(hold) = &run.hold {
            let entry = |kind, at| ReceiptEntry {
                kind,
                amount: Millicredits::new(hold.amount),
                at,
            };
            entries.push(entry(ReceiptKind::Hold, hold.held_at));
            if let Some(at) = hold.resolved_at {
                let kind = if hold.state == tarsify_domain::ledger::HoldState::Captured {
                    ReceiptKind::Capture
                } else {
                    ReceiptKind::Release
                };
                entries.push(entry(kind, at));
            }
        }
        entries.extend(refunds.map(|refund| ReceiptEntry {
            kind: ReceiptKind::Refund,
            amount: refund.amount.millicredits(),
            at: refund.created_at,
        }));
        let refunded = run.hold.as_ref().map_or(0, |hold| hold.refunded);
        let charged = run.summary.charged.millicredits().get();
        Receipt {
            run: run.summary.clone(),
            state: run.hold.as_ref().map(|hold| hold.state),
            paid: Millicredits::new(charged - refunded),
            refunded: Millicredits::new(refunded),
            entries,
        }
    }

    fn adjust(&mut self, adjustment: &Adjustment, now: Timestamp) -> Result<(), AdjustmentError> {
        let (consumer, credits) = (adjustment.consumer, adjustment.amount.credits());
        if !self.consumers.contains_key(&consumer) {
            return Err(AdjustmentError::NoConsumer);
        }
        if self.grants.contains(&adjustment.id) {
            return Ok(());
        }
        let amount = credits.millicredits().get();
        let (from, to) = if amount > 0 {
            (Account::Promo, Account::Available(consumer))
        } else {
            (Account::Available(consumer), Account::Promo)
        };
        let leg = Leg {
            kind: "adjustment",
            from,
            to,
            amount: amount.abs(),
        };
        let about = subject("grant", adjustment.id.uuid());
        let posted = self.ledger.post(about, now, &[leg]);
        posted.map_err(|Lacking(lacking)| AdjustmentError::Insufficient {
            required: Millicredits::new(-amount).credits(),
            available: Millicredits::new(-amount - lacking).credits(),
        })?;
        self.grants.insert(adjustment.id);
        self.audit.push(FakeAuditEntry {
            actor: adjustment.actor.clone(),
            action: "consumer.adjust",
            about: consumer.uuid(),
            reason: Some(adjustment.reason.clone()),
        });
        Ok(())
    }

    /// The refund of this id, if there is one.
    fn known_refund(&self, id: RefundId) -> Option<Refund> {
        self.refunds.iter().find(|refund| refund.id == id).copied()
    }

    fn refund(&mut self, new: &NewRefund, now: Timestamp) -> Result<Refund, RefundError> {
        let run = self.runs.get(&new.run);
        let run = run.filter(|run| run.summary.kind == ExecutionKind::Run);
        let run = run.ok_or(RefundError::NoRun)?;
        let left = run.hold.as_ref().map_or(0, super::runs::Hold::remaining);
        let left = Millicredits::new(left).credits();
        let amount = new.amount.unwrap_or(left);
        let given = amount.millicredits();
        let (Some(hold), Some(consumer), true) = (
            run.hold.as_ref(),
            run.summary.consumer_id,
            given > Millicredits::ZERO && amount <= left,
        ) else {
            return Err(RefundError::TooMuch(left));
        };
        let before = Millicredits::new(hold.refunded + hold.clawed);
        let share = run.share.taken_back(before, given).get();
        let (developer, model) = (run.developer, run.summary.model.id);
        let back = self.take_back(developer, share);
        let leg = |kind, from, amount| Leg {
            kind,
            from,
            to: Account::Available(consumer),
            amount,
        };
        let legs = [
            leg("refund_pending", Account::Pending(developer), back.pending),
            leg("refund_payable", Account::Payable(developer), back.payable),
            leg(
                "refund_platform",
                Account::Revenue,
                given.get() - share + back.rest,
            ),
        ];
        self.ledger
            .must_post(subject("refund", new.id.uuid()), now, &legs);
        let from_developer = share - back.rest;
        let run = self.runs.get_mut(&new.run).expect("it was there");
        let hold = run.hold.as_mut().expect("it was there");
        hold.refunded += given.get();
        hold.taken_back += share;
        self.facts.push(Fact {
            model,
            developer,
            consumer,
            day: now.date(),
            ended: None,
            gross: -given.get(),
            earned: -from_developer,
        });
        let refund = Refund {
            id: new.id,
            run: new.run,
            amount,
            from_developer: Millicredits::new(from_developer),
            created_at: now,
        };
        self.refunds.push(refund);
        Ok(refund)
    }
}

/// What a scope sees of it, as of every execution.
fn seen(scope: Scope, run: Option<&Run>) -> Found<&Run> {
    let Some(run) = run else {
        return Found::Nowhere;
    };
    let is_his = match scope {
        Scope::System => true,
        Scope::Consumer(id) => run.summary.consumer_id == Some(id),
        Scope::Developer(id) => run.summary.tester_id == Some(id),
    };
    if is_his {
        Found::Here(run)
    } else {
        Found::Foreign
    }
}

#[async_trait]
impl WalletRepository for FakeTreasury {
    async fn find_wallet(&self, consumer: ConsumerId) -> Result<Wallet, RepoError> {
        Ok(self.enter().await?.wallet(consumer))
    }

    async fn list_statement(
        &self,
        consumer: ConsumerId,
        kind: Option<EntryKind>,
        request: &PageRequest,
    ) -> Result<Page<StatementEntry>, RepoError> {
        let mut lines = self.enter().await?.statement(consumer);
        lines.retain(|line| kind.is_none_or(|only| only == line.kind));
        let sorting = Sorting {
            order: StatementEntry::ORDER,
            direction: Direction::Descending,
            place: |line: &StatementEntry| (CursorKey::Integer(line.id), line.subject.id),
        };
        Ok(page(lines, request, &sorting))
    }

    async fn find_receipt(
        &self,
        scope: Scope,
        run: ExecutionId,
    ) -> Result<Found<Receipt>, RepoError> {
        let state = self.enter().await?;
        let found = seen(scope, state.runs.get(&run));
        Ok(found.map(|run| state.receipt(run)))
    }

    async fn adjust(&self, adjustment: &Adjustment) -> Result<Wallet, AdjustmentError> {
        let now = self.clock.now();
        let mut state = self.enter().await?;
        state.adjust(adjustment, now)?;
        Ok(state.wallet(adjustment.consumer))
    }

    async fn refund(
        &self,
        new: &NewRefund,
        actor: &Actor,
        reason: &Reason,
    ) -> Result<Refund, RefundError> {
        let now = self.clock.now();
        let mut state = self.enter().await?;
        if let Some(refund) = state.known_refund(new.id) {
            return Ok(refund);
        }
        let refund = state.refund(new, now)?;
        state.audit.push(FakeAuditEntry {
            actor: actor.clone(),
            action: "execution.refund",
            about: new.run.uuid(),
            reason: Some(reason.clone()),
        });
        Ok(refund)
    }
}
