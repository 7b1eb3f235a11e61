//! The work: leases executions, carries out what the machine decides, and feeds the answers
//! back. Any number of engines may work on one store; leases keep them out of each other's way.

mod drive;
mod presence;
mod rounds;

use std::collections::HashMap;
use std::time::Duration;

use tarsify_domain::RepoError;
use tarsify_domain::execution::{Claim, Claimed, Operation, TokenHash, Work};
use tarsify_domain::id::EndpointId;

use super::{Engine, hash};

/// How many executions one claim leases at the most.
const BATCH: u32 = 64;
/// How many ended runs are counted in one step.
const TALLY: u32 = 1_000;

/// What kind of attention a step gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Submit,
    Look,
    Sweep,
}

/// Leased executions with the callback tokens of those that are to be submitted.
struct Batch {
    claimed: Vec<Claimed>,
    tokens: HashMap<TokenHash, String>,
}

impl Engine {
    /// One step of the dispatcher: submits what is due, and answers how much that was. It
    /// returns when all of it has been written.
    ///
    /// # Errors
    /// When the store cannot be asked what is due.
    pub async fn submit_due(&self) -> Result<usize, RepoError> {
        self.see_to(Kind::Submit).await
    }

    /// One step of the poller: looks at what is due, and calls off what is to be called off.
    ///
    /// # Errors
    /// When the store cannot be asked what is due.
    pub async fn look_due(&self) -> Result<usize, RepoError> {
        self.see_to(Kind::Look).await
    }

    /// One step of the sweeper: ends what is past its deadline.
    ///
    /// # Errors
    /// When the store cannot be asked what that is.
    pub async fn sweep_due(&self) -> Result<usize, RepoError> {
        self.see_to(Kind::Sweep).await
    }

    /// One step of bookkeeping: counts ended runs for their models and consumers.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn tally_due(&self) -> Result<u64, RepoError> {
        self.shared.queue.tally(TALLY).await
    }

    async fn see_to(&self, kind: Kind) -> Result<usize, RepoError> {
        let Batch {
            claimed,
            mut tokens,
        } = self.claim(kind, BATCH).await?;
        let count = claimed.len();
        let driven = claimed.into_iter().map(|claimed| {
            let token = token_of(&claimed, &mut tokens);
            self.drive(claimed, token)
        });
        futures_util::future::join_all(driven).await;
        Ok(count)
    }

    async fn claim(&self, kind: Kind, limit: u32) -> Result<Batch, RepoError> {
        let limit = limit.min(BATCH);
        let mut tokens = HashMap::new();
        let (work, operation) = match kind {
            Kind::Submit => {
                for _ in 0..limit {
                    let token = new_token()?;
                    tokens.insert(hash(&token), token);
                }
                let hashes = tokens.keys().copied().collect();
                (Work::Submit(hashes), Operation::Run)
            }
            Kind::Look => (Work::Look, Operation::Status),
            Kind::Sweep => (Work::Sweep, Operation::Status),
        };
        let (allowance, allowances) = self.allowances(operation);
        let claim = Claim {
            work,
            limit,
            lease: self.shared.settings.lease,
            allowance,
            allowances,
        };
        let claimed = self.shared.queue.claim(&claim).await?;
        Ok(Batch { claimed, tokens })
    }

    /// How much the providers take of each endpoint right now. An endpoint belongs to one
    /// provider, so what the others say of it is nothing.
    fn allowances(&self, operation: Operation) -> (u32, HashMap<EndpointId, u32>) {
        let mut burst = u32::MAX;
        let mut allowances = HashMap::new();
        for provider in &self.shared.providers {
            burst = burst.min(provider.burst(operation));
            allowances.extend(provider.allowances(operation));
        }
        (burst, allowances)
    }
}

fn token_of(claimed: &Claimed, tokens: &mut HashMap<TokenHash, String>) -> Option<String> {
    let (hash, _) = claimed.submission.as_ref()?;
    tokens.remove(hash)
}

/// 256 random bits: whoever knows the token was given it.
pub(super) fn new_token() -> Result<String, RepoError> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|error| RepoError::Unavailable(error.into()))?;
    Ok(hex::encode(bytes))
}

/// How long to wait after the store failed so often in a row.
fn after_failures(failures: u32) -> Duration {
    Duration::from_millis(250)
        .saturating_mul(1 << failures.min(5))
        .min(Duration::from_secs(5))
}
