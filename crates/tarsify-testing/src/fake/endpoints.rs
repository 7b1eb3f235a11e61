//! Endpoints in memory.

use async_trait::async_trait;
use tarsify_domain::catalog::{Endpoint, EndpointRepository};
use tarsify_domain::id::EndpointId;
use tarsify_domain::{Page, PageRequest, RepoError};

use super::paging::{Direction, Sorting, count, microseconds, page};
use super::{FakeStore, State, conflict_if, standing};

impl State {
    fn see_endpoint(&self, endpoint: &Endpoint) -> Endpoint {
        let mut seen = endpoint.clone();
        let its = |id: EndpointId| id == endpoint.id;
        let models = self.base_models.values();
        seen.base_model_count = count(models.filter(|model| its(model.endpoint.id)).count());
        seen
    }

    fn takes_provider_id(&self, wanted: &Endpoint) -> bool {
        self.endpoints.values().any(|other| {
            other.id != wanted.id
                && other.provider == wanted.provider
                && other.provider_endpoint_id == wanted.provider_endpoint_id
        })
    }
}

#[async_trait]
impl EndpointRepository for FakeStore {
    async fn find(&self, id: EndpointId) -> Result<Option<Endpoint>, RepoError> {
        let state = self.reading().await?;
        Ok(state.endpoints.get(&id).map(|row| state.see_endpoint(row)))
    }

    async fn list(&self, request: &PageRequest) -> Result<Page<Endpoint>, RepoError> {
        let state = self.reading().await?;
        let rows = state.endpoints.values();
        let sorting = Sorting {
            order: Endpoint::ORDER,
            direction: Direction::Descending,
            place: |row: &Endpoint| (microseconds(row.created_at), row.id.uuid()),
        };
        let seen = rows.map(|row| state.see_endpoint(row)).collect();
        Ok(page(seen, request, &sorting))
    }

    async fn create(&self, endpoint: &Endpoint) -> Result<(), RepoError> {
        let mut state = self.writing().await?;
        conflict_if(state.takes_provider_id(endpoint))?;
        state.endpoints.insert(endpoint.id, endpoint.clone());
        state.market_changes();
        Ok(())
    }

    async fn revise(&self, endpoint: &Endpoint) -> Result<Endpoint, RepoError> {
        let mut state = self.writing().await?;
        let taken = state.takes_provider_id(endpoint);
        let row = state.endpoints.get_mut(&endpoint.id);
        let row = standing(row, endpoint.version, |row| row.version)?;
        conflict_if(taken)?;
        *row = Endpoint {
            version: row.version.next(),
            created_at: row.created_at,
            ..endpoint.clone()
        };
        let row = row.clone();
        state.market_changes();
        Ok(state.see_endpoint(&row))
    }
}
