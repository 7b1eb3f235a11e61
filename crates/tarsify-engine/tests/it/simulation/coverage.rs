//! What was seen to happen. A simulation in which something never happens proves nothing about
//! it, so whatever is missing at the end fails the test.

use std::collections::BTreeMap;

use tarsify_domain::execution::{EndReason, Ending, Stage};
use tarsify_engine::machine::Counted;

/// How often each thing was seen.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Coverage {
    moves: BTreeMap<(Stage, Stage), u64>,
    endings: BTreeMap<(Ending, Option<EndReason>), u64>,
    counted: BTreeMap<Counted, u64>,
    seen: BTreeMap<&'static str, u64>,
}

/// Every move that the machine and the store make. `Stage::may_become` also allows
/// `submitting` to become `running`, for a provider that is at work when it accepts; ours is not.
const MOVES: &[(Stage, Stage)] = &[
    (Stage::Created, Stage::Submitting),
    (Stage::Created, Stage::Ended),
    (Stage::Submitting, Stage::Created),
    (Stage::Submitting, Stage::Unknown),
    (Stage::Submitting, Stage::Queued),
    (Stage::Submitting, Stage::Ended),
    (Stage::Unknown, Stage::Created),
    (Stage::Unknown, Stage::Queued),
    (Stage::Unknown, Stage::Running),
    (Stage::Unknown, Stage::Ended),
    (Stage::Queued, Stage::Running),
    (Stage::Queued, Stage::Ended),
    (Stage::Running, Stage::Ended),
];

const ENDINGS: &[(Ending, Option<EndReason>)] = &[
    (Ending::Completed, None),
    (Ending::Failed, Some(EndReason::ProviderError)),
    (Ending::Failed, Some(EndReason::Refused)),
    (Ending::Failed, Some(EndReason::Lost)),
    (Ending::Failed, Some(EndReason::OutputMissing)),
    (Ending::Failed, Some(EndReason::OutputTooLarge)),
    (Ending::Failed, Some(EndReason::OutputUnreadable)),
    (Ending::Failed, Some(EndReason::Quarantined)),
    (Ending::TimedOut, Some(EndReason::ProviderTimeout)),
    (Ending::TimedOut, Some(EndReason::Deadline)),
    (Ending::Cancelled, Some(EndReason::CancelledByCaller)),
    (Ending::Cancelled, Some(EndReason::CancelledByProvider)),
];

const COUNTED: &[Counted] = &[
    Counted::Orphan,
    Counted::UnknownStatus,
    Counted::LostAnswer,
    Counted::LeaseLost,
    Counted::Quarantined,
];

/// Every fault, race and outcome that has a name.
const SEEN: &[&str] = &[
    // Clients
    "twin: was answered the first one's execution",
    "twin: another body under the key was refused",
    "admission: refused during an outage and repeated",
    "admission: its answer was lost and it was repeated",
    "admission: the model was changed under it",
    "admission: the quota was used up",
    "admission: refused for want of credits",
    "admission: accepted once there were credits again",
    "money: a price was paid",
    "money: a price was given back",
    "cancel: ended at once what nobody knew of",
    "cancel: left word for the workers",
    "cancel: came too late",
    "cancel: was asked for again",
    "cancel: of a stranger's run changed nothing",
    "cancel: won over a job that was alive",
    "cancel: completion won",
    "cancel: another end won",
    "cancel: while the call was on its way",
    "cancel: an attempt was dropped before its call",
    "nudge: made it due",
    "nudge: was too soon",
    "expedite: made it due",
    "expedite: came too late",
    "read: a stranger sees nothing",
    // Callbacks
    "callback: came on time",
    "callback: came twice",
    "callback: came after the end",
    "callback: came before the answer to the call",
    "callback: its job was adopted",
    "callback: met an outage",
    "forged: a made-up token was refused",
    "forged: another run's token was refused",
    "forged: another run's job was not adopted",
    "forged: a good token without a job changed nothing",
    // Attempts and jobs
    "job: an adopted one won",
    "job: the second attempt's won after the first was lost",
    "job: the first attempt's won after a second was made",
    "job: two completed and one won",
    "job: a falsy output is a result",
    "job: one was stopped after its run had ended",
    "job: one worked on though it was called off",
    "job: one stuck until its run's deadline",
    "job: the provider forgot it and the run ended as lost",
    "job: it was unknown for a while and completed",
    "storm: a run lived through it and completed",
    "deadline: one was never submitted",
    "deadline: one was at the provider",
    "deadline: the last look found the result",
    // Workers
    "worker: killed before it called",
    "worker: killed after it called",
    "worker: killed after it wrote",
    "worker: killed with a claim on its way",
    "worker: its lease was void and its write was refused",
    "worker: stopped and went on within its lease",
    "worker: a zombie called off the job it alone knew",
    "worker: a claim's answer was lost",
    "worker: all were down",
    "poison: it stopped its worker",
    "poison: it was quarantined and the others went on",
    // Writes
    "write: waited for the store and was written",
    "write: never reached the store and was repeated",
    "write: was written unheard, and its repetition refused",
    "write: was given up",
];

