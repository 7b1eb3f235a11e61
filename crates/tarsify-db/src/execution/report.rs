//! An execution with everything that its workers know, for administrators.

use diesel::QueryableByName;
use diesel::pg::Pg;
use diesel::sql_types::{Nullable, Text, Timestamptz, Uuid as SqlUuid};
use tarsify_domain::execution::{ExecutionReport, Stage};
use tarsify_domain::id::{EndpointId, ExecutionId};
use tarsify_domain::{RepoError, Timestamp};
use uuid::Uuid;

use super::attempts::{AttemptReportsRow, TRIED, TRIED_EXCHANGES, tried};
use super::row::{CONTENT, ExecutionRow, MODELS, SUMMARY};
use crate::statement::{Binds, Statement};
use crate::stored;

/// The statement that finds it.
pub(super) fn statement(id: ExecutionId) -> Statement {
    let mut binds = Binds::default();
    let id = binds.uuid(id.uuid());
    let tried = tried("x.id");
    let sql = format!(
        "SELECT {SUMMARY}, {CONTENT}, x.stage, x.endpoint_id, x.deadline_at, x.next_action_at, \
            x.lease_until, x.cancel_requested_at, {TRIED}, {TRIED_EXCHANGES} \
         FROM executions x {MODELS} {tried} WHERE x.id = {id}"
    );
    Statement::new(sql, binds)
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
pub(super) struct ReportRow {
    #[diesel(embed)]
    execution: ExecutionRow,
    #[diesel(sql_type = Text)]
    stage: String,
    #[diesel(sql_type = SqlUuid)]
    endpoint_id: Uuid,
    #[diesel(sql_type = Timestamptz)]
    deadline_at: Timestamp,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    next_action_at: Option<Timestamp>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    lease_until: Option<Timestamp>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    cancel_requested_at: Option<Timestamp>,
    #[diesel(embed)]
    attempts: AttemptReportsRow,
}

impl TryFrom<ReportRow> for ExecutionReport {
    type Error = RepoError;

    fn try_from(row: ReportRow) -> Result<Self, RepoError> {
        let ReportRow {
            execution,
            stage,
            endpoint_id,
            deadline_at,
            next_action_at,
            lease_until,
            cancel_requested_at,
            attempts,
        } = row;
        Ok(Self {
            execution: execution.try_into()?,
            stage: stored::parsed("stage", &stage, Stage::parse)?,
            endpoint_id: EndpointId::from_uuid(endpoint_id),
            deadline_at,
            next_action_at,
            lease_until,
            cancel_requested_at,
            attempts: attempts.read()?,
        })
    }
}
