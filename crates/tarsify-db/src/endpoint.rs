//! Keeps endpoints.

use async_trait::async_trait;
use diesel::QueryableByName;
use diesel::pg::Pg;
use diesel::sql_types::{BigInt, Bool, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use serde_json::Value;
use tarsify_domain::catalog::endpoint::{EndpointLimits, ProviderEndpointId};
use tarsify_domain::catalog::{Endpoint, EndpointRepository, EndpointSource, Provider};
use tarsify_domain::id::EndpointId;
use tarsify_domain::text::{DockerImage, GpuType, Name};
use tarsify_domain::{Page, PageRequest, RepoError, Timestamp, Version};
use uuid::Uuid;

use crate::listing::{Counted, Direction, Listing, Sort, SortKey};
use crate::pool::Database;
use crate::statement::{Binds, Statement, Written};
use crate::stored;

/// The unique constraint on an endpoint's id at its provider.
pub(crate) const PROVIDER_ID_UNIQUE: &str = "endpoints_provider_endpoint_id_unique";

/// What is read of an endpoint `e`.
const COLUMNS: &str = "e.id, e.provider_endpoint_id, e.provider, e.name, e.source, \
    e.docker_image, e.gpu_type, e.is_active, e.limits, \
    (SELECT count(*) FROM base_models WHERE endpoint_id = e.id) AS base_model_count, \
    e.version, e.created_at, e.updated_at";

/// Endpoints in PostgreSQL.
pub struct PgEndpointRepository {
    database: Database,
}

impl PgEndpointRepository {
    /// Keeps them in `database`.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl EndpointRepository for PgEndpointRepository {
    async fn find(&self, id: EndpointId) -> Result<Option<Endpoint>, RepoError> {
        let mut binds = Binds::default();
        let id = binds.uuid(id.uuid());
        let sql = format!("SELECT {COLUMNS} FROM endpoints e WHERE e.id = {id}");
        let rows = self.database.read(&Statement::new(sql, binds)).await;
        let rows: Vec<EndpointRow> = rows.map_err(|failure| failure.into_repo())?;
        rows.into_iter().next().map(Endpoint::try_from).transpose()
    }

    async fn list(&self, page: &PageRequest) -> Result<Page<Endpoint>, RepoError> {
        let listing = Listing {
            with: String::new(),
            columns: COLUMNS.to_owned(),
            tables: "endpoints e".to_owned(),
            counted: Counted::In("endpoints e".to_owned()),
            filter: Vec::new(),
            binds: Binds::default(),
            sort: Sort {
                order: Endpoint::ORDER,
                key: SortKey::Moment("e.created_at"),
                id: "e.id",
                direction: Direction::Descending,
            },
        };
        listing
            .read(&self.database, page, |row: EndpointRow| row.try_into())
            .await
    }

    async fn create(&self, endpoint: &Endpoint) -> Result<(), RepoError> {
        let mut binds = Binds::default();
        let insert = insertion(endpoint, None, &mut binds)?;
        let statement = Statement::new(format!("{insert} RETURNING id"), binds);
        let rows: Result<Vec<Written>, _> = self.database.write(&statement).await;
        rows.map_err(|failure| failure.or_conflict(&[PROVIDER_ID_UNIQUE]))
            .map(drop)
    }

    async fn revise(&self, endpoint: &Endpoint) -> Result<Endpoint, RepoError> {
        let Endpoint {
            id,
            provider_endpoint_id,
            provider,
            name,
            source,
            docker_image,
            gpu_type,
            is_active,
            limits,
            base_model_count: _,
            version,
            created_at: _,
            updated_at,
        } = endpoint;
        let mut binds = Binds::default();
        let docker_image = docker_image.as_ref().map(DockerImage::as_str);
        let sql = format!(
            "WITH e AS (\
                UPDATE endpoints SET provider_endpoint_id = {}, provider = {}, name = {}, \
                    source = {}, docker_image = {}, gpu_type = {}, is_active = {}, limits = {}, \
                    updated_at = {}, version = version + 1 \
                WHERE id = {} AND version = {} RETURNING endpoints.*\
             ) SELECT {COLUMNS} FROM e",
            binds.text(provider_endpoint_id.as_str()),
            binds.text(provider.as_str()),
            binds.text(name.as_str()),
            binds.text(source.as_str()),
            binds.optional_text(docker_image),
            binds.text(gpu_type.as_str()),
            binds.flag(*is_active),
            binds.jsonb(limits_value(limits)?),
            binds.moment(*updated_at),
            binds.uuid(id.uuid()),
            binds.number(version.get()),
        );
        let rows = self.database.write(&Statement::new(sql, binds)).await;
        let rows: Vec<EndpointRow> =
            rows.map_err(|failure| failure.or_conflict(&[PROVIDER_ID_UNIQUE]))?;
        stored::changed(rows)?.try_into()
    }
}

/// The statement that stores a new endpoint, open at its end.
pub(crate) fn insertion(
    endpoint: &Endpoint,
    seed_key: Option<&str>,
    binds: &mut Binds,
) -> Result<String, RepoError> {
    let Endpoint {
        id,
        provider_endpoint_id,
        provider,
        name,
        source,
        docker_image,
        gpu_type,
        is_active,
        limits,
        base_model_count: _,
        version,
        created_at,
        updated_at,
    } = endpoint;
    let values = [
        binds.uuid(id.uuid()),
        binds.text(provider_endpoint_id.as_str()),
        binds.text(provider.as_str()),
        binds.text(name.as_str()),
        binds.text(source.as_str()),
        binds.optional_text(docker_image.as_ref().map(DockerImage::as_str)),
        binds.text(gpu_type.as_str()),
        binds.flag(*is_active),
        binds.jsonb(limits_value(limits)?),
        binds.optional_text(seed_key),
        binds.number(version.get()),
        binds.moment(*created_at),
        binds.moment(*updated_at),
    ];
    Ok(format!(
        "INSERT INTO endpoints (id, provider_endpoint_id, provider, name, source, docker_image, \
         gpu_type, is_active, limits, seed_key, version, created_at, updated_at) VALUES ({})",
        values.join(", ")
    ))
}

fn limits_value(limits: &EndpointLimits) -> Result<Value, RepoError> {
    stored::checked("limits", serde_json::to_value(limits))
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
pub(crate) struct EndpointRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    provider_endpoint_id: String,
    #[diesel(sql_type = Text)]
    provider: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    source: String,
    #[diesel(sql_type = Nullable<Text>)]
    docker_image: Option<String>,
    #[diesel(sql_type = Text)]
    gpu_type: String,
    #[diesel(sql_type = Bool)]
    is_active: bool,
    #[diesel(sql_type = Jsonb)]
    limits: Value,
    #[diesel(sql_type = BigInt)]
    base_model_count: i64,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = Timestamptz)]
    created_at: Timestamp,
    #[diesel(sql_type = Timestamptz)]
    updated_at: Timestamp,
}

