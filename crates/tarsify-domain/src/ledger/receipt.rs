//! The money of one run.

use crate::clock::Timestamp;
use crate::execution::ExecutionSummary;
use crate::money::Millicredits;
use crate::words::words;

words!(
    /// What became of the credits that were set aside.
    HoldState {
        /// They are still set aside.
        Active = "active",
        /// They were taken: there is a result.
        Captured = "captured",
        /// They were given back: there is none.
        Released = "released",
    }
);

words!(
    /// A movement of a run's money, as its consumer sees it.
    ReceiptKind {
        /// The price was set aside.
        Hold = "HOLD",
        /// It was taken.
        Capture = "CAPTURE",
        /// It was given back.
        Release = "RELEASE",
        /// It was given back after it had been taken, or a part of it.
        Refund = "REFUND",
    }
);

/// One movement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceiptEntry {
    /// Which.
    pub kind: ReceiptKind,
    /// How much.
    pub amount: Millicredits,
    /// When.
    pub at: Timestamp,
}

/// What a run cost and how that was paid.
#[derive(Debug, Clone, PartialEq)]
pub struct Receipt {
    /// The run.
    pub run: ExecutionSummary,
    /// What became of the hold; none where the run was free.
    pub state: Option<HoldState>,
    /// What was taken and not refunded.
    pub paid: Millicredits,
    /// What was refunded.
    pub refunded: Millicredits,
    /// Every movement, oldest first.
    pub entries: Vec<ReceiptEntry>,
}
