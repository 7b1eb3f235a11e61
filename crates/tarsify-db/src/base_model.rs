//! Keeps base models.

use async_trait::async_trait;
use diesel::QueryableByName;
use diesel::pg::Pg;
use diesel::sql_types::{
    BigInt, Bool, Integer, Json, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use serde_json::Value;
use tarsify_domain::catalog::base_model::{EndpointRef, Seconds};
use tarsify_domain::catalog::{
    BaseModel, BaseModelFilter, BaseModelRepository, BaseModels, Category, InputSchema, OutputType,
};
use tarsify_domain::id::{BaseModelId, EndpointId};
use tarsify_domain::text::{Description, Name, OutputFormat, Slug};
use tarsify_domain::{Page, PageRequest, RepoError, Timestamp, Version};
use uuid::Uuid;

use crate::listing::{Counted, Direction, Listing, Sort, SortKey};
use crate::pool::Database;
use crate::statement::{Binds, Statement, Written};
use crate::stored;

/// The unique index on slugs.
const SLUG_UNIQUE: &str = "base_models_slug_unique";

/// What is read of a base model `b` on its endpoint `e`.
const COLUMNS: &str = "b.id, b.endpoint_id, e.name AS endpoint_name, \
    e.is_active AS endpoint_is_active, b.slug, b.name, b.description, b.category, \
    b.input_schema, b.output_type, b.output_format, b.estimated_seconds, b.timeout_seconds, \
    b.streams_output, b.is_active, (SELECT count(*) FROM tars_models WHERE base_model_id = b.id) AS tars_model_count, \
    b.version, b.created_at, b.updated_at";

/// A base model `b` and its endpoint `e`.
const TABLES: &str = "base_models b JOIN endpoints e ON e.id = b.endpoint_id";

/// Base models in PostgreSQL.
pub struct PgBaseModelRepository {
    database: Database,
}

impl PgBaseModelRepository {
    /// Keeps them in `database`.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }

    async fn select(&self, rest: String, binds: Binds) -> Result<Vec<BaseModel>, RepoError> {
        let sql = format!("SELECT {COLUMNS} FROM {TABLES} {rest}");
        let rows = self.database.read(&Statement::new(sql, binds)).await;
        let rows: Vec<BaseModelRow> = rows.map_err(|failure| failure.into_repo())?;
        rows.into_iter().map(BaseModel::try_from).collect()
    }
}

#[async_trait]
impl BaseModelRepository for PgBaseModelRepository {
    async fn find(&self, id: BaseModelId) -> Result<Option<BaseModel>, RepoError> {
        let mut binds = Binds::default();
        let rest = format!("WHERE b.id = {}", binds.uuid(id.uuid()));
        Ok(self.select(rest, binds).await?.pop())
    }

    async fn find_by_slug(&self, slug: &Slug) -> Result<Option<BaseModel>, RepoError> {
        let mut binds = Binds::default();
        let rest = format!("WHERE lower(b.slug) = {}", binds.text(slug.as_str()));
        Ok(self.select(rest, binds).await?.pop())
    }

    async fn list(
        &self,
        filter: BaseModelFilter,
        page: &PageRequest,
    ) -> Result<Page<BaseModel>, RepoError> {
        let mut binds = Binds::default();
        let listing = Listing {
            with: String::new(),
            columns: COLUMNS.to_owned(),
            tables: TABLES.to_owned(),
            counted: Counted::In("base_models b".to_owned()),
            filter: conditions(filter, &mut binds),
            binds,
            sort: Sort {
                order: BaseModel::ORDER,
                key: SortKey::Moment("b.created_at"),
                id: "b.id",
                direction: Direction::Descending,
            },
        };
        listing
            .read(&self.database, page, |row: BaseModelRow| row.try_into())
            .await
    }

    async fn list_offered(&self, filter: BaseModelFilter) -> Result<Vec<BaseModel>, RepoError> {
        let mut binds = Binds::default();
        let mut filter = conditions(filter, &mut binds);
        filter.push("b.is_active".to_owned());
        let rest = format!(
            "WHERE {} ORDER BY lower(b.name) COLLATE \"C\", b.id LIMIT {}",
            filter.join(" AND "),
            binds.number(i64::from(BaseModels::MOST_OFFERED)),
        );
        self.select(rest, binds).await
    }

    async fn create(&self, model: &BaseModel) -> Result<(), RepoError> {
        let BaseModel {
            id,
            endpoint,
            slug,
            name,
            description,
            category,
            input_schema,
            output_type,
            output_format,
            estimated,
            timeout,
            streams_output,
            is_active,
            tars_model_count: _,
            version,
            created_at,
            updated_at,
        } = model;
        let mut binds = Binds::default();
        let values = [
            binds.uuid(id.uuid()),
            binds.uuid(endpoint.id.uuid()),
            binds.text(slug.as_str()),
            binds.text(name.as_str()),
            binds.optional_text(description.as_ref().map(Description::as_str)),
            binds.text(category.as_str()),
            binds.json(input_schema.to_value()),
            binds.text(output_type.as_str()),
            binds.text(output_format.as_str()),
            binds.number(i64::from(estimated.get())),
            binds.number(i64::from(timeout.get())),
            binds.flag(*streams_output),
            binds.flag(*is_active),
            binds.number(version.get()),
            binds.moment(*created_at),
            binds.moment(*updated_at),
        ];
        let sql = format!(
            "INSERT INTO base_models (id, endpoint_id, slug, name, description, category, \
             input_schema, output_type, output_format, estimated_seconds, timeout_seconds, \
             streams_output, is_active, version, created_at, updated_at) VALUES ({}) RETURNING id",
            values.join(", ")
        );
        let rows = self.database.write(&Statement::new(sql, binds)).await;
        let _rows: Vec<Written> = rows.map_err(|failure| failure.or_conflict(&[SLUG_UNIQUE]))?;
        Ok(())
    }

    async fn revise(&self, model: &BaseModel) -> Result<BaseModel, RepoError> {
        let BaseModel {
            id,
            endpoint,
            slug,
            name,
            description,
            category,
            input_schema,
            output_type,
            output_format,
            estimated,
            timeout,
            streams_output,
            is_active,
            tars_model_count: _,
            version,
            created_at: _,
            updated_at,
        } = model;
        let mut binds = Binds::default();
        let sql = format!(
            "WITH b AS (\
                UPDATE base_models SET endpoint_id = {}, slug = {}, name = {}, description = {}, \
                    category = {}, input_schema = {}, output_type = {}, output_format = {}, \
                    estimated_seconds = {}, timeout_seconds = {}, streams_output = {}, \
                    is_active = {}, \
                    updated_at = {}, version = version + 1 \
                WHERE id = {} AND version = {} RETURNING base_models.*\
             ) SELECT {COLUMNS} FROM b JOIN endpoints e ON e.id = b.endpoint_id",
            binds.uuid(endpoint.id.uuid()),
            binds.text(slug.as_str()),
            binds.text(name.as_str()),
            binds.optional_text(description.as_ref().map(Description::as_str)),
            binds.text(category.as_str()),
            binds.json(input_schema.to_value()),
            binds.text(output_type.as_str()),
            binds.text(output_format.as_str()),
            binds.number(i64::from(estimated.get())),
            binds.number(i64::from(timeout.get())),
            binds.flag(*streams_output),
            binds.flag(*is_active),
            binds.moment(*updated_at),
            binds.uuid(id.uuid()),
            binds.number(version.get()),
        );
        let rows = self.database.write(&Statement::new(sql, binds)).await;
        let rows: Vec<BaseModelRow> =
            rows.map_err(|failure| failure.or_conflict(&[SLUG_UNIQUE]))?;
        stored::changed(rows)?.try_into()
    }
}

fn conditions(filter: BaseModelFilter, binds: &mut Binds) -> Vec<String> {
    let BaseModelFilter { category } = filter;
    category
        .map(|category| format!("b.category = {}", binds.text(category.as_str())))
        .into_iter()
        .collect()
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
pub(crate) struct BaseModelRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    endpoint_id: Uuid,
    #[diesel(sql_type = Text)]
    endpoint_name: String,
    #[diesel(sql_type = Bool)]
    endpoint_is_active: bool,
    #[diesel(sql_type = Text)]
    slug: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Nullable<Text>)]
    description: Option<String>,
    #[diesel(sql_type = Text)]
    category: String,
    #[diesel(sql_type = Json)]
    input_schema: Value,
    #[diesel(sql_type = Text)]
    output_type: String,
    #[diesel(sql_type = Text)]
    output_format: String,
    #[diesel(sql_type = Integer)]
    estimated_seconds: i32,
    #[diesel(sql_type = Integer)]
    timeout_seconds: i32,
    #[diesel(sql_type = Bool)]
    streams_output: bool,
    #[diesel(sql_type = Bool)]
    is_active: bool,
    #[diesel(sql_type = BigInt)]
    tars_model_count: i64,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = Timestamptz)]
    created_at: Timestamp,
    #[diesel(sql_type = Timestamptz)]
    updated_at: Timestamp,
}

