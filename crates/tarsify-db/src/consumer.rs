//! Keeps consumers.

use async_trait::async_trait;
use diesel::QueryableByName;
use diesel::pg::Pg;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use tarsify_domain::id::ConsumerId;
use tarsify_domain::money::Millicredits;
use tarsify_domain::people::{Consumer, ConsumerRepository, IdentityKey, NewConsumer};
use tarsify_domain::text::{AvatarUrl, EmailAddress, PersonName};
use tarsify_domain::{Credits, RepoError, Timestamp, Version};
use uuid::Uuid;

use crate::person;
use crate::pool::Database;
use crate::statement::{Binds, Statement};
use crate::stored;

/// What is read of a person `p` who is the consumer `c`, by his identity `i`, besides what he has.
const COLUMNS: &str = "p.id, i.subject, p.email, p.name, p.avatar_url, p.status, \
    p.tokens_valid_after, c.run_count + (\
        SELECT count(*) FROM untallied u WHERE u.consumer_id = c.id AND u.status = 'COMPLETED'\
    ) AS run_count, c.purchase_count, c.credits_spent + (\
        SELECT coalesce(sum(u.gross), 0)::bigint / 1000 FROM untallied u \
        WHERE u.consumer_id = c.id\
    ) AS credits_spent, p.version, p.created_at, p.updated_at";

/// What he has, in millicredits: both of his accounts.
const BALANCE: &str = "(\
        SELECT coalesce(sum(a.balance), 0)::bigint FROM ledger_accounts a WHERE a.owner_id = p.id\
    ) AS balance";

/// Consumers in PostgreSQL.
pub struct PgConsumerRepository {
    database: Database,
}

impl PgConsumerRepository {
    /// Keeps them in `database`.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl ConsumerRepository for PgConsumerRepository {
    async fn find_by_identity(&self, key: &IdentityKey) -> Result<Option<Consumer>, RepoError> {
        let IdentityKey {
            realm,
            issuer,
            subject,
        } = key;
        let mut binds = Binds::default();
        let sql = format!(
            "SELECT {COLUMNS}, {BALANCE} FROM identities i JOIN people p ON p.id = i.person_id \
             JOIN consumers c ON c.id = p.id \
             WHERE i.realm = {} AND i.issuer = {} AND i.subject = {}",
            binds.text(realm.as_str()),
            binds.text(issuer),
            binds.text(subject),
        );
        let rows = self.database.read(&Statement::new(sql, binds)).await;
        let rows: Vec<ConsumerRow> = rows.map_err(|failure| failure.into_repo())?;
        rows.into_iter().next().map(Consumer::try_from).transpose()
    }

    async fn register(&self, new: &NewConsumer) -> Result<Consumer, RepoError> {
        let NewConsumer {
            id,
            key,
            email,
            email_is_verified,
            name,
            welcome,
            registered_at,
        } = new;
        let mut binds = Binds::default();
        let welcome = binds.number(welcome.millicredits().get());
        let registered_at = binds.moment(*registered_at);
        // The welcome is asked for the accounts, which are opened before it so.
        let sql = format!(
            "WITH p AS (\
                INSERT INTO people (id, realm, email, email_is_verified, name, created_at, updated_at) \
                VALUES ({}, 'CONSUMERS', {}, {}, {}, {registered_at}, {registered_at}) \
                RETURNING people.*\
             ), c AS (\
                INSERT INTO consumers (id) SELECT id FROM p RETURNING consumers.*\
             ), opened AS MATERIALIZED (\
                SELECT id, ledger_open(id, 'CONSUMERS')::text AS done FROM c\
             ), welcomed AS MATERIALIZED (\
                SELECT welcome_credits((SELECT id FROM opened WHERE coalesce(done, '') = ''), {welcome})::text \
                    AS done\
             ), i AS (\
                INSERT INTO identities (realm, issuer, subject, person_id, created_at) \
                SELECT {}, {}, {}, id, {registered_at} FROM p RETURNING subject\
             ) SELECT {COLUMNS}, {welcome} AS balance \
             FROM p CROSS JOIN c CROSS JOIN i CROSS JOIN welcomed w \
             WHERE coalesce(w.done, '') = ''",
            binds.uuid(id.uuid()),
            binds.optional_text(email.as_ref().map(EmailAddress::as_str)),
            binds.flag(*email_is_verified),
            binds.optional_text(name.as_ref().map(PersonName::as_str)),
            binds.text(key.realm.as_str()),
            binds.text(&key.issuer),
            binds.text(&key.subject),
        );
        let rows = self.database.write(&Statement::new(sql, binds)).await;
        let rows: Vec<ConsumerRow> = rows.map_err(|failure| failure.or_conflict(&person::TAKEN))?;
        stored::answered(rows)?.try_into()
    }