impl Coverage {
    pub(super) fn moved(&mut self, from: Stage, to: Stage) {
        *self.moves.entry((from, to)).or_default() += 1;
    }

    pub(super) fn ended(&mut self, ending: Ending, reason: Option<EndReason>) {
        *self.endings.entry((ending, reason)).or_default() += 1;
    }

    pub(super) fn counted(&mut self, what: Counted) {
        *self.counted.entry(what).or_default() += 1;
    }

    pub(super) fn saw(&mut self, what: &'static str) {
        *self.seen.entry(what).or_default() += 1;
    }

    pub(super) fn add(&mut self, other: &Self) {
        add(&mut self.moves, &other.moves);
        add(&mut self.endings, &other.endings);
        add(&mut self.counted, &other.counted);
        add(&mut self.seen, &other.seen);
    }

    /// Why runs ended so.
    pub(super) fn reasons_of(&self, ending: Ending) -> Vec<Option<EndReason>> {
        let endings = self.endings.keys().filter(|(its, _)| *its == ending);
        endings.map(|(_, reason)| *reason).collect()
    }

    /// What was never seen, and what was seen and nobody expected.
    pub(super) fn gaps(&self) -> Vec<String> {
        let mut gaps = differences("move", MOVES, &self.moves);
        gaps.extend(differences("end", ENDINGS, &self.endings));
        gaps.extend(differences("count", COUNTED, &self.counted));
        gaps.extend(differences("outcome", SEEN, &self.seen));
        gaps
    }

    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        lines.extend(self.moves.iter().map(|entry| format!("{entry:?}")));
        lines.extend(self.endings.iter().map(|entry| format!("{entry:?}")));
        lines.extend(self.counted.iter().map(|entry| format!("{entry:?}")));
        lines.extend(self.seen.iter().map(|entry| format!("{entry:?}")));
        lines
    }
}

fn add<K: Ord + Copy>(to: &mut BTreeMap<K, u64>, from: &BTreeMap<K, u64>) {
    for (what, count) in from {
        *to.entry(*what).or_default() += count;
    }
}

fn differences<K: Ord + std::fmt::Debug>(
    sort: &str,
    expected: &[K],
    seen: &BTreeMap<K, u64>,
) -> Vec<String> {
    let missing = expected.iter().filter(|what| !seen.contains_key(what));
    let missing = missing.map(|what| format!("{sort} never seen: {what:?}"));
    let surprising = seen.keys().filter(|what| !expected.contains(what));
    let surprising = surprising.map(|what| format!("{sort} that nobody expected: {what:?}"));
    missing.chain(surprising).collect()
}