impl TryFrom<EndpointRow> for Endpoint {
    type Error = RepoError;

    fn try_from(row: EndpointRow) -> Result<Self, RepoError> {
        let EndpointRow {
            id,
            provider_endpoint_id,
            provider,
            name,
            source,
            docker_image,
            gpu_type,
            is_active,
            limits,
            base_model_count,
            version,
            created_at,
            updated_at,
        } = row;
        Ok(Self {
            id: EndpointId::from_uuid(id),
            provider_endpoint_id: stored::parsed(
                "provider_endpoint_id",
                &provider_endpoint_id,
                ProviderEndpointId::parse,
            )?,
            provider: stored::parsed("provider", &provider, Provider::parse)?,
            name: stored::parsed("name", &name, Name::parse)?,
            source: stored::parsed("source", &source, EndpointSource::parse)?,
            docker_image: stored::parsed_optional(
                "docker_image",
                docker_image.as_deref(),
                DockerImage::parse,
            )?,
            gpu_type: stored::parsed("gpu_type", &gpu_type, GpuType::parse)?,
            is_active,
            limits: stored::checked("limits", serde_json::from_value(limits))?,
            base_model_count: stored::count("base_model_count", base_model_count)?,
            version: Version::new(version),
            created_at,
            updated_at,
        })
    }
}
