//! The one statement by which a message of the payment provider has its effect and is noted. A
//! message that was noted before has none.

use diesel::QueryableByName;
use diesel::pg::Pg;
use diesel::sql_types::Text;
use tarsify_domain::id::{PayoutId, PurchaseId};
use tarsify_domain::payments::{
    AccountRef, EventOutcome, PaymentEvent, PaymentRef, ReceivedEvent, TransferRef,
};
use tarsify_domain::{RepoError, Timestamp};

use crate::statement::{Binds, Statement, without_nul};
use crate::stored;

/// Why a payout is given back that had been paid.
const RETURNED: &str = "The transfer was reversed.";

/// The statement, which answers what came of the message, and nothing when it was noted before.
///
/// What it comes to is known only when its effect was had, so it is noted last. Of two deliveries
/// at the same moment both have the effect, and one of them all the same has none: it collides
/// with the other's note, and everything that it did is undone.
pub(super) fn statement(received: &ReceivedEvent) -> Statement {
    let ReceivedEvent {
        id,
        kind,
        told_at,
        event,
    } = received;
    let mut binds = Binds::default();
    let id = binds.text(without_nul(id));
    let kind = binds.text(without_nul(kind));
    let effect = effect(event, *told_at, &mut binds);
    let sql = format!(
        "WITH fresh AS MATERIALIZED (\
            SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM payment_events WHERE id = {id})\
         ), {effect}, noted AS (\
            INSERT INTO payment_events (id, kind, outcome, received_at) \
            SELECT {id}, {kind}, outcome, now() FROM done RETURNING outcome\
         ) \
         SELECT outcome FROM noted"
    );
    Statement::new(sql, binds)
}

/// The common table expressions that do it when the message is `fresh`; the last of them is `done`
/// and has the `outcome`.
fn effect(event: &PaymentEvent, told_at: Timestamp, binds: &mut Binds) -> String {
    match event {
        PaymentEvent::Paid {
            purchase,
            checkout: _,
            payment,
            cents,
            currency,
        } => answer(&format!(
            "pay_purchase({}, {}, {}, {})",
            binds.uuid(purchase.uuid()),
            binds.text(payment.as_str()),
            binds.number(*cents),
            binds.text(without_nul(currency)),
        )),
        PaymentEvent::Failed { purchase } => voided(*purchase, "FAILED", binds),
        PaymentEvent::Expired { purchase } => voided(*purchase, "EXPIRED", binds),
        PaymentEvent::Refunded {
            payment,
            total_cents,
        } => refunded(payment, *total_cents, binds),
        // Nothing was taken, so nothing can be taken back.
        PaymentEvent::Disputed { cents, .. } | PaymentEvent::DisputeClosed { cents, .. }
            if *cents <= 0 =>
        {
            answer("'irrelevant'::text")
        }
        PaymentEvent::Disputed {
            payment,
            dispute,
            cents,
        } => answer(&format!(
            "reverse_payment(gen_random_uuid(), {}, 'dispute', {}, {})",
            binds.text(payment.as_str()),
            binds.text(without_nul(dispute)),
            binds.number(*cents),
        )),
        PaymentEvent::DisputeClosed {
            payment,
            dispute,
            cents,
            verdict,
        } => answer(&format!(
            "close_dispute(gen_random_uuid(), {}, {}, {}, {})",
            binds.text(payment.as_str()),
            binds.text(without_nul(dispute)),
            binds.number(*cents),
            binds.text(verdict.as_str()),
        )),
        PaymentEvent::AccountUpdated {
            account,
            can_be_paid,
        } => account_updated(account, *can_be_paid, told_at, binds),
        PaymentEvent::TransferMade { payout, transfer } => {
            finished(*payout, "paid", transfer, binds)
        }
        PaymentEvent::TransferReversed { payout, transfer } => {
            finished(*payout, "returned", transfer, binds)
        }
        PaymentEvent::Irrelevant => answer("'irrelevant'::text"),
    }
}