    async fn revise(&self, consumer: &Consumer) -> Result<Consumer, RepoError> {
        let Consumer {
            id,
            subject,
            email: _,
            name,
            avatar_url,
            status: _,
            tokens_valid_after: _,
            credits_balance: _,
            run_count: _,
            purchase_count: _,
            total_credits_spent: _,
            version,
            created_at: _,
            updated_at,
        } = consumer;
        let mut binds = Binds::default();
        let sql = format!(
            "WITH p AS (\
                UPDATE people SET name = {}, avatar_url = {}, updated_at = {}, \
                    version = version + 1 \
                WHERE id = {} AND realm = 'CONSUMERS' AND version = {} RETURNING people.*\
             ), i AS (\
                SELECT subject FROM identities WHERE person_id = {} \
                ORDER BY subject = {} DESC, created_at LIMIT 1\
             ) \
             SELECT {COLUMNS}, {BALANCE} FROM p JOIN consumers c ON c.id = p.id CROSS JOIN i",
            binds.optional_text(name.as_ref().map(PersonName::as_str)),
            binds.optional_text(avatar_url.as_ref().map(AvatarUrl::as_str)),
            binds.moment(*updated_at),
            binds.uuid(id.uuid()),
            binds.number(version.get()),
            binds.uuid(id.uuid()),
            // He may have several; the one he came with names him.
            binds.text(subject),
        );
        let rows = self.database.write(&Statement::new(sql, binds)).await;
        let rows: Vec<ConsumerRow> = rows.map_err(|failure| failure.into_repo())?;
        stored::changed(rows)?.try_into()
    }
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
pub(crate) struct ConsumerRow {
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
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    tokens_valid_after: Option<Timestamp>,
    #[diesel(sql_type = BigInt)]
    run_count: i64,
    #[diesel(sql_type = BigInt)]
    purchase_count: i64,
    #[diesel(sql_type = BigInt)]
    credits_spent: i64,
    #[diesel(sql_type = BigInt)]
    balance: i64,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = Timestamptz)]
    created_at: Timestamp,
    #[diesel(sql_type = Timestamptz)]
    updated_at: Timestamp,
}

impl TryFrom<ConsumerRow> for Consumer {
    type Error = RepoError;

    fn try_from(row: ConsumerRow) -> Result<Self, RepoError> {
        let ConsumerRow {
            id,
            subject,
            email,
            name,
            avatar_url,
            status,
            tokens_valid_after,
            run_count,
            purchase_count,
            credits_spent,
            balance,
            version,
            created_at,
            updated_at,
        } = row;
        Ok(Self {
            id: ConsumerId::from_uuid(id),
            subject,
            email: stored::parsed_optional("email", email.as_deref(), EmailAddress::parse)?,
            name: stored::parsed_optional("name", name.as_deref(), PersonName::parse)?,
            avatar_url: stored::parsed_optional(
                "avatar_url",
                avatar_url.as_deref(),
                AvatarUrl::parse,
            )?,
            status: stored::parsed("status", &status, person::status)?,
            tokens_valid_after,
            credits_balance: Millicredits::new(balance).credits(),
            run_count: stored::count("run_count", run_count)?,
            purchase_count: stored::count("purchase_count", purchase_count)?,
            total_credits_spent: Credits::new(credits_spent),
            version: Version::new(version),
            created_at,
            updated_at,
        })
    }
}
