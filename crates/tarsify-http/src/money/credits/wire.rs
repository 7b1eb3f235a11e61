//! How a wallet, a line of a statement and a receipt look on the wire.

use serde::Serialize;
use tarsify_domain::PageRequest;
use tarsify_domain::ledger::{
    EntryKind, EntrySubject, HoldState, Receipt, ReceiptEntry, StatementEntry, Wallet,
};
use tarsify_domain::limits::Tier;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::extract::{QueryFields, QueryIn};
use crate::money::wire::{self, NamedModelOut, dollars};
use crate::wire::{Moment, execution_status};

/// What a consumer has.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreditsOut {
    /// All that is his: what he can spend and what is set aside.
    #[schema(example = 1_234)]
    balance: i64,
    /// What is set aside for runs that have not ended.
    #[schema(example = 34)]
    held: i64,
    /// What he can spend.
    #[schema(example = 1_200)]
    available: i64,
    /// The balance in dollars.
    #[schema(example = "$12.34")]
    display_balance: String,
    /// What he has bought, bonus included, less what went back to his card.
    #[schema(example = 1_500)]
    lifetime_purchased: i64,
    /// What he has paid for runs, less what was refunded.
    #[schema(example = 266)]
    lifetime_spent: i64,
    /// The name of his standing, by what he has bought.
    #[schema(max_length = 40, example = "premium")]
    tier: String,
}

impl CreditsOut {
    /// What is in the wallet of somebody, and his standing.
    pub(super) fn new(wallet: Wallet, tier: Option<&Tier>) -> Self {
        let balance = wallet.balance().credits().get();
        let Wallet {
            available,
            held,
            lifetime_purchased,
            lifetime_spent,
        } = wallet;
        Self {
            balance,
            held: held.credits().get(),
            available: available.credits().get(),
            display_balance: dollars(balance),
            lifetime_purchased: lifetime_purchased.get(),
            lifetime_spent: lifetime_spent.get(),
            tier: tier.map(|tier| tier.name.clone()).unwrap_or_default(),
        }
    }
}

/// Which lines of his statement a consumer wants to see.
pub(crate) struct TransactionsQueryIn {
    pub(super) kind: Option<EntryKind>,
    pub(super) page: PageRequest,
}

impl QueryIn for TransactionsQueryIn {
    fn read(query: &mut QueryFields) -> Option<Self> {
        let kind = query.optional("type", EntryKind::parse);
        let page = query.page(StatementEntry::ORDER);
        Some(Self { kind, page })
    }
}

/// A line of a statement.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TransactionOut {
    /// Its number in the ledger; later lines have larger ones.
    #[schema(example = "4711")]
    id: String,
    #[serde(rename = "type")]
    #[schema(schema_with = wire::entry_kind)]
    kind: &'static str,
    /// By how much; below nothing when it became less.
    #[schema(example = 1_000)]
    amount: i64,
    /// What he could spend afterwards.
    #[schema(example = 1_200)]
    balance_after: i64,
    /// What happened, for people.
    #[schema(example = "Credits bought")]
    description: String,
    /// What kind of thing it is about.
    #[schema(example = "purchase")]
    reference_type: &'static str,
    /// Which one.
    #[schema(example = "0198b2c4-d5e6-7f80-91a2-b3c4d5e6f711")]
    reference_id: Uuid,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T08:30:00.000Z")]
    created_at: Moment,
}

impl From<StatementEntry> for TransactionOut {
    fn from(entry: StatementEntry) -> Self {
        let description = entry.description();
        let StatementEntry {
            id,
            kind,
            amount,
            balance_after,
            subject,
            model_title: _,
            created_at,
        } = entry;
        let EntrySubject {
            kind: reference_type,
            id: reference_id,
        } = subject;
        Self {
            id: id.to_string(),
            kind: kind.as_str(),
            amount: amount.credits().get(),
            balance_after: balance_after.credits().get(),
            description,
            reference_type,
            reference_id,
            created_at: Moment(created_at),
        }
    }
}

/// A movement of a run's money.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReceiptEntryOut {
    #[serde(rename = "type")]
    #[schema(schema_with = wire::receipt_kind)]
    kind: &'static str,
    /// How much.
    #[schema(example = 25)]
    amount: i64,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T08:30:09.000Z")]
    created_at: Moment,
}

impl From<ReceiptEntry> for ReceiptEntryOut {
    fn from(entry: ReceiptEntry) -> Self {
        let ReceiptEntry { kind, amount, at } = entry;
        Self {
            kind: kind.as_str(),
            amount: amount.credits().get(),
            created_at: Moment(at),
        }
    }
}

/// What a run cost and how that was paid.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReceiptOut {
    #[schema(example = "0198b2c4-d5e6-7f80-91a2-b3c4d5e6f70d")]
    execution_id: Uuid,
    #[schema(schema_with = execution_status)]
    status: &'static str,
    tars_model: NamedModelOut,
    /// The price when it was accepted.
    #[schema(example = 25)]
    price_credits: i64,
    /// What was taken for it when it ended.
    #[schema(example = 25)]
    charged_credits: i64,
    /// What was taken and not refunded.
    #[schema(example = 25)]
    paid_credits: i64,
    /// What was refunded.
    #[schema(example = 0)]
    refunded_credits: i64,
    #[schema(schema_with = wire::hold_status)]
    hold_status: Option<&'static str>,
    /// Every movement, oldest first.
    entries: Vec<ReceiptEntryOut>,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T08:30:00.000Z")]
    created_at: Moment,
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T08:30:09.000Z")]
    completed_at: Option<Moment>,
}

impl From<Receipt> for ReceiptOut {
    fn from(receipt: Receipt) -> Self {
        let Receipt {
            run,
            state,
            paid,
            refunded,
            entries,
        } = receipt;
        Self {
            execution_id: run.id.uuid(),
            status: run.status.as_str(),
            tars_model: NamedModelOut {
                id: run.model.id.uuid(),
                slug: run.model.slug.to_string(),
                title: run.model.title.to_string(),
            },
            price_credits: run.price.credits().get(),
            charged_credits: run.charged.get(),
            paid_credits: paid.credits().get(),
            refunded_credits: refunded.credits().get(),
            hold_status: state.map(|state| match state {
                HoldState::Active => "ACTIVE",
                HoldState::Captured => "CAPTURED",
                HoldState::Released => "RELEASED",
            }),
            entries: entries.into_iter().map(ReceiptEntryOut::from).collect(),
            created_at: Moment(run.created_at),
            completed_at: run.completed_at.map(Moment),
        }
    }
}
