//! Whether Redis can be reached, which one it is, and how long it takes to answer.

use std::time::Duration;

use super::{Finding, chain};
use crate::config::Config;
use crate::redis;

const PART: &str = "redis";
const PATIENCE: Duration = Duration::from_secs(5);
/// The first version that speaks RESP3.
const OLDEST: u32 = 6;
/// Above it, most requests are counted by each process alone: that is how long one may wait.
const SLOW: Duration = Duration::from_millis(20);

pub(super) async fn look(config: &Config) -> Finding {
    let Some(redis) = redis::connect(config) else {
        return Finding::good(
            PART,
            "not used, each process counts requests alone: REDIS_URL is not set",
        );
    };
    let report = match redis.look(PATIENCE).await {
        Ok(report) => report,
        Err(trouble) => {
            return Finding::bad(
                PART,
                format!(
                    "{}. Start it, or mend REDIS_URL (version {OLDEST} or newer), or unset it for a single process; until then each process counts requests alone",
                    chain(&trouble)
                ),
            );
        }
    };
    let latency = report.latency.as_secs_f64() * 1_000.0;
    let told = format!("version {}, answers in {latency:.1} ms", report.version);
    if report.latency > SLOW {
        return Finding::bad(
            PART,
            format!(
                "{told}: requests wait {} ms for it and no longer. Have it nearer, or with less to do",
                SLOW.as_millis()
            ),
        );
    }
    Finding::good(PART, told)
}
