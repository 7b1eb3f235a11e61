//! Tars models in memory.

use async_trait::async_trait;
use tarsify_domain::catalog::{TarsModel, TarsModelFilter, TarsModelRepository, TarsModelStatus};
use tarsify_domain::id::TarsModelId;
use tarsify_domain::{Page, PageRequest, RepoError, Scope, Version};

use super::paging::{Direction, Sorting, microseconds, page};
use super::{FakeStore, State, conflict_if, dangling, standing};

impl State {
    /// The tars model with its base model as it is now.
    pub(super) fn see_tars_model(&self, row: &TarsModel) -> TarsModel {
        let base = &self.base_models[&row.base_model.id];
        TarsModel {
            base_model: self.see_base_model(base).into(),
            ..row.clone()
        }
    }

    fn check_tars_model(&self, model: &TarsModel) -> Result<(), RepoError> {
        if !self.developers.contains_key(&model.developer_id) {
            return Err(dangling("a developer"));
        }
        if !self.base_models.contains_key(&model.base_model.id) {
            return Err(dangling("a base model"));
        }
        let mut others = self.tars_models.values();
        conflict_if(others.any(|other| other.id != model.id && other.slug == model.slug))
    }
}

fn sees(scope: Scope, row: &TarsModel) -> bool {
    match scope {
        Scope::System => true,
        Scope::Developer(developer) => row.developer_id == developer,
        Scope::Consumer(_) => false,
    }
}

#[async_trait]
impl TarsModelRepository for FakeStore {
    async fn find(&self, scope: Scope, id: TarsModelId) -> Result<Option<TarsModel>, RepoError> {
        let state = self.reading().await?;
        let row = state.tars_models.get(&id).filter(|row| sees(scope, row));
        Ok(row.map(|row| state.see_tars_model(row)))
    }

    async fn list(
        &self,
        scope: Scope,
        filter: TarsModelFilter,
        request: &PageRequest,
    ) -> Result<Page<TarsModel>, RepoError> {
        let state = self.reading().await?;
        let wanted = |row: &&TarsModel| {
            sees(scope, row) && filter.status.is_none_or(|only| only == row.status)
        };
        let rows = state.tars_models.values().filter(wanted);
        let seen = rows.map(|row| state.see_tars_model(row)).collect();
        let sorting = Sorting {
            order: TarsModel::ORDER,
            direction: Direction::Descending,
            place: |row: &TarsModel| (microseconds(row.created_at), row.id.uuid()),
        };
        Ok(page(seen, request, &sorting))
    }

    async fn create(&self, model: &TarsModel) -> Result<(), RepoError> {
        let mut state = self.writing().await?;
        state.check_tars_model(model)?;
        state.tars_models.insert(model.id, model.clone());
        state.market_changes();
        Ok(())
    }

    async fn revise(&self, model: &TarsModel) -> Result<TarsModel, RepoError> {
        let mut state = self.writing().await?;
        let check = state.check_tars_model(model);
        let row = state.tars_models.get_mut(&model.id);
        let row = row.filter(|row| row.developer_id == model.developer_id);
        let row = standing(row, model.version, |row| row.version)?;
        check?;
        *row = TarsModel {
            version: row.version.next(),
            total_runs: row.total_runs,
            created_at: row.created_at,
            ..model.clone()
        };
        let row = row.clone();
        state.market_changes();
        Ok(state.see_tars_model(&row))
    }

    async fn delete(
        &self,
        scope: Scope,
        id: TarsModelId,
        version: Version,
    ) -> Result<(), RepoError> {
        let mut state = self.writing().await?;
        let row = state.tars_models.get_mut(&id);
        let row = row.filter(|row| sees(scope, row));
        let row = standing(row, version, |row| row.version)?;
        if row.status == TarsModelStatus::Published || row.total_runs > 0 {
            return Err(RepoError::Stale);
        }
        state.tars_models.remove(&id);
        state.market_changes();
        Ok(())
    }
}
