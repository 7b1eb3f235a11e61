//! How the limits look on the wire.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use tarsify_domain::audit::Reason;
use tarsify_domain::catalog::Provider;
use tarsify_domain::catalog::endpoint::EndpointLimits;
use tarsify_domain::limits::{
    LimitCategory, LimitSettings, LimitSettingsPatch, Quota, StoredLimits, Tier,
};
use utoipa::ToSchema;

use crate::catalog::endpoint::EndpointLimitsOut;
use crate::extract::{Body, Fields, text};
use crate::wire::Moment;

/// How many requests of one category may come in a minute.
#[derive(Serialize, ToSchema)]
pub(crate) struct CategoryLimitOut {
    /// Requests in a minute.
    #[schema(minimum = 1, maximum = 1_000_000, example = 60)]
    max: u32,
}

/// The limit of each category.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CategoryLimitsOut {
    /// Anything of the API, by the address that it comes from.
    global_api: CategoryLimitOut,
    /// Anything of the API, by who asks.
    user_api: CategoryLimitOut,
    /// Runs, test runs and purchases, by who begins them.
    task_creation: CategoryLimitOut,
    /// Files, by who sends them.
    upload: CategoryLimitOut,
    /// Looking at one's own profile, by the address that it comes from.
    auth_session: CategoryLimitOut,
    /// Registering and signing in, by the address that it comes from.
    auth_action: CategoryLimitOut,
}

/// A standing of consumers, by what they have bought.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TierOut {
    #[schema(max_length = 40, example = "free")]
    name: String,
    /// From how many credits on, bought in a whole life.
    #[schema(minimum = 0, maximum = 1_000_000_000, example = 0)]
    min_purchased: i64,
    /// How many times the limits that are counted by who asks, and the runs at once.
    #[schema(value_type = f64, minimum = 0.1, maximum = 100, example = 1)]
    multiplier: Value,
}

/// The limits towards providers that have any, each for all of its endpoints together, on top of
/// those of its endpoints.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProviderLimitsOut {
    /// What is absent is not limited by us. What an endpoint does not say of `retryOn429`,
    /// `maxRetries` and `baseBackoffMs` it has from here.
    #[serde(skip_serializing_if = "Option::is_none")]
    runpod: Option<EndpointLimitsOut>,
}

/// The limits on callers, and towards providers.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RateLimitsOut {
    /// The lowest first.
    tiers: Vec<TierOut>,
    limits: CategoryLimitsOut,
    /// How many runs of a consumer may be unfinished at once, times his tier.
    #[schema(minimum = 1, maximum = 100_000, example = 5)]
    max_concurrent_runs: u32,
    providers: ProviderLimitsOut,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T08:30:00.000Z")]
    updated_at: Moment,
}

impl From<&Tier> for TierOut {
    fn from(tier: &Tier) -> Self {
        let Tier {
            name,
            min_purchased,
            multiplier,
        } = tier;
        Self {
            name: name.clone(),
            min_purchased: min_purchased.get(),
            multiplier: multiplier.to_json(),
        }
    }
}

impl From<&LimitSettings> for CategoryLimitsOut {
    fn from(settings: &LimitSettings) -> Self {
        let limit = |category| CategoryLimitOut {
            max: settings.quota(category).get(),
        };
        Self {
            global_api: limit(LimitCategory::GlobalApi),
            user_api: limit(LimitCategory::UserApi),
            task_creation: limit(LimitCategory::TaskCreation),
            upload: limit(LimitCategory::Upload),
            auth_session: limit(LimitCategory::AuthSession),
            auth_action: limit(LimitCategory::AuthAction),
        }
    }
}

impl From<&LimitSettings> for ProviderLimitsOut {
    fn from(settings: &LimitSettings) -> Self {
        let limits = |provider| settings.providers().get(&provider).copied();
        Self {
            runpod: limits(Provider::RunPod).map(EndpointLimitsOut::from),
        }
    }
}

