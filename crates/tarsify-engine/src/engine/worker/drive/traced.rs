//! The span of one leased execution in hand. It has its id and where it stands, and nothing of
//! what went in or came out.

use tarsify_domain::execution::{Claimed, Stage};
use tarsify_domain::trace::TRACES;
use tracing::Span;

use crate::engine::Engine;

impl Engine {
    /// The span for what is now done about it; a part of the trace of whoever asked for it.
    pub(super) fn step_span(&self, claimed: &Claimed) -> Span {
        let Claimed { lease, state, .. } = claimed;
        let span = tracing::trace_span!(
            target: TRACES,
            parent: None,
            "run step",
            otel.kind = "consumer",
            execution = %lease.id,
            work = work(claimed),
            stage = state.stage.as_str(),
            attempt = state.attempts.last().map(|attempt| attempt.number),
            ended = tracing::field::Empty,
        );
        if let Some(parent) = &claimed.trace_parent
            && !span.is_disabled()
        {
            self.shared.tracing.continue_from(&span, parent);
        }
        span
    }
}

/// What it was leased for.
const fn work(claimed: &Claimed) -> &'static str {
    match (claimed.submission.is_some(), claimed.state.stage) {
        (true, _) => "submit",
        (false, Stage::Ended) => "call off what is left",
        (false, _) => "look",
    }
}
