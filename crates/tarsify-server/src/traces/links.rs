//! Takes a trace from one process to another, by its parent as the W3C writes it.

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use tarsify_domain::TraceParent;
use tarsify_engine::Tracing;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// Links by OpenTelemetry's own ids.
pub(crate) struct SpanLinks;

impl Tracing for SpanLinks {
    fn parent(&self) -> Option<TraceParent> {
        let here = here()?;
        let parent = format!(
            "00-{}-{}-{:02x}",
            here.trace_id(),
            here.span_id(),
            (here.trace_flags() & TraceFlags::SAMPLED).to_u8(),
        );
        TraceParent::parse(&parent).ok()
    }

    fn continue_from(&self, span: &Span, parent: &TraceParent) {
        if let Some(there) = read(parent) {
            let context = Context::new().with_remote_span_context(there);
            // It fails where nothing is traced.
            let _ = span.set_parent(context);
        }
    }
}

/// The span that we are in, if it belongs to a trace.
pub(super) fn here() -> Option<SpanContext> {
    let context = Span::current().context();
    let here = context.span().span_context().clone();
    here.is_valid().then_some(here)
}

fn read(parent: &TraceParent) -> Option<SpanContext> {
    let mut parts = parent.as_str().split('-').skip(1);
    let trace = TraceId::from_hex(parts.next()?).ok()?;
    let span = SpanId::from_hex(parts.next()?).ok()?;
    let flags = u8::from_str_radix(parts.next()?, 16).ok()?;
    let flags = TraceFlags::new(flags) & TraceFlags::SAMPLED;
    let there = SpanContext::new(trace, span, flags, true, TraceState::default());
    there.is_valid().then_some(there)
}
