//! Reads the market: published tars models, whether or not their endpoints are switched on.

mod search;

use async_trait::async_trait;
use diesel::QueryableByName;
use diesel::pg::Pg;
use diesel::sql_types::{BigInt, Integer, Json, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use serde_json::Value;
use tarsify_domain::catalog::market::MarketDeveloper;
use tarsify_domain::catalog::{
    Category, InputSchema, MarketEntry, MarketQuery, MarketRepository, MarketSort, MarketSource,
    OutputType,
};
use tarsify_domain::id::{DeveloperId, TarsModelId};
use tarsify_domain::money::Price;
use tarsify_domain::text::{Description, Name, OutputFormat, Slug, Title};
use tarsify_domain::{Page, PageRequest, RepoError, Timestamp};
use uuid::Uuid;

use crate::base_model::seconds;
use crate::listing::{Counted, Direction, Listing, Sort, SortKey};
use crate::pool::Database;
use crate::statement::{Binds, Statement};
use crate::stored;
use crate::tars_model::overrides;

/// What is read of a tars model `t`, its base model `b` and the person `p` whose it is.
const COLUMNS: &str = "t.id, t.slug, t.title, t.description, b.name AS base_model_name, \
    b.category, b.output_type, b.output_format, b.estimated_seconds, t.price_credits, \
    t.total_runs, t.developer_id, p.name AS developer_name, \
    t.published_at";

/// A tars model `t` with all that the market shows of it.
const TABLES: &str = "tars_models t JOIN base_models b ON b.id = t.base_model_id \
    JOIN people p ON p.id = t.developer_id";

/// Written out, not bound: the indexes of the market hold what is published and nothing else.
const PUBLISHED: &str = "t.status = 'PUBLISHED'";

/// The market in PostgreSQL.
pub struct PgMarketRepository {
    database: Database,
}

impl PgMarketRepository {
    /// Reads it from `database`.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl MarketRepository for PgMarketRepository {
    async fn list(
        &self,
        query: &MarketQuery,
        page: &PageRequest,
    ) -> Result<Page<MarketEntry>, RepoError> {
        listing(query)
            .read(&self.database, page, |row: EntryRow| row.try_into())
            .await
    }

    async fn find(&self, slug: &Slug) -> Result<Option<MarketSource>, RepoError> {
        let mut binds = Binds::default();
        let sql = format!(
            "SELECT {COLUMNS}, b.input_schema, t.config_overrides FROM {TABLES} \
             WHERE lower(t.slug) = {} AND {PUBLISHED}",
            binds.text(slug.as_str()),
        );
        let rows = self.database.read(&Statement::new(sql, binds)).await;
        let rows: Vec<SourceRow> = rows.map_err(|failure| failure.into_repo())?;
        rows.into_iter()
            .next()
            .map(MarketSource::try_from)
            .transpose()
    }

    async fn version(&self) -> Result<i64, RepoError> {
        let sql = "SELECT version FROM catalog_version WHERE id = 1".to_owned();
        let statement = Statement::new(sql, Binds::default());
        let rows = self.database.read(&statement).await;
        let rows: Vec<VersionRow> = rows.map_err(|failure| failure.into_repo())?;
        let VersionRow { version } = stored::answered(rows)?;
        Ok(version)
    }
}

fn listing(query: &MarketQuery) -> Listing {
    let MarketQuery {
        category,
        search,
        sort,
    } = query;
    let mut binds = Binds::default();
    let mut with = String::new();
    let mut tables = TABLES.to_owned();
    let mut counted = "tars_models t".to_owned();
    let mut filter = vec![PUBLISHED.to_owned()];
    if let Some(category) = category {
        counted.push_str(" JOIN base_models b ON b.id = t.base_model_id");
        filter.push(format!("b.category = {}", binds.text(category.as_str())));
    }
    if let Some(search) = search {
        with = search::wanted(search, &mut binds);
        tables.push_str(" CROSS JOIN wanted");
        counted.push_str(" CROSS JOIN wanted");
        filter.push("t.search @@ wanted.query".to_owned());
    }
    let (key, direction) = match sort {
        MarketSort::Newest => (SortKey::Moment("t.published_at"), Direction::Descending),
        MarketSort::Popular => (SortKey::Number("t.total_runs"), Direction::Descending),
        MarketSort::Price => (SortKey::Number("t.price_credits"), Direction::Ascending),
        MarketSort::PriceDescending => (SortKey::Number("t.price_credits"), Direction::Descending),
        MarketSort::Title => (
            SortKey::Text("lower(t.title) COLLATE \"C\""),
            Direction::Ascending,
        ),
        MarketSort::Relevance if search.is_some() => {
            (SortKey::Number(search::RELEVANCE), Direction::Descending)
        }
        // Without a search, everything is equally relevant.
        MarketSort::Relevance => (SortKey::Number("0::bigint"), Direction::Descending),
    };
    Listing {
        with,
        columns: COLUMNS.to_owned(),
        tables,
        counted: Counted::In(counted),
        filter,
        binds,
        sort: Sort {
            order: sort.order(),
            key,
            id: "t.id",
            direction,
        },
    }
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
struct VersionRow {
    #[diesel(sql_type = BigInt)]
    version: i64,
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
pub(crate) struct EntryRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    slug: String,
    #[diesel(sql_type = Text)]
    title: String,
    #[diesel(sql_type = Nullable<Text>)]
    description: Option<String>,
    #[diesel(sql_type = Text)]
    base_model_name: String,
    #[diesel(sql_type = Text)]
    category: String,
    #[diesel(sql_type = Text)]
    output_type: String,
    #[diesel(sql_type = Text)]
    output_format: String,
    #[diesel(sql_type = Integer)]
    estimated_seconds: i32,
    #[diesel(sql_type = BigInt)]
    price_credits: i64,
    #[diesel(sql_type = BigInt)]
    total_runs: i64,
    #[diesel(sql_type = SqlUuid)]
    developer_id: Uuid,
    #[diesel(sql_type = Nullable<Text>)]
    developer_name: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    published_at: Timestamp,
}

impl TryFrom<EntryRow> for MarketEntry {
    type Error = RepoError;

    fn try_from(row: EntryRow) -> Result<Self, RepoError> {
        let EntryRow {
            id,
            slug,
            title,
            description,
            base_model_name,
            category,
            output_type,
            output_format,
            estimated_seconds,
            price_credits,
            total_runs,
            developer_id,
            developer_name,
            published_at,
        } = row;
        Ok(Self {
            id: TarsModelId::from_uuid(id),
            slug: stored::parsed("slug", &slug, Slug::parse)?,
            title: stored::parsed("title", &title, Title::parse)?,
            description: stored::parsed_optional(
                "description",
                description.as_deref(),
                Description::parse,
            )?,
            base_model_name: stored::parsed("base model name", &base_model_name, Name::parse)?,
            category: stored::parsed("category", &category, Category::parse)?,
            output_type: stored::parsed("output_type", &output_type, OutputType::parse)?,
            output_format: stored::parsed("output_format", &output_format, OutputFormat::parse)?,
            estimated_seconds: seconds("estimated_seconds", estimated_seconds)?.get(),
            price: stored::checked("price_credits", Price::parse(price_credits))?,
            total_runs: stored::count("total_runs", total_runs)?,
            developer: MarketDeveloper::new(DeveloperId::from_uuid(developer_id), developer_name),
            published_at,
        })
    }
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
struct SourceRow {
    #[diesel(embed)]
    entry: EntryRow,
    #[diesel(sql_type = Json)]
    input_schema: Value,
    #[diesel(sql_type = Json)]
    config_overrides: Value,
}

impl TryFrom<SourceRow> for MarketSource {
    type Error = RepoError;

    fn try_from(row: SourceRow) -> Result<Self, RepoError> {
        let SourceRow {
            entry,
            input_schema,
            config_overrides,
        } = row;
        Ok(Self {
            entry: entry.try_into()?,
            input_schema: stored::checked("input_schema", InputSchema::parse(input_schema))?,
            overrides: overrides(config_overrides)?,
        })
    }
}
