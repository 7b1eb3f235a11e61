//! What was frozen of an execution. It holds what the developer hides, so it goes to workers
//! only.

use diesel::QueryableByName;
use diesel::pg::Pg;
use diesel::sql_types::Json;
use serde_json::Value;
use tarsify_domain::RepoError;
use tarsify_domain::execution::{Concealed, Material};
use tarsify_domain::id::ExecutionId;

use super::row::object;
use crate::statement::{Binds, Statement};
use crate::stored;

/// The statement that finds it.
pub(super) fn statement(id: ExecutionId) -> Statement {
    let mut binds = Binds::default();
    let sql = format!(
        "SELECT inputs, payload, concealed FROM executions WHERE id = {}",
        binds.uuid(id.uuid())
    );
    Statement::new(sql, binds)
}

/// What is concealed, as it is stored.
pub(super) fn concealed(concealed: &Concealed) -> Result<Value, RepoError> {
    serde_json::to_value(concealed).map_err(|error| RepoError::Internal(error.into()))
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
pub(super) struct MaterialRow {
    #[diesel(sql_type = Json)]
    inputs: Value,
    #[diesel(sql_type = Json)]
    payload: Value,
    #[diesel(sql_type = Json)]
    concealed: Value,
}

impl TryFrom<MaterialRow> for Material {
    type Error = RepoError;

    fn try_from(row: MaterialRow) -> Result<Self, RepoError> {
        let MaterialRow {
            inputs,
            payload,
            concealed,
        } = row;
        // The error would show what is to stay hidden.
        let concealed = serde_json::from_value(concealed).map_err(|_hidden| "it has another form");
        Ok(Self {
            inputs: object("inputs", inputs)?,
            payload: object("payload", payload)?,
            concealed: stored::checked("concealed", concealed)?,
        })
    }
}
