//! Keeps developers.

use async_trait::async_trait;
use diesel::QueryableByName;
use diesel::pg::Pg;
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use tarsify_domain::id::DeveloperId;
use tarsify_domain::money::Millicredits;
use tarsify_domain::people::{Developer, DeveloperRepository, IdentityKey, NewDeveloper, Role};
use tarsify_domain::text::{AvatarUrl, Bio, Country, EmailAddress, PersonName};
use tarsify_domain::{RepoError, Timestamp, Version};
use uuid::Uuid;

use crate::person;
use crate::pool::Database;
use crate::statement::{Binds, Statement};
use crate::stored;

/// What is read of a person `p` who is the developer `d`, by his identity `i`. What he owes is an
/// account below nothing, so `earned` is the sum of all of his accounts and what was paid out.
const COLUMNS: &str = "p.id, i.subject, p.email, p.name, p.avatar_url, d.bio, d.country, \
    d.payout_email, d.stripe_account_id, d.is_verified, d.profile_is_complete, p.role, p.status, \
    p.tokens_valid_after, \
    (SELECT count(*) FROM tars_models WHERE developer_id = p.id) AS model_count, (\
        SELECT coalesce(sum(a.balance), 0)::bigint FROM ledger_accounts a WHERE a.owner_id = p.id\
    ) + (\
        SELECT coalesce(sum(o.amount), 0)::bigint FROM payouts o \
        WHERE o.developer_id = p.id AND o.status = 'PAID'\
    ) AS earned, (\
        SELECT coalesce(sum(a.balance), 0)::bigint FROM ledger_accounts a \
        WHERE a.owner_id = p.id AND a.kind <> 'developer_owed'\
    ) AS unpaid, p.version, p.created_at, p.updated_at";

/// Developers in PostgreSQL.
pub struct PgDeveloperRepository {
    database: Database,
}

impl PgDeveloperRepository {
    /// Keeps them in `database`.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl DeveloperRepository for PgDeveloperRepository {
    async fn find_by_identity(&self, key: &IdentityKey) -> Result<Option<Developer>, RepoError> {
        let IdentityKey {
            realm,
            issuer,
            subject,
        } = key;
        let mut binds = Binds::default();
        let sql = format!(
            "SELECT {COLUMNS} FROM identities i JOIN people p ON p.id = i.person_id \
             JOIN developers d ON d.id = p.id \
             WHERE i.realm = {} AND i.issuer = {} AND i.subject = {}",
            binds.text(realm.as_str()),
            binds.text(issuer),
            binds.text(subject),
        );
        let rows = self.database.read(&Statement::new(sql, binds)).await;
        let rows: Vec<DeveloperRow> = rows.map_err(|failure| failure.into_repo())?;
        rows.into_iter().next().map(Developer::try_from).transpose()
    }

    async fn register(&self, new: &NewDeveloper) -> Result<Developer, RepoError> {
        let NewDeveloper {
            id,
            key,
            email,
            email_is_verified,
            display_name,
            registered_at,
        } = new;
        let mut binds = Binds::default();
        let registered_at = binds.moment(*registered_at);
        let sql = format!(
            "WITH p AS (\
                INSERT INTO people (id, realm, email, email_is_verified, name, created_at, updated_at) \
                VALUES ({}, 'DEVELOPERS', {}, {}, {}, {registered_at}, {registered_at}) \
                RETURNING people.*\
             ), d AS (\
                INSERT INTO developers (id) SELECT id FROM p RETURNING developers.*\
             ), opened AS MATERIALIZED (\
                SELECT ledger_open(id, 'DEVELOPERS')::text AS done FROM d\
             ), i AS (\
                INSERT INTO identities (realm, issuer, subject, person_id, created_at) \
                SELECT {}, {}, {}, id, {registered_at} FROM p RETURNING subject\
             ) SELECT {COLUMNS} FROM p CROSS JOIN d CROSS JOIN i CROSS JOIN opened o \
             WHERE coalesce(o.done, '') = ''",
            binds.uuid(id.uuid()),
            binds.optional_text(email.as_ref().map(EmailAddress::as_str)),
            binds.flag(*email_is_verified),
            binds.optional_text(display_name.as_ref().map(PersonName::as_str)),
            binds.text(key.realm.as_str()),
            binds.text(&key.issuer),
            binds.text(&key.subject),
        );
        let rows = self.database.write(&Statement::new(sql, binds)).await;
        let rows: Vec<DeveloperRow> =
            rows.map_err(|failure| failure.or_conflict(&person::TAKEN))?;
        stored::answered(rows)?.try_into()
    }

