//! What a caller may do by his standing. How much a consumer has bought is asked for once in half
//! a minute, not with each of his requests.

use std::sync::Arc;

use actix_web::{HttpMessage, HttpRequest};
use quick_cache::sync::Cache;
use tarsify_domain::id::ConsumerId;
use tarsify_domain::ledger::WalletRepository;
use tarsify_domain::limits::{
    LimitCategory, LimitSettings, Limits, Multiplier, Quota, RateLimiter,
};
use tarsify_domain::{Clock, Credits, Timestamp};
use time::Duration;

use super::ORDINARY;
use crate::middleware::access::Principal;

/// How long it is not asked again what a consumer has bought.
const REMEMBERED: Duration = Duration::seconds(30);
/// How many consumers are remembered.
const CONSUMERS: usize = 16_384;

/// The limits on callers and whoever counts; shared by all of the server's threads.
pub struct CallerLimits {
    limits: Arc<Limits>,
    limiter: Arc<dyn RateLimiter>,
    wallets: Arc<dyn WalletRepository>,
    clock: Arc<dyn Clock>,
    purchased: Cache<ConsumerId, (Timestamp, Credits)>,
}

impl CallerLimits {
    /// Builds it on its ports.
    #[must_use]
    pub fn new(
        limits: Arc<Limits>,
        limiter: Arc<dyn RateLimiter>,
        wallets: Arc<dyn WalletRepository>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            limits,
            limiter,
            wallets,
            clock,
            purchased: Cache::new(CONSUMERS),
        }
    }

    /// The limits and their store.
    #[must_use]
    pub fn limits(&self) -> &Arc<Limits> {
        &self.limits
    }

    pub(super) fn in_force(&self) -> Option<Arc<LimitSettings>> {
        self.limits.in_force()
    }

    pub(super) fn limiter(&self) -> &dyn RateLimiter {
        self.limiter.as_ref()
    }

    /// What a consumer has of the ordinary limits. When nobody can say what he has bought, it is
    /// what he was last known to have bought, or nothing.
    async fn multiplier(&self, settings: &LimitSettings, consumer: ConsumerId) -> Multiplier {
        let now = self.clock.now();
        let known = self.purchased.get(&consumer);
        let purchased = match known {
            Some((at, purchased)) if now - at < REMEMBERED => purchased,
            _ => match self.wallets.find_wallet(consumer).await {
                Ok(wallet) => {
                    let purchased = wallet.lifetime_purchased;
                    self.purchased.insert(consumer, (now, purchased));
                    purchased
                }
                Err(_) => known.map_or(Credits::ZERO, |(_, purchased)| purchased),
            },
        };
        let tier = settings.tier_of(purchased);
        tier.map_or(ORDINARY, |tier| tier.multiplier)
    }
}

/// What the caller of one request may do.
#[derive(Clone)]
pub(super) struct Allowance {
    pub(super) subject: String,
    multiplier: Multiplier,
    settings: Arc<LimitSettings>,
}

impl Allowance {
    /// That of the caller whom the gate has let in; none when nobody is held to anything.
    pub(super) async fn of(limits: &CallerLimits, request: &HttpRequest) -> Option<Self> {
        let settings = limits.in_force()?;
        let principal = request.extensions().get::<Principal>().cloned();
        let Principal(subject) = principal?;
        let consumer = request.extensions().get::<ConsumerId>().copied();
        let multiplier = match consumer {
            Some(consumer) => limits.multiplier(&settings, consumer).await,
            None => ORDINARY,
        };
        Some(Self {
            subject,
            multiplier,
            settings,
        })
    }

    pub(super) fn quota(&self, category: LimitCategory) -> Quota {
        let ordinary = self.settings.quota(category).get();
        Quota::per_minute(self.multiplier.times(ordinary))
    }

    pub(super) fn concurrent_runs(&self) -> u32 {
        self.multiplier.times(self.settings.max_concurrent_runs())
    }
}
