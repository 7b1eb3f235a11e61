//! Where people follow runs.

use tarsify_domain::ErrorCode as Code;

use super::{RUNS, STUDIO};
use crate::execution::live;
use crate::openapi::parameters::{last_event_id, stream_token};
use crate::route::{Access, Route, Shape, get, post};

/// What happens to a consumer's runs, as it happens.
pub(super) fn runs() -> Vec<Route> {
    vec![
        get(
            "/api/marketplace/runs/{id}/events",
            RUNS,
            "Follow an own run, from its first event to its end",
        )
        .alias("/api/consumer/executions/{id}/events")
        .access(Access::Consumer)
        .or_by_stream_token()
        .query(last_event_id())
        .query([stream_token()])
        .answers::<live::RunEventOut>(Shape::Events)
        .refuses(&[Code::ExecutionNotFound, Code::ExecutionNotOwned])
        .to(live::follow_run),
        post(
            "/api/marketplace/runs/{id}/stream-token",
            RUNS,
            "Get a token by which an own run can be followed once, within a minute",
        )
        .alias("/api/consumer/executions/{id}/stream-token")
        .access(Access::Consumer)
        .body::<live::StreamTokenIn>()
        .answers::<live::StreamTokenOut>(Shape::Noted)
        .refuses(&[Code::ExecutionNotFound, Code::ExecutionNotOwned])
        .to(live::create_stream_token),
        get(
            "/api/marketplace/events",
            RUNS,
            "Follow all own runs, from now on or from where it was broken off",
        )
        .alias("/api/consumer/events")
        .access(Access::Consumer)
        .query(last_event_id())
        .answers::<live::RunEventOut>(Shape::Events)
        .to(live::follow_runs),
    ]
}

/// The same for a developer's test runs.
pub(super) fn test_runs() -> Vec<Route> {
    vec![
        get(
            "/api/studio/runs/{id}/events",
            STUDIO,
            "Follow an own test run, from its first event to its end",
        )
        .alias("/api/developer/runs/{id}/events")
        .access(Access::Developer)
        .or_by_stream_token()
        .query(last_event_id())
        .query([stream_token()])
        .answers::<live::RunEventOut>(Shape::Events)
        .refuses(&[Code::ExecutionNotFound, Code::ExecutionNotOwned])
        .to(live::follow_test_run),
        post(
            "/api/studio/runs/{id}/stream-token",
            STUDIO,
            "Get a token by which an own test run can be followed once, within a minute",
        )
        .alias("/api/developer/runs/{id}/stream-token")
        .access(Access::Developer)
        .body::<live::StreamTokenIn>()
        .answers::<live::StreamTokenOut>(Shape::Noted)
        .refuses(&[Code::ExecutionNotFound, Code::ExecutionNotOwned])
        .to(live::create_test_stream_token),
    ]
}

/// Everything, for administrators.
pub(super) fn everything() -> Vec<Route> {
    vec![
        get(
            "/api/admin/events",
            "Administration",
            "Follow all runs of everybody, from now on or from where it was broken off",
        )
        .access(Access::Admin)
        .query(last_event_id())
        .answers::<live::RunEventOut>(Shape::Events)
        .to(live::follow_everything),
    ]
}
