//! Leased executions as they are read.

use std::time::Duration;

use diesel::QueryableByName;
use diesel::pg::Pg;
use diesel::sql_types::{
    BigInt, Binary, Bool, Integer, Json, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use serde_json::Value;
use tarsify_domain::catalog::endpoint::{EndpointLimits, ProviderEndpointId};
use tarsify_domain::catalog::{Category, Provider};
use tarsify_domain::execution::{
    Attempt, AttemptState, Audience, Claimed, JobPlace, Lease, Stage, State, TokenHash,
};
use tarsify_domain::id::{EndpointId, ExecutionId};
use tarsify_domain::{RepoError, Timestamp, TraceParent};
use uuid::Uuid;

use super::attempts::{AttemptsRow, small};
use super::material::MaterialRow;
use crate::stored;

/// What is read of a leased execution `c` and its base model `b`.
pub(super) const COLUMNS: &str = "c.id, c.lease_epoch, now() AS read_at, c.stage, c.looks, \
    c.strikes, c.cancel_requested_at IS NOT NULL AS is_cancel_requested, c.progress, \
    c.created_at, c.deadline_at, c.endpoint_id, c.provider, c.provider_endpoint_id, \
    c.timeout_seconds, c.attempts, c.started_at, b.category, c.trace_parent, \
    w.watched_until, w.told";

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
struct LeaseRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = BigInt)]
    lease_epoch: i64,
    #[diesel(sql_type = Timestamptz)]
    read_at: Timestamp,
    #[diesel(sql_type = Text)]
    stage: String,
    #[diesel(sql_type = BigInt)]
    looks: i64,
    #[diesel(sql_type = BigInt)]
    strikes: i64,
    #[diesel(sql_type = Bool)]
    is_cancel_requested: bool,
    #[diesel(sql_type = Nullable<Json>)]
    progress: Option<Value>,
    #[diesel(sql_type = Timestamptz)]
    created_at: Timestamp,
    #[diesel(sql_type = Timestamptz)]
    deadline_at: Timestamp,
    #[diesel(sql_type = SqlUuid)]
    endpoint_id: Uuid,
    #[diesel(sql_type = Text)]
    provider: String,
    #[diesel(sql_type = Text)]
    provider_endpoint_id: String,
    #[diesel(sql_type = Integer)]
    timeout_seconds: i32,
    #[diesel(sql_type = Jsonb)]
    limits: Value,
    #[diesel(sql_type = Nullable<Jsonb>)]
    provider_limits: Option<Value>,
    #[diesel(sql_type = Nullable<Binary>)]
    token_hash: Option<Vec<u8>>,
    #[diesel(sql_type = Integer)]
    attempts: i32,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    started_at: Option<Timestamp>,
    #[diesel(sql_type = Text)]
    category: String,
    #[diesel(sql_type = Nullable<Text>)]
    trace_parent: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    watched_until: Option<Timestamp>,
    #[diesel(sql_type = Nullable<Json>)]
    told: Option<Value>,
    #[diesel(embed)]
    tried: AttemptsRow,
}

impl LeaseRow {
    fn read(self) -> Result<(Claimed, Option<TokenHash>), RepoError> {
        let token = self.token_hash.as_deref().map(token).transpose()?;
        let mut attempts = self.tried.read()?;
        if token.is_some() {
            // Recorded by the claim itself, so the claim does not see it.
            attempts.push(Attempt {
                number: small("attempts", i64::from(self.attempts))?,
                state: AttemptState::Calling,
                job: None,
                called_at: self.read_at,
                missing_since: None,
                unreadable: 0,
            });
        }
        let own = limits(self.limits)?;
        let of_provider = self.provider_limits.map(limits).transpose()?;
        let timeout = stored::checked("timeout_seconds", u64::try_from(self.timeout_seconds))?;
        let claimed = Claimed {
            lease: Lease {
                id: ExecutionId::from_uuid(self.id),
                epoch: self.lease_epoch,
            },
            now: self.read_at,
            state: State {
                stage: stored::parsed("stage", &self.stage, Stage::parse)?,
                attempts,
                looks: small("looks", self.looks)?,
                strikes: small("strikes", self.strikes)?,
                is_cancel_requested: self.is_cancel_requested,
                progress: self.progress,
                created_at: self.created_at,
                deadline_at: self.deadline_at,
            },
            place: JobPlace {
                endpoint_id: EndpointId::from_uuid(self.endpoint_id),
                provider: stored::parsed("provider", &self.provider, Provider::parse)?,
                provider_endpoint_id: stored::parsed(
                    "provider_endpoint_id",
                    &self.provider_endpoint_id,
                    ProviderEndpointId::parse,
                )?,
                timeout: Duration::from_secs(timeout),
                limits: own.within(of_provider.unwrap_or_default()),
            },
            category: stored::parsed("category", &self.category, Category::parse)?,
            started_at: self.started_at,
            submission: None,
            audience: audience(self.watched_until, self.told, self.read_at)?,
            // A run is worth more than its trace.
            trace_parent: self
                .trace_parent
                .and_then(|parent| TraceParent::parse(&parent).ok()),
        };
        Ok((claimed, token))
    }
}

fn audience(
    until: Option<Timestamp>,
    told: Option<Value>,
    now: Timestamp,
) -> Result<Option<Audience>, RepoError> {
    let Some(until) = until else { return Ok(None) };
    // The error would show what must not be told.
    let told = told.map(|told| serde_json::from_value(told).map_err(|_hidden| "another form"));
    Ok(Some(Audience {
        is_here: until > now,
        told: stored::checked("told", told.transpose())?,
    }))
}

fn limits(document: Value) -> Result<EndpointLimits, RepoError> {
    stored::checked("limits", serde_json::from_value(document))
}

fn token(bytes: &[u8]) -> Result<TokenHash, RepoError> {
    stored::checked("token_hash", <[u8; 32]>::try_from(bytes)).map(TokenHash)
}

/// A leased execution that is to be looked after.
#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
pub(super) struct LookRow {
    #[diesel(embed)]
    lease: LeaseRow,
}

impl TryFrom<LookRow> for Claimed {
    type Error = RepoError;

    fn try_from(row: LookRow) -> Result<Self, RepoError> {
        row.lease.read().map(|(claimed, _)| claimed)
    }
}

/// A leased execution that is to be submitted.
#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
pub(super) struct SubmitRow {
    #[diesel(embed)]
    lease: LeaseRow,
    #[diesel(embed)]
    material: MaterialRow,
}

impl TryFrom<SubmitRow> for Claimed {
    type Error = RepoError;

    fn try_from(row: SubmitRow) -> Result<Self, RepoError> {
        let (mut claimed, token) = row.lease.read()?;
        let token = stored::checked("token_hash", token.ok_or("it is absent"))?;
        claimed.submission = Some((token, row.material.try_into()?));
        Ok(claimed)
    }
}
