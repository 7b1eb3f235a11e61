//! The route table. An address that is not here does not exist; an access rule that is not
//! here is [`Access::Public`], and a test knows the few routes that may be.

use tarsify_domain::ErrorCode as Code;

use crate::catalog::{base_model, endpoint, market, tars_model};
use crate::health;
use crate::openapi::parameters::{category, page, search, sort, status};
use crate::people::{consumer, developer};
use crate::route::{Access, Route, Shape, delete, get, patch, post, put};

const HEALTH: &str = "Health";
const MARKET: &str = "Marketplace";
const CONSUMERS: &str = "Consumers";
const DEVELOPERS: &str = "Developers";
const STUDIO: &str = "Studio";
const ADMIN: &str = "Administration";

/// Every route, in the order of the documentation. Fixed segments come before parameters.
#[must_use]
pub fn routes() -> Vec<Route> {
    [
        health(),
        market(),
        consumers(),
        developers(),
        studio(),
        endpoints(),
        base_models(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn health() -> Vec<Route> {
    vec![
        get("/health", HEALTH, "What the process knows of itself")
            .answers::<health::HealthOut>(Shape::One)
            .to(health::show_health),
        get("/health/live", HEALTH, "Whether the process answers")
            .alias("/livez")
            .answers::<health::LiveOut>(Shape::One)
            .to(health::show_liveness),
        get("/health/ready", HEALTH, "Whether the process can serve")
            .alias("/readyz")
            .answers::<health::LiveOut>(Shape::One)
            .to(health::show_readiness),
    ]
}

fn market() -> Vec<Route> {
    vec![
        get(
            "/api/marketplace/models",
            MARKET,
            "List the models in the market",
        )
        .alias("/api/public/models")
        .query(page())
        .query([category(), search(), sort()])
        .answers::<market::MarketModelOut>(Shape::Page)
        .to(market::list_market_models),
        get(
            "/api/marketplace/models/{slug}",
            MARKET,
            "Show a model with the form that consumers fill in",
        )
        .alias("/api/public/models/{slug}")
        .answers::<market::MarketModelDetailOut>(Shape::One)
        .refuses(&[Code::ModelNotFound])
        .to(market::show_market_model),
    ]
}

fn consumers() -> Vec<Route> {
    let update =
        |method: fn(&'static str, &'static str, &'static str) -> crate::route::RouteBuilder| {
            method(
                "/api/marketplace/auth/profile",
                CONSUMERS,
                "Change the own profile",
            )
            .alias("/api/consumer/auth/profile")
            .access(Access::Consumer)
            .body::<consumer::UpdateConsumerIn>()
            .answers::<consumer::ConsumerOut>(Shape::One)
            .revises()
            .to(consumer::update_consumer)
        };
    vec![
        post(
            "/api/marketplace/auth/register",
            CONSUMERS,
            "Register as a consumer",
        )
        .alias("/api/consumer/auth/register")
        .access(Access::AnyConsumer)
        .body::<consumer::RegisterConsumerIn>()
        .answers::<consumer::ConsumerOut>(Shape::Created)
        .refuses(&[Code::ConsumerAlreadyRegistered])
        .to(consumer::register_consumer),
        get(
            "/api/marketplace/auth/me",
            CONSUMERS,
            "Show the own profile",
        )
        .alias("/api/consumer/auth/me")
        .access(Access::Consumer)
        .answers::<consumer::ConsumerOut>(Shape::One)
        .to(consumer::show_consumer),
        update(put),
        update(patch),
    ]
}

fn developers() -> Vec<Route> {
    let update =
        |method: fn(&'static str, &'static str, &'static str) -> crate::route::RouteBuilder| {
            method(
                "/api/studio/auth/profile",
                DEVELOPERS,
                "Change the own profile",
            )
            .alias("/api/developer/auth/profile")
            .access(Access::Developer)
            .body::<developer::UpdateDeveloperIn>()
            .answers::<developer::DeveloperOut>(Shape::One)
            .revises()
            .to(developer::update_developer)
        };
    vec![
        post(
            "/api/studio/auth/register",
            DEVELOPERS,
            "Register as a developer",
        )
        .alias("/api/developer/auth/register")
        .access(Access::AnyDeveloper)
        .body::<developer::RegisterDeveloperIn>()
        .answers::<developer::DeveloperOut>(Shape::Created)
        .refuses(&[Code::DeveloperAlreadyRegistered])
        .to(developer::register_developer),
        get("/api/studio/auth/me", DEVELOPERS, "Show the own profile")
            .alias("/api/developer/auth/me")
            .access(Access::Developer)
            .answers::<developer::DeveloperOut>(Shape::One)
            .to(developer::show_developer),
        update(put),
        update(patch),
        post(
            "/api/studio/auth/complete-profile",
            DEVELOPERS,
            "Fill in the own profile and mark it complete",
        )
        .alias("/api/developer/auth/complete-profile")
        .access(Access::Developer)
        .body::<developer::CompleteProfileIn>()
        .answers::<developer::DeveloperOut>(Shape::One)
        .revises()
        .to(developer::complete_developer_profile),
    ]
}

fn studio() -> Vec<Route> {
    let mut table = vec![
        get(
            "/api/studio/base-models",
            STUDIO,
            "List the base models to build on",
        )
        .alias("/api/developer/base-models")
        .access(Access::Developer)
        .query([category()])
        .answers::<Vec<base_model::BaseModelOut>>(Shape::One)
        .to(base_model::list_offered_base_models),
        get(
            "/api/studio/tars-models/base-models",
            STUDIO,
            "List the base models to build on, as an object",
        )
        .alias("/api/developer/tars-models/base-models")
        .access(Access::Developer)
        .query([category()])
        .answers::<base_model::BaseModelsOut>(Shape::One)
        .to(base_model::list_base_models_for_form),
        post(
            "/api/studio/tars-models",
            STUDIO,
            "Make a draft of a tars model",
        )
        .alias("/api/developer/tars-models")
        .access(Access::Developer)
        .body::<tars_model::CreateTarsModelIn>()
        .answers::<tars_model::TarsModelOut>(Shape::Created)
        .refuses(&[
            Code::SlugTaken,
            Code::BaseModelNotFound,
            Code::BaseModelNotActive,
        ])
        .to(tars_model::create_tars_model),
        get(
            "/api/studio/tars-models",
            STUDIO,
            "List the own tars models",
        )
        .alias("/api/developer/tars-models")
        .access(Access::Developer)
        .query(page())
        .query([status()])
        .answers::<tars_model::TarsModelOut>(Shape::Page)
        .to(tars_model::list_tars_models),
    ];
    table.extend(studio_tars_model());
    table
}

fn studio_tars_model() -> Vec<Route> {
    const ONE: &str = "/api/studio/tars-models/{id}";
    const ONE_ALIAS: &str = "/api/developer/tars-models/{id}";
    let update =
        |method: fn(&'static str, &'static str, &'static str) -> crate::route::RouteBuilder| {
            method(ONE, STUDIO, "Change an own tars model")
                .alias(ONE_ALIAS)
                .access(Access::Developer)
                .body::<tars_model::UpdateTarsModelIn>()
                .answers::<tars_model::TarsModelOut>(Shape::One)
                .revises()
                .refuses(&[
                    Code::TarsModelNotFound,
                    Code::SlugTaken,
                    Code::BaseModelNotFound,
                    Code::BaseModelNotActive,
                    Code::EndpointNotActive,
                ])
                .to(tars_model::update_tars_model)
        };
    vec![
        get(ONE, STUDIO, "Show an own tars model")
            .alias(ONE_ALIAS)
            .access(Access::Developer)
            .answers::<tars_model::TarsModelOut>(Shape::One)
            .refuses(&[Code::TarsModelNotFound])
            .to(tars_model::show_tars_model),
        update(put),
        update(patch),
        delete(
            ONE,
            STUDIO,
            "Remove an own tars model, or archive it when it was ever run",
        )
        .alias(ONE_ALIAS)
        .access(Access::Developer)
        .revises()
        .refuses(&[Code::TarsModelNotFound, Code::StatusForbids])
        .to(tars_model::delete_tars_model),
        post(
            "/api/studio/tars-models/{id}/publish",
            STUDIO,
            "Put an own tars model into the market, or archive it",
        )
        .alias("/api/developer/tars-models/{id}/publish")
        .access(Access::Developer)
        .body::<tars_model::PublishTarsModelIn>()
        .answers::<tars_model::TarsModelOut>(Shape::One)
        .revises()
        .refuses(&[
            Code::TarsModelNotFound,
            Code::StatusForbids,
            Code::BaseModelNotActive,
            Code::EndpointNotActive,
        ])
        .to(tars_model::publish_tars_model),
        post(
            "/api/studio/tars-models/{id}/archive",
            STUDIO,
            "Take an own tars model out of the market",
        )
        .alias("/api/developer/tars-models/{id}/archive")
        .access(Access::Developer)
        .body::<tars_model::ArchiveTarsModelIn>()
        .answers::<tars_model::TarsModelOut>(Shape::One)
        .revises()
        .refuses(&[Code::TarsModelNotFound, Code::StatusForbids])
        .to(tars_model::archive_tars_model),
    ]
}

fn endpoints() -> Vec<Route> {
    const ALL: &str = "/api/admin/endpoints";
    const ONE: &str = "/api/admin/endpoints/{id}";
    let update =
        |method: fn(&'static str, &'static str, &'static str) -> crate::route::RouteBuilder| {
            method(ONE, ADMIN, "Change an endpoint")
                .access(Access::Admin)
                .body::<endpoint::UpdateEndpointIn>()
                .answers::<endpoint::EndpointOut>(Shape::One)
                .revises()
                .refuses(&[Code::EndpointNotFound, Code::EndpointIdTaken])
                .to(endpoint::update_endpoint)
        };
    vec![
        post(ALL, ADMIN, "Register an endpoint")
            .access(Access::Admin)
            .body::<endpoint::CreateEndpointIn>()
            .answers::<endpoint::EndpointOut>(Shape::Created)
            .refuses(&[Code::EndpointIdTaken])
            .to(endpoint::create_endpoint),
        get(ALL, ADMIN, "List endpoints")
            .access(Access::Admin)
            .query(page())
            .answers::<endpoint::EndpointOut>(Shape::Page)
            .to(endpoint::list_endpoints),
        get(ONE, ADMIN, "Show an endpoint")
            .access(Access::Admin)
            .answers::<endpoint::EndpointOut>(Shape::One)
            .refuses(&[Code::EndpointNotFound])
            .to(endpoint::show_endpoint),
        update(put),
        update(patch),
        delete(ONE, ADMIN, "Switch an endpoint off")
            .access(Access::Admin)
            .revises()
            .refuses(&[Code::EndpointNotFound])
            .to(endpoint::delete_endpoint),
    ]
}

fn base_models() -> Vec<Route> {
    const ALL: &str = "/api/admin/base-models";
    const ONE: &str = "/api/admin/base-models/{id}";
    let update =
        |method: fn(&'static str, &'static str, &'static str) -> crate::route::RouteBuilder| {
            method(ONE, ADMIN, "Change a base model")
                .access(Access::Admin)
                .body::<base_model::UpdateBaseModelIn>()
                .answers::<base_model::AdminBaseModelOut>(Shape::One)
                .revises()
                .refuses(&[
                    Code::BaseModelNotFound,
                    Code::EndpointNotFound,
                    Code::BaseModelSlugTaken,
                ])
                .to(base_model::update_base_model)
        };
    vec![
        post(ALL, ADMIN, "Make a base model")
            .access(Access::Admin)
            .body::<base_model::CreateBaseModelIn>()
            .answers::<base_model::AdminBaseModelOut>(Shape::Created)
            .refuses(&[Code::EndpointNotFound, Code::BaseModelSlugTaken])
            .to(base_model::create_base_model),
        get(ALL, ADMIN, "List base models")
            .access(Access::Admin)
            .query(page())
            .query([category()])
            .answers::<base_model::AdminBaseModelOut>(Shape::Page)
            .to(base_model::list_base_models),
        get(ONE, ADMIN, "Show a base model")
            .access(Access::Admin)
            .answers::<base_model::AdminBaseModelOut>(Shape::One)
            .refuses(&[Code::BaseModelNotFound])
            .to(base_model::show_base_model),
        update(put),
        update(patch),
        delete(ONE, ADMIN, "Switch a base model off")
            .access(Access::Admin)
            .revises()
            .refuses(&[Code::BaseModelNotFound])
            .to(base_model::delete_base_model),
    ]
}
