//! The rows of lists, and the models that they name. A page of runs names twenty, and to read them anew
//! each time was most of what it cost; so they are kept for as long as the catalogue stays as it is,
//! which the statement that reads the page says.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use diesel::QueryableByName;
use diesel::pg::Pg;
use diesel::sql_types::{BigInt, Uuid as SqlUuid};
use tarsify_domain::RepoError;
use tarsify_domain::execution::{ExecutionSummary, ModelRef};
use tarsify_domain::page::Page;
use uuid::Uuid;

use super::row::{MODEL, ModelRow, RUN, RunRow};
use crate::pool::Database;
use crate::statement::{AS_FOR_ONE, Binds, Statement};
use crate::stored;

/// How many are kept at most.
const MOST: usize = 4_096;

/// How the catalogue stands when a statement reads.
const VERSION: &str = "(SELECT version FROM catalog_version WHERE id = 1) AS catalog_version";

/// A tars model with the base model that it had when it was run.
type Which = (Uuid, Uuid);

/// What a list reads of an execution `x`.
pub(super) fn columns() -> String {
    format!("{RUN}, x.tars_model_id, x.base_model_id, {VERSION}")
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
pub(super) struct ListedRow {
    #[diesel(embed)]
    run: RunRow,
    #[diesel(embed)]
    of: OfRow,
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
struct OfRow {
    #[diesel(sql_type = SqlUuid)]
    tars_model_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    base_model_id: Uuid,
    #[diesel(sql_type = BigInt)]
    catalog_version: i64,
}

impl OfRow {
    const fn which(&self) -> Which {
        (self.tars_model_id, self.base_model_id)
    }
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
struct NamedRow {
    #[diesel(embed)]
    model: ModelRow,
    #[diesel(embed)]
    of: OfRow,
}

/// The models that pages have named.
#[derive(Default)]
pub(super) struct Named(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    /// What all of them were read at.
    version: i64,
    models: HashMap<Which, ModelRef>,
}

impl Named {
    /// The page, with the models of its runs.
    pub(super) async fn name(
        &self,
        database: &Database,
        page: Page<ListedRow>,
    ) -> Result<Page<ExecutionSummary>, RepoError> {
        let Page { items, total, next } = page;
        let known = self.known(&items);
        let missing = items.iter().zip(&known);
        let missing = missing.filter(|(_, known)| known.is_none());
        let missing: HashSet<Which> = missing.map(|(row, _)| row.of.which()).collect();
        let read = if missing.is_empty() {
            HashMap::new()
        } else {
            self.read(database, missing).await?
        };
        let items = items.into_iter().zip(known);
        let items = items.map(|(ListedRow { run, of }, known)| {
            let model = known.or_else(|| read.get(&of.which()).cloned());
            run.of(stored::checked(
                "tars_model_id",
                model.ok_or("there is no such model"),
            )?)
        });
        Ok(Page {
            items: items.collect::<Result<_, _>>()?,
            total,
            next,
        })
    }

    /// The model of each that is kept as the catalogue was when the page was read.
    fn known(&self, items: &[ListedRow]) -> Vec<Option<ModelRef>> {
        let kept = self.kept();
        let known = items.iter().map(|ListedRow { of, .. }| {
            let is_current = kept.version == of.catalog_version;
            let model = kept.models.get(&of.which());
            model.filter(|_| is_current).cloned()
        });
        known.collect()
    }

    /// Reads these as they are now, and keeps them.
    async fn read(
        &self,
        database: &Database,
        wanted: HashSet<Which>,
    ) -> Result<HashMap<Which, ModelRef>, RepoError> {
        let mut binds = Binds::default();
        let (models, base_models): (Vec<_>, Vec<_>) = wanted.into_iter().unzip();
        let sql = format!(
            "SELECT {MODEL}, b.id AS base_model_id, {VERSION} \
             FROM (SELECT * FROM unnest({}, {}) AS w (t, b) {AS_FOR_ONE}) w \
             JOIN tars_models t ON t.id = w.t JOIN base_models b ON b.id = w.b",
            binds.uuids(models),
            binds.uuids(base_models),
        );
        let rows = database.read(&Statement::new(sql, binds)).await;
        let rows: Vec<NamedRow> = rows.map_err(|failure| failure.into_repo())?;
        let mut read = HashMap::with_capacity(rows.len());
        let mut kept = self.kept();
        for NamedRow { model, of } in rows {
            let model = ModelRef::try_from(model)?;
            kept.keep(&of, &model);
            read.insert(of.which(), model);
        }
        Ok(read)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn keep(&mut self, of: &OfRow, model: &ModelRef) {
        // What was read before the last change comes too late.
        if of.catalog_version < self.version {
            return;
        }
        if of.catalog_version > self.version || self.models.len() >= MOST {
            self.models.clear();
        }
        self.version = of.catalog_version;
        self.models.insert(of.which(), model.clone());
    }
}

#[cfg(test)]
mod tests;
