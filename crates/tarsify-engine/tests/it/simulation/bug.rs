//! Bugs to plant in the simulated workers, callback handlers and store connections, never in
//! the product: a simulation that does not find them would not find real ones either.

/// What somebody got wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bug {
    /// A submission whose answer was lost is sent once more.
    BlindResubmit,
    /// A write forgets the compare-and-set: it takes whatever stage and lease it finds.
    NoCompareAndSet,
    /// The end is booked whenever it was tried to be written, not when it was written.
    BooksTwice,
    /// What a callback says is the result.
    TrustsCallback,
    /// A claim leases what somebody else has leased.
    IgnoresLeases,
    /// A worker keeps what it leased for ten minutes.
    LongLease,
    /// A job that the provider does not know has surely been done.
    UnknownMeansDone,
    /// Jobs that are left over are forgotten.
    ForgetsOrphans,
    /// The output of a job that is being worked on is the result.
    ProgressIsResult,
    /// An attempt that a dead worker left behind never took place.
    RepeatsAfterCrash,
    /// Nothing is ever past its deadline.
    IgnoresDeadline,
    /// A run at the provider is never called off.
    IgnoresCancel,
    /// A job is called off in the books only.
    StopsOnPaper,
    /// Everything that happens is told twice.
    TellsTwice,
    /// An attempt gets the callback token of the one before.
    ReusesTokens,
    /// An execution that stops its workers is given to the next.
    NeverQuarantines,
    /// An end without a result is a result.
    CompletesWithNothing,
    /// A write that may have happened is written again, and its refusal believed.
    BelievesRefusal,
    /// A job that the provider does not know once is lost.
    LosesAtOnce,
    /// A storm at the provider is the end of whatever is asked about in it.
    StormIsFailure,
    /// A callback is believed without its token.
    NeedsNoToken,
    /// A price is set aside twice.
    HoldsTwice,
    /// The price of what has no result is given back twice.
    ReleasesTwice,
    /// The price of what has no result is taken.
    ChargesFailures,
    /// Developers earn all of a price.
    KeepsNothing,
}

impl Bug {
    pub(super) const ALL: &'static [Self] = &[
        Self::BlindResubmit,
        Self::NoCompareAndSet,
        Self::BooksTwice,
        Self::TrustsCallback,
        Self::IgnoresLeases,
        Self::LongLease,
        Self::UnknownMeansDone,
        Self::ForgetsOrphans,
        Self::ProgressIsResult,
        Self::RepeatsAfterCrash,
        Self::IgnoresDeadline,
        Self::IgnoresCancel,
        Self::StopsOnPaper,
        Self::TellsTwice,
        Self::ReusesTokens,
        Self::NeverQuarantines,
        Self::CompletesWithNothing,
        Self::BelievesRefusal,
        Self::LosesAtOnce,
        Self::StormIsFailure,
        Self::NeedsNoToken,
        Self::HoldsTwice,
        Self::ReleasesTwice,
        Self::ChargesFailures,
        Self::KeepsNothing,
    ];
}
