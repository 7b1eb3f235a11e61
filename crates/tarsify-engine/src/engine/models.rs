//! The models that were run last. A model kept here may be out of date: whoever is refused
//! because of one reads it anew, and the store accepts a run only while its model still holds.

use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use tarsify_domain::RepoError;
use tarsify_domain::execution::{RunnableModel, RunnableModels};
use tarsify_domain::text::Slug;

use super::weight::members;

/// What all models that are kept take at the most, about.
const KEPT_BYTES: u64 = 32 * 1024 * 1024;
/// What one takes besides its schema and its configuration, about.
const OVERHEAD: usize = 1_024;
/// How many there are in a busy market, about.
const EXPECTED: usize = 1_024;

pub(super) struct ModelShelf {
    source: Arc<dyn RunnableModels>,
    kept: Cache<String, Arc<RunnableModel>, ByBytes>,
}

#[derive(Clone)]
struct ByBytes;

impl Weighter<String, Arc<RunnableModel>> for ByBytes {
    fn weight(&self, _slug: &String, model: &Arc<RunnableModel>) -> u64 {
        let schema = members(model.base_model.input_schema.as_object());
        let bytes = OVERHEAD + schema + members(model.overrides.as_object());
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }
}

impl ModelShelf {
    pub(super) fn new(source: Arc<dyn RunnableModels>) -> Self {
        Self {
            source,
            kept: Cache::with_weighter(EXPECTED, KEPT_BYTES, ByBytes),
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
