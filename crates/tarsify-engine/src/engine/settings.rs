//! What an engine is built with besides its store and providers.

use std::time::Duration;

use tarsify_domain::money::Share;

/// The times and sizes of an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineSettings {
    /// How long a run may wait for its turn, on top of the time it may work.
    pub queue_allowance: Duration,
    /// How long news of an attempt whose answer was lost are waited for.
    pub lost_grace: Duration,
    /// How long a worker may keep an execution without a word. At most 30 seconds.
    pub lease: Duration,
    /// How many executions this engine has in hand at once, for each kind of attention.
    pub in_hand: u32,
    /// Where providers may call: an address to which `/{execution}/{token}` is added. Without
    /// it they are asked more often.
    pub callbacks: Option<String>,
    /// How long a test run is waited for.
    pub test_run_patience: Duration,
    /// How many test runs a developer has on one day (UTC).
    pub daily_test_runs: u32,
    /// What of the price of a run the developer of its model earns. Each run keeps the share that
    /// it was accepted with.
    pub developer_share: Share,
    /// The pause between two looks at the store for executions that another process accepted,
    /// or that a process which is gone has left, and for what happened without a word of it.
    pub patrol: Duration,
}

impl Default for EngineSettings {
    fn default() -> Self {
        Self {
            queue_allowance: Duration::from_secs(600),
            lost_grace: Duration::from_secs(90),
            lease: Duration::from_secs(30),
            in_hand: 256,
            callbacks: None,
            test_run_patience: Duration::from_secs(30),
            daily_test_runs: 50,
            developer_share: Share::DEFAULT,
            patrol: Duration::from_millis(250),
        }
    }
}
