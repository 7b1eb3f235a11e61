//! The route table. An address that is not here does not exist; an access rule that is not
//! here is [`Access::Public`], and a test knows the few routes that may be.

mod administration;
mod live;
mod money;

use tarsify_domain::ErrorCode as Code;
use tarsify_domain::limits::LimitCategory;

use crate::catalog::{base_model, market, tars_model};
use crate::execution::{callback, run, studio as trial};
use crate::health;
use crate::metrics;
use crate::money::{credits, webhook};
use crate::openapi::parameters::{
    category, dry_run, execution_status, page, prefer_wait, search, sort, status, stripe_signature,
    sync, wait_ms,
};
use crate::people::{consumer, developer};
use crate::route::{Access, Route, Shape, delete, get, patch, post, put};

const HEALTH: &str = "Health";
const MARKET: &str = "Marketplace";
const RUNS: &str = "Runs";
const CONSUMERS: &str = "Consumers";
const DEVELOPERS: &str = "Developers";
const STUDIO: &str = "Studio";
const WEBHOOKS: &str = "Webhooks";

/// Every route, in the order of the documentation. Fixed segments come before parameters.
#[must_use]
pub fn routes() -> Vec<Route> {
    [
        health(),
        market(),
        runs(),
        live::runs(),
        consumers(),
        money::credits(),
        developers(),
        studio(),
        test_runs(),
        live::test_runs(),
        money::earnings(),
        administration::endpoints(),
        administration::base_models(),
        administration::executions(),
        live::everything(),
        money::administration(),
        administration::limits(),
        webhooks(),
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
        get(
            "/metrics",
            HEALTH,
            "What was measured in the process, for whoever has the operator's token where there is one",
        )
        .answers_nothing(Shape::Lines)
        .refuses(&[Code::NoCredential, Code::InvalidToken])
        .to(metrics::show_metrics),
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

fn runs() -> Vec<Route> {
    const ONE: &str = "/api/marketplace/runs/{id}";
    vec![
        post(
            "/api/marketplace/models/{slug}/run",
            RUNS,
            "Run a model of the market",
        )
        .counts_as(LimitCategory::TaskCreation)
        .access(Access::Consumer)
        .query([dry_run(), prefer_wait()])
        .body::<run::RunModelIn>()
        .answers::<run::AcceptedRunOut>(Shape::Accepted)
        .also_answers::<run::RunOut>("200", "It has ended within the wait, with a result or not.")
        .also_answers::<run::QuotedRunOut>("200", "With `dryRun=true`: what a run would be.")
        .creates_by_key()
        .refuses(&[
            Code::ModelNotFound,
            Code::ModelNotPublished,
            Code::EndpointNotActive,
            Code::InputsDoNotFit,
            Code::InsufficientCredits,
            Code::Conflict,
        ])
        .to(run::run_model),
        get("/api/marketplace/runs", RUNS, "List the own runs")
            .alias("/api/consumer/executions")
            .access(Access::Consumer)
            .query(page())
            .query([execution_status()])
            .answers::<run::RunItemOut>(Shape::Page)
            .to(run::list_runs),
        get(ONE, RUNS, "Show an own run with its result")
            .alias("/api/consumer/executions/{id}")
            .access(Access::Consumer)
            .answers::<run::RunOut>(Shape::One)
            .refuses(&[Code::ExecutionNotFound, Code::ExecutionNotOwned])
            .to(run::show_run),
        get(
            "/api/marketplace/runs/{id}/status",
            RUNS,
            "Show how an own run stands, at once or when it has ended",
        )
        .alias("/api/consumer/executions/{id}/status")
        .access(Access::Consumer)
        .query([sync(), wait_ms()])
        .answers::<run::RunStatusOut>(Shape::One)
        .refuses(&[Code::ExecutionNotFound, Code::ExecutionNotOwned])
        .to(run::show_run_status),
        post(
            "/api/marketplace/runs/{id}/cancel",
            RUNS,
            "Cancel an own run",
        )
        .alias("/api/consumer/executions/{id}/cancel")
        .access(Access::Consumer)
        .body::<run::CancelRunIn>()
        .answers::<run::CancelledRunOut>(Shape::One)
        .refuses(&[
            Code::ExecutionNotFound,
            Code::ExecutionNotOwned,
            Code::ExecutionNotCancellable,
        ])
        .to(run::cancel_run),
        get(
            "/api/marketplace/runs/{id}/receipt",
            RUNS,
            "Show what an own run cost and how that was paid",
        )
        .alias("/api/consumer/executions/{id}/receipt")
        .access(Access::Consumer)
        .answers::<credits::ReceiptOut>(Shape::One)
        .refuses(&[Code::ExecutionNotFound, Code::ExecutionNotOwned])
        .to(credits::show_run_receipt),
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
        .counts_as(LimitCategory::AuthAction)
        .alias("/api/consumer/auth/register")
        .access(Access::AnyConsumer)
        .body::<consumer::RegisterConsumerIn>()
        .answers::<consumer::ConsumerOut>(Shape::Created)
        .creates()
        .refuses(&[Code::ConsumerAlreadyRegistered])
        .to(consumer::register_consumer),
        get(
            "/api/marketplace/auth/me",
            CONSUMERS,
            "Show the own profile",
        )
        .counts_as(LimitCategory::AuthSession)
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
        .counts_as(LimitCategory::AuthAction)
        .alias("/api/developer/auth/register")
        .access(Access::AnyDeveloper)
        .body::<developer::RegisterDeveloperIn>()
        .answers::<developer::DeveloperOut>(Shape::Created)
        .creates()
        .refuses(&[Code::DeveloperAlreadyRegistered])
        .to(developer::register_developer),
        get("/api/studio/auth/me", DEVELOPERS, "Show the own profile")
            .counts_as(LimitCategory::AuthSession)
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
        .creates()
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

fn test_runs() -> Vec<Route> {
    vec![
        post(
            "/api/studio/tars-models/{id}/test-run",
            STUDIO,
            "Try an own tars model",
        )
        .counts_as(LimitCategory::TaskCreation)
        .alias("/api/developer/tars-models/{id}/test-run")
        .access(Access::Developer)
        .body::<run::RunModelIn>()
        .answers::<trial::TestRunOut>(Shape::One)
        .also_answers::<trial::TestRunOut>(
            "202",
            "It has not ended yet; `Location` says where it is.",
        )
        .creates_by_key()
        .refuses(&[
            Code::TarsModelNotFound,
            Code::StatusForbids,
            Code::EndpointNotActive,
            Code::InputsDoNotFit,
            Code::RateLimited,
            Code::Conflict,
        ])
        .to(trial::test_run_tars_model),
        get("/api/studio/runs/{id}", STUDIO, "Show an own test run")
            .alias("/api/developer/runs/{id}")
            .access(Access::Developer)
            .answers::<trial::TestRunOut>(Shape::One)
            .refuses(&[Code::ExecutionNotFound, Code::ExecutionNotOwned])
            .to(trial::show_test_run),
    ]
}

fn webhooks() -> Vec<Route> {
    vec![
        post(
            "/api/webhooks/runpod/{executionId}/{token}",
            WEBHOOKS,
            "Take note that RunPod has news of a job; any body is taken, none is believed",
        )
        .answers_nothing(Shape::Empty)
        .refuses(&[Code::NotFound])
        .to(callback::receive_runpod_callback),
        post(
            "/api/webhooks/stripe",
            WEBHOOKS,
            "Take a message of Stripe, which it has signed: each has its effect once",
        )
        .query([stripe_signature()])
        .answers::<webhook::EventReceivedOut>(Shape::One)
        .refuses(&[Code::Validation, Code::PayloadTooLarge])
        .to(webhook::receive_stripe_event),
    ]
}