    async fn revise(&self, developer: &Developer) -> Result<Developer, RepoError> {
        let Developer {
            id,
            subject,
            email: _,
            display_name,
            avatar_url,
            bio,
            country,
            payout_email,
            stripe_account_id: _,
            is_verified: _,
            profile_is_complete,
            role: _,
            status: _,
            tokens_valid_after: _,
            total_earnings: _,
            pending_payout: _,
            model_count: _,
            version,
            created_at: _,
            updated_at,
        } = developer;
        let mut binds = Binds::default();
        let sql = format!(
            "WITH p AS (\
                UPDATE people SET name = {}, avatar_url = {}, updated_at = {}, \
                    version = version + 1 \
                WHERE id = {} AND realm = 'DEVELOPERS' AND version = {} RETURNING people.*\
             ), d AS (\
                UPDATE developers SET bio = {}, country = {}, payout_email = {}, \
                    profile_is_complete = {} \
                FROM p WHERE developers.id = p.id RETURNING developers.*\
             ), i AS (\
                SELECT subject FROM identities WHERE person_id = {} \
                ORDER BY subject = {} DESC, created_at LIMIT 1\
             ) \
             SELECT {COLUMNS} FROM p JOIN d ON d.id = p.id CROSS JOIN i",
            binds.optional_text(display_name.as_ref().map(PersonName::as_str)),
            binds.optional_text(avatar_url.as_ref().map(AvatarUrl::as_str)),
            binds.moment(*updated_at),
            binds.uuid(id.uuid()),
            binds.number(version.get()),
            binds.optional_text(bio.as_ref().map(Bio::as_str)),
            binds.optional_text(country.map(Country::as_str)),
            binds.optional_text(payout_email.as_ref().map(EmailAddress::as_str)),
            binds.flag(*profile_is_complete),
            binds.uuid(id.uuid()),
            // He may have several; the one he came with names him.
            binds.text(subject),
        );
        let rows = self.database.write(&Statement::new(sql, binds)).await;
        let rows: Vec<DeveloperRow> = rows.map_err(|failure| failure.into_repo())?;
        stored::changed(rows)?.try_into()
    }

    async fn assign_role(
        &self,
        email: &EmailAddress,
        role: Role,
    ) -> Result<Option<Developer>, RepoError> {
        let mut binds = Binds::default();
        let role = binds.text(person::role_word(role));
        // He may have several identities; his first one names him.
        let sql = format!(
            "WITH p AS (\
                UPDATE people SET role = {role}, \
                    version = version + CASE WHEN role = {role} THEN 0 ELSE 1 END \
                WHERE realm = 'DEVELOPERS' AND lower(email) = {} AND email_is_verified \
                RETURNING people.*\
             ) SELECT {COLUMNS} FROM p JOIN developers d ON d.id = p.id \
             CROSS JOIN LATERAL (\
                SELECT subject FROM identities WHERE person_id = p.id AND realm = p.realm \
                ORDER BY created_at, issuer, subject LIMIT 1\
             ) i",
            binds.text(email.as_str()),
        );
        let rows = self.database.write(&Statement::new(sql, binds)).await;
        let rows: Vec<DeveloperRow> = rows.map_err(|failure| failure.into_repo())?;
        rows.into_iter().next().map(Developer::try_from).transpose()
    }
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
pub(crate) struct DeveloperRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    subject: String,
    #[diesel(sql_type = Nullable<Text>)]
    email: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    avatar_url: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    bio: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    country: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    payout_email: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    stripe_account_id: Option<String>,
    #[diesel(sql_type = Bool)]
    is_verified: bool,
    #[diesel(sql_type = Bool)]
    profile_is_complete: bool,
    #[diesel(sql_type = Text)]
    role: String,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    tokens_valid_after: Option<Timestamp>,
    #[diesel(sql_type = BigInt)]
    model_count: i64,
    #[diesel(sql_type = BigInt)]
    earned: i64,
    #[diesel(sql_type = BigInt)]
    unpaid: i64,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = Timestamptz)]
    created_at: Timestamp,
    #[diesel(sql_type = Timestamptz)]
    updated_at: Timestamp,
}

impl TryFrom<DeveloperRow> for Developer {
    type Error = RepoError;

    fn try_from(row: DeveloperRow) -> Result<Self, RepoError> {
        let DeveloperRow {
            id,
            subject,
            email,
            name,
            avatar_url,
            bio,
            country,
            payout_email,
            stripe_account_id,
            is_verified,
            profile_is_complete,
            role,
            status,
            tokens_valid_after,
            model_count,
            earned,
            unpaid,
            version,
            created_at,
            updated_at,
        } = row;
        Ok(Self {
            id: DeveloperId::from_uuid(id),
            subject,
            email: stored::parsed_optional("email", email.as_deref(), EmailAddress::parse)?,
            display_name: stored::parsed_optional("name", name.as_deref(), PersonName::parse)?,
            avatar_url: stored::parsed_optional(
                "avatar_url",
                avatar_url.as_deref(),
                AvatarUrl::parse,
            )?,
            bio: stored::parsed_optional("bio", bio.as_deref(), Bio::parse)?,
            country: stored::parsed_optional("country", country.as_deref(), Country::parse)?,
            payout_email: stored::parsed_optional(
                "payout_email",
                payout_email.as_deref(),
                EmailAddress::parse,
            )?,
            stripe_account_id,
            is_verified,
            profile_is_complete,
            role: stored::parsed("role", &role, person::role)?,
            status: stored::parsed("status", &status, person::status)?,
            tokens_valid_after,
            total_earnings: Millicredits::new(earned).credits(),
            pending_payout: Millicredits::new(unpaid).credits(),
            model_count: stored::count("model_count", model_count)?,
            version: Version::new(version),
            created_at,
            updated_at,
        })
    }
}
