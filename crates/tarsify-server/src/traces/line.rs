//! Log lines that say which trace they belong to, so that the one is found from the other.

use std::fmt;

use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use super::links::here;

/// Lines of another form with `trace_id` at their end, where there is a trace.
pub(crate) struct WithTrace<F>(pub(crate) F);

impl<S, N, F> FormatEvent<S, N> for WithTrace<F>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    N: for<'writer> FormatFields<'writer> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let Some(here) = here() else {
            return self.0.format_event(context, writer, event);
        };
        let mut line = String::new();
        self.0
            .format_event(context, Writer::new(&mut line), event)?;
        let line = line.trim_end();
        let id = here.trace_id();
        match line.strip_suffix('}').filter(|_| line.starts_with('{')) {
            Some(fields) => writeln!(writer, "{fields},\"trace_id\":\"{id}\"}}"),
            None => writeln!(writer, "{line} trace_id={id}"),
        }
    }
}