impl From<StoredLimits> for RateLimitsOut {
    fn from(stored: StoredLimits) -> Self {
        let StoredLimits {
            settings,
            version: _,
            updated_at,
        } = stored;
        Self {
            tiers: settings.tiers().iter().map(TierOut::from).collect(),
            limits: CategoryLimitsOut::from(&settings),
            max_concurrent_runs: settings.max_concurrent_runs(),
            providers: ProviderLimitsOut::from(&settings),
            updated_at: Moment(updated_at),
        }
    }
}

/// The limits of some categories: absent keeps.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "it describes what is read by the domain's own reader"
)]
pub(crate) struct CategoryLimitsIn {
    /// Anything of the API, by the address that it comes from; at least 10.
    #[schema(nullable = false)]
    global_api: Option<CategoryLimitOut>,
    /// Anything of the API, by who asks; at least 10.
    #[schema(nullable = false)]
    user_api: Option<CategoryLimitOut>,
    /// Runs, test runs and purchases, by who begins them.
    #[schema(nullable = false)]
    task_creation: Option<CategoryLimitOut>,
    /// Files, by who sends them.
    #[schema(nullable = false)]
    upload: Option<CategoryLimitOut>,
    /// Looking at one's own profile, by the address that it comes from; at least 10.
    #[schema(nullable = false)]
    auth_session: Option<CategoryLimitOut>,
    /// Registering and signing in, by the address that it comes from.
    #[schema(nullable = false)]
    auth_action: Option<CategoryLimitOut>,
}

/// The limits towards some providers: absent keeps, null takes them away.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "it describes what is read by the domain's own reader"
)]
pub(crate) struct ProviderLimitsIn {
    /// All of them anew.
    runpod: Option<EndpointLimitsOut>,
}

/// What an administrator changes of the limits: absent keeps.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) struct UpdateRateLimitsIn {
    /// All of them anew, the lowest first; the first begins at 0.
    #[schema(value_type = Option<Vec<TierOut>>, min_items = 1, max_items = 20, nullable = false)]
    tiers: Option<Vec<Tier>>,
    #[schema(value_type = Option<CategoryLimitsIn>, nullable = false)]
    limits: Option<BTreeMap<LimitCategory, Quota>>,
    /// How many runs of a consumer may be unfinished at once, times his tier.
    #[schema(minimum = 1, maximum = 100_000, example = 5, nullable = false)]
    max_concurrent_runs: Option<u32>,
    #[schema(value_type = Option<ProviderLimitsIn>, nullable = false)]
    providers: Option<BTreeMap<Provider, EndpointLimits>>,
    /// Why, for those who ask later.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 1000, example = "A crowd is coming.")]
    reason: Option<Reason>,
}

impl Body for UpdateRateLimitsIn {
    fn read(fields: &mut Fields) -> Option<Self> {
        let runs = LimitSettingsPatch::read_max_concurrent_runs;
        Some(Self {
            tiers: fields.change("tiers", |value| LimitSettingsPatch::read_tiers(&value)),
            limits: fields.change("limits", |value| LimitSettingsPatch::read_limits(&value)),
            max_concurrent_runs: fields.change("maxConcurrentRuns", |value| runs(&value)),
            providers: fields.change("providers", |value| {
                LimitSettingsPatch::read_providers(&value)
            }),
            reason: fields.optional("reason", text(Reason::parse)),
        })
    }
}

impl UpdateRateLimitsIn {
    /// The change, and why it is made.
    pub(super) fn into_parts(self) -> (LimitSettingsPatch, Option<Reason>) {
        let Self {
            tiers,
            limits,
            max_concurrent_runs,
            providers,
            reason,
        } = self;
        let patch = LimitSettingsPatch {
            tiers,
            limits,
            max_concurrent_runs,
            providers,
        };
        (patch, reason)
    }
}