impl TryFrom<BaseModelRow> for BaseModel {
    type Error = RepoError;

    fn try_from(row: BaseModelRow) -> Result<Self, RepoError> {
        let BaseModelRow {
            id,
            endpoint_id,
            endpoint_name,
            endpoint_is_active,
            slug,
            name,
            description,
            category,
            input_schema,
            output_type,
            output_format,
            estimated_seconds,
            timeout_seconds,
            streams_output,
            is_active,
            tars_model_count,
            version,
            created_at,
            updated_at,
        } = row;
        Ok(Self {
            id: BaseModelId::from_uuid(id),
            endpoint: EndpointRef {
                id: EndpointId::from_uuid(endpoint_id),
                name: stored::parsed("endpoint name", &endpoint_name, Name::parse)?,
                is_active: endpoint_is_active,
            },
            slug: stored::parsed("slug", &slug, Slug::parse)?,
            name: stored::parsed("name", &name, Name::parse)?,
            description: stored::parsed_optional(
                "description",
                description.as_deref(),
                Description::parse,
            )?,
            category: stored::parsed("category", &category, Category::parse)?,
            input_schema: stored::checked("input_schema", InputSchema::parse(input_schema))?,
            output_type: stored::parsed("output_type", &output_type, OutputType::parse)?,
            output_format: stored::parsed("output_format", &output_format, OutputFormat::parse)?,
            estimated: seconds("estimated_seconds", estimated_seconds)?,
            timeout: seconds("timeout_seconds", timeout_seconds)?,
            streams_output,
            is_active,
            tars_model_count: stored::count("tars_model_count", tars_model_count)?,
            version: Version::new(version),
            created_at,
            updated_at,
        })
    }
}

/// Reads stored seconds.
pub(crate) fn seconds(column: &'static str, value: i32) -> Result<Seconds, RepoError> {
    stored::checked(column, Seconds::parse(i64::from(value)))
}
