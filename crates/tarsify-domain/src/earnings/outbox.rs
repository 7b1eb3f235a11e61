//! What has to leave by network: stored together with the reason for it, delivered at least once,
//! in order within its lane.

use std::time::Duration;

use async_trait::async_trait;

use crate::error::RepoError;
use crate::id::OutboxId;
use crate::payments::TransferRequest;

/// Something to deliver, leased to who asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its id.
    pub id: OutboxId,
    /// How often it was leased, this time included.
    pub epoch: i64,
    /// How often it was tried before.
    pub attempts: u32,
    /// What is to be delivered.
    pub transfer: TransferRequest,
}

/// Whether a delivery was still the caller's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// It was, and is written down.
    Noted,
    /// Somebody else has it by now, or it is done.
    Refused,
}

/// Keeps what has to leave. Every method is one atomic step, timed by the store's own clock.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Leases at most `limit` deliveries that are due, the first of each lane.
    async fn claim(&self, limit: u32, lease: Duration) -> Result<Vec<Delivery>, RepoError>;

    /// Notes that a delivery did not succeed; it is due again after `wait`.
    async fn defer(
        &self,
        delivery: &Delivery,
        error: &str,
        wait: Duration,
    ) -> Result<Sent, RepoError>;
}

impl Delivery {
    /// The longest wait between two tries.
    pub const MOST_WAIT: Duration = Duration::from_secs(15 * 60);

    /// How long to wait after one more try failed: 1 s, doubling.
    #[must_use]
    pub fn wait(&self) -> Duration {
        let doubled = 1_u64.checked_shl(self.attempts.min(32)).unwrap_or(u64::MAX);
        Duration::from_secs(doubled).min(Self::MOST_WAIT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::id::PayoutId;
    use crate::money::Credits;
    use crate::payments::AccountRef;

    #[test]
    fn waits_longer_after_each_try_and_never_for_hours() {
        let after = |attempts| Delivery {
            id: OutboxId::new(Timestamp::UNIX_EPOCH),
            epoch: 1,
            attempts,
            transfer: TransferRequest {
                payout: PayoutId::new(Timestamp::UNIX_EPOCH),
                account: AccountRef::parse("acct_1").unwrap(),
                amount: Credits::new(5_000),
                may_have_been_sent: attempts > 0,
            },
        };
        let cases = [
            (0, 1),
            (1, 2),
            (2, 4),
            (9, 512),
            (10, 900),
            (63, 900),
            (u32::MAX, 900),
        ];
        for (attempts, seconds) in cases {
            let wait = after(attempts).wait();
            assert_eq!(wait, Duration::from_secs(seconds), "after {attempts}");
        }
    }
}
