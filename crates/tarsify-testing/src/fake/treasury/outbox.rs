//! What has to leave, in memory: in order within its lane, leased to one at a time.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use tarsify_domain::earnings::{Delivery, Outbox, Payout, Sent};
use tarsify_domain::id::{DeveloperId, OutboxId, PayoutId};
use tarsify_domain::payments::TransferRequest;
use tarsify_domain::{RepoError, Timestamp};

use super::{FakeTreasury, State};

pub(super) struct Message {
    id: OutboxId,
    /// Each developer has a lane of his own.
    lane: DeveloperId,
    pub(super) payout: PayoutId,
    attempts: u32,
    epoch: i64,
    due_at: Timestamp,
    lease_until: Option<Timestamp>,
    pub(super) is_done: bool,
}

impl Message {
    pub(super) fn about(payout: &Payout) -> Self {
        Self {
            id: OutboxId::from_uuid(payout.id.uuid()),
            lane: payout.developer,
            payout: payout.id,
            attempts: 0,
            epoch: 0,
            due_at: payout.requested_at,
            lease_until: None,
            is_done: false,
        }
    }

    fn is_leased(&self, now: Timestamp) -> bool {
        self.lease_until.is_some_and(|until| now < until)
    }
}

impl State {
    fn claim(&mut self, limit: u32, until: Timestamp, now: Timestamp) -> Vec<Delivery> {
        let mut lanes = BTreeSet::new();
        let undone = self.outbox.iter_mut().filter(|message| !message.is_done);
        // Messages are kept in the order in which they came.
        let first = undone.filter(|message| lanes.insert(message.lane));
        let mut due: Vec<_> = first
            .filter(|message| message.due_at <= now && !message.is_leased(now))
            .collect();
        due.sort_by_key(|message| message.due_at);
        due.truncate(usize::try_from(limit).expect("a limit fits"));
        let payouts = &self.payouts;
        let leased = due.into_iter().map(|message| {
            let sending = &payouts[&message.payout];
            let attempts = message.attempts;
            message.attempts += 1;
            message.epoch += 1;
            message.lease_until = Some(until);
            Delivery {
                id: message.id,
                epoch: message.epoch,
                attempts,
                transfer: TransferRequest {
                    payout: message.payout,
                    account: sending.account.clone(),
                    amount: sending.payout.amount,
                    may_have_been_sent: attempts > 0,
                },
            }
        });
        leased.collect()
    }
}

#[async_trait]
impl Outbox for FakeTreasury {
    async fn claim(&self, limit: u32, lease: Duration) -> Result<Vec<Delivery>, RepoError> {
        let now = self.clock.now();
        Ok(self.enter().await?.claim(limit, now + lease, now))
    }

    async fn defer(
        &self,
        delivery: &Delivery,
        _error: &str,
        wait: Duration,
    ) -> Result<Sent, RepoError> {
        let now = self.clock.now();
        let mut state = self.enter().await?;
        let mut messages = state.outbox.iter_mut();
        let its = messages.find(|message| {
            message.id == delivery.id
                && message.epoch == delivery.epoch
                && message.lease_until.is_some()
                && !message.is_done
        });
        let Some(message) = its else {
            return Ok(Sent::Refused);
        };
        message.due_at = now + wait;
        message.lease_until = None;
        Ok(Sent::Noted)
    }
}
