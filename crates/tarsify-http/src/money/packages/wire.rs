//! How a package of credits looks on the wire.

use serde::Serialize;
use tarsify_domain::Credits;
use tarsify_domain::payments::{CreditPackage, NewPackage, PackageAmounts, PackagePatch};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::extract::{Body, Fields, boolean, integer};
use crate::money::wire::dollars;
use crate::wire::Moment;

/// A credit is a cent.
const CREDITS_PER_DOLLAR: u32 = 100;

/// What an administrator says of a new package.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) struct CreatePackageIn {
    /// The credits that are paid for.
    #[schema(value_type = i64, minimum = 1, maximum = 10_000_000, example = 5_000)]
    credits: Credits,
    /// Those that come on top; none when it is not sent.
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 10_000_000, example = 250)]
    bonus_credits: Option<Credits>,
    /// The price in US cents.
    #[schema(minimum = 50, maximum = 10_000_000, example = 5_000)]
    price_cents: i64,
    /// Whether it is recommended.
    #[schema(default = false, example = true)]
    popular: Option<bool>,
    /// Whether it is on offer.
    #[schema(default = true, example = true)]
    is_active: Option<bool>,
}

impl Body for CreatePackageIn {
    fn read(fields: &mut Fields) -> Option<Self> {
        let credits = fields.required("credits", integer(PackageAmounts::parse_credits));
        let bonus_credits = fields.optional("bonusCredits", integer(PackageAmounts::parse_bonus));
        let price_cents = fields.required("priceCents", integer(PackageAmounts::parse_price));
        let popular = fields.optional("popular", boolean);
        let is_active = fields.optional("isActive", boolean);
        Some(Self {
            credits: credits?,
            bonus_credits,
            price_cents: price_cents?,
            popular,
            is_active,
        })
    }
}

impl From<CreatePackageIn> for NewPackage {
    fn from(body: CreatePackageIn) -> Self {
        let CreatePackageIn {
            credits,
            bonus_credits,
            price_cents,
            popular,
            is_active,
        } = body;
        Self {
            amounts: PackageAmounts {
                credits,
                bonus: bonus_credits.unwrap_or(Credits::ZERO),
                price_cents,
            },
            is_popular: popular.unwrap_or(false),
            is_active: is_active.unwrap_or(true),
        }
    }
}

/// What an administrator changes of a package: absent keeps.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) struct UpdatePackageIn {
    /// The credits that are paid for.
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 10_000_000, example = 5_000, nullable = false)]
    credits: Option<Credits>,
    /// Those that come on top.
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 10_000_000, example = 500, nullable = false)]
    bonus_credits: Option<Credits>,
    /// The price in US cents.
    #[schema(minimum = 50, maximum = 10_000_000, example = 4_900, nullable = false)]
    price_cents: Option<i64>,
    /// Whether it is recommended.
    #[schema(example = false, nullable = false)]
    popular: Option<bool>,
    /// Whether it is on offer.
    #[schema(example = true, nullable = false)]
    is_active: Option<bool>,
}

impl Body for UpdatePackageIn {
    fn read(fields: &mut Fields) -> Option<Self> {
        Some(Self {
            credits: fields.change("credits", integer(PackageAmounts::parse_credits)),
            bonus_credits: fields.change("bonusCredits", integer(PackageAmounts::parse_bonus)),
            price_cents: fields.change("priceCents", integer(PackageAmounts::parse_price)),
            popular: fields.change("popular", boolean),
            is_active: fields.change("isActive", boolean),
        })
    }
}

impl From<UpdatePackageIn> for PackagePatch {
    fn from(body: UpdatePackageIn) -> Self {
        let UpdatePackageIn {
            credits,
            bonus_credits,
            price_cents,
            popular,
            is_active,
        } = body;
        Self {
            credits,
            bonus: bonus_credits,
            price_cents,
            is_popular: popular,
            is_active,
        }
    }
}

/// A package, as administrators see it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreditPackageOut {
    #[schema(example = "0198b2c4-d5e6-7f80-91a2-b3c4d5e6f710")]
    id: Uuid,
    /// The credits that are paid for.
    #[schema(example = 5_000)]
    credits: i64,
    /// Those that come on top.
    #[schema(example = 250)]
    bonus_credits: i64,
    /// The price in the smallest unit of the currency.
    #[schema(example = 5_000)]
    price_cents: i64,
    /// The price for people.
    #[schema(example = "$50.00")]
    price_display: String,
    /// Its three letters in ISO 4217, in lower case.
    #[schema(example = "usd")]
    currency: String,
    /// Whether it is recommended.
    #[schema(example = true)]
    popular: bool,
    /// Whether it is on offer.
    #[schema(example = true)]
    is_active: bool,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T08:30:00.000Z")]
    created_at: Moment,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T08:30:00.000Z")]
    updated_at: Moment,
}

impl From<CreditPackage> for CreditPackageOut {
    fn from(package: CreditPackage) -> Self {
        let CreditPackage {
            id,
            amounts,
            currency,
            is_popular,
            is_active,
            version: _,
            created_at,
            updated_at,
        } = package;
        let PackageAmounts {
            credits,
            bonus,
            price_cents,
        } = amounts;
        Self {
            id: id.uuid(),
            credits: credits.get(),
            bonus_credits: bonus.get(),
            price_cents,
            price_display: dollars(price_cents),
            currency,
            popular: is_popular,
            is_active,
            created_at: Moment(created_at),
            updated_at: Moment(updated_at),
        }
    }
}

/// A package on offer.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OfferedPackageOut {
    /// What to send as `packageId`.
    #[schema(example = "0198b2c4-d5e6-7f80-91a2-b3c4d5e6f710")]
    id: Uuid,
    /// The credits that are paid for.
    #[schema(example = 1_000)]
    credits: i64,
    /// Those that come on top.
    #[schema(example = 50)]
    bonus_credits: i64,
    /// The price in the smallest unit of the currency.
    #[schema(example = 1_000)]
    price_cents: i64,
    /// The price for people.
    #[schema(example = "$10.00")]
    price_display: String,
    /// Its three letters in ISO 4217, in lower case.
    #[schema(example = "usd")]
    currency: String,
    /// Whether it is recommended.
    #[schema(example = true)]
    popular: bool,
}

impl From<CreditPackage> for OfferedPackageOut {
    fn from(package: CreditPackage) -> Self {
        let CreditPackageOut {
            id,
            credits,
            bonus_credits,
            price_cents,
            price_display,
            currency,
            popular,
            is_active: _,
            created_at: _,
            updated_at: _,
        } = package.into();
        Self {
            id,
            credits,
            bonus_credits,
            price_cents,
            price_display,
            currency,
            popular,
        }
    }
}

/// What is on offer.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreditPackagesOut {
    /// The cheapest first.
    packages: Vec<OfferedPackageOut>,
    /// How many credits a dollar buys without a package.
    #[schema(example = 100)]
    credits_per_dollar: u32,
}

impl From<Vec<CreditPackage>> for CreditPackagesOut {
    fn from(packages: Vec<CreditPackage>) -> Self {
        Self {
            packages: packages.into_iter().map(Into::into).collect(),
            credits_per_dollar: CREDITS_PER_DOLLAR,
        }
    }
}
