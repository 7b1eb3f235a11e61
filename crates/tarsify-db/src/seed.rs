//! Stores the endpoints of the seed file, again and again, without ever overruling an
//! administrator.

use diesel::QueryableByName;
use diesel::pg::Pg;
use diesel::sql_types::{Text, Uuid as SqlUuid};
use tarsify_domain::catalog::Endpoint;
use tarsify_domain::id::EndpointId;
use tarsify_domain::{RepoError, Version};
use uuid::Uuid;

use crate::endpoint::{PROVIDER_ID_UNIQUE, insertion};
use crate::pool::Database;
use crate::statement::{Binds, Statement};
use crate::stored;

/// What seeding did with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeedOutcome {
    /// It was not there and is now.
    Created,
    /// Its placeholder, which nobody had touched, became the real thing.
    Activated,
    /// It was there and stays as it is.
    Kept,
}

/// Stores what the seed file holds.
pub struct PgSeedRepository {
    database: Database,
}

impl PgSeedRepository {
    /// Keeps it in `database`.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }

    /// Stores the endpoint that the seed file calls `key`, if it is not there. Where it is there
    /// as the untouched placeholder and `endpoint` has a real provider id, it gets that id and
    /// `endpoint.is_active`. Whatever an administrator revised stays. Where another endpoint
    /// already has the provider id and the key is new, that one is taken for it.
    ///
    /// # Errors
    /// `Conflict` when the placeholder should get a provider id that another endpoint has.
    pub async fn seed_endpoint(
        &self,
        key: &str,
        endpoint: &Endpoint,
        placeholder: &str,
    ) -> Result<(EndpointId, SeedOutcome), RepoError> {
        let statement = seeding(key, endpoint, placeholder)?;
        // A twin that seeds at the same moment makes our insertion wait and then give way to a
        // row that this statement cannot see yet; the next one can.
        for _attempt in 0..3 {
            let rows = self.database.write(&statement).await;
            let rows: Vec<SeededRow> =
                rows.map_err(|failure| failure.or_conflict(&[PROVIDER_ID_UNIQUE]))?;
            if let Some(SeededRow { id, outcome }) = rows.into_iter().next() {
                return Ok((EndpointId::from_uuid(id), read_outcome(&outcome)?));
            }
        }
        Err(RepoError::Internal(
            "the endpoint was neither stored nor found".into(),
        ))
    }
}

fn seeding(key: &str, endpoint: &Endpoint, placeholder: &str) -> Result<Statement, RepoError> {
    let mut binds = Binds::default();
    let insert = insertion(endpoint, Some(key), &mut binds)?;
    let key = binds.text(key);
    let placeholder = binds.text(placeholder);
    let wanted = binds.text(endpoint.provider_endpoint_id.as_str());
    let provider = binds.text(endpoint.provider.as_str());
    let is_active = binds.flag(endpoint.is_active);
    let now = binds.moment(endpoint.updated_at);
    let first = binds.number(Version::FIRST.get());
    let sql = format!(
        "WITH created AS (\
            {insert} ON CONFLICT DO NOTHING RETURNING id\
         ), activated AS (\
            UPDATE endpoints SET provider_endpoint_id = {wanted}, is_active = {is_active}, \
                updated_at = {now}, version = version + 1 \
            WHERE seed_key = {key} AND version = {first} \
                AND provider_endpoint_id = {placeholder} AND {wanted} <> {placeholder} \
            RETURNING id\
         ) \
         SELECT id, 'CREATED' AS outcome, true AS is_own FROM created \
         UNION ALL SELECT id, 'ACTIVATED', true FROM activated \
         UNION ALL SELECT id, 'KEPT', seed_key IS NOT DISTINCT FROM {key} FROM endpoints \
            WHERE (seed_key = {key} \
                OR (provider = {provider} AND provider_endpoint_id = {wanted})) \
                AND NOT EXISTS (SELECT 1 FROM activated) \
         ORDER BY is_own DESC LIMIT 1"
    );
    Ok(Statement::new(sql, binds))
}

fn read_outcome(word: &str) -> Result<SeedOutcome, RepoError> {
    let outcome = match word {
        "CREATED" => Ok(SeedOutcome::Created),
        "ACTIVATED" => Ok(SeedOutcome::Activated),
        "KEPT" => Ok(SeedOutcome::Kept),
        _ => Err("no such outcome"),
    };
    stored::checked("outcome", outcome)
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
struct SeededRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    outcome: String,
}
