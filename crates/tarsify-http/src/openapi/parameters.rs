//! Query parameters, as the document describes them.

use serde_json::Value;
use tarsify_domain::catalog::{Category, TarsModelStatus};
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{ObjectBuilder, Required, Type};

fn parameter(name: &str, description: &str, schema: ObjectBuilder) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(schema.build()))
        .build()
}

fn words(all: impl IntoIterator<Item = &'static str>) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(all))
}

/// The position in a list.
pub(crate) fn page() -> [Parameter; 3] {
    let number = || {
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(1))
    };
    [
        parameter(
            "page",
            "The number of the page, from 1. Not together with `cursor`.",
            number()
                .maximum(Some(u32::MAX))
                .default(Some(Value::from(1))),
        ),
        parameter(
            "limit",
            "How many items a page holds.",
            number().maximum(Some(100)).default(Some(Value::from(20))),
        ),
        parameter(
            "cursor",
            "Where the page begins: `meta.nextCursor` of the page before, with the rest of the query unchanged.",
            ObjectBuilder::new()
                .schema_type(Type::String)
                .max_length(Some(2_048)),
        ),
    ]
}

/// The category of models.
pub(crate) fn category() -> Parameter {
    parameter(
        "category",
        "Only this category.",
        words(Category::ALL.iter().map(|word| word.as_str())),
    )
}

/// The status of tars models.
pub(crate) fn status() -> Parameter {
    parameter(
        "status",
        "Only those in this status.",
        words(TarsModelStatus::ALL.iter().map(|word| word.as_str())),
    )
}

/// The text to look for.
pub(crate) fn search() -> Parameter {
    let schema = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(100));
    parameter(
        "search",
        "Words to look for in title, slug and description.",
        schema,
    )
}

/// The order of the market.
pub(crate) fn sort() -> Parameter {
    parameter(
        "sort",
        "The order; `newest` by default, the best match first with a search.",
        words(["newest", "popular", "price", "-price", "title"]),
    )
}
