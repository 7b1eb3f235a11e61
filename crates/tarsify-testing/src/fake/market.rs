//! The market in memory: a view of the published tars models.

use async_trait::async_trait;
use tarsify_domain::catalog::market::MarketDeveloper;
use tarsify_domain::catalog::{
    MarketEntry, MarketQuery, MarketRepository, MarketSort, MarketSource, TarsModel,
    TarsModelStatus,
};
use tarsify_domain::page::CursorKey;
use tarsify_domain::text::Slug;
use tarsify_domain::{Page, PageRequest, RepoError};

use super::paging::{Direction, Sorting, microseconds, page};
use super::search::relevance;
use super::{FakeStore, State};

impl State {
    fn published(&self) -> impl Iterator<Item = (&TarsModel, MarketEntry)> {
        let rows = self.tars_models.values();
        let published = rows.filter(|row| row.status == TarsModelStatus::Published);
        published.filter_map(|row| Some((row, self.entry(row)?)))
    }

    fn entry(&self, row: &TarsModel) -> Option<MarketEntry> {
        let base = &self.base_models[&row.base_model.id];
        let developer = &self.developers[&row.developer_id].profile;
        Some(MarketEntry {
            id: row.id,
            slug: row.slug.clone(),
            title: row.title.clone(),
            description: row.description.clone(),
            base_model_name: base.name.clone(),
            category: base.category,
            output_type: base.output_type,
            output_format: base.output_format.clone(),
            estimated_seconds: base.estimated.get(),
            price: row.price,
            total_runs: row.total_runs,
            developer: MarketDeveloper::new(
                developer.id,
                developer.display_name.as_ref().map(ToString::to_string),
            ),
            published_at: row.published_at?,
        })
    }
}

/// An entry with its rank in a search, 0 where nothing is searched.
struct Ranked {
    entry: MarketEntry,
    rank: i64,
}

fn direction(sort: MarketSort) -> Direction {
    match sort {
        MarketSort::Newest
        | MarketSort::Popular
        | MarketSort::PriceDescending
        | MarketSort::Relevance => Direction::Descending,
        MarketSort::Price | MarketSort::Title => Direction::Ascending,
    }
}

fn key(sort: MarketSort, Ranked { entry, rank }: &Ranked) -> CursorKey {
    match sort {
        MarketSort::Newest => microseconds(entry.published_at),
        MarketSort::Popular => {
            CursorKey::Integer(i64::try_from(entry.total_runs).unwrap_or(i64::MAX))
        }
        MarketSort::Price | MarketSort::PriceDescending => {
            CursorKey::Integer(entry.price.credits().get())
        }
        MarketSort::Title => CursorKey::Text(entry.title.as_str().to_lowercase()),
        MarketSort::Relevance => CursorKey::Integer(*rank),
    }
}

#[async_trait]
impl MarketRepository for FakeStore {
    async fn list(
        &self,
        query: &MarketQuery,
        request: &PageRequest,
    ) -> Result<Page<MarketEntry>, RepoError> {
        let state = self.reading().await?;
        let MarketQuery {
            category,
            search,
            sort,
        } = query;
        let mut found = Vec::new();
        for (_, entry) in state.published() {
            let rank = search
                .as_ref()
                .map_or(Some(0), |text| relevance(text, &entry));
            let wanted = category.is_none_or(|only| only == entry.category);
            if let (true, Some(rank)) = (wanted, rank) {
                found.push(Ranked { entry, rank });
            }
        }
        let sorting = Sorting {
            order: sort.order(),
            direction: direction(*sort),
            place: |ranked: &Ranked| (key(*sort, ranked), ranked.entry.id.uuid()),
        };
        Ok(page(found, request, &sorting).map(|ranked| ranked.entry))
    }

    async fn find(&self, slug: &Slug) -> Result<Option<MarketSource>, RepoError> {
        let state = self.reading().await?;
        let found = state.published().find(|(row, _)| row.slug == *slug);
        Ok(found.map(|(row, entry)| MarketSource {
            entry,
            input_schema: state.base_models[&row.base_model.id].input_schema.clone(),
            overrides: row.overrides.clone(),
        }))
    }

    async fn version(&self) -> Result<i64, RepoError> {
        Ok(self.enter().await?.market_version)
    }
}
