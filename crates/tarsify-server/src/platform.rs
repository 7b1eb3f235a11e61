//! Builds the use cases on their adapters, as the configuration says.

use std::sync::Arc;

use anyhow::Context;
use tarsify_auth::{
    AuthSettings, JwksCache, JwksSettings, LOCAL_ISSUER, LocalIdentities, TokenAuthenticator,
};
use tarsify_db::{
    Database, PgAnalyticsRepository, PgBaseModelRepository, PgCheckpoints, PgConsumerRepository,
    PgDeveloperRepository, PgEarningsRepository, PgEndpointRepository, PgExecutionRepository,
    PgIdempotencyRepository, PgLedgerVerifier, PgLimitSettingsRepository, PgMarketRepository,
    PgOutbox, PgPackageRepository, PgPayoutRepository, PgPurchaseRepository, PgRetention,
    PgStoreHealth, PgTarsModelRepository, PgWalletRepository,
};
use tarsify_domain::catalog::{
    BaseModelRepository, BaseModels, CatalogChanges, EndpointRepository, Endpoints, Market,
    SchemaRules, TarsModels,
};
use tarsify_domain::earnings::Payouts;
use tarsify_domain::health::PartHealth;
use tarsify_domain::idempotency::IdempotencyRepository;
use tarsify_domain::ledger::{Adjustments, LedgerVerifier, WalletRepository};
use tarsify_domain::limits::{Enforcement, LimitSettingsRepository, Limits};
use tarsify_domain::payments::{
    PackageRepository, Packages, PaymentProvider, Purchases, TestPayments,
};
use tarsify_domain::people::{
    AdminRule, ConsumerRepository, Consumers, DeveloperRepository, Developers, Gate, Standings,
};
use tarsify_domain::{Clock, Credits};
use tarsify_engine::{Engine, EngineSettings, JsonSchemaRules, Observer, RunPod, RunPodSettings};
use tarsify_http::{
    CallerLimits, HttpSettings, Lifecycle, LocalRateLimiter, MarketCache, Metrics, Services,
    TrustedProxies,
};
use tarsify_redis::Redis;

use crate::clock::SystemClock;
use crate::config::{Config, Origin};
use crate::exit::Misconfigured;
use crate::metrics::{Instruments, PulseWatch, Sources};
use crate::payments::Payments;
use crate::provider::ProviderAccess;
use crate::redis;
use crate::serve::{Books, OldThings};
use crate::store::Databases;
use crate::traces::SpanLinks;

/// Everything that a command may need.
pub(crate) struct Platform {
    pub(crate) services: Services,
    pub(crate) http: HttpSettings,
    /// The market over connections that requests do not compete for, to learn of changes.
    pub(crate) watched_market: Market,
    /// The limits on callers over the same, for the same.
    pub(crate) watched_limits: Arc<dyn LimitSettingsRepository>,
    /// The idempotency keys over the workers' connections, to forget the old ones.
    pub(crate) old_keys: Arc<dyn IdempotencyRepository>,
    /// Executions that ended long ago, over the same, to remove what need not be kept of them.
    pub(crate) old_things: OldThings,
    /// Runs, over the same.
    pub(crate) executions: PgExecutionRepository,
    /// What has to be done about money, over the workers' connections.
    pub(crate) books: Books,
    /// How much there is to do, over the few connections that nobody competes for.
    pub(crate) pulse: PulseWatch,
    pub(crate) repositories: Repositories,
    pub(crate) identities: Option<LocalIdentities>,
    pub(crate) keys: JwksCache,
}

/// The adapters that more than one use case is built on.
pub(crate) struct Repositories {
    pub(crate) consumers: Arc<dyn ConsumerRepository>,
    pub(crate) developers: Arc<dyn DeveloperRepository>,
    pub(crate) endpoints: Arc<dyn EndpointRepository>,
    pub(crate) base_models: Arc<dyn BaseModelRepository>,
}

impl Repositories {
    fn on(database: &Database) -> Self {
        Self {
            consumers: Arc::new(PgConsumerRepository::new(database.clone())),
            developers: Arc::new(PgDeveloperRepository::new(database.clone())),
            endpoints: Arc::new(PgEndpointRepository::new(database.clone())),
            base_models: Arc::new(PgBaseModelRepository::new(database.clone())),
        }
    }
}

