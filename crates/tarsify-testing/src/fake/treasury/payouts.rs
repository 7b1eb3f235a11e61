//! Payouts in memory: reserved, on their way, arrived or come back.

use async_trait::async_trait;
use tarsify_domain::earnings::{
    NewPayout, Payout, PayoutEnd, PayoutError, PayoutRepository, PayoutStatus,
};
use tarsify_domain::id::{DeveloperId, PayoutId};
use tarsify_domain::money::Millicredits;
use tarsify_domain::payments::{AccountRef, EventOutcome, TransferRef};
use tarsify_domain::{Page, PageRequest, RepoError, Timestamp};

use super::ledger::{Lacking, Leg};
use super::outbox::Message;
use super::{Account, FakeTreasury, State, subject};
use crate::fake::paging::{Direction, Sorting, microseconds, page};
use crate::fake::{conflict_if, dangling};

pub(super) struct Sending {
    pub(super) payout: Payout,
    pub(super) account: AccountRef,
}

impl State {
    fn reserve(&mut self, new: &NewPayout, now: Timestamp) -> Result<Payout, PayoutError> {
        let NewPayout {
            id,
            developer,
            amount,
        } = *new;
        let same = self.payouts.get(&id).map(|sending| &sending.payout);
        if let Some(same) = same.filter(|payout| payout.developer == developer) {
            return Ok(same.clone());
        }
        let payee = self.developers.get(&developer);
        let payee = payee.filter(|payee| payee.can_be_paid);
        let account = payee.and_then(|payee| payee.account.clone());
        let account = account.ok_or(PayoutError::NotVerified)?;
        let required = amount.millicredits().get();
        let leg = Leg {
            kind: "payout_reserve",
            from: Account::Payable(developer),
            to: Account::InPayout(developer),
            amount: required,
        };
        let posted = self.ledger.post(subject("payout", id.uuid()), now, &[leg]);
        posted.map_err(|Lacking(lacking)| PayoutError::Insufficient {
            required: amount,
            available: Millicredits::new(required - lacking).credits(),
        })?;
        let payout = Payout {
            id,
            developer,
            amount,
            status: PayoutStatus::Pending,
            transfer: None,
            failure: None,
            requested_at: now,
            ended_at: None,
        };
        let sending = Sending {
            payout: payout.clone(),
            account,
        };
        self.payouts.insert(id, sending);
        self.outbox.push(Message::about(&payout));
        Ok(payout)
    }

    pub(super) fn arrive(
        &mut self,
        id: PayoutId,
        transfer: &TransferRef,
        now: Timestamp,
    ) -> EventOutcome {
        let end = PayoutEnd::Paid(transfer.clone());
        self.end(id, &end, now)
    }

    /// The money is ours again, whether or not we had heard that it had arrived. Of one that has
    /// arrived no other transfer than its own comes back.
    pub(super) fn come_back(
        &mut self,
        id: PayoutId,
        transfer: &TransferRef,
        now: Timestamp,
    ) -> EventOutcome {
        let failure = "the transfer was reversed".to_owned();
        let Some(sending) = self.payouts.get_mut(&id) else {
            return EventOutcome::Unknown;
        };
        let payout = &mut sending.payout;
        if payout.status != PayoutStatus::Paid {
            if payout.status == PayoutStatus::Pending {
                payout.transfer = Some(transfer.clone());
            }
            return self.end(id, &PayoutEnd::Failed(failure), now);
        }
        if payout.transfer.as_ref() != Some(transfer) {
            return EventOutcome::Repeated;
        }
        payout.status = PayoutStatus::Failed;
        payout.failure = Some(failure);
        payout.ended_at = Some(now);
        let leg = Leg {
            kind: "payout_returned",
            from: Account::Clearing,
            to: Account::Payable(payout.developer),
            amount: payout.amount.millicredits().get(),
        };
        let debt = self.debt(&leg);
        self.ledger
            .must_post(subject("payout", id.uuid()), now, &[leg, debt]);
        EventOutcome::Applied
    }

