//! Pages of executions, newest first.

use tarsify_domain::execution::{Execution, ExecutionFilter, ExecutionSummary};
use tarsify_domain::page::{Cursor, CursorKey, Page, PageRequest, Position};
use tarsify_domain::{Scope, Timestamp};

use super::row::{Row, Who};
use super::table::Table;

impl Table {
    pub(super) fn list(
        &self,
        scope: Scope,
        filter: &ExecutionFilter,
        page: &PageRequest,
    ) -> Page<ExecutionSummary> {
        let rows = self.by_age.iter().rev();
        let rows = rows.filter_map(|(_, id)| self.row(*id));
        let rows = rows.filter(|row| row.is_seen_by(scope) && row.fits(filter));
        let wanted = usize::try_from(page.limit.get()).unwrap_or(usize::MAX);
        let mut before = u64::try_from(page.offset()).unwrap_or_default();
        let mut total = 0;
        let mut items = Vec::new();
        for row in rows {
            total += 1;
            let is_before = match &page.position {
                Position::Number(_) => before > 0,
                Position::After(cursor) => !row.is_after(cursor),
            };
            before = before.saturating_sub(1);
            if !is_before && items.len() <= wanted {
                items.push(row.summary());
            }
        }
        Page::cut(items, total, page.limit, |last| Cursor {
            order: Execution::ORDER.name.to_owned(),
            key: CursorKey::Integer(microseconds(last.created_at)),
            id: last.id.uuid(),
        })
    }
}

impl Row {
    fn fits(&self, filter: &ExecutionFilter) -> bool {
        let ExecutionFilter {
            status,
            consumer,
            model,
            kind,
        } = filter;
        status.is_none_or(|status| self.status == status)
            && consumer.is_none_or(|consumer| self.who == Who::Consumer(consumer))
            && model.is_none_or(|model| self.model.id == model)
            && kind.is_none_or(|kind| self.kind() == kind)
    }

    /// Whether a list shows it later than the item that the cursor stands for.
    fn is_after(&self, cursor: &Cursor) -> bool {
        let CursorKey::Integer(at) = cursor.key else {
            return false;
        };
        (microseconds(self.created_at), self.id.uuid()) < (at, cursor.id)
    }
}

fn microseconds(moment: Timestamp) -> i64 {
    i64::try_from(moment.unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX)
}
