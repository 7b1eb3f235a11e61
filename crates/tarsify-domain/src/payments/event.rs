//! What the payment provider tells us: at least once, in any order.

use crate::clock::Timestamp;
use crate::id::{PayoutId, PurchaseId};
use crate::payments::{AccountRef, CheckoutRef, PaymentRef, TransferRef};
use crate::words::words;

words!(
    /// How a dispute ended.
    Verdict {
        /// The money is ours again.
        Won = "won",
        /// It is gone.
        Lost = "lost",
    }
);

/// Something that happened at the provider and means something to us. Amounts are in the smallest
/// unit of the currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentEvent {
    /// A purchase was paid.
    Paid {
        /// Which.
        purchase: PurchaseId,
        /// The page it was paid on.
        checkout: CheckoutRef,
        /// The payment.
        payment: PaymentRef,
        /// How much was paid.
        cents: i64,
        /// In which currency.
        currency: String,
    },
    /// The payment of a purchase failed for good.
    Failed {
        /// Which.
        purchase: PurchaseId,
    },
    /// The page of a purchase can be used no more.
    Expired {
        /// Which.
        purchase: PurchaseId,
    },
    /// Money of a payment went back to the card.
    Refunded {
        /// Which payment.
        payment: PaymentRef,
        /// How much in all, this time included.
        total_cents: i64,
    },
    /// The bank has taken a payment back.
    Disputed {
        /// Which payment.
        payment: PaymentRef,
        /// The dispute.
        dispute: String,
        /// How much.
        cents: i64,
    },
    /// A dispute has ended.
    DisputeClosed {
        /// Which payment.
        payment: PaymentRef,
        /// The dispute.
        dispute: String,
        /// How much it was about.
        cents: i64,
        /// How.
        verdict: Verdict,
    },
    /// A developer's account may be paid to, or no longer.
    AccountUpdated {
        /// Which.
        account: AccountRef,
        /// Whether it may.
        can_be_paid: bool,
    },
    /// A payout is on the developer's account.
    TransferMade {
        /// Which payout.
        payout: PayoutId,
        /// The transfer.
        transfer: TransferRef,
    },
    /// All of a payout came back.
    TransferReversed {
        /// Which payout.
        payout: PayoutId,
        /// The transfer.
        transfer: TransferRef,
    },
    /// It means nothing to us.
    Irrelevant,
}

/// A message of the provider, its signature checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedEvent {
    /// The message's id at the provider.
    pub id: String,
    /// What the provider calls it.
    pub kind: String,
    /// When the provider wrote it.
    pub told_at: Timestamp,
    /// What it means.
    pub event: PaymentEvent,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventOutcome {
    /// It had its effect.
    Applied,
    /// It had had it before.
    Repeated,
    /// It is about a payment that we do not know yet, and kept until we do.
    Remembered,
    /// It says the contrary of what was told before, and somebody has to look.
    Contradicted,
    /// Something newer was told before.
    Outdated,
    /// It is about nothing of ours.
    Unknown,
    /// Less than the price was paid, or in another currency. Nothing was granted.
    Underpaid,
    /// Another payment had paid the purchase already. Nothing more was granted.
    PaidTwice,
    /// It means nothing to us.
    Irrelevant,
}

/// Why a message was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// No payment provider is configured.
    #[error("no payment provider is configured")]
    NotConfigured,
    /// It is not signed by the provider, or too long ago.
    #[error("the signature is not acceptable: {0}")]
    Forged(&'static str),
    /// It is signed and cannot be understood.
    #[error("the message cannot be understood: {0}")]
    Unreadable(&'static str),
}
