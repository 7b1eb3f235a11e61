//! Keeps the limits on callers, and beside each change who made it and why.

use async_trait::async_trait;
use diesel::QueryableByName;
use diesel::pg::Pg;
use diesel::sql_types::{BigInt, Jsonb, Timestamptz};
use serde_json::Value;
use tarsify_domain::audit::Actor;
use tarsify_domain::limits::{Author, LimitSettings, LimitSettingsRepository, StoredLimits};
use tarsify_domain::{Issue, RepoError, Timestamp, Version};
use uuid::Uuid;

use crate::pool::Database;
use crate::statement::{Binds, Statement, without_nul};
use crate::stored;

/// The limits in PostgreSQL.
pub struct PgLimitSettingsRepository {
    database: Database,
}

impl PgLimitSettingsRepository {
    /// Keeps them in `database`.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl LimitSettingsRepository for PgLimitSettingsRepository {
    async fn find(&self) -> Result<StoredLimits, RepoError> {
        let sql = "SELECT settings, version, updated_at FROM rate_limit_settings".to_owned();
        let statement = Statement::new(sql, Binds::default());
        let rows = self.database.read(&statement).await;
        let rows: Vec<LimitsRow> = rows.map_err(|failure| failure.into_repo())?;
        stored::answered(rows)?.try_into()
    }

    async fn revise(&self, limits: &StoredLimits, by: &Author) -> Result<StoredLimits, RepoError> {
        let StoredLimits {
            settings,
            version,
            updated_at,
        } = limits;
        let mut binds = Binds::default();
        let document = binds.jsonb(settings.to_json());
        let sql = format!(
            "WITH kept AS (\
                UPDATE rate_limit_settings \
                SET settings = {document}, updated_at = {}, version = version + 1 \
                WHERE version = {} RETURNING settings, version, updated_at\
             ), {} \
             SELECT settings, version, updated_at FROM kept",
            binds.moment(*updated_at),
            binds.number(version.get()),
            remembered(by, &document, &mut binds),
        );
        let rows = self.database.write(&Statement::new(sql, binds)).await;
        let rows: Vec<LimitsRow> = rows.map_err(|failure| failure.into_repo())?;
        stored::changed(rows)?.try_into()
    }
}

/// The common table expression that remembers who made them so. There is one set of limits, so it
/// needs no id of its own.
fn remembered(by: &Author, document: &str, binds: &mut Binds) -> String {
    let Author { actor, reason } = by;
    let Actor {
        issuer,
        subject,
        developer,
    } = actor;
    format!(
        "remembered AS (\
            INSERT INTO audit_entries \
                (at, issuer, subject, developer_id, action, about, about_id, reason, data) \
            SELECT now(), {}, {}, {}, 'limits.revise', 'limits', {}, {}, {document} FROM kept\
         )",
        binds.text(without_nul(issuer)),
        binds.text(without_nul(subject)),
        binds.optional_uuid(developer.map(|developer| developer.uuid())),
        binds.uuid(Uuid::nil()),
        binds.optional_text(reason.as_ref().map(|reason| reason.as_str())),
    )
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
struct LimitsRow {
    #[diesel(sql_type = Jsonb)]
    settings: Value,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = Timestamptz)]
    updated_at: Timestamp,
}

impl TryFrom<LimitsRow> for StoredLimits {
    type Error = RepoError;

    fn try_from(row: LimitsRow) -> Result<Self, RepoError> {
        let LimitsRow {
            settings,
            version,
            updated_at,
        } = row;
        let settings = LimitSettings::parse(&settings).map_err(|issues| first(&issues));
        Ok(Self {
            settings: stored::checked("settings", settings)?,
            version: Version::new(version),
            updated_at,
        })
    }
}

fn first(issues: &[Issue]) -> String {
    issues.first().map_or_else(String::new, |issue| {
        format!("{} {}", issue.path, issue.message)
    })
}
