//! What is looked up when somebody asks for it: circuits, connections, whether Redis answers, and
//! the last pulse that was taken.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeGaugeValue, EncodeLabelSet, EncodeMetric,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use tarsify_db::{Database, Pulse, Unsent};
use tarsify_domain::health::PartHealth;
use tarsify_engine::Engine;

use super::pulse::LastPulse;

/// What can be sent, as metrics name it. Anything else is `other`.
const MESSAGES: [&str; 2] = ["payout", "other"];

/// Where it is looked up.
pub(crate) struct Sources {
    pub(crate) engine: Engine,
    /// Each pool by its name.
    pub(crate) pools: Vec<(&'static str, Database)>,
    pub(crate) redis: Option<Arc<dyn PartHealth>>,
    pub(crate) pulse: Arc<LastPulse>,
}

/// Looks it up.
pub(super) struct Collected {
    sources: Sources,
}

impl Collected {
    pub(super) const fn of(sources: Sources) -> Self {
        Self { sources }
    }
}

impl fmt::Debug for Collected {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Collected").finish_non_exhaustive()
    }
}

impl Collector for Collected {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Sources {
            engine,
            pools,
            redis,
            pulse,
        } = &self.sources;
        let mut page = Page(encoder);
        circuits(&mut page, engine)?;
        connections(&mut page, pools)?;
        if let Some(redis) = redis {
            let is_up = u64::from(redis.is_answering());
            page.gauge(
                "redis_up",
                "Whether Redis answered when it was last asked.",
                is_up,
            )?;
        }
        let now = Instant::now();
        if let Some(last) = pulse.at(now) {
            work(&mut page, &last)?;
        }
        match pulse.imbalance_at(now) {
            Some(imbalance) => page.gauge(
                "ledger_imbalance_millicredits",
                "What all accounts together held when it was last looked at: anything but 0 is a fault.",
                imbalance,
            ),
            None => Ok(()),
        }
    }
}

fn circuits(page: &mut Page<'_>, engine: &Engine) -> fmt::Result {
    let circuits = engine.circuits().into_iter().flat_map(|(provider, found)| {
        let states = [
            ("open", found.open),
            ("half_open", found.half_open),
            ("resting", found.resting),
        ];
        states.map(|(state, count)| {
            let labels = [("provider", provider.as_str()), ("state", state)];
            (labels, count)
        })
    });
    page.gauges(
        "provider_circuits",
        "Endpoints that this process leaves alone: open after failures, half_open when the next question will find out, resting where the provider asked for patience.",
        circuits,
    )
}

fn connections(page: &mut Page<'_>, pools: &[(&'static str, Database)]) -> fmt::Result {
    let used = pools.iter().map(|(name, pool)| (*name, pool.connections()));
    let used: Vec<_> = used.collect();
    let by_state = used.iter().flat_map(|(pool, connections)| {
        let states = [("busy", connections.busy), ("idle", connections.idle)];
        states.map(|(state, count)| ([("pool", *pool), ("state", state)], count))
    });
    page.gauges(
        "db_pool_connections",
        "Open connections to the database, by pool and whether they are in use.",
        by_state,
    )?;
    let waiting = used
        .iter()
        .map(|(pool, connections)| ([("pool", *pool)], connections.waiting));
    page.gauges(
        "db_pool_waiting",
        "Those who wait for a connection, or to get in line for a write, by pool.",
        waiting,
    )
}

fn work(page: &mut Page<'_>, pulse: &Pulse) -> fmt::Result {
    let Pulse {
        waiting,
        active,
        oldest_waiting,
        overdue,
        failed,
        holds,
        held_credits,
        outbox,
    } = pulse;
    page.gauge(
        "queue_waiting",
        "Runs of the whole installation that wait to be submitted, counted up to 100000.",
        *waiting,
    )?;
    page.gauge(
        "queue_active",
        "Runs that are at a provider or on their way, counted up to 100000.",
        *active,
    )?;
    page.gauge(
        "queue_failed",
        "Runs that failed or timed out in the last hour, counted up to 1000 each.",
        *failed,
    )?;
    page.gauge(
        "queue_oldest_seconds",
        "How long ago the oldest run that waits was accepted.",
        oldest_waiting.unwrap_or_default().as_secs_f64(),
    )?;
    page.gauge(
        "queue_overdue",
        "Runs that should have ended a minute ago or longer.",
        *overdue,
    )?;
    page.gauge(
        "ledger_open_holds",
        "Runs that have not ended and whose price is set aside.",
        *holds,
    )?;
    page.gauge(
        "ledger_held_credits",
        "Credits that are set aside for them.",
        *held_credits,
    )?;
    let of = |kind: &'static str| outbox.iter().filter(move |unsent| kind == name_of(unsent));
    page.gauges(
        "ledger_outbox_waiting",
        "Messages about money that were not sent yet, by what they are.",
        MESSAGES.map(|kind| {
            let count: u64 = of(kind).map(|unsent| unsent.waiting).sum();
            ([("kind", kind)], count)
        }),
    )?;
    page.gauges(
        "ledger_outbox_failed",
        "Those of them that could not be sent when it was last tried.",
        MESSAGES.map(|kind| {
            let count: u64 = of(kind).map(|unsent| unsent.failed).sum();
            ([("kind", kind)], count)
        }),
    )?;
    page.gauges(
        "ledger_outbox_oldest_seconds",
        "How long the oldest of them has waited.",
        MESSAGES.map(|kind| {
            let oldest = of(kind).map(|unsent| unsent.oldest).max();
            ([("kind", kind)], oldest.unwrap_or_default().as_secs_f64())
        }),
    )
}

fn name_of(unsent: &Unsent) -> &'static str {
    let [payout, other] = MESSAGES;
    if unsent.kind == payout { payout } else { other }
}

/// The page that is written.
pub(super) struct Page<'a>(pub(super) DescriptorEncoder<'a>);

impl Page<'_> {
    /// A gauge without labels.
    pub(super) fn gauge(
        &mut self,
        name: &str,
        help: &str,
        value: impl EncodeGaugeValue,
    ) -> fmt::Result {
        let family = self
            .0
            .encode_descriptor(name, help, None, MetricType::Gauge)?;
        ConstGauge::new(value).encode(family)
    }

    /// A gauge with a series for each row.
    fn gauges<L: EncodeLabelSet, N: EncodeGaugeValue>(
        &mut self,
        name: &str,
        help: &str,
        rows: impl IntoIterator<Item = (L, N)>,
    ) -> fmt::Result {
        let mut family = self
            .0
            .encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (labels, value) in rows {
            let series = family.encode_family(&labels)?;
            ConstGauge::new(value).encode(series)?;
        }
        Ok(())
    }
}
