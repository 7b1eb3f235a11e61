//! What is known about when an execution may be done.

use std::collections::BTreeMap;
use std::time::Duration;

use tarsify_domain::Timestamp;
use tarsify_domain::earnings::TimeBucket;
use tarsify_domain::execution::{ExecutionStatus, Outlook, Stage, Standing};
use tarsify_domain::id::{ExecutionId, TarsModelId};

use super::row::Row;
use super::table::Table;

impl Table {
    pub(super) fn outlook(&self, now: Timestamp, id: ExecutionId) -> Option<Outlook> {
        let row = self.row(id)?;
        let endpoint = row.model.endpoint.id;
        let standing = match row.stage {
            Stage::Created => Standing::Waiting {
                ahead: self.ahead_of(row),
                under_way: self.schedule.jobs(endpoint).min(Outlook::MOST_COUNTED),
            },
            Stage::Submitting | Stage::Unknown | Stage::Queued | Stage::Running => {
                let worked = row.started_at.map(|started_at| now - started_at);
                let worked = worked.map(Duration::try_from).and_then(Result::ok);
                Standing::Submitted {
                    worked: worked.unwrap_or_default(),
                }
            }
            Stage::Ended => Standing::Ended,
        };
        let times = match standing {
            Standing::Ended => Vec::new(),
            Standing::Waiting { .. } | Standing::Submitted { .. } => {
                self.times_of(now, row.model.id)
            }
        };
        Some(Outlook {
            standing,
            limits: self.budgets.own_limits(endpoint),
            times,
            estimated: Duration::from_secs(row.model.base_model.estimated_seconds.into()),
        })
    }

    fn ahead_of(&self, row: &Row) -> u32 {
        let place = |row: &Row| (row.rank, row.next_action_at, row.id);
        let ahead = self.rows().filter(|other| {
            other.stage == Stage::Created
                && other.model.endpoint.id == row.model.endpoint.id
                && place(other) < place(row)
        });
        let most = usize::try_from(Outlook::MOST_COUNTED).unwrap_or(usize::MAX);
        u32::try_from(ahead.take(most).count()).unwrap_or(Outlook::MOST_COUNTED)
    }

    /// How long the model's runs of late took; what is forgotten or was no run counts for nothing.
    fn times_of(&self, now: Timestamp, model: TarsModelId) -> Vec<(TimeBucket, u64)> {
        let days = time::Duration::days(Outlook::DAYS.into());
        let runs = self.rows().filter(|row| {
            row.model.id == model
                && row.is_a_run()
                && row.status == ExecutionStatus::Completed
                && row.end.completed_at.is_some_and(|at| now - at < days)
        });
        let mut times = BTreeMap::new();
        for took in runs.filter_map(|row| row.end.run_ms) {
            let took = Duration::from_millis(u64::try_from(took).unwrap_or_default());
            *times.entry(TimeBucket::of(took)).or_default() += 1;
        }
        times.into_iter().collect()
    }
}
