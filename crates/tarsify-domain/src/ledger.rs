//! What a consumer has and how he came to have it: wallets, statements, receipts, and what
//! administrators may change. Money moves only by transfers that are never changed; everything
//! here is read from them, or adds one.

pub mod adjustment;
pub mod receipt;
pub mod report;
pub mod statement;
pub mod wallet;

pub use adjustment::{
    Adjustment, AdjustmentAmount, AdjustmentError, AdjustmentWish, Adjustments, NewRefund, Refund,
    RefundError, RefundWish,
};
pub use receipt::{HoldState, Receipt, ReceiptEntry, ReceiptKind};
pub use report::{LedgerFault, LedgerReport, LedgerVerifier};
pub use statement::{EntryKind, EntrySubject, StatementEntry};
pub use wallet::{Wallet, WalletRepository};
