//! What can go wrong with a call, on demand.

use serde::{Deserialize, Serialize};

/// What can be asked of the emulator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StripeOperation {
    /// `POST /v1/checkout/sessions`
    CreateCheckout,
    /// `POST /v1/accounts`
    CreateAccount,
    /// `POST /v1/account_links`
    CreateAccountLink,
    /// `POST /v1/transfers`
    CreateTransfer,
    /// `GET /v1/transfers`
    ListTransfers,
    /// `POST /v1/transfers/{id}/reversals`
    ReverseTransfer,
}

/// How a call goes wrong. What happens before a call is begun is not kept under its key; all else
/// is, and comes again whenever the call is repeated, until the keys are forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StripeFault {
    /// 503 before it is begun.
    Down,
    /// 429 before it is begun.
    TooMany,
    /// It takes a while, in which its key is in use.
    Slow,
    /// The same for seven seconds: longer than most wait for anything, and not too long for a client.
    Late,
    /// 500 without effect.
    ErrorBefore,
    /// 500, though it had its effect.
    ErrorAfter,
    /// It has its effect, and there is no answer. A repetition gets none either.
    HangAfter,
    /// The operator's balance does not suffice.
    BalanceInsufficient,
    /// It is refused for good.
    Refused,
}