impl Platform {
    pub(crate) fn build(
        config: &Config,
        databases: &Databases,
        access: ProviderAccess,
    ) -> anyhow::Result<Self> {
        let database = &databases.requests;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let identities = local_identities(config)?;
        let (authenticator, keys) = authenticator(config, identities.as_ref(), &clock)?;
        let repositories = Repositories::on(database);
        let redis = redis::connect(config);
        let gate = Gate {
            authenticator: Arc::new(authenticator),
            consumers: Arc::clone(&repositories.consumers),
            developers: Arc::clone(&repositories.developers),
            admins: AdminRule {
                subjects: config.identity.admin_uids.iter().cloned().collect(),
                local_issuer: identities.is_some().then(|| LOCAL_ISSUER.to_owned()),
            },
            standings: Standings::new(Arc::clone(&clock)),
        };
        let http = http_settings(config, identities.as_ref());
        let payments = Payments::configured(config, &access.own_address, &clock)?;
        let money = Money::new(config, databases, &payments, &clock);
        let books = books(config, &databases.work, &payments, &clock);
        let instruments = Instruments::new();
        let surroundings = Surroundings {
            clock: Arc::clone(&clock),
            redis: redis.as_ref(),
            observer: instruments.observer(),
        };
        let engine = engine(config, databases, access, surroundings)?;
        let caller_limits = caller_limits(config, database, redis.as_ref(), &clock);
        let redis = redis.map(|redis| -> Arc<dyn PartHealth> { Arc::new(redis) });
        let pulse = PulseWatch::new(databases, config.server.role);
        let sources = Sources {
            engine: engine.clone(),
            pools: databases.pools(),
            redis: redis.clone(),
            pulse: pulse.last(),
        };
        let token = config.metrics.auth_token.as_ref();
        let parts = Parts {
            gate,
            money,
            market_cache: MarketCache::new(config.market.cache_bytes),
            engine,
            caller_limits,
            metrics: instruments.published(sources, token),
            clock,
            redis,
        };
        let services = services(database, &repositories, parts);
        let apart = Arc::new(PgMarketRepository::new(database.apart()));
        Ok(Self {
            watched_market: services.market.through(apart),
            watched_limits: Arc::new(PgLimitSettingsRepository::new(database.apart())),
            old_keys: Arc::new(PgIdempotencyRepository::new(databases.work.clone())),
            old_things: OldThings {
                retention: Arc::new(PgRetention::new(databases.work.clone())),
                events: config.retention.events,
                payloads: config.retention.payloads,
            },
            executions: PgExecutionRepository::new(databases.work.clone()),
            books,
            pulse,
            services,
            http,
            repositories,
            identities,
            keys,
        })
    }
}

fn http_settings(config: &Config, identities: Option<&LocalIdentities>) -> HttpSettings {
    let origins = config.server.cors_origins.iter().map(Origin::as_str);
    HttpSettings {
        cors_origins: origins.map(str::to_owned).collect(),
        hsts: config.server.hsts,
        local_jwks: identities.map(|identities| identities.jwks().clone()),
        developer_share: config.money.developer_share,
        trusted_proxies: TrustedProxies::new(config.server.trusted_proxies.clone()),
        ..HttpSettings::default()
    }
}

/// What the engine has around it.
struct Surroundings<'a> {
    clock: Arc<dyn Clock>,
    redis: Option<&'a Redis>,
    observer: Arc<dyn Observer>,
}

