//! The application as a server builds it, on fakes, and the requests that tests send to it.
//! Every answer that passes through here is held to the OpenAPI document.

mod ask;
mod document;
mod fixtures;
mod gpu;
mod picture;
mod run_store;
mod runs;
mod shop;
mod treasury;

pub(crate) use ask::{Ask, Reply};
pub(crate) use document::without_ids;
pub(crate) use fixtures::{address, base_model_body, endpoint_body, id_of, tars_model_body};
pub(crate) use gpu::{Fate, Gpu};
pub(crate) use picture::shown;
pub(crate) use run_store::RunStore;
pub(crate) use runs::run_place;
pub(crate) use shop::{Plan, Shop};

/// Compares status, telling headers and body of an answer with what was read and accepted.
macro_rules! snapshot {
    ($name:expr, $reply:expr) => {
        insta::assert_json_snapshot!($name, $crate::support::shown(&$reply))
    };
}
pub(crate) use snapshot;
