//! Endpoints and base models for administrators, tars models for developers, the market for
//! everybody.

pub(crate) mod base_model;
pub(crate) mod endpoint;
pub(crate) mod market;
pub(crate) mod market_cache;
pub(crate) mod tars_model;
