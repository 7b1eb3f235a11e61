//! What has happened so far, as far as it decides what may happen next.

use tarsify_domain::Credits;
use tarsify_domain::earnings::{NewPayout, PayoutEnd};
use tarsify_domain::execution::Ending;
use tarsify_domain::id::{
    ConsumerId, DeveloperId, ExecutionId, GrantId, PayoutId, PurchaseId, RefundId,
};
use tarsify_domain::ledger::{Adjustment, AdjustmentAmount, NewRefund};
use tarsify_domain::money::Share;
use tarsify_domain::payments::{
    AccountRef, PaymentEvent, PaymentRef, ReceivedEvent, TransferRef, Verdict,
};
use tarsify_domain::people::{NewConsumer, NewDeveloper};

use super::super::events::{Buying, purchase};
use super::super::world::{actor, reason, told};
use super::chance::Chance;
use super::step::Step;
use crate::builders::{new_consumer, new_developer, unique};
use crate::fake::RunEnd;

/// How many of a kind take part: few, so that they meet again and again.
const CONSUMERS: usize = 4;
const DEVELOPERS: usize = 3;
const MODELS: usize = 8;

/// How many disputes a purchase has at most.
const DISPUTES: usize = 3;

pub(super) struct Past {
    chance: Chance,
    consumers: Vec<ConsumerId>,
    developers: Vec<Payee>,
    models: usize,
    open: Vec<ExecutionId>,
    ended: Vec<ExecutionId>,
    purchases: Vec<Paying>,
    messages: Vec<ReceivedEvent>,
    payouts: Vec<(PayoutId, TransferRef)>,
    /// Whose lost dispute may still be looked for at developers. Only one of a consumer's at a
    /// time, because no port says which of two is looked for first.
    losing: Vec<ConsumerId>,
}

#[derive(Clone)]
struct Payee {
    new: NewDeveloper,
    account: Option<AccountRef>,
}

#[derive(Clone)]
struct Paying {
    id: PurchaseId,
    consumer: ConsumerId,
    payment: PaymentRef,
    cents: i64,
    disputes: Vec<(String, i64)>,
}

fn reference<T>(parse: impl Fn(&str) -> Result<T, tarsify_domain::Misfit>) -> T {
    parse(&format!("ref_{}", unique())).expect("a number is a good reference")
}

impl Past {
    pub(super) const fn new(chance: Chance) -> Self {
        Self {
            chance,
            consumers: Vec::new(),
            developers: Vec::new(),
            models: 0,
            open: Vec::new(),
            ended: Vec::new(),
            purchases: Vec::new(),
            messages: Vec::new(),
            payouts: Vec::new(),
            losing: Vec::new(),
        }
    }

    pub(super) fn consumers(&self) -> Vec<ConsumerId> {
        self.consumers.clone()
    }

    /// What happens next. What cannot happen yet is passed over for something else.
    pub(super) fn next(&mut self) -> Step {
        loop {
            let step = match self.chance.between(0, 99) {
                0..5 => self.developer(),
                5..10 => self.consumer(),
                10..15 => self.model(),
                15..18 => self.account(),
                18..24 => self.buy(),
                24..30 => self.pay(),
                30..33 => self.give_up(),
                33..36 => self.repeat(),
                36..41 => self.card_refund(),
                41..46 => self.dispute(),
                46..51 => self.verdict(),
                51..53 => Some(self.claw_back()),
                53..66 => self.begin(),
                66..78 => self.end(),
                78..82 => self.refund(),
                82..85 => self.adjust(),
                85..88 => Some(self.pass()),
                88..91 => Some(Step::Mature(self.limit())),
                91..94 => self.request(),
                94..98 => self.finish(),
                _ => Some(Step::Tally),
            };
            if let Some(step) = step {
                return step;
            }
        }
    }

    fn tell(&mut self, event: PaymentEvent) -> Step {
        let message = told(event);
        self.messages.push(message.clone());
        Step::Tell(message)
    }

    fn developer(&mut self) -> Option<Step> {
        if self.developers.len() == DEVELOPERS {
            return None;
        }
        let new = new_developer(&format!("history {}", unique()));
        self.developers.push(Payee {
            new: new.clone(),
            account: None,
        });
        Some(Step::Developer(new))
    }

