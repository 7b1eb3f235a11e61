//! Money that went back to cards: what is taken from consumers, and what the platform loses. Of a
//! purchase always that part is gone of which the price has gone back.

use tarsify_domain::id::{ConsumerId, PurchaseId, ReversalId};
use tarsify_domain::money::proportion;
use tarsify_domain::payments::{EventOutcome, PaymentRef, PurchaseStatus, Verdict};
use tarsify_domain::{Credits, Timestamp};
use uuid::Uuid;

use super::ledger::Leg;
use super::purchases::Bought;
use super::{Account, State, subject};

/// In the order in which two of the same amount are applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ReversalKind {
    Dispute,
    Refund,
}

/// What the provider tells of money that went back.
pub(super) struct Told {
    kind: ReversalKind,
    /// What it is about: a dispute, or a payment and how much of it was refunded in all.
    object: String,
    payment: PaymentRef,
    cents: i64,
}

impl Told {
    pub(super) fn refund(payment: &PaymentRef, total_cents: i64) -> Self {
        Self {
            kind: ReversalKind::Refund,
            object: format!("{}:{total_cents}", payment.as_str()),
            payment: payment.clone(),
            cents: total_cents,
        }
    }

    pub(super) fn dispute(payment: &PaymentRef, dispute: &str, cents: i64) -> Self {
        Self {
            kind: ReversalKind::Dispute,
            object: dispute.to_owned(),
            payment: payment.clone(),
            cents,
        }
    }
}

pub(super) struct Reversal {
    pub(super) id: ReversalId,
    pub(super) kind: ReversalKind,
    object: String,
    payment: PaymentRef,
    cents: i64,
    pub(super) verdict: Option<Verdict>,
    /// What it did, once its payment is known.
    pub(super) effect: Option<Effect>,
    pub(super) is_clawed: bool,
}

pub(super) struct Effect {
    pub(super) purchase: PurchaseId,
    /// What was taken from the consumer, of what he bought and of what came with it, and what of
    /// the former he no longer had.
    taken: i64,
    bonus_taken: i64,
    pub(super) lost: i64,
    /// What of that came back: by runs that gave back what was set aside for them at that
    /// moment, and by disputes that were won.
    recovered: i64,
    covered: i64,
    /// What of the purchase's was given back when the dispute was won.
    returned: i64,
    bonus_returned: i64,
    lost_returned: i64,
    is_returned: bool,
    applied_at: Timestamp,
}

impl Effect {
    /// One that has moved nothing yet.
    const fn on(purchase: PurchaseId, is_returned: bool, applied_at: Timestamp) -> Self {
        Self {
            purchase,
            applied_at,
            taken: 0,
            bonus_taken: 0,
            lost: 0,
            recovered: 0,
            covered: 0,
            returned: 0,
            bonus_returned: 0,
            lost_returned: 0,
            is_returned,
        }
    }

    /// What the platform has lost and nobody has given it back.
    pub(super) const fn missing(&self) -> i64 {
        self.lost - self.recovered - self.covered
    }
}

/// Millicredits of a purchase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parts {
    /// Of what was bought.
    pub(super) credits: i64,
    /// Of what came with it.
    pub(super) bonus: i64,
}

impl State {
    fn effects(&self, id: PurchaseId) -> impl Iterator<Item = (&Reversal, &Effect)> {
        let effects = self.reversals.iter();
        let effects = effects.filter_map(|one| Some((one, one.effect.as_ref()?)));
        effects.filter(move |(_, effect)| effect.purchase == id)
    }

    /// The part of a purchase of which the price has gone back.
    pub(super) fn reversed(&self, bought: &Bought) -> Parts {
        let (cents, price) = (self.cents_back(bought), bought.purchase.price_cents);
        let part = |all: Credits| proportion(all.millicredits().get(), cents, price);
        Parts {
            credits: part(bought.purchase.credits),
            bonus: part(bought.purchase.bonus),
        }
    }

    /// What all of its reversals together have taken of a purchase, from whomever.
    pub(super) fn gone(&self, id: PurchaseId) -> Parts {
        let mut gone = Parts {
            credits: 0,
            bonus: 0,
        };
        for (_, effect) in self.effects(id) {
            gone.credits += effect.taken + effect.lost - effect.returned - effect.lost_returned;
            gone.bonus += effect.bonus_taken - effect.bonus_returned;
        }
        gone
    }

    /// The reversals of a purchase whose losses the platform bears. What it lost by a dispute
    /// that was lost is looked for elsewhere.
    fn borne(&self, id: PurchaseId) -> Vec<usize> {
        let all = 0..self.reversals.len();
        let borne = all.filter(|place| {
            let reversal = &self.reversals[*place];
            let effect = reversal.effect.as_ref();
            reversal.verdict != Some(Verdict::Lost)
                && effect.is_some_and(|effect| effect.purchase == id)
        });
        borne.collect()
    }

    fn applied_at(&self, place: usize) -> Option<Timestamp> {
        let effect = self.reversals[place].effect.as_ref();
        effect.map(|effect| effect.applied_at)
    }

