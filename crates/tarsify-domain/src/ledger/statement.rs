//! What happened to the credits that a consumer can spend, line by line.

use crate::clock::Timestamp;
use crate::money::Millicredits;
use crate::page::{KeyKind, Order};
use crate::words::words;

words!(
    /// Why what a consumer can spend became more or less.
    EntryKind {
        /// He bought credits.
        Purchase = "PURCHASE",
        /// He got some on top of what he bought.
        Bonus = "BONUS",
        /// He got some for coming.
        Welcome = "WELCOME",
        /// An administrator gave or took some.
        Adjustment = "ADJUSTMENT",
        /// The price of a run was set aside.
        Hold = "HOLD",
        /// It was given back, because the run has no result.
        Release = "RELEASE",
        /// A run that he had paid for was given back.
        Refund = "REFUND",
        /// A purchase was refunded to his card.
        CardRefund = "CARD_REFUND",
        /// His bank took a payment back.
        Chargeback = "CHARGEBACK",
        /// The bank gave it to us again, and he his credits.
        ChargebackReturned = "CHARGEBACK_RETURNED",
    }
);

/// What a line of a statement is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntrySubject {
    /// What kind of thing: `execution`, `purchase`, `grant`, `refund`, `reversal`, `consumer`.
    pub kind: &'static str,
    /// Its id.
    pub id: uuid::Uuid,
}

/// A line of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementEntry {
    /// Its number in the ledger, which grows.
    pub id: i64,
    /// Why.
    pub kind: EntryKind,
    /// By how much; below nothing when it became less.
    pub amount: Millicredits,
    /// What he could spend afterwards.
    pub balance_after: Millicredits,
    /// What it is about.
    pub subject: EntrySubject,
    /// The title of the model whose run it is about, if it is one.
    pub model_title: Option<String>,
    /// When.
    pub created_at: Timestamp,
}

impl StatementEntry {
    /// The order of statements: newest first.
    pub const ORDER: Order = Order {
        name: "newest",
        key: KeyKind::Integer,
    };

    /// What happened, in words for the consumer.
    #[must_use]
    pub fn description(&self) -> String {
        let run = || match &self.model_title {
            Some(title) => format!("a run of {title}"),
            None => "a run".to_owned(),
        };
        match self.kind {
            EntryKind::Purchase => "Credits bought".to_owned(),
            EntryKind::Bonus => "Bonus credits".to_owned(),
            EntryKind::Welcome => "Welcome credits".to_owned(),
            EntryKind::Adjustment => "Changed by an administrator".to_owned(),
            EntryKind::Hold => format!("Set aside for {}", run()),
            EntryKind::Release => format!("Given back: {} had no result", run()),
            EntryKind::Refund => format!("Refund of {}", run()),
            EntryKind::CardRefund => "Refunded to the card".to_owned(),
            EntryKind::Chargeback => "Payment taken back by the bank".to_owned(),
            EntryKind::ChargebackReturned => "Payment given again by the bank".to_owned(),
        }
    }
}
