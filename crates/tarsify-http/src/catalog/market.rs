//! The market, for everybody. Answers come ready-made from a cache while nothing changes.

mod wire;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use tarsify_domain::ErrorCode;
use tarsify_domain::catalog::Market;

pub(crate) use wire::{MarketModelDetailOut, MarketModelOut, MarketModelsQueryIn};

use super::market_cache::{MarketCache, Prepared, Wanted};
use crate::envelope::{PageMeta, enveloped};
use crate::error::ApiError;
use crate::extract::{PathSlug, Query};

/// Lists the models in the market.
pub(crate) async fn list_market_models(
    request: HttpRequest,
    market: Data<Market>,
    cache: Data<MarketCache>,
    Query(wanted): Query<MarketModelsQueryIn>,
) -> Result<HttpResponse, ApiError> {
    let canonical = wanted.canonical();
    let MarketModelsQueryIn { query, page } = wanted;
    let prepare = async {
        let found = market.list(&query, &page).await?;
        let meta = PageMeta::new(&found, &page);
        let models: Vec<MarketModelOut> =
            found.items.into_iter().map(MarketModelOut::from).collect();
        let link = meta.link(&canonical);
        Ok(Prepared::found(enveloped(&models, Some(&meta))?, link))
    };
    // What people search for is without bound. What is asked for once makes room for the next such
    // thing, and not of what is asked for again and again.
    let wanted = Wanted::Page(query.clone(), page.clone());
    let prepared = cache.get(market.revision(), wanted, prepare).await?;
    prepared.answer(&request)
}

/// Shows a model of the market with the form that consumers fill in.
pub(crate) async fn show_market_model(
    request: HttpRequest,
    market: Data<Market>,
    cache: Data<MarketCache>,
    PathSlug(slug): PathSlug,
) -> Result<HttpResponse, ApiError> {
    let slug = slug.ok_or_else(|| ApiError::new(ErrorCode::ModelNotFound))?;
    let prepare = async {
        match market.find(&slug).await {
            Ok(detail) => Ok(Prepared::found(
                enveloped(&MarketModelDetailOut::from(detail), None)?,
                None,
            )),
            Err(tarsify_domain::catalog::market::MarketError::NotFound) => Ok(Prepared::absent()),
            Err(error) => Err(error.into()),
        }
    };
    let prepared = cache
        .get(market.revision(), Wanted::Model(slug.clone()), prepare)
        .await?;
    prepared.answer(&request)
}
