//! Finds models to run, with everything under them. What is found holds a developer's secrets.

use async_trait::async_trait;
use diesel::QueryableByName;
use diesel::pg::Pg;
use diesel::sql_types::{BigInt, Bool, Integer, Json, Text, Uuid as SqlUuid};
use serde_json::Value;
use tarsify_domain::catalog::endpoint::ProviderEndpointId;
use tarsify_domain::catalog::{Category, InputSchema, OutputType, Provider, TarsModelStatus};
use tarsify_domain::execution::{RunnableBase, RunnableEndpoint, RunnableModel, RunnableModels};
use tarsify_domain::id::{BaseModelId, DeveloperId, EndpointId, TarsModelId};
use tarsify_domain::money::Price;
use tarsify_domain::text::{Name, Slug, Title};
use tarsify_domain::{RepoError, Version};
use uuid::Uuid;

use super::PgExecutionRepository;
use crate::base_model::seconds;
use crate::statement::{Binds, Statement};
use crate::stored;
use crate::tars_model::overrides;

/// What is read of a tars model `t`, its base model `b` and that one's endpoint `e`.
const SELECT: &str = "SELECT t.id, t.version, t.slug, t.title, t.developer_id, t.status, \
    t.price_credits, t.config_overrides, b.id AS base_id, b.version AS base_version, \
    b.name AS base_name, b.category, b.output_type, b.input_schema, b.estimated_seconds, \
    b.timeout_seconds, b.streams_output, b.is_active AS base_is_active, e.id AS endpoint_id, \
    e.version AS endpoint_version, e.provider, e.provider_endpoint_id, \
    e.is_active AS endpoint_is_active \
    FROM tars_models t JOIN base_models b ON b.id = t.base_model_id \
    JOIN endpoints e ON e.id = b.endpoint_id";

#[async_trait]
impl RunnableModels for PgExecutionRepository {
    async fn find_by_slug(&self, slug: &Slug) -> Result<Option<RunnableModel>, RepoError> {
        let mut binds = Binds::default();
        let slug = binds.text(slug.as_str());
        self.runnable(format!("lower(t.slug) = {slug}"), binds)
            .await
    }

    async fn find_own(
        &self,
        developer: DeveloperId,
        id: TarsModelId,
    ) -> Result<Option<RunnableModel>, RepoError> {
        let mut binds = Binds::default();
        let developer = binds.uuid(developer.uuid());
        let id = binds.uuid(id.uuid());
        let own = format!("t.id = {id} AND t.developer_id = {developer}");
        self.runnable(own, binds).await
    }
}

impl PgExecutionRepository {
    async fn runnable(
        &self,
        condition: String,
        binds: Binds,
    ) -> Result<Option<RunnableModel>, RepoError> {
        let statement = Statement::new(format!("{SELECT} WHERE {condition}"), binds);
        let rows = self.database.read(&statement).await;
        let rows: Vec<RunnableRow> = rows.map_err(|failure| failure.into_repo())?;
        rows.into_iter()
            .next()
            .map(RunnableModel::try_from)
            .transpose()
    }
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
struct RunnableRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = Text)]
    slug: String,
    #[diesel(sql_type = Text)]
    title: String,
    #[diesel(sql_type = SqlUuid)]
    developer_id: Uuid,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = BigInt)]
    price_credits: i64,
    #[diesel(sql_type = Json)]
    config_overrides: Value,
    #[diesel(embed)]
    base: BaseRow,
    #[diesel(embed)]
    endpoint: EndpointRow,
}

impl TryFrom<RunnableRow> for RunnableModel {
    type Error = RepoError;

    fn try_from(row: RunnableRow) -> Result<Self, RepoError> {
        let RunnableRow {
            id,
            version,
            slug,
            title,
            developer_id,
            status,
            price_credits,
            config_overrides,
            base,
            endpoint,
        } = row;
        Ok(Self {
            id: TarsModelId::from_uuid(id),
            version: Version::new(version),
            slug: stored::parsed("slug", &slug, Slug::parse)?,
            title: stored::parsed("title", &title, Title::parse)?,
            developer_id: DeveloperId::from_uuid(developer_id),
            status: stored::parsed("status", &status, TarsModelStatus::parse)?,
            price: stored::checked("price_credits", Price::parse(price_credits))?,
            overrides: overrides(config_overrides)?,
            base_model: base.try_into()?,
            endpoint: endpoint.try_into()?,
        })
    }
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
struct BaseRow {
    #[diesel(sql_type = SqlUuid)]
    base_id: Uuid,
    #[diesel(sql_type = BigInt)]
    base_version: i64,
    #[diesel(sql_type = Text)]
    base_name: String,
    #[diesel(sql_type = Text)]
    category: String,
    #[diesel(sql_type = Text)]
    output_type: String,
    #[diesel(sql_type = Json)]
    input_schema: Value,
    #[diesel(sql_type = Integer)]
    estimated_seconds: i32,
    #[diesel(sql_type = Integer)]
    timeout_seconds: i32,
    #[diesel(sql_type = Bool)]
    streams_output: bool,
    #[diesel(sql_type = Bool)]
    base_is_active: bool,
}

impl TryFrom<BaseRow> for RunnableBase {
    type Error = RepoError;

    fn try_from(row: BaseRow) -> Result<Self, RepoError> {
        let BaseRow {
            base_id,
            base_version,
            base_name,
            category,
            output_type,
            input_schema,
            estimated_seconds,
            timeout_seconds,
            streams_output,
            base_is_active,
        } = row;
        Ok(Self {
            id: BaseModelId::from_uuid(base_id),
            version: Version::new(base_version),
            name: stored::parsed("base name", &base_name, Name::parse)?,
            category: stored::parsed("category", &category, Category::parse)?,
            output_type: stored::parsed("output_type", &output_type, OutputType::parse)?,
            input_schema: stored::checked("input_schema", InputSchema::parse(input_schema))?,
            estimated_seconds: seconds("estimated_seconds", estimated_seconds)?.get(),
            timeout_seconds: seconds("timeout_seconds", timeout_seconds)?.get(),
            streams_output,
            is_active: base_is_active,
        })
    }
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
struct EndpointRow {
    #[diesel(sql_type = SqlUuid)]
    endpoint_id: Uuid,
    #[diesel(sql_type = BigInt)]
    endpoint_version: i64,
    #[diesel(sql_type = Text)]
    provider: String,
    #[diesel(sql_type = Text)]
    provider_endpoint_id: String,
    #[diesel(sql_type = Bool)]
    endpoint_is_active: bool,
}

impl TryFrom<EndpointRow> for RunnableEndpoint {
    type Error = RepoError;

    fn try_from(row: EndpointRow) -> Result<Self, RepoError> {
        let EndpointRow {
            endpoint_id,
            endpoint_version,
            provider,
            provider_endpoint_id,
            endpoint_is_active,
        } = row;
        Ok(Self {
            id: EndpointId::from_uuid(endpoint_id),
            version: Version::new(endpoint_version),
            provider: stored::parsed("provider", &provider, Provider::parse)?,
            provider_endpoint_id: stored::parsed(
                "provider_endpoint_id",
                &provider_endpoint_id,
                ProviderEndpointId::parse,
            )?,
            is_active: endpoint_is_active,
        })
    }
}