    /// The first of them may be a developer's own.
    fn consumer(&mut self) -> Option<Step> {
        if self.consumers.len() == CONSUMERS {
            return None;
        }
        let mut new = NewConsumer {
            welcome: Credits::new(self.chance.between(0, 3) * 50),
            ..new_consumer(&format!("history {}", unique()))
        };
        if let (true, Some(developer)) = (self.consumers.is_empty(), self.developers.first()) {
            new.email.clone_from(&developer.new.email);
        }
        self.consumers.push(new.id);
        Some(Step::Consumer(new))
    }

    fn model(&mut self) -> Option<Step> {
        let developer = self.one_developer()?;
        if self.models == MODELS {
            return None;
        }
        self.models += 1;
        let dear = self.chance.once_in(2);
        let credits = self.chance.between(0, if dear { 400 } else { 20 });
        Some(Step::Model(developer, credits))
    }

    fn one_developer(&mut self) -> Option<DeveloperId> {
        let place = self.chance.place(self.developers.len())?;
        Some(self.developers[place].new.id)
    }

    /// An account, and now and then that it may be paid to or no longer.
    fn account(&mut self) -> Option<Step> {
        let place = self.chance.place(self.developers.len())?;
        let payee = &mut self.developers[place];
        let Some(account) = payee.account.clone() else {
            let account = reference(AccountRef::parse);
            payee.account = Some(account.clone());
            return Some(Step::Account(payee.new.id, account));
        };
        let can_be_paid = !self.chance.once_in(5);
        Some(self.tell(PaymentEvent::AccountUpdated {
            account,
            can_be_paid,
        }))
    }

    fn buy(&mut self) -> Option<Step> {
        let consumer = self.chance.one_of(&self.consumers)?;
        let cents = self.chance.between(50, 900);
        // Not always a cent for a credit, so that parts are no whole credits.
        let credits = if self.chance.once_in(2) {
            cents
        } else {
            self.chance.between(1, 1_000)
        };
        let bonus = self.chance.between(-100, 100).max(0);
        let new = purchase(consumer, Buying::of(cents, credits, bonus));
        self.purchases.push(Paying {
            id: new.id,
            consumer,
            payment: reference(PaymentRef::parse),
            cents,
            disputes: Vec::new(),
        });
        Some(Step::Open(new))
    }

    fn pay(&mut self) -> Option<Step> {
        let paying = self.chance.one_of(&self.purchases)?;
        let cents = if self.chance.once_in(8) {
            paying.cents - 1
        } else {
            paying.cents
        };
        let payment = if self.chance.once_in(12) {
            reference(PaymentRef::parse)
        } else {
            paying.payment
        };
        let is_strange = self.chance.once_in(15);
        let currency = if is_strange { "eur" } else { "usd" };
        // By another payment it may be the first, and then this one pays it twice; what is told
        // of either is told of a payment that paid nothing.
        Some(self.tell(PaymentEvent::Paid {
            purchase: paying.id,
            checkout: reference(tarsify_domain::payments::CheckoutRef::parse),
            payment,
            cents,
            currency: currency.to_owned(),
        }))
    }

    fn give_up(&mut self) -> Option<Step> {
        let purchase = self.chance.one_of(&self.purchases)?.id;
        let event = if self.chance.once_in(2) {
            PaymentEvent::Failed { purchase }
        } else {
            PaymentEvent::Expired { purchase }
        };
        Some(self.tell(event))
    }

    fn repeat(&mut self) -> Option<Step> {
        let message = self.chance.one_of(&self.messages)?;
        if self.chance.once_in(2) {
            return Some(Step::Tell(message));
        }
        // The same in another message.
        Some(self.tell(message.event))
    }

    fn card_refund(&mut self) -> Option<Step> {
        let place = self.chance.place(self.purchases.len())?;
        let paying = &self.purchases[place];
        let total_cents = match self.chance.between(0, 3) {
            // As much as one of its disputes is about.
            0 => self.chance.one_of(&paying.disputes)?.1,
            1 => paying.cents,
            _ => self.chance.between(1, paying.cents),
        };
        let payment = paying.payment.clone();
        Some(self.tell(PaymentEvent::Refunded {
            payment,
            total_cents,
        }))
    }

    fn dispute(&mut self) -> Option<Step> {
        let place = self.chance.place(self.purchases.len())?;
        let paying = &mut self.purchases[place];
        if paying.disputes.len() == DISPUTES {
            return None;
        }
        let cents = match self.chance.between(0, 3) {
            0 => paying.cents,
            1 => paying.disputes.last()?.1,
            _ => self.chance.between(1, paying.cents),
        };
        let dispute = format!("dp_{}", unique());
        paying.disputes.push((dispute.clone(), cents));
        let payment = paying.payment.clone();
        // Now and then the end is told and never the beginning.
        if self.chance.once_in(4) {
            return None;
        }
        Some(self.tell(PaymentEvent::Disputed {
            payment,
            dispute,
            cents,
        }))
    }

