//! The jobs that wait for an official worker, those of low priority last.

use std::collections::VecDeque;

use crate::policy::Priority;

/// Ids in the order in which they are taken. An id whose job no longer waits may be among them.
#[derive(Default)]
pub(super) struct Queue {
    normal: VecDeque<String>,
    low: VecDeque<String>,
}

impl Queue {
    pub(super) fn push(&mut self, id: String, priority: Priority) {
        match priority {
            Priority::Normal => self.normal.push_back(id),
            Priority::Low => self.low.push_back(id),
        }
    }

    /// For a job that was taken before: it has waited its turn.
    pub(super) fn push_first(&mut self, id: String) {
        self.normal.push_front(id);
    }

    pub(super) fn pop(&mut self) -> Option<String> {
        self.normal.pop_front().or_else(|| self.low.pop_front())
    }
}
