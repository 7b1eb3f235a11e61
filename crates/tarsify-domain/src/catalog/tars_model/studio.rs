//! What developers do with their tars models: draft, change, publish, archive, remove.

use std::sync::Arc;

use super::{
    BaseModelRef, NewTarsModel, TarsModel, TarsModelChange, TarsModelError, TarsModelFilter,
    TarsModelRepository,
};
use crate::catalog::base_model::BaseModelRepository;
use crate::catalog::changes::CatalogChanges;
use crate::catalog::input_schema::{InputSchema, SchemaRules};
use crate::catalog::kinds::TarsModelStatus;
use crate::catalog::overrides::ConfigOverrides;
use crate::clock::Clock;
use crate::error::RepoError;
use crate::id::{BaseModelId, DeveloperId, TarsModelId};
use crate::page::{Page, PageRequest};
use crate::patch::Patch;
use crate::scope::Scope;
use crate::version::{Expected, Version};

/// What developers do with their tars models.
pub struct TarsModels {
    /// Where tars models are kept.
    pub repository: Arc<dyn TarsModelRepository>,
    /// Where the base models are kept.
    pub base_models: Arc<dyn BaseModelRepository>,
    /// Who knows JSON Schema.
    pub schemas: Arc<dyn SchemaRules>,
    /// Who is told of changes.
    pub changes: Arc<CatalogChanges>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

impl TarsModels {
    /// Makes a draft.
    ///
    /// # Errors
    /// When the base model does not exist or is switched off, the overrides do not fit it, or
    /// the slug is taken.
    pub async fn create(
        &self,
        developer: DeveloperId,
        new: NewTarsModel,
    ) -> Result<TarsModel, TarsModelError> {
        let NewTarsModel {
            base_model_id,
            title,
            slug,
            description,
            price,
            overrides,
        } = new;
        let base_model = self.base_model_to_build_on(base_model_id).await?;
        self.check_overrides(&base_model.input_schema, &overrides)?;
        let now = self.clock.now();
        let model = TarsModel {
            id: TarsModelId::new(now),
            developer_id: developer,
            base_model,
            title,
            slug,
            description,
            overrides,
            price,
            status: TarsModelStatus::Draft,
            version: Version::FIRST,
            total_runs: 0,
            created_at: now,
            updated_at: now,
            published_at: None,
        };
        self.repository.create(&model).await?;
        Ok(model)
    }

    /// Lists a developer's tars models, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list(
        &self,
        developer: DeveloperId,
        filter: TarsModelFilter,
        page: &PageRequest,
    ) -> Result<Page<TarsModel>, TarsModelError> {
        Ok(self
            .repository
            .list(Scope::Developer(developer), filter, page)
            .await?)
    }

    /// Reads one of a developer's tars models.
    ///
    /// # Errors
    /// When the developer has none with this id.
    pub async fn find(
        &self,
        developer: DeveloperId,
        id: TarsModelId,
    ) -> Result<TarsModel, TarsModelError> {
        let scope = Scope::Developer(developer);
        self.repository
            .find(scope, id)
            .await?
            .ok_or(TarsModelError::NotFound)
    }

    /// Changes what `change` mentions.
    ///
    /// # Errors
    /// When there is no such tars model or base model, a published one would move to an endpoint
    /// that is switched off, the overrides do not fit, it is not what the caller expects, somebody
    /// else changed it meanwhile, or the slug is taken.
    pub async fn revise(
        &self,
        developer: DeveloperId,
        id: TarsModelId,
        expected: &Expected,
        change: TarsModelChange,
    ) -> Result<TarsModel, TarsModelError> {
        let mut model = self.find_expected(developer, id, expected).await?;
        let rebuilt = change
            .base_model_id
            .filter(|wanted| *wanted != model.base_model.id);
        if let Some(base_model_id) = rebuilt {
            model.base_model = self.base_model_to_build_on(base_model_id).await?;
            // What is in the market must not move to where it could not be published.
            if model.status == TarsModelStatus::Published && !model.base_model.endpoint_is_active {
                return Err(TarsModelError::EndpointNotActive);
            }
        }
        let check = rebuilt.is_some() || change.overrides != Patch::Keep;
        model.change(change);
        if check {
            self.check_overrides(&model.base_model.input_schema, &model.overrides)?;
        }
        self.store(model, expected).await
    }

