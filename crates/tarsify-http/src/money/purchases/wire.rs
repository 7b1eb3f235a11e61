//! How a purchase looks on the wire.

use serde::Serialize;
use serde_json::json;
use tarsify_domain::id::PackageId;
use tarsify_domain::payments::{Purchase, Wish};
use tarsify_domain::{Misfit, PageRequest};
use utoipa::openapi::schema::OneOfBuilder;
use utoipa::openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

use crate::extract::{Body, Fields, QueryFields, QueryIn, integer, text};
use crate::money::wire;
use crate::wire::Moment;

/// What a consumer wants to buy.
pub(crate) struct PurchaseCreditsIn {
    pub(super) wish: Wish,
}

impl PartialSchema for PurchaseCreditsIn {
    /// Exactly one of the two, which no derived schema can say.
    fn schema() -> RefOr<Schema> {
        let package = ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)))
            .description(Some("The package to buy."));
        let (least, most) = Wish::CENTS;
        let cents = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(least))
            .maximum(Some(most))
            .description(Some("How many US cents to spend without a package."));
        let object = |name: &str, field: ObjectBuilder| {
            let object = ObjectBuilder::new().property(name, field);
            object.required(name).build()
        };
        let schema = OneOfBuilder::new()
            .item(object("packageId", package))
            .item(object("amountCents", cents))
            .description(Some(
                "What a consumer wants to buy: a package, or an amount.",
            ))
            .examples([json!({ "amountCents": 1_000 })]);
        RefOr::T(Schema::OneOf(schema.build()))
    }
}

impl ToSchema for PurchaseCreditsIn {}

impl Body for PurchaseCreditsIn {
    fn read(fields: &mut Fields) -> Option<Self> {
        let package = fields.optional("packageId", text(package_id));
        let cents = fields.optional("amountCents", integer(Wish::parse_cents));
        let wish = match (package, cents) {
            (Some(package), None) => Wish::Package(package),
            (None, Some(cents)) => cents,
            (Some(_), Some(_)) => {
                for (path, other) in [("/packageId", "amountCents"), ("/amountCents", "packageId")]
                {
                    let message = format!("cannot be combined with {other}: send one of them");
                    fields.refuse(Misfit::new("conflict", message).at(path));
                }
                return None;
            }
            (None, None) => {
                // One that is there and no good has been told already.
                if fields.is_faultless() {
                    for (path, other) in
                        [("/packageId", "amountCents"), ("/amountCents", "packageId")]
                    {
                        let message = format!("is required, unless {other} is sent");
                        fields.refuse(Misfit::new("required", message).at(path));
                    }
                }
                return None;
            }
        };
        Some(Self { wish })
    }
}

fn package_id(text: &str) -> Result<PackageId, Misfit> {
    text.parse()
        .map_err(|_ignored| Misfit::new("format", "must be the id of a package, a UUID"))
}

/// A purchase.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PurchaseOut {
    #[schema(example = "0198b2c4-d5e6-7f80-91a2-b3c4d5e6f711")]
    id: Uuid,
    /// Where it is paid.
    #[schema(example = "https://checkout.stripe.com/c/pay/cs_test_a1b2c3")]
    checkout_url: Option<String>,
    #[schema(schema_with = wire::purchase_status)]
    status: &'static str,
    /// The package that is bought; null when an amount is.
    #[schema(example = json!(null))]
    package_id: Option<Uuid>,
    /// The credits that are paid for.
    #[schema(example = 1_000)]
    credits_amount: i64,
    /// Those that come on top.
    #[schema(example = 0)]
    bonus_credits: i64,
    /// The price in the smallest unit of the currency.
    #[schema(example = 1_000)]
    amount_cents: i64,
    /// Its three letters in ISO 4217, in lower case.
    #[schema(example = "usd")]
    currency: String,
    #[schema(value_type = Option<String>, format = DateTime, example = json!(null))]
    paid_at: Option<Moment>,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T08:30:00.000Z")]
    created_at: Moment,
}

impl From<Purchase> for PurchaseOut {
    fn from(purchase: Purchase) -> Self {
        let Purchase {
            id,
            consumer: _,
            package,
            credits,
            bonus,
            price_cents,
            currency,
            status,
            checkout_url,
            paid_at,
            created_at,
        } = purchase;
        Self {
            id: id.uuid(),
            checkout_url,
            status: status.as_str(),
            package_id: package.map(PackageId::uuid),
            credits_amount: credits.get(),
            bonus_credits: bonus.get(),
            amount_cents: price_cents,
            currency,
            paid_at: paid_at.map(Moment),
            created_at: Moment(created_at),
        }
    }
}

/// Which purchases to list.
pub(crate) struct PurchasesQueryIn {
    pub(super) page: PageRequest,
}

impl QueryIn for PurchasesQueryIn {
    fn read(query: &mut QueryFields) -> Option<Self> {
        Some(Self {
            page: query.page(Purchase::ORDER),
        })
    }
}
