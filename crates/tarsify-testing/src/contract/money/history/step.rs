//! What may happen, with everything that both stores have to be told.

use tarsify_domain::earnings::{NewPayout, PayoutEnd};
use tarsify_domain::id::{ConsumerId, DeveloperId, ExecutionId, PayoutId};
use tarsify_domain::ledger::{Adjustment, NewRefund};
use tarsify_domain::money::Share;
use tarsify_domain::payments::{AccountRef, Purchase, ReceivedEvent};
use tarsify_domain::people::{NewConsumer, NewDeveloper};

use crate::fake::RunEnd;

#[derive(Debug, Clone)]
pub(super) enum Step {
    Consumer(NewConsumer),
    Developer(NewDeveloper),
    Model(DeveloperId, i64),
    Account(DeveloperId, AccountRef),
    Open(Purchase),
    Tell(ReceivedEvent),
    ClawBack,
    Begin {
        id: ExecutionId,
        consumer: ConsumerId,
        /// Its place among all that were made.
        model: usize,
        share: Share,
    },
    End(ExecutionId, RunEnd),
    Refund(NewRefund),
    Adjust(Adjustment),
    Pass(u64),
    Mature(u32),
    Request(NewPayout),
    Finish(PayoutId, PayoutEnd),
    Tally,
}
