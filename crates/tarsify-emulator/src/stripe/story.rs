//! What happens at Stripe without us: people pay, or do not, ask for their money back, complain
//! to their bank. Each is told by a message.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use thiserror::Error;

use super::Payouts;
use super::books::{Books, cents, find, set, text};
use super::message::StripeMessage;

/// How a checkout session ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionEnd {
    /// It is paid at once.
    Paid,
    /// It is complete, and the payment takes its time.
    Unpaid,
    /// Such a payment came.
    Succeeded,
    /// Such a payment did not come.
    Failed,
    /// Nobody came to pay.
    Expired,
}

/// A step in a dispute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeStep {
    /// It begins.
    Created,
    /// The bank has taken the money.
    FundsWithdrawn,
    /// The bank has given it back.
    FundsReinstated,
    /// It was won.
    Won,
    /// It was lost.
    Lost,
    /// It was a mere question.
    WarningClosed,
}

/// What is told of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferStep {
    /// It was made.
    Created,
    /// It was changed.
    Updated,
    /// All that was left of it was reversed.
    Reversed,
}

/// Why that cannot happen.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum StoryError {
    /// There is no such object.
    #[error("there is no {0} `{1}` here: it was never made, or by another emulator")]
    Missing(&'static str, String),
    /// It is not in the state for it.
    #[error("that cannot happen: {0}")]
    Impossible(&'static str),
}

impl Books {
    pub(super) fn end_session(
        &mut self,
        id: &str,
        end: SessionEnd,
    ) -> Result<StripeMessage, StoryError> {
        let (payment, charge) = (self.id("pi"), self.id("ch"));
        let session = find(&mut self.sessions, id);
        let session = session.ok_or_else(|| StoryError::Missing("session", id.to_owned()))?;
        let has_ended = text(session, "status") == "expired";
        if has_ended && end != SessionEnd::Expired {
            return Err(StoryError::Impossible("the session has expired"));
        }
        let (status, payment_status, kind) = match end {
            SessionEnd::Paid => ("complete", "paid", "completed"),
            SessionEnd::Unpaid => ("complete", "unpaid", "completed"),
            SessionEnd::Succeeded => ("complete", "paid", "async_payment_succeeded"),
            SessionEnd::Failed => ("complete", "unpaid", "async_payment_failed"),
            SessionEnd::Expired => ("expired", "unpaid", "expired"),
        };
        set(session, "status", status);
        set(session, "payment_status", payment_status);
        set(session, "url", Value::Null);
        let is_new = session.get("payment_intent").is_none_or(Value::is_null);
        if is_new && end != SessionEnd::Expired {
            set(session, "payment_intent", payment.as_str());
            let charged = json!({
                "id": charge,
                "object": "charge",
                "amount": cents(session, "amount_total"),
                "amount_refunded": 0,
                "currency": text(session, "currency"),
                "payment_intent": payment,
                "refunded": false,
                "metadata": session.get("metadata"),
            });
            self.charges.insert(payment, charged);
        }
        let session = session.clone();
        Ok(self.message(&format!("checkout.session.{kind}"), &session))
    }

    pub(super) fn refund(
        &mut self,
        payment: &str,
        wanted: Option<i64>,
    ) -> Result<StripeMessage, StoryError> {
        let charge = self.charge(payment)?;
        let (amount, before) = (cents(charge, "amount"), cents(charge, "amount_refunded"));
        let total = before.saturating_add(wanted.unwrap_or(amount.saturating_sub(before)));
        if total > amount || total < before {
            return Err(StoryError::Impossible("there is not so much left of it"));
        }
        set(charge, "amount_refunded", total);
        set(charge, "refunded", total == amount);
        let charge = charge.clone();
        Ok(self.message("charge.refunded", &charge))
    }

    pub(super) fn dispute(
        &mut self,
        payment: &str,
        step: DisputeStep,
    ) -> Result<StripeMessage, StoryError> {
        let charge = self.charge(payment)?;
        let (status, kind) = match step {
            DisputeStep::Created => ("needs_response", "created"),
            DisputeStep::FundsWithdrawn => ("needs_response", "funds_withdrawn"),
            DisputeStep::FundsReinstated => ("won", "funds_reinstated"),
            DisputeStep::Won => ("won", "closed"),
            DisputeStep::Lost => ("lost", "closed"),
            DisputeStep::WarningClosed => ("warning_closed", "closed"),
        };
        let dispute = json!({
            // A payment has one here.
            "id": payment.replacen("pi_", "dp_", 1),
            "object": "dispute",
            "amount": cents(charge, "amount"),
            "charge": text(charge, "id"),
            "currency": text(charge, "currency"),
            "payment_intent": payment,
            "reason": "fraudulent",
            "status": status,
        });
        Ok(self.message(&format!("charge.dispute.{kind}"), &dispute))
    }

    pub(super) fn set_payouts(
        &mut self,
        account: &str,
        payouts: Payouts,
    ) -> Result<StripeMessage, StoryError> {
        let found = find(&mut self.accounts, account);
        let found = found.ok_or_else(|| StoryError::Missing("account", account.to_owned()))?;
        set(found, "payouts_enabled", payouts == Payouts::Enabled);
        let found = found.clone();
        Ok(self.message("account.updated", &found))
    }

    pub(super) fn tell_transfer(
        &mut self,
        transfer: &str,
        step: TransferStep,
    ) -> Result<StripeMessage, StoryError> {
        let found = find(&mut self.transfers, transfer);
        let found = found.ok_or_else(|| StoryError::Missing("transfer", transfer.to_owned()))?;
        let kind = match step {
            TransferStep::Created => "transfer.created",
            TransferStep::Updated => "transfer.updated",
            TransferStep::Reversed => {
                let amount = cents(found, "amount");
                set(found, "amount_reversed", amount);
                set(found, "reversed", true);
                "transfer.reversed"
            }
        };
        let found = found.clone();
        Ok(self.message(kind, &found))
    }

    fn charge(&mut self, payment: &str) -> Result<&mut Value, StoryError> {
        let charge = self.charges.get_mut(payment);
        charge.ok_or_else(|| StoryError::Missing("payment", payment.to_owned()))
    }
}
