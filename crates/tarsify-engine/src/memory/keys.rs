//! Idempotency keys: who took them for what, and what was answered.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use tarsify_domain::Timestamp;
use tarsify_domain::id::ExecutionId;
use tarsify_domain::idempotency::{Begun, IdempotencyClaim, StoredAnswer};

use super::later;

/// Whose key, for which route, which key.
#[derive(PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct KeyName {
    principal: String,
    route: String,
    key: String,
}

/// What a key was taken for.
#[derive(Clone)]
pub(super) enum Taken {
    /// Accepting this execution.
    ByExecution(ExecutionId),
    /// A request that somebody sees through.
    Running,
    /// A request that was answered.
    Answered(StoredAnswer),
}

pub(super) struct Entry {
    pub(super) fingerprint: [u8; 32],
    pub(super) taken: Taken,
    at: Timestamp,
}

/// Every key that was taken.
#[derive(Default)]
pub(super) struct Keys {
    entries: HashMap<Arc<KeyName>, Entry>,
    by_age: BTreeSet<(Timestamp, Arc<KeyName>)>,
}

impl Keys {
    pub(super) fn find(&self, claim: &IdempotencyClaim) -> Option<&Entry> {
        self.entries.get(&name(claim))
    }

    pub(super) fn take_for_execution(
        &mut self,
        now: Timestamp,
        claim: &IdempotencyClaim,
        id: ExecutionId,
    ) -> Arc<KeyName> {
        self.take(now, claim, Taken::ByExecution(id))
    }

    pub(super) fn forget_execution(&mut self, name: &Arc<KeyName>, id: ExecutionId) {
        let entry = self.entries.get(name);
        if entry.is_some_and(|entry| matches!(entry.taken, Taken::ByExecution(its) if its == id)) {
            self.remove(name);
        }
    }

    pub(super) fn begin(
        &mut self,
        now: Timestamp,
        claim: &IdempotencyClaim,
        patience: Duration,
    ) -> Begun {
        if let Some(entry) = self.find(claim) {
            if entry.fingerprint != claim.fingerprint {
                return Begun::Reused;
            }
            match &entry.taken {
                Taken::Answered(answer) => return Begun::Answered(answer.clone()),
                Taken::Running if now < later(entry.at, patience) => return Begun::Running,
                Taken::Running => {}
                Taken::ByExecution(_) => return Begun::Reused,
            }
        }
        self.take(now, claim, Taken::Running);
        Begun::Fresh
    }

    pub(super) fn finish(&mut self, claim: &IdempotencyClaim, answer: &StoredAnswer) {
        if let Some(entry) = self.running(claim) {
            entry.taken = Taken::Answered(answer.clone());
        }
    }

    pub(super) fn give_up(&mut self, claim: &IdempotencyClaim) {
        if self.running(claim).is_some() {
            self.remove(&Arc::new(name(claim)));
        }
    }

    pub(super) fn forget(&mut self, now: Timestamp, age: Duration, limit: u32) -> u64 {
        let mut forgotten = 0;
        while forgotten < u64::from(limit) {
            let Some((at, name)) = self.by_age.first() else {
                break;
            };
            if later(*at, age) >= now {
                break;
            }
            let name = Arc::clone(name);
            self.remove(&name);
            forgotten += 1;
        }
        forgotten
    }

    /// The entry that the claim took, while nobody has answered.
    fn running(&mut self, claim: &IdempotencyClaim) -> Option<&mut Entry> {
        let entry = self.entries.get_mut(&name(claim))?;
        let is_its = entry.fingerprint == claim.fingerprint;
        (is_its && matches!(entry.taken, Taken::Running)).then_some(entry)
    }

    fn take(&mut self, now: Timestamp, claim: &IdempotencyClaim, taken: Taken) -> Arc<KeyName> {
        let name = Arc::new(name(claim));
        self.remove(&name);
        self.by_age.insert((now, Arc::clone(&name)));
        let entry = Entry {
            fingerprint: claim.fingerprint,
            taken,
            at: now,
        };
        self.entries.insert(Arc::clone(&name), entry);
        name
    }

    fn remove(&mut self, name: &Arc<KeyName>) {
        if let Some(entry) = self.entries.remove(name) {
            self.by_age.remove(&(entry.at, Arc::clone(name)));
        }
    }
}

fn name(claim: &IdempotencyClaim) -> KeyName {
    KeyName {
        principal: claim.principal.clone(),
        route: claim.route.clone(),
        key: claim.key.as_str().to_owned(),
    }
}
