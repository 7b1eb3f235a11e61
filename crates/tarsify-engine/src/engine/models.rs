//! The models that were run last. A model kept here may be out of date: whoever is refused
//! because of one reads it anew, and the store accepts a run only while its model still holds.

use std::sync::Arc;

use quick_cache::sync::Cache;
use tarsify_domain::RepoError;
use tarsify_domain::execution::{RunnableModel, RunnableModels};
use tarsify_domain::text::Slug;

/// How many models are kept; each is at most as large as its schema and configuration.
const KEPT: usize = 512;

pub(super) struct ModelShelf {
    source: Arc<dyn RunnableModels>,
    kept: Cache<String, Arc<RunnableModel>>,
}

impl ModelShelf {
    pub(super) fn new(source: Arc<dyn RunnableModels>) -> Self {
        Self {
            source,
            kept: Cache::new(KEPT),
        }
    }

    pub(super) fn source(&self) -> &dyn RunnableModels {
        self.source.as_ref()
    }

    /// The model as it was when it was read last.
    pub(super) fn kept(&self, slug: &Slug) -> Option<Arc<RunnableModel>> {
        self.kept.get(slug.as_str())
    }

    /// The model as it is.
    pub(super) async fn read(&self, slug: &Slug) -> Result<Option<Arc<RunnableModel>>, RepoError> {
        let model = self.source.find_by_slug(slug).await?.map(Arc::new);
        match &model {
            Some(model) => self
                .kept
                .insert(slug.as_str().to_owned(), Arc::clone(model)),
            None => drop(self.kept.remove(slug.as_str())),
        }
        Ok(model)
    }
}
