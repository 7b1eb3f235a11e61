//! Keeps tars models. A scope that is no developer's and not the system's sees none.

use async_trait::async_trait;
use diesel::QueryableByName;
use diesel::pg::Pg;
use diesel::sql_types::{BigInt, Bool, Json, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use serde_json::Value;
use tarsify_domain::catalog::tars_model::BaseModelRef;
use tarsify_domain::catalog::{
    Category, ConfigOverrides, InputSchema, OutputType, TarsModel, TarsModelFilter,
    TarsModelRepository, TarsModelStatus,
};
use tarsify_domain::id::{BaseModelId, DeveloperId, TarsModelId};
use tarsify_domain::money::Price;
use tarsify_domain::text::{Description, Name, OutputFormat, Slug, Title};
use tarsify_domain::{Page, PageRequest, RepoError, Scope, Timestamp, Version};
use uuid::Uuid;

use crate::error::Failure;
use crate::listing::{Counted, Direction, Listing, Sort, SortKey};
use crate::pool::Database;
use crate::statement::{Binds, Statement, Written};
use crate::stored;

/// The unique index on slugs.
const SLUG_UNIQUE: &str = "tars_models_slug_unique";

/// What is read of a tars model `t`, its base model `b` and that one's endpoint `e`.
const COLUMNS: &str = "t.id, t.developer_id, t.base_model_id, b.slug AS base_slug, \
    b.name AS base_name, b.category AS base_category, b.output_type AS base_output_type, \
    b.output_format AS base_output_format, b.input_schema AS base_input_schema, \
    b.is_active AS base_is_active, e.is_active AS endpoint_is_active, t.title, t.slug, \
    t.description, t.config_overrides, t.price_credits, t.status, t.version, t.total_runs, \
    t.created_at, t.updated_at, t.published_at";

/// A tars model `t` with what stands under it.
const TABLES: &str = "tars_models t JOIN base_models b ON b.id = t.base_model_id \
    JOIN endpoints e ON e.id = b.endpoint_id";

/// Tars models in PostgreSQL.
pub struct PgTarsModelRepository {
    database: Database,
}

impl PgTarsModelRepository {
    /// Keeps them in `database`.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl TarsModelRepository for PgTarsModelRepository {
    async fn find(&self, scope: Scope, id: TarsModelId) -> Result<Option<TarsModel>, RepoError> {
        let mut binds = Binds::default();
        let filter = [
            format!("t.id = {}", binds.uuid(id.uuid())),
            seen_by(scope, &mut binds),
        ];
        let sql = format!(
            "SELECT {COLUMNS} FROM {TABLES} WHERE {}",
            filter.join(" AND ")
        );
        let rows = self.database.read(&Statement::new(sql, binds)).await;
        let rows: Vec<TarsModelRow> = rows.map_err(|failure| failure.into_repo())?;
        rows.into_iter().next().map(TarsModel::try_from).transpose()
    }

    async fn list(
        &self,
        scope: Scope,
        filter: TarsModelFilter,
        page: &PageRequest,
    ) -> Result<Page<TarsModel>, RepoError> {
        let TarsModelFilter { status } = filter;
        let mut binds = Binds::default();
        let mut filter = vec![seen_by(scope, &mut binds)];
        if let Some(status) = status {
            filter.push(format!("t.status = {}", binds.text(status.as_str())));
        }
        let listing = Listing {
            with: String::new(),
            columns: COLUMNS.to_owned(),
            tables: TABLES.to_owned(),
            counted: Counted::In("tars_models t".to_owned()),
            filter,
            binds,
            sort: Sort {
                order: TarsModel::ORDER,
                key: SortKey::Moment("t.created_at"),
                id: "t.id",
                direction: Direction::Descending,
            },
        };
        listing
            .read(&self.database, page, |row: TarsModelRow| row.try_into())
            .await
    }

    async fn create(&self, model: &TarsModel) -> Result<(), RepoError> {
        let TarsModel {
            id,
            developer_id,
            base_model,
            title,
            slug,
            description,
            overrides,
            price,
            status,
            version,
            total_runs: _,
            created_at,
            updated_at,
            published_at,
        } = model;
        let mut binds = Binds::default();
        let values = [
            binds.uuid(id.uuid()),
            binds.uuid(developer_id.uuid()),
            binds.uuid(base_model.id.uuid()),
            binds.text(title.as_str()),
            binds.text(slug.as_str()),
            binds.optional_text(description.as_ref().map(Description::as_str)),
            binds.json(overrides.to_value()),
            binds.number(price.credits().get()),
            binds.text(status.as_str()),
            binds.number(version.get()),
            binds.moment(*created_at),
            binds.moment(*updated_at),
            binds.optional_moment(*published_at),
        ];
        let sql = format!(
            "INSERT INTO tars_models (id, developer_id, base_model_id, title, slug, description, \
             config_overrides, price_credits, status, version, created_at, updated_at, \
             published_at) VALUES ({}) RETURNING id",
            values.join(", ")
        );
        let rows = self.database.write(&Statement::new(sql, binds)).await;
        let _rows: Vec<Written> = rows.map_err(|failure| failure.or_conflict(&[SLUG_UNIQUE]))?;
        Ok(())
    }

    async fn revise(&self, model: &TarsModel) -> Result<TarsModel, RepoError> {
        let TarsModel {
            id,
            developer_id,
            base_model,
            title,
            slug,
            description,
            overrides,
            price,
            status,
            version,
            total_runs: _,
            created_at: _,
            updated_at,
            published_at,
        } = model;
        let mut binds = Binds::default();
        let sql = format!(
            "WITH t AS (\
                UPDATE tars_models SET base_model_id = {}, title = {}, slug = {}, \
                    description = {}, config_overrides = {}, price_credits = {}, status = {}, \
                    updated_at = {}, published_at = {}, version = version + 1 \
                WHERE id = {} AND developer_id = {} AND version = {} RETURNING tars_models.*\
             ) SELECT {COLUMNS} FROM t JOIN base_models b ON b.id = t.base_model_id \
             JOIN endpoints e ON e.id = b.endpoint_id",
            binds.uuid(base_model.id.uuid()),
            binds.text(title.as_str()),
            binds.text(slug.as_str()),
            binds.optional_text(description.as_ref().map(Description::as_str)),
            binds.json(overrides.to_value()),
            binds.number(price.credits().get()),
            binds.text(status.as_str()),
            binds.moment(*updated_at),
            binds.optional_moment(*published_at),
            binds.uuid(id.uuid()),
            binds.uuid(developer_id.uuid()),
            binds.number(version.get()),
        );
        let rows = self.database.write(&Statement::new(sql, binds)).await;
        let rows: Vec<TarsModelRow> =
            rows.map_err(|failure| failure.or_conflict(&[SLUG_UNIQUE]))?;
        stored::changed(rows)?.try_into()
    }

    async fn delete(
        &self,
        scope: Scope,
        id: TarsModelId,
        version: Version,
    ) -> Result<(), RepoError> {
        let mut binds = Binds::default();
        let sql = format!(
            "DELETE FROM tars_models t WHERE t.id = {} AND {} AND t.version = {} \
             AND t.status <> 'PUBLISHED' AND t.total_runs = 0 \
             AND NOT EXISTS (SELECT 1 FROM executions x WHERE x.tars_model_id = t.id) \
             RETURNING t.id",
            binds.uuid(id.uuid()),
            seen_by(scope, &mut binds),
            binds.number(version.get()),
        );
        let rows = self.database.write(&Statement::new(sql, binds)).await;
        let rows: Vec<Written> = rows.map_err(|failure| match failure {
            // A run was accepted at this very moment.
            Failure::Bound(_) => RepoError::Stale,
            other => other.into_repo(),
        })?;
        stored::changed(rows).map(drop)
    }
}

/// The condition that a tars model `t` meets for the scope to see it.
fn seen_by(scope: Scope, binds: &mut Binds) -> String {
    match scope {
        Scope::Developer(developer) => {
            format!("t.developer_id = {}", binds.uuid(developer.uuid()))
        }
        Scope::System => "true".to_owned(),
        // Consumers see the market only.
        Scope::Consumer(_) => "false".to_owned(),
    }
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
pub(crate) struct TarsModelRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    developer_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    base_model_id: Uuid,
    #[diesel(sql_type = Text)]
    base_slug: String,
    #[diesel(sql_type = Text)]
    base_name: String,
    #[diesel(sql_type = Text)]
    base_category: String,
    #[diesel(sql_type = Text)]
    base_output_type: String,
    #[diesel(sql_type = Text)]
    base_output_format: String,
    #[diesel(sql_type = Json)]
    base_input_schema: Value,
    #[diesel(sql_type = Bool)]
    base_is_active: bool,
    #[diesel(sql_type = Bool)]
    endpoint_is_active: bool,
    #[diesel(sql_type = Text)]
    title: String,
    #[diesel(sql_type = Text)]
    slug: String,
    #[diesel(sql_type = Nullable<Text>)]
    description: Option<String>,
    #[diesel(sql_type = Json)]
    config_overrides: Value,
    #[diesel(sql_type = BigInt)]
    price_credits: i64,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = BigInt)]
    total_runs: i64,
    #[diesel(sql_type = Timestamptz)]
    created_at: Timestamp,
    #[diesel(sql_type = Timestamptz)]
    updated_at: Timestamp,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    published_at: Option<Timestamp>,
}

