//! Base models in memory.

use async_trait::async_trait;
use tarsify_domain::catalog::base_model::EndpointRef;
use tarsify_domain::catalog::{BaseModel, BaseModelFilter, BaseModelRepository, BaseModels};
use tarsify_domain::id::BaseModelId;
use tarsify_domain::text::Slug;
use tarsify_domain::{Page, PageRequest, RepoError};

use super::paging::{Direction, Sorting, count, microseconds, page};
use super::{FakeStore, State, conflict_if, dangling, standing};

impl State {
    /// The base model with its endpoint as it is now.
    pub(super) fn see_base_model(&self, row: &BaseModel) -> BaseModel {
        let endpoint = &self.endpoints[&row.endpoint.id];
        let made_of_it = self.tars_models.values();
        let made_of_it = made_of_it.filter(|model| model.base_model.id == row.id);
        BaseModel {
            endpoint: EndpointRef {
                id: endpoint.id,
                name: endpoint.name.clone(),
                is_active: endpoint.is_active,
            },
            tars_model_count: count(made_of_it.count()),
            ..row.clone()
        }
    }

    fn see_base_models(&self, filter: BaseModelFilter) -> impl Iterator<Item = BaseModel> {
        let wanted =
            move |row: &&BaseModel| filter.category.is_none_or(|only| only == row.category);
        let rows = self.base_models.values().filter(wanted);
        rows.map(|row| self.see_base_model(row))
    }

    fn check_base_model(&self, model: &BaseModel) -> Result<(), RepoError> {
        if !self.endpoints.contains_key(&model.endpoint.id) {
            return Err(dangling("an endpoint"));
        }
        let mut others = self.base_models.values();
        conflict_if(others.any(|other| other.id != model.id && other.slug == model.slug))
    }
}

#[async_trait]
impl BaseModelRepository for FakeStore {
    async fn find(&self, id: BaseModelId) -> Result<Option<BaseModel>, RepoError> {
        let state = self.reading().await?;
        let row = state.base_models.get(&id);
        Ok(row.map(|row| state.see_base_model(row)))
    }

    async fn find_by_slug(&self, slug: &Slug) -> Result<Option<BaseModel>, RepoError> {
        let state = self.reading().await?;
        let row = state.base_models.values().find(|row| row.slug == *slug);
        Ok(row.map(|row| state.see_base_model(row)))
    }

    async fn list(
        &self,
        filter: BaseModelFilter,
        request: &PageRequest,
    ) -> Result<Page<BaseModel>, RepoError> {
        let state = self.reading().await?;
        let sorting = Sorting {
            order: BaseModel::ORDER,
            direction: Direction::Descending,
            place: |row: &BaseModel| (microseconds(row.created_at), row.id.uuid()),
        };
        let seen = state.see_base_models(filter).collect();
        Ok(page(seen, request, &sorting))
    }

    async fn list_offered(&self, filter: BaseModelFilter) -> Result<Vec<BaseModel>, RepoError> {
        let state = self.reading().await?;
        let seen = state.see_base_models(filter);
        let mut offered: Vec<_> = seen.filter(|model| model.is_active).collect();
        offered.sort_by_key(|model| (model.name.as_str().to_lowercase(), model.id));
        offered.truncate(usize::try_from(BaseModels::MOST_OFFERED).expect("the bound is small"));
        Ok(offered)
    }

    async fn create(&self, model: &BaseModel) -> Result<(), RepoError> {
        let mut state = self.writing().await?;
        state.check_base_model(model)?;
        state.base_models.insert(model.id, model.clone());
        state.market_changes();
        Ok(())
    }

    async fn revise(&self, model: &BaseModel) -> Result<BaseModel, RepoError> {
        let mut state = self.writing().await?;
        let check = state.check_base_model(model);
        let row = state.base_models.get_mut(&model.id);
        let row = standing(row, model.version, |row| row.version)?;
        check?;
        *row = BaseModel {
            version: row.version.next(),
            created_at: row.created_at,
            ..model.clone()
        };
        let row = row.clone();
        state.market_changes();
        Ok(state.see_base_model(&row))
    }
}
