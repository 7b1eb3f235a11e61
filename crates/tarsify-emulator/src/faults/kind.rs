//! The kinds of faults and the moments they have a meaning for.

use serde::{Deserialize, Serialize};

use super::When;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The answer comes `ms` later (default 1,000).
    Delay,
    /// 429 with `Retry-After: retryAfterSeconds` (default 1); nothing else happens.
    RateLimited,
    /// 500; nothing else happens.
    InternalError,
    /// 502 with a page of HTML; nothing else happens.
    BadGateway,
    /// 503; nothing else happens.
    Unavailable,
    /// The status `status`; nothing else happens.
    HttpStatus,
    /// 200 with something that is not JSON; nothing else happens.
    Malformed,
    /// The connection is dropped before anything happens.
    Refuse,
    /// No answer ever comes, and nothing happens.
    Stall,
    /// It happens, and the connection is dropped before the answer.
    AcceptThenDrop,
    /// It happens, and a 502 hides that.
    AcceptThenBadGateway,
    /// It happens, and no answer ever comes.
    AcceptThenStall,
    /// `run`: the job waits `ms` longer (default 1,000) for one of the emulator's workers.
    ColdStart,
    /// `run`: the job is accepted and forgotten at once. `status`: 404.
    Lost,
    /// `run`: the job never ends by itself.
    Stuck,
    /// `status`: `IN_QUEUE` although the job is further.
    Backwards,
    /// `status`: `IN_PROGRESS` with a progress value although the job has ended.
    LateProgress,
    /// `status`: a status that nobody knows.
    UnknownStatus,
    /// `cancel`: answered with `CANCELLED`, but the job goes on.
    Ignored,
    /// `cancel`: the job completes just before.
    CompletesFirst,
    /// `webhook`: none is sent.
    None,
    /// `webhook`: it is sent `copies` times (default 2).
    Duplicate,
    /// `webhook`: it is sent `ms` later (default 2,000).
    Late,
    /// `webhook`: it arrives before `/run` is answered (which waits up to 30 s for it).
    Reordered,
    /// `webhook`: another is sent to an address that ends in a wrong token.
    ForgedPath,
    /// `webhook`: another claims a result that is not true, before there is one.
    ForgedBody,
    /// `output`: COMPLETED with no output.
    Missing,
    /// `output`: too large to be kept, which shows as COMPLETED with no output.
    Oversize,
    /// `output`: a text of `bytes` bytes (default 25,000,000) that is handed out all the same.
    Huge,
    /// `output`: the status and the webhook are cut off in the middle.
    NotJson,
    /// `output`: the status and the webhook hold values of the wrong types.
    WrongTypes,
    /// `output`: COMPLETED with an `error` inside the output.
    ErrorInside,
    /// `output`: FAILED with a plain text.
    Failed,
    /// `output`: FAILED with a JSON text that holds a stack trace, as official workers send.
    Traceback,
    /// `output`: `TIMED_OUT`.
    TimedOut,
    /// `output`: FAILED with an error that says "timed out".
    TimeoutAsFailed,
    /// `output`: the output holds a copy of the input.
    EchoInput,
    /// `output`: FAILED with an error that quotes the input.
    EchoInError,
    /// `output`: `false`.
    Falsy,
}

impl FaultKind {
    /// What happens to the call itself, before it has an effect.
    pub(crate) fn hides_the_call(self) -> bool {
        use FaultKind as K;
        matches!(
            self,
            K::RateLimited
                | K::InternalError
                | K::BadGateway
                | K::Unavailable
                | K::HttpStatus
                | K::Malformed
                | K::Refuse
                | K::Stall
        )
    }

    /// What happens to the answer, after the call had its effect.
    pub(crate) fn hides_the_answer(self) -> bool {
        use FaultKind as K;
        matches!(
            self,
            K::AcceptThenDrop | K::AcceptThenBadGateway | K::AcceptThenStall
        )
    }

    pub(super) fn means_something_at(self, when: When) -> bool {
        use FaultKind as K;
        match when {
            When::Run => {
                self.hides_the_call()
                    || self.hides_the_answer()
                    || matches!(self, K::Delay | K::ColdStart | K::Lost | K::Stuck)
            }
            When::Status => {
                self.hides_the_call()
                    || matches!(
                        self,
                        K::Delay | K::Lost | K::Backwards | K::LateProgress | K::UnknownStatus
                    )
            }
            When::Stream => self.hides_the_call() || matches!(self, K::Delay | K::Lost),
            When::Cancel => {
                self.hides_the_call()
                    || self.hides_the_answer()
                    || matches!(self, K::Delay | K::Ignored | K::CompletesFirst)
            }
            When::Webhook => matches!(
                self,
                K::None | K::Duplicate | K::Late | K::Reordered | K::ForgedPath | K::ForgedBody
            ),
            When::Output => self.spoils_the_result(),
        }
    }

    fn spoils_the_result(self) -> bool {
        use FaultKind as K;
        matches!(
            self,
            K::Missing
                | K::Oversize
                | K::Huge
                | K::NotJson
                | K::WrongTypes
                | K::ErrorInside
                | K::Failed
                | K::Traceback
                | K::TimedOut
                | K::TimeoutAsFailed
                | K::EchoInput
                | K::EchoInError
                | K::Falsy
        )
    }
}