impl TryFrom<TarsModelRow> for TarsModel {
    type Error = RepoError;

    fn try_from(row: TarsModelRow) -> Result<Self, RepoError> {
        let TarsModelRow {
            id,
            developer_id,
            base_model_id,
            base_slug,
            base_name,
            base_category,
            base_output_type,
            base_output_format,
            base_input_schema,
            base_is_active,
            endpoint_is_active,
            title,
            slug,
            description,
            config_overrides,
            price_credits,
            status,
            version,
            total_runs,
            created_at,
            updated_at,
            published_at,
        } = row;
        let base_model = BaseModelRef {
            id: BaseModelId::from_uuid(base_model_id),
            slug: stored::parsed("base slug", &base_slug, Slug::parse)?,
            name: stored::parsed("base name", &base_name, Name::parse)?,
            category: stored::parsed("category", &base_category, Category::parse)?,
            output_type: stored::parsed("output_type", &base_output_type, OutputType::parse)?,
            output_format: stored::parsed(
                "output_format",
                &base_output_format,
                OutputFormat::parse,
            )?,
            input_schema: stored::checked("input_schema", InputSchema::parse(base_input_schema))?,
            is_active: base_is_active,
            endpoint_is_active,
        };
        Ok(Self {
            id: TarsModelId::from_uuid(id),
            developer_id: DeveloperId::from_uuid(developer_id),
            base_model,
            title: stored::parsed("title", &title, Title::parse)?,
            slug: stored::parsed("slug", &slug, Slug::parse)?,
            description: stored::parsed_optional(
                "description",
                description.as_deref(),
                Description::parse,
            )?,
            overrides: overrides(config_overrides)?,
            price: stored::checked("price_credits", Price::parse(price_credits))?,
            status: stored::parsed("status", &status, TarsModelStatus::parse)?,
            version: Version::new(version),
            total_runs: stored::count("total_runs", total_runs)?,
            created_at,
            updated_at,
            published_at,
        })
    }
}

/// Reads stored overrides. They hold a developer's secrets, so the error names no content.
pub(crate) fn overrides(value: Value) -> Result<ConfigOverrides, RepoError> {
    let parsed = ConfigOverrides::parse(value);
    stored::checked(
        "config_overrides",
        parsed.map_err(|issues| format!("{} faults", issues.len())),
    )
}
