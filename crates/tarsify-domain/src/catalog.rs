//! What is for sale: endpoints, the base models on them, the tars models made of those, and
//! the market that shows what is published.

pub mod base_model;
pub mod changes;
pub mod endpoint;
pub mod input_schema;
pub mod kinds;
pub mod market;
pub mod overrides;
pub mod tars_model;

pub use base_model::{
    BaseModel, BaseModelChange, BaseModelError, BaseModelFilter, BaseModelRepository, BaseModels,
    NewBaseModel,
};
pub use changes::CatalogChanges;
pub use endpoint::{
    Endpoint, EndpointChange, EndpointError, EndpointRepository, Endpoints, NewEndpoint,
};
pub use input_schema::{InputSchema, SchemaRules};
pub use kinds::{Category, EndpointSource, OutputType, Provider, TarsModelStatus};
pub use market::{
    Market, MarketDetail, MarketEntry, MarketQuery, MarketRepository, MarketSort, MarketSource,
};
pub use overrides::ConfigOverrides;
pub use tars_model::{
    NewTarsModel, TarsModel, TarsModelChange, TarsModelError, TarsModelFilter, TarsModelRepository,
    TarsModels,
};