/// The engine. Requests and workers have connections of their own: neither can use up the
/// other's.
fn engine(
    config: &Config,
    databases: &Databases,
    access: ProviderAccess,
    surroundings: Surroundings<'_>,
) -> anyhow::Result<Engine> {
    let Surroundings {
        clock,
        redis,
        observer,
    } = surroundings;
    let ProviderAccess {
        base_url,
        api_key,
        callbacks,
        own_address: _,
    } = access;
    let runpod = RunPod::with_settings(RunPodSettings {
        base_url: base_url.into(),
        api_key: api_key.map(|key| key.expose().clone()),
        observer: Arc::clone(&observer),
        ..RunPodSettings::default()
    });
    let executions = &config.executions;
    let mut builder = Engine::builder()
        .store(PgExecutionRepository::new(databases.requests.clone()))
        .queue(PgExecutionRepository::new(databases.work.clone()))
        .provider(runpod.context(Misconfigured(
            "RunPod cannot be reached as runpod.base_url and runpod.api_key say",
        ))?)
        .clock(clock)
        .observer(observer)
        .settings(EngineSettings {
            queue_allowance: executions.queue_allowance,
            lost_grace: executions.lost_answer_grace,
            lease: executions.lease,
            in_hand: executions.in_hand,
            callbacks,
            daily_test_runs: executions.daily_test_runs,
            developer_share: config.money.developer_share,
            ..EngineSettings::default()
        });
    if config.traces.endpoint.is_some() {
        builder = builder.tracing(Arc::new(SpanLinks));
    }
    if let Some(redis) = redis {
        builder = builder.bus(redis::bus(redis));
    }
    builder.build().context("the engine cannot be built")
}

/// The use cases of money.
struct Money {
    wallets: Arc<dyn WalletRepository>,
    packages: Arc<dyn PackageRepository>,
    purchases: Purchases,
    payouts: Payouts,
    test: Option<Arc<dyn TestPayments>>,
    welcome: Credits,
    ledger: Arc<dyn LedgerVerifier>,
}

impl Money {
    fn new(
        config: &Config,
        databases: &Databases,
        payments: &Payments,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        let database = &databases.requests;
        let packages: Arc<dyn PackageRepository> =
            Arc::new(PgPackageRepository::new(database.clone()));
        Self {
            wallets: Arc::new(PgWalletRepository::new(database.clone())),
            purchases: Purchases {
                repository: Arc::new(PgPurchaseRepository::new(database.clone())),
                packages: Arc::clone(&packages),
                provider: Arc::clone(&payments.provider),
                clock: Arc::clone(clock),
            },
            packages,
            payouts: payouts(config, database, &payments.provider, clock),
            test: payments.test.clone(),
            welcome: config.money.welcome,
            ledger: Arc::new(PgLedgerVerifier::new(databases.checks.clone())),
        }
    }
}

fn payouts(
    config: &Config,
    database: &Database,
    provider: &Arc<dyn PaymentProvider>,
    clock: &Arc<dyn Clock>,
) -> Payouts {
    Payouts {
        repository: Arc::new(PgPayoutRepository::new(database.clone())),
        outbox: Arc::new(PgOutbox::new(database.clone())),
        provider: Arc::clone(provider),
        minimum: config.money.minimum_payout,
        clock: Arc::clone(clock),
    }
}

fn books(config: &Config, work: &Database, payments: &Payments, clock: &Arc<dyn Clock>) -> Books {
    Books {
        payouts: payouts(config, work, &payments.provider, clock),
        earnings: Arc::new(PgEarningsRepository::new(work.clone())),
        purchases: Arc::new(PgPurchaseRepository::new(work.clone())),
        checkpoints: PgCheckpoints::new(work.clone()),
        mature_after: config.money.mature_after,
    }
}

/// What use cases have in common beside the repositories.
struct Parts {
    gate: Gate,
    money: Money,
    market_cache: MarketCache,
    engine: Engine,
    clock: Arc<dyn Clock>,
    redis: Option<Arc<dyn PartHealth>>,
    caller_limits: CallerLimits,
    metrics: Metrics,
}