fn answer(expression: &str) -> String {
    format!("done AS MATERIALIZED (SELECT {expression} AS outcome FROM fresh)")
}

fn voided(purchase: PurchaseId, how: &str, binds: &mut Binds) -> String {
    let purchase = binds.uuid(purchase.uuid());
    answer(&format!(
        "CASE WHEN EXISTS (SELECT 1 FROM purchases WHERE id = {purchase}) \
            THEN void_purchase({purchase}, {}) ELSE 'unknown' END",
        binds.text(how),
    ))
}

/// A refund has no name of its own in the message: it is told by what it makes the sum grow to.
fn refunded(payment: &PaymentRef, total_cents: i64, binds: &mut Binds) -> String {
    if total_cents <= 0 {
        return answer("'irrelevant'::text");
    }
    let payment = payment.as_str();
    answer(&format!(
        "reverse_payment(gen_random_uuid(), {}, 'refund', {}, {})",
        binds.text(payment),
        binds.text(format!("{payment}:{total_cents}")),
        binds.number(total_cents),
    ))
}

fn finished(payout: PayoutId, how: &str, transfer: &TransferRef, binds: &mut Binds) -> String {
    let why = (how == "returned").then_some(RETURNED);
    answer(&format!(
        "finish_payout({}, {}, {}, {})",
        binds.uuid(payout.uuid()),
        binds.text(how),
        binds.text(transfer.as_str()),
        binds.optional_text(why),
    ))
}

/// The developer sees it in his profile, so a change is a revision of that. The person is locked
/// before the developer, as when he revises it himself.
fn account_updated(
    account: &AccountRef,
    can_be_paid: bool,
    told_at: Timestamp,
    binds: &mut Binds,
) -> String {
    let account = binds.text(account.as_str());
    let can_be_paid = binds.flag(can_be_paid);
    let told_at = binds.moment(told_at);
    let is_news = format!("coalesce(d.account_told_at <= {told_at}, true)");
    let done = answer(&format!(
        "CASE WHEN EXISTS (SELECT 1 FROM his) THEN 'applied' \
            WHEN EXISTS (SELECT 1 FROM developers WHERE stripe_account_id = {account}) \
                THEN 'outdated' \
            ELSE 'unknown' END"
    ));
    format!(
        "revised AS (\
            UPDATE people p SET version = p.version + 1, updated_at = now() \
            FROM developers d CROSS JOIN fresh \
            WHERE d.id = p.id AND d.stripe_account_id = {account} \
                AND d.is_verified <> {can_be_paid} AND {is_news} \
            RETURNING p.id\
         ), his AS (\
            UPDATE developers d SET is_verified = {can_be_paid}, account_told_at = {told_at} \
            FROM fresh \
            WHERE d.stripe_account_id = {account} AND {is_news} \
                AND (SELECT count(*) FROM revised) >= 0 \
            RETURNING d.id\
         ), {done}"
    )
}

/// What came of a message.
#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
pub(super) struct OutcomeRow {
    #[diesel(sql_type = Text)]
    outcome: String,
}

/// What the rows say.
pub(super) fn outcome(rows: Vec<OutcomeRow>) -> Result<EventOutcome, RepoError> {
    let Some(OutcomeRow { outcome }) = rows.into_iter().next() else {
        return Ok(EventOutcome::Repeated);
    };
    let outcome = match outcome.as_str() {
        "applied" => Ok(EventOutcome::Applied),
        "repeated" => Ok(EventOutcome::Repeated),
        "remembered" => Ok(EventOutcome::Remembered),
        "unknown" => Ok(EventOutcome::Unknown),
        "underpaid" => Ok(EventOutcome::Underpaid),
        "contradicted" => Ok(EventOutcome::Contradicted),
        "outdated" => Ok(EventOutcome::Outdated),
        "paid_twice" => Ok(EventOutcome::PaidTwice),
        "irrelevant" => Ok(EventOutcome::Irrelevant),
        _ => Err("no such outcome"),
    };
    stored::checked("outcome", outcome)
}
