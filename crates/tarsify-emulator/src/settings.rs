//! What an emulator is started with. The defaults are what RunPod documents, where it does.

use std::time::Duration;

use crate::Script;

/// How long the emulator's own workers pretend to work, unless an endpoint's behaviour says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimeScale {
    /// A few hundred milliseconds, as if the smallest of models ran.
    #[default]
    Simulated,
    /// No time at all, for tests.
    Zero,
}

/// Whether calls beyond the documented rates are refused with 429.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RateLimits {
    /// As documented, for each endpoint and operation.
    #[default]
    Enforced,
    /// Never refuses.
    Off,
}

/// What an emulator is started with.
#[derive(Clone)]
pub struct EmulatorSettings {
    /// The key that clients send as a bearer token and workers send bare; `None` lets anybody in.
    pub api_key: Option<String>,
    /// How endpoints behave from the start.
    pub script: Option<Script>,
    /// How long the emulator's own workers pretend to work.
    pub time: TimeScale,
    /// Where the draws of faults with a probability start from; the same seed, the same draws.
    pub seed: u64,
    /// The pause before a webhook that was not answered with 200 is sent again.
    pub webhook_retry_pause: Duration,
    /// How long a receiver of webhooks may take to answer.
    pub webhook_timeout: Duration,
    /// How long the result of a `/run` is kept after its end.
    pub run_retention: Duration,
    /// How long the result of a `/runsync` is kept after its end.
    pub runsync_retention: Duration,
    /// Whether calls beyond the documented rates are refused.
    pub rate_limits: RateLimits,
    /// A job whose worker was silent for so long goes back to the queue.
    pub worker_silence: Duration,
    /// How often a job goes back to the queue before it fails.
    pub worker_retries: u32,
    /// How long a worker's question for jobs, or for jobs to stop, stays open.
    pub long_poll: Duration,
    /// A shorter `policy.executionTimeout` is raised to this.
    pub shortest_execution_timeout: Duration,
    /// A shorter `policy.ttl` is raised to this.
    pub shortest_ttl: Duration,
    /// How many jobs an endpoint keeps; beyond it the oldest finished ones are forgotten early.
    pub max_jobs: usize,
    /// How many bytes of inputs and outputs an endpoint keeps, likewise.
    pub max_stored_bytes: usize,
    /// How many endpoints there can be.
    pub max_endpoints: usize,
}

impl Default for EmulatorSettings {
    fn default() -> Self {
        Self {
            api_key: None,
            script: None,
            time: TimeScale::default(),
            seed: 0,
            webhook_retry_pause: Duration::from_secs(10),
            webhook_timeout: Duration::from_secs(30),
            run_retention: Duration::from_secs(30 * 60),
            runsync_retention: Duration::from_secs(60),
            rate_limits: RateLimits::default(),
            worker_silence: Duration::from_secs(30),
            worker_retries: 1,
            long_poll: Duration::from_secs(25),
            shortest_execution_timeout: Duration::from_secs(5),
            shortest_ttl: Duration::from_secs(10),
            max_jobs: 20_000,
            max_stored_bytes: 256 * 1024 * 1024,
            max_endpoints: 1_000,
        }
    }
}