    fn verdict(&mut self) -> Option<Step> {
        let paying = self.chance.one_of(&self.purchases)?;
        let (dispute, cents) = self.chance.one_of(&paying.disputes)?;
        let verdict = if self.chance.once_in(2) {
            Verdict::Won
        } else {
            Verdict::Lost
        };
        if verdict == Verdict::Lost {
            if self.losing.contains(&paying.consumer) {
                return Some(self.claw_back());
            }
            self.losing.push(paying.consumer);
        }
        Some(self.tell(PaymentEvent::DisputeClosed {
            payment: paying.payment,
            dispute,
            cents,
            verdict,
        }))
    }

    fn claw_back(&mut self) -> Step {
        self.losing.clear();
        Step::ClawBack
    }

    fn begin(&mut self) -> Option<Step> {
        let consumer = self.chance.one_of(&self.consumers)?;
        let model = self.chance.place(self.models)?;
        let share = if self.chance.once_in(3) {
            Share::parse(self.chance.between(0, Share::WHOLE)).expect("it is a share")
        } else {
            Share::DEFAULT
        };
        Some(Step::Begin {
            id: ExecutionId::from_uuid(self.chance.id()),
            consumer,
            model,
            share,
        })
    }

    /// That a run was accepted, which the stores decide.
    pub(super) fn accepted(&mut self, run: ExecutionId) {
        self.open.push(run);
    }

    fn end(&mut self) -> Option<Step> {
        let place = self.chance.place(self.open.len())?;
        let run = self.open.swap_remove(place);
        self.ended.push(run);
        let end = match self.chance.between(0, 9) {
            0 => RunEnd::without_result(Ending::Failed),
            1 => RunEnd::without_result(Ending::TimedOut),
            2 => RunEnd::without_result(Ending::Cancelled),
            _ => RunEnd::RESULT,
        };
        Some(Step::End(run, end))
    }

    fn refund(&mut self) -> Option<Step> {
        let run = self.chance.one_of(&self.ended)?;
        let part = self.chance.between(1, 60);
        let amount = (!self.chance.once_in(3)).then_some(Credits::new(part));
        Some(Step::Refund(NewRefund {
            id: RefundId::from_uuid(self.chance.id()),
            run,
            amount,
        }))
    }

    fn adjust(&mut self) -> Option<Step> {
        let consumer = self.chance.one_of(&self.consumers)?;
        let credits = match self.chance.between(-200, 200) {
            0 => 1,
            other => other,
        };
        Some(Step::Adjust(Adjustment {
            id: GrantId::from_uuid(self.chance.id()),
            consumer,
            amount: AdjustmentAmount::parse(credits).expect("it is an amount"),
            reason: reason("history"),
            actor: actor(),
        }))
    }

    fn pass(&mut self) -> Step {
        Step::Pass(self.chance.between(1, 8).unsigned_abs())
    }

    fn limit(&mut self) -> u32 {
        if self.chance.once_in(3) { 2 } else { 1_000 }
    }

    fn request(&mut self) -> Option<Step> {
        let developer = self.one_developer()?;
        let id = PayoutId::from_uuid(self.chance.id());
        self.payouts.push((id, reference(TransferRef::parse)));
        let amount = Credits::new(self.chance.between(1, 200));
        Some(Step::Request(NewPayout {
            id,
            developer,
            amount,
        }))
    }

    /// By a worker's word or the provider's, once or again, now and then by a transfer that is
    /// not its own. A payout that was refused is one that nobody knows.
    fn finish(&mut self) -> Option<Step> {
        let (payout, mut transfer) = self.chance.one_of(&self.payouts)?;
        if self.chance.once_in(8) {
            transfer = reference(TransferRef::parse);
        }
        Some(match self.chance.between(0, 5) {
            0 | 1 => self.tell(PaymentEvent::TransferMade { payout, transfer }),
            2 => self.tell(PaymentEvent::TransferReversed { payout, transfer }),
            3 => Step::Finish(payout, PayoutEnd::Failed("refused".to_owned())),
            _ => Step::Finish(payout, PayoutEnd::Paid(transfer)),
        })
    }
}
