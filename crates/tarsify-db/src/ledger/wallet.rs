//! What a consumer has and what he had in his life.

use diesel::QueryableByName;
use diesel::pg::Pg;
use diesel::sql_types::BigInt;
use tarsify_domain::id::ConsumerId;
use tarsify_domain::ledger::Wallet;
use tarsify_domain::money::{Credits, Millicredits};

use crate::statement::{Binds, Statement};

/// What is read of a consumer `c`. Of what he bought goes off, by the part of the price that went
/// back to his card and is still there, the same part of the credits and of the bonus, as the
/// ledger took them back; and what he spent includes what is not in the sums yet.
pub(super) const WALLET: &str = "coalesce((\
        SELECT a.balance FROM ledger_accounts a \
        WHERE a.owner_id = c.id AND a.kind = 'consumer_available'\
    ), 0) AS available, coalesce((\
        SELECT a.balance FROM ledger_accounts a \
        WHERE a.owner_id = c.id AND a.kind = 'consumer_held'\
    ), 0) AS held, coalesce((\
        SELECT sum((p.credits + p.bonus_credits) * 1000 - p.credits * 1000 * back.cents / p.price_cents \
            - p.bonus_credits * 1000 * back.cents / p.price_cents) \
        FROM purchases p CROSS JOIN LATERAL (SELECT reversed_cents(p.id) AS cents) back \
        WHERE p.consumer_id = c.id AND p.paid_at IS NOT NULL\
    ), 0)::bigint AS purchased, c.credits_spent * 1000 + (\
        SELECT coalesce(sum(u.gross), 0)::bigint FROM untallied u WHERE u.consumer_id = c.id\
    ) AS spent";

/// The statement that reads a wallet.
pub(super) fn statement(consumer: ConsumerId) -> Statement {
    let mut binds = Binds::default();
    let id = binds.uuid(consumer.uuid());
    Statement::new(
        format!("SELECT {WALLET} FROM consumers c WHERE c.id = {id}"),
        binds,
    )
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
pub(super) struct WalletRow {
    #[diesel(sql_type = BigInt)]
    available: i64,
    #[diesel(sql_type = BigInt)]
    held: i64,
    #[diesel(sql_type = BigInt)]
    purchased: i64,
    #[diesel(sql_type = BigInt)]
    spent: i64,
}

impl From<WalletRow> for Wallet {
    fn from(row: WalletRow) -> Self {
        let WalletRow {
            available,
            held,
            purchased,
            spent,
        } = row;
        Self {
            available: Millicredits::new(available),
            held: Millicredits::new(held),
            lifetime_purchased: Millicredits::new(purchased).credits().max(Credits::ZERO),
            lifetime_spent: Millicredits::new(spent).credits(),
        }
    }
}
