//! Builds the use cases on their adapters, as the configuration says.

use std::sync::Arc;

use anyhow::Context;
use tarsify_auth::{
    AuthSettings, JwksCache, JwksSettings, LOCAL_ISSUER, LocalIdentities, TokenAuthenticator,
};
use tarsify_db::{
    Database, PgBaseModelRepository, PgConsumerRepository, PgDeveloperRepository,
    PgEndpointRepository, PgMarketRepository, PgStoreHealth, PgTarsModelRepository,
};
use tarsify_domain::Clock;
use tarsify_domain::catalog::{
    BaseModelRepository, BaseModels, CatalogChanges, EndpointRepository, Endpoints, Market,
    SchemaRules, TarsModels,
};
use tarsify_domain::people::{
    AdminRule, ConsumerRepository, Consumers, DeveloperRepository, Developers, Gate,
};
use tarsify_engine::JsonSchemaRules;
use tarsify_http::{HttpSettings, Lifecycle, MarketCache, Services};

use crate::clock::SystemClock;
use crate::config::{Config, Origin};

/// Everything that a command may need.
pub(crate) struct Platform {
    pub(crate) services: Services,
    pub(crate) http: HttpSettings,
    /// The market over connections that requests do not compete for, to learn of changes.
    pub(crate) watched_market: Market,
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
    pub(crate) fn build(config: &Config, database: &Database) -> anyhow::Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let identities = local_identities(config)?;
        let (authenticator, keys) = authenticator(config, identities.as_ref(), &clock)?;
        let repositories = Repositories::on(database);
        let gate = Gate {
            authenticator: Arc::new(authenticator),
            consumers: Arc::clone(&repositories.consumers),
            developers: Arc::clone(&repositories.developers),
            admins: AdminRule {
                subjects: config.identity.admin_uids.iter().cloned().collect(),
                local_issuer: identities.is_some().then(|| LOCAL_ISSUER.to_owned()),
            },
        };
        let origins = config.server.cors_origins.iter().map(Origin::as_str);
        let http = HttpSettings {
            cors_origins: origins.map(str::to_owned).collect(),
            hsts: config.server.hsts,
            local_jwks: identities
                .as_ref()
                .map(|identities| identities.jwks().clone()),
        };
        let cache = MarketCache::new(config.market.cache_bytes);
        let services = services(database, &repositories, gate, cache, clock);
        let apart = Arc::new(PgMarketRepository::new(database.apart()));
        Ok(Self {
            watched_market: services.market.through(apart),
            services,
            http,
            repositories,
            identities,
            keys,
        })
    }
}

fn services(
    database: &Database,
    repositories: &Repositories,
    gate: Gate,
    market_cache: MarketCache,
    clock: Arc<dyn Clock>,
) -> Services {
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
        consumers: Arc::new(Consumers::new(Arc::clone(consumers), Arc::clone(&clock))),
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
        health: Arc::new(PgStoreHealth::new(database)),
        lifecycle: Arc::new(Lifecycle::default()),
        clock,
    }
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
    let keys = keys.context("identity.firebase_jwks_url cannot be used")?;
    let settings = AuthSettings {
        users_project_id: identity.firebase_users_project_id.clone(),
        devs_project_id: identity.firebase_devs_project_id.clone(),
        leeway: time::Duration::try_from(identity.leeway)
            .context("identity.leeway_seconds cannot be used")?,
        emulator: identity.firebase_emulator_host.is_some(),
        local: identities.map(LocalIdentities::issuer),
    };
    let authenticator = TokenAuthenticator::new(settings, &keys, Arc::clone(clock));
    Ok((
        authenticator.context("the identity settings cannot be used")?,
        keys,
    ))
}