    /// Gives the platform back what a dispute that was won brings: first what it lost by that
    /// one, then what it cannot hope to get from anybody else. Answers how much it took.
    fn cover(&mut self, place: usize, id: PurchaseId, most: i64) -> i64 {
        let mut borne = self.borne(id);
        borne.sort_by_key(|other| {
            let is_dispute = self.reversals[*other].kind == ReversalKind::Dispute;
            (*other != place, is_dispute, self.applied_at(*other), *other)
        });
        let mut left = most;
        for other in borne {
            let effect = self.effect_mut(other);
            let part = effect.missing().min(left);
            effect.covered += part;
            left -= part;
        }
        most - left
    }

    /// What was set aside for a run while a payment was taken back was neither spent nor there
    /// to be taken: it is when the run gives it back. Answers how much of it that is.
    pub(super) fn recover(&mut self, consumer: ConsumerId, held_at: Timestamp, most: i64) -> i64 {
        let mut left = most;
        let purchases = &self.purchases;
        let mut his: Vec<&mut Effect> = (self.reversals.iter_mut())
            .filter(|reversal| !reversal.is_clawed)
            .filter_map(|reversal| reversal.effect.as_mut())
            .filter(|effect| purchases[&effect.purchase].purchase.consumer == consumer)
            .filter(|effect| effect.applied_at >= held_at)
            .collect();
        his.sort_by_key(|effect| effect.applied_at);
        for effect in his {
            let part = effect.missing().min(left);
            effect.recovered += part;
            left -= part;
        }
        most - left
    }

    /// What has gone back of a purchase: what was refunded, and what is disputed or was lost so.
    pub(super) fn cents_back(&self, bought: &Bought) -> i64 {
        let disputes = self.disputes(bought.purchase.id);
        let disputed: i64 = disputes.map(|dispute| dispute.cents).sum();
        (bought.refunded_cents + disputed).min(bought.purchase.price_cents)
    }

    /// The disputes of a purchase that were not won.
    fn disputes(&self, id: PurchaseId) -> impl Iterator<Item = &Reversal> {
        let effects = self.effects(id);
        let standing = effects.filter(|(reversal, effect)| {
            reversal.kind == ReversalKind::Dispute && !effect.is_returned
        });
        standing.map(|(dispute, _)| dispute)
    }

    fn paid_by(&self, payment: &PaymentRef) -> Option<PurchaseId> {
        let mut purchases = self.purchases.values();
        let its = purchases.find(|bought| bought.payment.as_ref() == Some(payment));
        its.map(|bought| bought.purchase.id)
    }

    fn known(&self, told: &Told) -> Option<usize> {
        let mut known = self.reversals.iter();
        known.position(|reversal| reversal.kind == told.kind && reversal.object == told.object)
    }

    fn remember(&mut self, told: &Told, now: Timestamp) -> usize {
        self.reversals.push(Reversal {
            id: ReversalId::new(now),
            kind: told.kind,
            object: told.object.clone(),
            payment: told.payment.clone(),
            cents: told.cents,
            verdict: None,
            effect: None,
            is_clawed: false,
        });
        self.reversals.len() - 1
    }

    pub(super) fn reverse(&mut self, told: &Told, now: Timestamp) -> EventOutcome {
        if self.known(told).is_some() {
            return EventOutcome::Repeated;
        }
        let place = self.remember(told, now);
        self.reverse_if_paid(place, now)
    }

    fn reverse_if_paid(&mut self, place: usize, now: Timestamp) -> EventOutcome {
        match self.paid_by(&self.reversals[place].payment) {
            None => EventOutcome::Remembered,
            Some(purchase) => {
                self.reverse_purchase(place, purchase, now);
                EventOutcome::Applied
            }
        }
    }

    /// What was told before its payment, the smaller first: of two totals of one payment the
    /// smaller was the earlier. Of two that are equal one has to be first, always the same.
    pub(super) fn reverse_what_waited(
        &mut self,
        purchase: PurchaseId,
        payment: &PaymentRef,
        now: Timestamp,
    ) {
        let all = 0..self.reversals.len();
        let mut waiting: Vec<_> = all
            .filter(|place| {
                let reversal = &self.reversals[*place];
                reversal.payment == *payment && reversal.effect.is_none()
            })
            .collect();
        waiting.sort_by_key(|place| {
            let Reversal {
                cents,
                kind,
                object,
                ..
            } = &self.reversals[*place];
            (*cents, *kind, object)
        });
        for place in waiting {
            self.reverse_purchase(place, purchase, now);
        }
    }

