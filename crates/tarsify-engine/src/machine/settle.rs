//! The one end.

use serde_json::Value;
use tarsify_domain::execution::{AttemptState, EndReason, Ending, Settlement, Stage};

use super::{Counted, Doing, Effect, Fault, Task};

impl Task {
    pub(super) fn complete(&mut self, output: Value) -> Vec<Effect> {
        self.settle(Ending::Completed, None, None, Some(output))
    }

    pub(super) fn end(&mut self, fault: Fault) -> Vec<Effect> {
        let Fault {
            ending,
            reason,
            message,
        } = fault;
        let message = message.unwrap_or_else(|| reason.meaning().to_owned());
        self.settle(ending, Some(reason), Some(message), None)
    }

    fn settle(
        &mut self,
        ending: Ending,
        reason: Option<EndReason>,
        message: Option<String>,
        output: Option<Value>,
    ) -> Vec<Effect> {
        let orphans = self.live();
        let mut effects = Vec::new();
        for number in &orphans {
            self.mark(*number, AttemptState::Orphaned);
            effects.push(Effect::Count(Counted::Orphan));
        }
        let doubtful = std::mem::take(&mut self.doubtful);
        for number in &doubtful {
            self.mark(*number, AttemptState::Orphaned);
        }
        let settlement = Settlement {
            lease: self.lease,
            from: self.state.stage,
            ending,
            reason,
            message,
            output,
            queue_ms: self.times.queue_ms,
            run_ms: self.times.run_ms,
            attempts: self.take_changed(),
            exchanges: Vec::new(),
            deltas: None,
            has_orphans: !orphans.is_empty() || !doubtful.is_empty(),
        };
        self.state.stage = Stage::Ended;
        self.doing = Doing::Writing { accepted: None };
        effects.push(Effect::Settle(Box::new(settlement)));
        effects
    }
}
