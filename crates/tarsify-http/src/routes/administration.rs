//! What only administrators may use.

use tarsify_domain::ErrorCode as Code;

use crate::catalog::{base_model, endpoint};
use crate::execution::admin;
use crate::limits::admin as rates;
use crate::openapi::parameters::{
    category, consumer_id, execution_kind, execution_status, model_id, page,
};
use crate::route::{Access, Route, Shape, delete, get, patch, post, put};

const ADMIN: &str = "Administration";

pub(super) fn endpoints() -> Vec<Route> {
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
            .creates()
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

pub(super) fn base_models() -> Vec<Route> {
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
            .creates()
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

pub(super) fn executions() -> Vec<Route> {
    const ALL: &str = "/api/admin/executions";
    const ONE: &str = "/api/admin/executions/{id}";
    vec![
        get(ALL, ADMIN, "List executions of everybody")
            .access(Access::Admin)
            .query(page())
            .query([
                execution_status(),
                execution_kind(),
                consumer_id(),
                model_id(),
            ])
            .answers::<admin::ExecutionItemOut>(Shape::Page)
            .to(admin::list_executions),
        get(
            ONE,
            ADMIN,
            "Show an execution with its attempts and what was said to the provider",
        )
        .access(Access::Admin)
        .answers::<admin::ExecutionReportOut>(Shape::One)
        .refuses(&[Code::ExecutionNotFound])
        .to(admin::show_execution),
        post(
            "/api/admin/executions/{id}/retry",
            ADMIN,
            "Have an execution that has not ended tried again at once",
        )
        .access(Access::Admin)
        .body::<admin::NudgeExecutionIn>()
        .answers::<admin::ExecutionItemOut>(Shape::One)
        .refuses(&[Code::ExecutionNotFound, Code::Conflict])
        .to(admin::retry_execution),
        post(
            "/api/admin/executions/{id}/cancel",
            ADMIN,
            "Cancel an execution",
        )
        .access(Access::Admin)
        .body::<admin::NudgeExecutionIn>()
        .answers::<admin::ExecutionItemOut>(Shape::One)
        .refuses(&[Code::ExecutionNotFound, Code::ExecutionNotCancellable])
        .to(admin::cancel_execution),
    ]
}

pub(super) fn limits() -> Vec<Route> {
    const HERE: &str = "/api/admin/settings";
    const ALIAS: &str = "/api/admin/settings/rate-limit";
    let update =
        |method: fn(&'static str, &'static str, &'static str) -> crate::route::RouteBuilder| {
            method(
                HERE,
                ADMIN,
                "Change the limits on callers; in force everywhere within five seconds",
            )
            .alias(ALIAS)
            .access(Access::Admin)
            .body::<rates::UpdateRateLimitsIn>()
            .answers::<rates::RateLimitsOut>(Shape::One)
            .revises()
            .to(rates::update_rate_limits)
        };
    vec![
        get(HERE, ADMIN, "Show the limits on callers")
            .alias(ALIAS)
            .access(Access::Admin)
            .answers::<rates::RateLimitsOut>(Shape::One)
            .to(rates::show_rate_limits),
        update(put),
        update(patch),
    ]
}