    /// Takes what is missing until that part of the purchase is gone of which the price is: from
    /// the consumer, and from the platform what he no longer has. Of the bonus he gives what he
    /// has, and nobody gives the rest.
    fn reverse_purchase(&mut self, place: usize, id: PurchaseId, now: Timestamp) {
        let bonus_before = self.reversed(&self.purchases[&id]).bonus;
        let is_won = self.reversals[place].verdict == Some(Verdict::Won);
        self.reversals[place].effect = Some(Effect::on(id, is_won, now));
        self.show_reversal(id, place, is_won);
        let bought = &self.purchases[&id];
        let reversed = self.reversed(bought);
        let due = reversed.credits - self.gone(id).credits;
        let bonus_due = reversed.bonus - bonus_before;
        let wallet = Account::Available(bought.purchase.consumer);
        let available = self.ledger.balance(wallet);
        let taken = due.min(available);
        let (lost, bonus_taken) = (due - taken, bonus_due.min(available - taken));
        let from_wallet = match self.reversals[place].kind {
            ReversalKind::Refund => "card_refund",
            ReversalKind::Dispute => "chargeback",
        };
        let legs = [
            leg(from_wallet, (wallet, Account::Clearing), taken),
            leg("reversal_loss", (Account::Loss, Account::Clearing), lost),
            leg("bonus_reversal", (wallet, Account::Promo), bonus_taken),
        ];
        let about = subject("reversal", self.reversals[place].id.uuid());
        self.ledger.must_post(about, now, &legs);
        let effect = self.effect_mut(place);
        (effect.taken, effect.bonus_taken, effect.lost) = (taken, bonus_taken, lost);
    }

    fn effect_mut(&mut self, place: usize) -> &mut Effect {
        let effect = self.reversals[place].effect.as_mut();
        effect.expect("its payment is known")
    }

    /// What a reversal changes of the purchase itself.
    fn show_reversal(&mut self, id: PurchaseId, place: usize, is_won: bool) {
        let Reversal { kind, cents, .. } = self.reversals[place];
        let bought = self.purchases.get_mut(&id).expect("the purchase is there");
        let price = bought.purchase.price_cents;
        let status = &mut bought.purchase.status;
        match kind {
            ReversalKind::Dispute if is_won => {}
            ReversalKind::Dispute => *status = PurchaseStatus::Disputed,
            ReversalKind::Refund => {
                bought.refunded_cents = bought.refunded_cents.max(cents.min(price));
                if bought.refunded_cents == price && *status != PurchaseStatus::Disputed {
                    *status = PurchaseStatus::Refunded;
                }
            }
        }
    }

    /// A dispute has ended; this may be told before the dispute itself.
    pub(super) fn close(&mut self, told: &Told, verdict: Verdict, now: Timestamp) -> EventOutcome {
        let Some(place) = self.known(told) else {
            let place = self.remember(told, now);
            self.reversals[place].verdict = Some(verdict);
            return self.reverse_if_paid(place, now);
        };
        let reversal = &mut self.reversals[place];
        match reversal.verdict {
            Some(before) if before == verdict => return EventOutcome::Repeated,
            Some(_) => return EventOutcome::Contradicted,
            None => {}
        }
        reversal.verdict = Some(verdict);
        let Some(effect) = &mut reversal.effect else {
            return EventOutcome::Remembered;
        };
        if verdict == Verdict::Lost {
            return EventOutcome::Applied;
        }
        effect.is_returned = true;
        let id = effect.purchase;
        self.give_back(place, id, now);
        self.show_won_dispute(id);
        EventOutcome::Applied
    }

    /// Gives back what is gone beyond that part of the purchase of which the price still is: to
    /// the platform until it bears nothing more, and the rest to the consumer.
    fn give_back(&mut self, place: usize, id: PurchaseId, now: Timestamp) {
        let (gone, reversed) = (self.gone(id), self.reversed(&self.purchases[&id]));
        let due = gone.credits - reversed.credits;
        let lost_returned = self.cover(place, id, due);
        let returned = due - lost_returned;
        let bonus_returned = (gone.bonus - reversed.bonus).max(0);
        let wallet = Account::Available(self.purchases[&id].purchase.consumer);
        let legs = [
            leg("chargeback_returned", (Account::Clearing, wallet), returned),
            leg(
                "reversal_loss_returned",
                (Account::Clearing, Account::Loss),
                lost_returned,
            ),
            leg("bonus_returned", (Account::Promo, wallet), bonus_returned),
        ];
        let about = subject("reversal", self.reversals[place].id.uuid());
        self.ledger.must_post(about, now, &legs);
        let effect = self.effect_mut(place);
        effect.returned = returned;
        effect.lost_returned = lost_returned;
        effect.bonus_returned = bonus_returned;
    }

    fn show_won_dispute(&mut self, id: PurchaseId) {
        let is_disputed = self.disputes(id).next().is_some();
        let bought = self.purchases.get_mut(&id).expect("the purchase is there");
        bought.purchase.status = if is_disputed {
            PurchaseStatus::Disputed
        } else if bought.refunded_cents == bought.purchase.price_cents {
            PurchaseStatus::Refunded
        } else {
            PurchaseStatus::Paid
        };
    }
}

/// An id for what nobody asks for again.
pub(super) fn fresh(now: Timestamp) -> Uuid {
    ReversalId::new(now).uuid()
}

pub(super) const fn leg(kind: &'static str, (from, to): (Account, Account), amount: i64) -> Leg {
    Leg {
        kind,
        from,
        to,
        amount,
    }
}