    /// Puts a tars model into the market.
    ///
    /// # Errors
    /// When it is there already, its base model or endpoint is switched off, its overrides no
    /// longer fit, or as [`TarsModels::revise`].
    pub async fn publish(
        &self,
        developer: DeveloperId,
        id: TarsModelId,
        expected: &Expected,
    ) -> Result<TarsModel, TarsModelError> {
        let mut model = self.find_expected(developer, id, expected).await?;
        model.publish(self.clock.now())?;
        if !model.base_model.is_active {
            return Err(TarsModelError::BaseModelNotActive);
        }
        if !model.base_model.endpoint_is_active {
            return Err(TarsModelError::EndpointNotActive);
        }
        self.check_overrides(&model.base_model.input_schema, &model.overrides)?;
        self.store(model, expected).await
    }

    /// Takes a tars model out of the market.
    ///
    /// # Errors
    /// When it is archived already, or as [`TarsModels::revise`].
    pub async fn archive(
        &self,
        developer: DeveloperId,
        id: TarsModelId,
        expected: &Expected,
    ) -> Result<TarsModel, TarsModelError> {
        let mut model = self.find_expected(developer, id, expected).await?;
        model.archive()?;
        self.store(model, expected).await
    }

    /// Removes a tars model that was never run, and archives one that was, because its runs
    /// go on referring to it.
    ///
    /// # Errors
    /// When it is published, or as [`TarsModels::revise`].
    pub async fn remove(
        &self,
        developer: DeveloperId,
        id: TarsModelId,
        expected: &Expected,
    ) -> Result<(), TarsModelError> {
        let mut model = self.find_expected(developer, id, expected).await?;
        if model.status == TarsModelStatus::Published {
            return Err(TarsModelError::StatusForbids(model.status));
        }
        if model.total_runs == 0 {
            let deleted = self
                .repository
                .delete(Scope::Developer(developer), id, model.version)
                .await;
            return deleted.map_err(|error| stale_means_precondition(error, expected));
        }
        if model.status == TarsModelStatus::Archived {
            return Ok(());
        }
        model.archive()?;
        self.store(model, expected).await.map(drop)
    }

    async fn find_expected(
        &self,
        developer: DeveloperId,
        id: TarsModelId,
        expected: &Expected,
    ) -> Result<TarsModel, TarsModelError> {
        let model = self.find(developer, id).await?;
        if expected.admits(model.version) {
            Ok(model)
        } else {
            Err(TarsModelError::PreconditionFailed)
        }
    }

    async fn store(
        &self,
        mut model: TarsModel,
        expected: &Expected,
    ) -> Result<TarsModel, TarsModelError> {
        model.updated_at = self.clock.now();
        let stored = self.repository.revise(&model).await;
        let stored = stored.map_err(|error| stale_means_precondition(error, expected))?;
        self.changes.changed_here();
        Ok(stored)
    }

    async fn base_model_to_build_on(
        &self,
        id: BaseModelId,
    ) -> Result<BaseModelRef, TarsModelError> {
        let base = self
            .base_models
            .find(id)
            .await?
            .ok_or(TarsModelError::BaseModelNotFound)?;
        if base.is_active {
            Ok(base.into())
        } else {
            Err(TarsModelError::BaseModelNotActive)
        }
    }

    fn check_overrides(
        &self,
        schema: &InputSchema,
        overrides: &ConfigOverrides,
    ) -> Result<(), TarsModelError> {
        let issues = self.schemas.check_overrides(schema, overrides);
        if issues.is_empty() {
            Ok(())
        } else {
            Err(TarsModelError::OverridesDoNotFit(issues))
        }
    }
}

/// A caller who named a version and lost a race has failed his own precondition.
fn stale_means_precondition(error: RepoError, expected: &Expected) -> TarsModelError {
    match error {
        RepoError::Stale if expected.is_stated() => TarsModelError::PreconditionFailed,
        other => other.into(),
    }
}
