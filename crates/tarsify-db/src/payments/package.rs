//! Keeps packages of credits, and beside each change who made it.

use async_trait::async_trait;
use diesel::QueryableByName;
use diesel::pg::Pg;
use diesel::sql_types::{BigInt, Bool, Text, Timestamptz, Uuid as SqlUuid};
use serde_json::{Value, json};
use tarsify_domain::audit::Actor;
use tarsify_domain::id::PackageId;
use tarsify_domain::money::Credits;
use tarsify_domain::payments::{CreditPackage, PackageAmounts, PackageRepository, Shown};
use tarsify_domain::{RepoError, Timestamp, Version};
use uuid::Uuid;

use crate::pool::Database;
use crate::statement::{Binds, Statement, Written, without_nul};
use crate::stored;

/// What is read of a package.
const COLUMNS: &str = "id, credits, bonus_credits, price_cents, currency, is_popular, is_active, \
    version, created_at, updated_at";

/// Packages in PostgreSQL.
pub struct PgPackageRepository {
    database: Database,
}

impl PgPackageRepository {
    /// Keeps them in `database`.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }

    async fn select(&self, rest: &str, binds: Binds) -> Result<Vec<CreditPackage>, RepoError> {
        let sql = format!("SELECT {COLUMNS} FROM credit_packages {rest}");
        let rows = self.database.read(&Statement::new(sql, binds)).await;
        let rows: Vec<PackageRow> = rows.map_err(|failure| failure.into_repo())?;
        rows.into_iter().map(CreditPackage::try_from).collect()
    }
}

#[async_trait]
impl PackageRepository for PgPackageRepository {
    async fn list(&self, which: Shown) -> Result<Vec<CreditPackage>, RepoError> {
        let rest = match which {
            Shown::OnOffer => "WHERE is_active ORDER BY price_cents, id",
            Shown::All => "ORDER BY price_cents, id",
        };
        self.select(rest, Binds::default()).await
    }

    async fn find(&self, id: PackageId) -> Result<Option<CreditPackage>, RepoError> {
        let mut binds = Binds::default();
        let rest = format!("WHERE id = {}", binds.uuid(id.uuid()));
        Ok(self.select(&rest, binds).await?.pop())
    }

    async fn create(&self, package: &CreditPackage, actor: &Actor) -> Result<(), RepoError> {
        let CreditPackage {
            id,
            amounts,
            currency,
            is_popular,
            is_active,
            version,
            created_at,
            updated_at,
        } = package;
        let mut binds = Binds::default();
        let values = [
            binds.uuid(id.uuid()),
            binds.number(amounts.credits.get()),
            binds.number(amounts.bonus.get()),
            binds.number(amounts.price_cents),
            binds.text(currency),
            binds.flag(*is_popular),
            binds.flag(*is_active),
            binds.number(version.get()),
            binds.moment(*created_at),
            binds.moment(*updated_at),
        ];
        let sql = format!(
            "WITH kept AS (\
                INSERT INTO credit_packages ({COLUMNS}) VALUES ({}) RETURNING id\
             ), {} \
             SELECT id FROM kept",
            values.join(", "),
            remembered("package.create", package, actor, &mut binds),
        );
        let rows = self.database.write(&Statement::new(sql, binds)).await;
        let _rows: Vec<Written> = rows.map_err(|failure| failure.into_repo())?;
        Ok(())
    }

    async fn revise(
        &self,
        package: &CreditPackage,
        actor: &Actor,
    ) -> Result<CreditPackage, RepoError> {
        let CreditPackage {
            id,
            amounts,
            currency,
            is_popular,
            is_active,
            version,
            created_at: _,
            updated_at,
        } = package;
        let mut binds = Binds::default();
        let sql = format!(
            "WITH kept AS (\
                UPDATE credit_packages SET credits = {}, bonus_credits = {}, price_cents = {}, \
                    currency = {}, is_popular = {}, is_active = {}, updated_at = {}, \
                    version = version + 1 \
                WHERE id = {} AND version = {} RETURNING credit_packages.*\
             ), {} \
             SELECT {COLUMNS} FROM kept",
            binds.number(amounts.credits.get()),
            binds.number(amounts.bonus.get()),
            binds.number(amounts.price_cents),
            binds.text(currency),
            binds.flag(*is_popular),
            binds.flag(*is_active),
            binds.moment(*updated_at),
            binds.uuid(id.uuid()),
            binds.number(version.get()),
            remembered("package.revise", package, actor, &mut binds),
        );
        let rows = self.database.write(&Statement::new(sql, binds)).await;
        let rows: Vec<PackageRow> = rows.map_err(|failure| failure.into_repo())?;
        stored::changed(rows)?.try_into()
    }
}

/// The common table expression that remembers who `kept` a package so.
fn remembered(action: &str, package: &CreditPackage, actor: &Actor, binds: &mut Binds) -> String {
    let Actor {
        issuer,
        subject,
        developer,
    } = actor;
    format!(
        "remembered AS (\
            INSERT INTO audit_entries \
                (at, issuer, subject, developer_id, action, about, about_id, data) \
            SELECT now(), {}, {}, {}, {}, 'credit_package', kept.id, {} FROM kept\
         )",
        binds.text(without_nul(issuer)),
        binds.text(without_nul(subject)),
        binds.optional_uuid(developer.map(|developer| developer.uuid())),
        binds.text(action),
        binds.jsonb(values(package)),
    )
}

fn values(package: &CreditPackage) -> Value {
    json!({
        "credits": package.amounts.credits.get(),
        "bonusCredits": package.amounts.bonus.get(),
        "priceCents": package.amounts.price_cents,
        "currency": package.currency,
        "isPopular": package.is_popular,
        "isActive": package.is_active,
    })
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
struct PackageRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = BigInt)]
    credits: i64,
    #[diesel(sql_type = BigInt)]
    bonus_credits: i64,
    #[diesel(sql_type = BigInt)]
    price_cents: i64,
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = Bool)]
    is_popular: bool,
    #[diesel(sql_type = Bool)]
    is_active: bool,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = Timestamptz)]
    created_at: Timestamp,
    #[diesel(sql_type = Timestamptz)]
    updated_at: Timestamp,
}

impl TryFrom<PackageRow> for CreditPackage {
    type Error = RepoError;

    fn try_from(row: PackageRow) -> Result<Self, RepoError> {
        let PackageRow {
            id,
            credits,
            bonus_credits,
            price_cents,
            currency,
            is_popular,
            is_active,
            version,
            created_at,
            updated_at,
        } = row;
        let credits = PackageAmounts::parse_credits(credits);
        let bonus = PackageAmounts::parse_bonus(bonus_credits);
        let price = PackageAmounts::parse_price(price_cents);
        Ok(Self {
            id: PackageId::from_uuid(id),
            amounts: PackageAmounts {
                credits: stored::checked("credits", credits)?,
                bonus: stored::checked::<Credits>("bonus_credits", bonus)?,
                price_cents: stored::checked("price_cents", price)?,
            },
            currency,
            is_popular,
            is_active,
            version: Version::new(version),
            created_at,
            updated_at,
        })
    }
}
