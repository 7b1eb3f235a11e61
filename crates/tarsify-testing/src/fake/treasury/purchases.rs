//! Purchases in memory, and what the payment provider tells.

use std::time::Duration;

use async_trait::async_trait;
use tarsify_domain::id::{ConsumerId, PurchaseId};
use tarsify_domain::money::{Millicredits, proportion};
use tarsify_domain::payments::{
    Checkout, EventOutcome, PaymentEvent, PaymentRef, Purchase, PurchaseRepository, PurchaseStatus,
    ReceivedEvent,
};
use tarsify_domain::{Credits, Page, PageRequest, RepoError, Timestamp};

use super::ledger::Leg;
use super::reversals::Told;
use super::{Account, FakeTreasury, State, subject};
use crate::fake::paging::{Direction, Sorting, count, microseconds, page};
use crate::fake::{conflict_if, dangling};

pub(super) struct Bought {
    pub(super) purchase: Purchase,
    pub(super) payment: Option<PaymentRef>,
    /// What has gone back to the card by refunds.
    pub(super) refunded_cents: i64,
}

impl State {
    pub(super) fn apply(&mut self, received: &ReceivedEvent, now: Timestamp) -> EventOutcome {
        if self.events.contains_key(&received.id) {
            return EventOutcome::Repeated;
        }
        let outcome = self.effect(received, now);
        self.events.insert(received.id.clone(), outcome);
        outcome
    }

    fn effect(&mut self, received: &ReceivedEvent, now: Timestamp) -> EventOutcome {
        match &received.event {
            PaymentEvent::Paid {
                purchase,
                checkout: _,
                payment,
                cents,
                currency,
            } => {
                let refusal = self.refuses_payment(*purchase, payment, (*cents, currency));
                if let Some(refusal) = refusal {
                    return refusal;
                }
                self.pay(*purchase, payment, now);
                EventOutcome::Applied
            }
            PaymentEvent::Failed { purchase } => self.void(*purchase, PurchaseStatus::Failed),
            PaymentEvent::Expired { purchase } => self.void(*purchase, PurchaseStatus::Expired),
            // Nothing was taken, so nothing can be taken back.
            PaymentEvent::Refunded {
                total_cents: cents, ..
            }
            | PaymentEvent::Disputed { cents, .. }
            | PaymentEvent::DisputeClosed { cents, .. }
                if *cents <= 0 =>
            {
                EventOutcome::Irrelevant
            }
            PaymentEvent::Refunded {
                payment,
                total_cents,
            } => self.reverse(&Told::refund(payment, *total_cents), now),
            PaymentEvent::Disputed {
                payment,
                dispute,
                cents,
            } => self.reverse(&Told::dispute(payment, dispute, *cents), now),
            PaymentEvent::DisputeClosed {
                payment,
                dispute,
                cents,
                verdict,
            } => self.close(&Told::dispute(payment, dispute, *cents), *verdict, now),
            PaymentEvent::AccountUpdated {
                account,
                can_be_paid,
            } => {
                let mut payees = self.developers.values_mut();
                match payees.find(|payee| payee.account.as_ref() == Some(account)) {
                    None => EventOutcome::Unknown,
                    Some(payee) if payee.told_at > Some(received.told_at) => EventOutcome::Outdated,
                    Some(payee) => {
                        payee.can_be_paid = *can_be_paid;
                        payee.told_at = Some(received.told_at);
                        EventOutcome::Applied
                    }
                }
            }
            PaymentEvent::TransferMade { payout, transfer } => self.arrive(*payout, transfer, now),
            PaymentEvent::TransferReversed { payout, transfer } => {
                self.come_back(*payout, transfer, now)
            }
            PaymentEvent::Irrelevant => EventOutcome::Irrelevant,
        }
    }

    fn refuses_payment(
        &self,
        id: PurchaseId,
        payment: &PaymentRef,
        (cents, currency): (i64, &str),
    ) -> Option<EventOutcome> {
        let Some(bought) = self.purchases.get(&id) else {
            return Some(EventOutcome::Unknown);
        };
        match &bought.payment {
            Some(its) if its == payment => Some(EventOutcome::Repeated),
            Some(_) => Some(EventOutcome::PaidTwice),
            None if cents < bought.purchase.price_cents
                || !currency.eq_ignore_ascii_case(&bought.purchase.currency) =>
            {
                Some(EventOutcome::Underpaid)
            }
            None => None,
        }
    }