    /// What comes back to somebody pays first what he has come to owe meanwhile.
    fn debt(&self, back: &Leg) -> Leg {
        let owed = match back.to {
            Account::Payable(developer) => Account::Owed(developer),
            other => other,
        };
        let amount = if owed == back.to {
            0
        } else {
            back.amount.min(-self.ledger.balance(owed))
        };
        Leg {
            kind: "recover",
            from: back.to,
            to: owed,
            amount,
        }
    }

    fn end(&mut self, id: PayoutId, end: &PayoutEnd, now: Timestamp) -> EventOutcome {
        let Some(Sending { payout, .. }) = self.payouts.get_mut(&id) else {
            return EventOutcome::Unknown;
        };
        if payout.status != PayoutStatus::Pending {
            // Money that went twice, or that we believed not to have gone.
            let is_strange = matches!(end, PayoutEnd::Paid(transfer)
                if payout.transfer.as_ref() != Some(transfer));
            return if is_strange {
                EventOutcome::Contradicted
            } else {
                EventOutcome::Repeated
            };
        }
        payout.ended_at = Some(now);
        let (kind, to) = match end {
            PayoutEnd::Paid(transfer) => {
                payout.status = PayoutStatus::Paid;
                payout.transfer = Some(transfer.clone());
                ("payout_paid", Account::Clearing)
            }
            PayoutEnd::Failed(why) => {
                payout.status = PayoutStatus::Failed;
                payout.failure = Some(why.clone());
                ("payout_failed", Account::Payable(payout.developer))
            }
        };
        let leg = Leg {
            kind,
            from: Account::InPayout(payout.developer),
            to,
            amount: payout.amount.millicredits().get(),
        };
        let debt = self.debt(&leg);
        self.ledger
            .must_post(subject("payout", id.uuid()), now, &[leg, debt]);
        for message in &mut self.outbox {
            message.is_done |= message.payout == id;
        }
        EventOutcome::Applied
    }
}

#[async_trait]
impl PayoutRepository for FakeTreasury {
    async fn request(&self, new: &NewPayout) -> Result<Payout, PayoutError> {
        let now = self.clock.now();
        self.enter().await?.reserve(new, now)
    }

    async fn list(
        &self,
        developer: DeveloperId,
        status: Option<PayoutStatus>,
        request: &PageRequest,
    ) -> Result<Page<Payout>, RepoError> {
        let state = self.enter().await?;
        let all = state.payouts.values().map(|sending| &sending.payout);
        let his = all.filter(|payout| {
            payout.developer == developer && status.is_none_or(|only| only == payout.status)
        });
        let sorting = Sorting {
            order: Payout::ORDER,
            direction: Direction::Descending,
            place: |payout: &Payout| (microseconds(payout.requested_at), payout.id.uuid()),
        };
        Ok(page(his.cloned().collect(), request, &sorting))
    }

    async fn finish(&self, id: PayoutId, end: &PayoutEnd) -> Result<(), RepoError> {
        let now = self.clock.now();
        match self.enter().await?.end(id, end, now) {
            EventOutcome::Unknown => Err(dangling("a payout")),
            _ => Ok(()),
        }
    }

    async fn attach_account(
        &self,
        developer: DeveloperId,
        account: &AccountRef,
    ) -> Result<AccountRef, RepoError> {
        let mut state = self.enter().await?;
        let mut others = state.developers.iter();
        let is_taken =
            others.any(|(id, payee)| *id != developer && payee.account.as_ref() == Some(account));
        let payee = state.developers.get_mut(&developer);
        let payee = payee.ok_or(RepoError::Stale)?;
        conflict_if(is_taken && payee.account.is_none())?;
        Ok(payee.account.get_or_insert_with(|| account.clone()).clone())
    }
}
