//! What administrators do with credits. Each statement remembers who did it if, and only if, it
//! was done: the audit entry is made of the answer that says so.

use diesel::QueryableByName;
use diesel::pg::Pg;
use diesel::sql_types::{BigInt, Bool, Nullable, Timestamptz};
use serde_json::{Value, json};
use tarsify_domain::Timestamp;
use tarsify_domain::audit::{Actor, Reason};
use tarsify_domain::ledger::{Adjustment, AdjustmentError, NewRefund, Refund, RefundError, Wallet};
use tarsify_domain::money::{Credits, Millicredits};
use uuid::Uuid;

use super::wallet::{WALLET, WalletRow};
use crate::statement::{Binds, Statement, without_nul};
use crate::stored;

/// What is remembered of an act.
struct Act<'a> {
    action: &'static str,
    /// What it was done to.
    about: &'static str,
    about_id: Uuid,
    /// The placeholder of the reason.
    reason: &'a str,
    data: Value,
}

/// The common table expression `noted`, which remembers the act if `done` answers a row.
fn noted(actor: &Actor, act: Act<'_>, done: &str, binds: &mut Binds) -> String {
    let Actor {
        issuer,
        subject,
        developer,
    } = actor;
    let Act {
        action,
        about,
        about_id,
        reason,
        data,
    } = act;
    format!(
        "noted AS (\
            INSERT INTO audit_entries \
                (at, issuer, subject, developer_id, action, about, about_id, reason, data) \
            SELECT now(), {}, {}, {}, '{action}', '{about}', {}, {reason}, {} FROM {done}\
         )",
        binds.text(without_nul(issuer)),
        binds.text(without_nul(subject)),
        binds.optional_uuid(developer.map(|id| id.uuid())),
        binds.uuid(about_id),
        binds.jsonb(data),
    )
}

/// The statement that gives credits or takes them.
pub(super) fn giving(adjustment: &Adjustment) -> Statement {
    let Adjustment {
        id,
        consumer,
        amount,
        reason,
        actor,
    } = adjustment;
    let amount = amount.credits();
    let mut binds = Binds::default();
    let reason = binds.text(reason.as_str());
    let given = format!(
        "SELECT c.id, g.outcome, g.available FROM consumers c \
         CROSS JOIN LATERAL grant_credits({}, c.id, {}, {reason}) g WHERE c.id = {}",
        binds.uuid(id.uuid()),
        binds.number(amount.millicredits().get()),
        binds.uuid(consumer.uuid()),
    );
    let act = Act {
        action: "consumer.adjust_credits",
        about: "consumer",
        about_id: consumer.uuid(),
        reason: &reason,
        data: json!({"grantId": id.uuid(), "credits": amount.get()}),
    };
    let noted = noted(actor, act, "given WHERE outcome = 'granted'", &mut binds);
    let sql = format!(
        "WITH given AS MATERIALIZED ({given}), {noted} \
         SELECT g.outcome = 'granted' AS is_new, g.available AS only, {WALLET} \
         FROM given g JOIN consumers c ON c.id = g.id"
    );
    Statement::new(sql, binds)
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
pub(super) struct GivenRow {
    /// Whether it was done now, and not before under the same id.
    #[diesel(sql_type = Bool)]
    is_new: bool,
    /// What he can spend, when that is too little.
    #[diesel(sql_type = Nullable<BigInt>)]
    only: Option<i64>,
    /// What he had before.
    #[diesel(embed)]
    before: WalletRow,
}

/// What he has now, if nobody else did anything meanwhile.
pub(super) fn given(
    adjustment: &Adjustment,
    rows: Vec<GivenRow>,
) -> Result<Wallet, AdjustmentError> {
    let amount = adjustment.amount.credits();
    let row = rows.into_iter().next();
    let GivenRow {
        is_new,
        only,
        before,
    } = row.ok_or(AdjustmentError::NoConsumer)?;
    if let Some(available) = only {
        return Err(AdjustmentError::Insufficient {
            required: Credits::new(amount.get().saturating_neg()),
            available: Millicredits::new(available).credits(),
        });
    }
    let before = Wallet::from(before);
    let added = if is_new { amount } else { Credits::ZERO };
    let after = before.available.get();
    let after = after.saturating_add(added.millicredits().get());
    Ok(Wallet {
        available: Millicredits::new(after),
        ..before
    })
}

/// The statement that gives the price of a run back.
pub(super) fn refunding(new: &NewRefund, actor: &Actor, reason: &Reason) -> Statement {
    let NewRefund { id, run, amount } = new;
    let mut binds = Binds::default();
    let reason = binds.text(reason.as_str());
    // Nothing, and less than nothing, cannot be given back: what could is told.
    let wanted = amount.map(|amount| amount.max(Credits::ZERO).millicredits().get());
    let given = format!(
        "SELECT r.* FROM executions x CROSS JOIN LATERAL refund_run({}, x.id, {}, {reason}) r \
         WHERE x.id = {} AND x.kind = 'RUN'",
        binds.uuid(id.uuid()),
        binds.optional_number(wanted),
        binds.uuid(run.uuid()),
    );
    let act = Act {
        action: "execution.refund",
        about: "execution",
        about_id: run.uuid(),
        reason: &reason,
        data: json!({"refundId": id.uuid(), "credits": amount.map(Credits::get)}),
    };
    let noted = noted(actor, act, "given WHERE outcome = 'refunded'", &mut binds);
    let sql = format!(
        "WITH given AS MATERIALIZED ({given}), {noted} \
         SELECT outcome = 'too_much' AS is_too_much, refundable, given, from_developer, at \
         FROM given"
    );
    Statement::new(sql, binds)
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
pub(super) struct RefundRow {
    #[diesel(sql_type = Bool)]
    is_too_much: bool,
    /// What could be given back, when that is less than is wanted.
    #[diesel(sql_type = Nullable<BigInt>)]
    refundable: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    given: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    from_developer: Option<i64>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    at: Option<Timestamp>,
}

/// The refund that was made, now or before under the same id.
pub(super) fn refund(new: &NewRefund, rows: Vec<RefundRow>) -> Result<Refund, RefundError> {
    let RefundRow {
        is_too_much,
        refundable,
        given,
        from_developer,
        at,
    } = rows.into_iter().next().ok_or(RefundError::NoRun)?;
    if is_too_much {
        let refundable = Millicredits::new(refundable.unwrap_or_default());
        return Err(RefundError::TooMuch(refundable.credits()));
    }
    let created_at = stored::checked("created_at", at.ok_or("a refund was made at no time"))?;
    Ok(Refund {
        id: new.id,
        run: new.run,
        amount: Millicredits::new(given.unwrap_or_default()).credits(),
        from_developer: Millicredits::new(from_developer.unwrap_or_default()),
        created_at,
    })
}