fn services(database: &Database, repositories: &Repositories, parts: Parts) -> Services {
    let Parts {
        gate,
        money,
        market_cache,
        engine,
        clock,
        redis,
        caller_limits,
        metrics,
    } = parts;
    let Money {
        wallets,
        packages,
        purchases,
        payouts,
        test,
        welcome,
        ledger,
    } = money;
    let Repositories {
        consumers,
        developers,
        endpoints,
        base_models,
    } = repositories;
    let changes = Arc::new(CatalogChanges::new());
    let schemas: Arc<dyn SchemaRules> = Arc::new(JsonSchemaRules);
    let market = Arc::new(PgMarketRepository::new(database.clone()));
    Services {
        gate: Arc::new(gate),
        consumers: Arc::new(Consumers::new(
            Arc::clone(consumers),
            Arc::clone(&clock),
            welcome,
        )),
        developers: Arc::new(Developers::new(
            Arc::clone(developers),
            Arc::clone(&changes),
            Arc::clone(&clock),
        )),
        endpoints: Arc::new(Endpoints::new(
            Arc::clone(endpoints),
            Arc::clone(&changes),
            Arc::clone(&clock),
        )),
        base_models: Arc::new(BaseModels {
            repository: Arc::clone(base_models),
            endpoints: Arc::clone(endpoints),
            schemas: Arc::clone(&schemas),
            changes: Arc::clone(&changes),
            clock: Arc::clone(&clock),
        }),
        tars_models: Arc::new(TarsModels {
            repository: Arc::new(PgTarsModelRepository::new(database.clone())),
            base_models: Arc::clone(base_models),
            schemas: Arc::clone(&schemas),
            changes: Arc::clone(&changes),
            clock: Arc::clone(&clock),
        }),
        market: Arc::new(Market::new(market, schemas, changes)),
        market_cache: Arc::new(market_cache),
        engine,
        adjustments: Arc::new(Adjustments::new(Arc::clone(&wallets), Arc::clone(&clock))),
        wallets,
        packages: Arc::new(Packages::new(packages, Arc::clone(&clock))),
        purchases: Arc::new(purchases),
        payouts: Arc::new(payouts),
        earnings: Arc::new(PgEarningsRepository::new(database.clone())),
        analytics: Arc::new(PgAnalyticsRepository::new(database.clone())),
        ledger,
        test_payments: test,
        caller_limits: Arc::new(caller_limits),
        idempotency: Arc::new(PgIdempotencyRepository::new(database.clone())),
        health: Arc::new(PgStoreHealth::new(database)),
        redis,
        lifecycle: Arc::new(Lifecycle::default()),
        metrics: Arc::new(metrics),
        clock,
    }
}

/// What holds callers to the limits, together with other processes where there is Redis.
fn caller_limits(
    config: &Config,
    database: &Database,
    redis: Option<&Redis>,
    clock: &Arc<dyn Clock>,
) -> CallerLimits {
    let enforcement = if config.server.rate_limits {
        Enforcement::On
    } else {
        Enforcement::Off
    };
    let limits = Limits::new(
        Arc::new(PgLimitSettingsRepository::new(database.clone())),
        Arc::clone(clock),
        enforcement,
    );
    let limiter = redis::limiter(config, redis, Arc::new(LocalRateLimiter::new()));
    CallerLimits::new(
        Arc::new(limits),
        limiter,
        Arc::new(PgWalletRepository::new(database.clone())),
        Arc::clone(clock),
    )
}

/// The identities of this machine; none in production.
pub(crate) fn local_identities(config: &Config) -> anyhow::Result<Option<LocalIdentities>> {
    if !config.has_local_identities() {
        return Ok(None);
    }
    let identities =
        LocalIdentities::open(&config.local.data_dir).context("there are no local identities")?;
    Ok(Some(identities))
}

fn authenticator(
    config: &Config,
    identities: Option<&LocalIdentities>,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<(TokenAuthenticator, JwksCache)> {
    let identity = &config.identity;
    let keys = JwksCache::new(
        JwksSettings::new(identity.firebase_jwks_url.as_str()),
        Arc::clone(clock),
    );
    let keys = keys.context(Misconfigured("identity.firebase_jwks_url cannot be used"))?;
    let settings = AuthSettings {
        users_project_id: identity.firebase_users_project_id.clone(),
        devs_project_id: identity.firebase_devs_project_id.clone(),
        leeway: time::Duration::try_from(identity.leeway)
            .context(Misconfigured("identity.leeway_seconds cannot be used"))?,
        emulator: identity.firebase_emulator_host.is_some(),
        local: identities.map(LocalIdentities::issuer),
    };
    let authenticator = TokenAuthenticator::new(settings, &keys, Arc::clone(clock));
    Ok((
        authenticator.context(Misconfigured("the identity settings cannot be used"))?,
        keys,
    ))
}