    /// Grants what was bought, whatever was believed of it before, and takes back what was
    /// reversed meanwhile.
    fn pay(&mut self, id: PurchaseId, payment: &PaymentRef, now: Timestamp) {
        let bought = self.purchases.get_mut(&id).expect("the purchase is there");
        bought.payment = Some(payment.clone());
        bought.purchase.status = PurchaseStatus::Paid;
        bought.purchase.paid_at = Some(now);
        let purchase = &bought.purchase;
        let wallet = Account::Available(purchase.consumer);
        let leg = |kind, from, credits: Credits| Leg {
            kind,
            from,
            to: wallet,
            amount: credits.millicredits().get(),
        };
        let legs = [
            leg("purchase", Account::Clearing, purchase.credits),
            leg("bonus", Account::Promo, purchase.bonus),
        ];
        self.ledger
            .must_post(subject("purchase", id.uuid()), now, &legs);
        self.reverse_what_waited(id, payment, now);
    }

    fn void(&mut self, id: PurchaseId, status: PurchaseStatus) -> EventOutcome {
        match self.purchases.get_mut(&id) {
            None => EventOutcome::Unknown,
            Some(Bought { purchase, .. }) if purchase.status == PurchaseStatus::Pending => {
                purchase.status = status;
                EventOutcome::Applied
            }
            Some(_) => EventOutcome::Repeated,
        }
    }

    /// What somebody has bought, bonus included, less the part of it that went back.
    pub(super) fn lifetime_purchased(&self, consumer: ConsumerId) -> Credits {
        let his = self.purchases.values();
        let his = his.filter(|bought| bought.purchase.consumer == consumer);
        let paid = his.filter(|bought| bought.payment.is_some());
        let kept = paid.map(|bought| {
            let purchase = &bought.purchase;
            let back = self.cents_back(bought);
            let kept_of = |credits: Credits| {
                let all = credits.millicredits().get();
                all - proportion(all, back, purchase.price_cents)
            };
            kept_of(purchase.credits) + kept_of(purchase.bonus)
        });
        Millicredits::new(kept.sum()).credits()
    }
}

#[async_trait]
impl PurchaseRepository for FakeTreasury {
    async fn open(&self, new: &Purchase) -> Result<(), RepoError> {
        let mut state = self.enter().await?;
        conflict_if(state.purchases.contains_key(&new.id))?;
        if !state.consumers.contains_key(&new.consumer) {
            return Err(dangling("a consumer"));
        }
        let bought = Bought {
            purchase: new.clone(),
            payment: None,
            refunded_cents: 0,
        };
        state.purchases.insert(new.id, bought);
        Ok(())
    }

    async fn attach_checkout(&self, id: PurchaseId, checkout: &Checkout) -> Result<(), RepoError> {
        let mut state = self.enter().await?;
        let bought = state.purchases.get_mut(&id).ok_or(RepoError::Stale)?;
        bought.purchase.checkout_url = Some(checkout.url.clone());
        Ok(())
    }

    async fn fail(&self, id: PurchaseId) -> Result<(), RepoError> {
        self.enter().await?.void(id, PurchaseStatus::Failed);
        Ok(())
    }

    async fn find(
        &self,
        consumer: ConsumerId,
        id: PurchaseId,
    ) -> Result<Option<Purchase>, RepoError> {
        let found = self.find_any(id).await?;
        Ok(found.filter(|purchase| purchase.consumer == consumer))
    }

    async fn find_any(&self, id: PurchaseId) -> Result<Option<Purchase>, RepoError> {
        let state = self.enter().await?;
        let found = state.purchases.get(&id);
        Ok(found.map(|bought| bought.purchase.clone()))
    }

    async fn list(
        &self,
        consumer: ConsumerId,
        request: &PageRequest,
    ) -> Result<Page<Purchase>, RepoError> {
        let state = self.enter().await?;
        let all = state.purchases.values().map(|bought| &bought.purchase);
        let his = all.filter(|purchase| purchase.consumer == consumer);
        let sorting = Sorting {
            order: Purchase::ORDER,
            direction: Direction::Descending,
            place: |purchase: &Purchase| (microseconds(purchase.created_at), purchase.id.uuid()),
        };
        Ok(page(his.cloned().collect(), request, &sorting))
    }

    async fn apply(&self, received: &ReceivedEvent) -> Result<EventOutcome, RepoError> {
        let now = self.clock.now();
        Ok(self.enter().await?.apply(received, now))
    }

    async fn expire(&self, age: Duration, limit: u32) -> Result<u64, RepoError> {
        let now = self.clock.now();
        let mut state = self.enter().await?;
        let purchases = state.purchases.values_mut();
        let mut old: Vec<_> = purchases
            .map(|bought| &mut bought.purchase)
            .filter(|purchase| purchase.status == PurchaseStatus::Pending)
            .filter(|purchase| purchase.created_at < now - age)
            .collect();
        old.sort_by_key(|purchase| purchase.created_at);
        old.truncate(usize::try_from(limit).expect("a limit fits"));
        let many = count(old.len());
        for purchase in old {
            purchase.status = PurchaseStatus::Expired;
        }
        Ok(many)
    }

    async fn claw_back(&self, limit: u32) -> Result<u64, RepoError> {
        let now = self.clock.now();
        Ok(self.enter().await?.claw_back(limit, now))
    }
}
