//! Builds the application: the use cases it is handed, the route table, and what surrounds
//! them.

use std::sync::Arc;
use std::time::Duration;

use actix_cors::Cors;
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::Value;
use tarsify_domain::catalog::{BaseModels, Endpoints, Market, TarsModels};
use tarsify_domain::earnings::{AnalyticsRepository, EarningsRepository, Payouts};
use tarsify_domain::health::{PartHealth, StoreHealth};
use tarsify_domain::idempotency::IdempotencyRepository;
use tarsify_domain::ledger::{Adjustments, LedgerVerifier, WalletRepository};
use tarsify_domain::money::Share;
use tarsify_domain::payments::{Packages, Purchases, TestPayments};
use tarsify_domain::people::{Consumers, Developers, Gate};
use tarsify_domain::{Clock, ErrorCode};
use tarsify_engine::{Engine, Tracing};

use crate::catalog::market_cache::MarketCache;
use crate::docs;
use crate::error::ApiError;
use crate::lifecycle::Lifecycle;
use crate::limits::{CallerLimits, TrustedProxies};
use crate::metrics::Metrics;
use crate::money::local;
use crate::route::{Route, reading};
use crate::routes::routes;

/// What the operator decides about answers.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// Origins whose pages may call us.
    pub cors_origins: Vec<String>,
    /// Whether browsers are told to come back by HTTPS only.
    pub hsts: bool,
    /// The key set of local identities, served at `/local/jwks.json`; development only.
    pub local_jwks: Option<Value>,
    /// What of a price its developer earns, as developers are told.
    pub developer_share: Share,
    /// Whose word about where a request comes from is believed.
    pub trusted_proxies: TrustedProxies,
    /// How long who follows without an end does so before he has to come back, and is let in anew
    /// or not.
    pub stream_life: Duration,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            cors_origins: Vec::new(),
            hsts: false,
            local_jwks: None,
            developer_share: Share::DEFAULT,
            trusted_proxies: TrustedProxies::default(),
            stream_life: Duration::from_secs(15 * 60),
        }
    }
}

/// The use cases that handlers call.
#[derive(Clone)]
pub struct Services {
    /// Lets people in.
    pub gate: Arc<Gate>,
    /// Consumers' profiles.
    pub consumers: Arc<Consumers>,
    /// Developers' profiles.
    pub developers: Arc<Developers>,
    /// Endpoints.
    pub endpoints: Arc<Endpoints>,
    /// Base models.
    pub base_models: Arc<BaseModels>,
    /// Tars models.
    pub tars_models: Arc<TarsModels>,
    /// The market.
    pub market: Arc<Market>,
    /// Ready-made answers of the market, shared by all of the server's threads.
    pub market_cache: Arc<MarketCache>,
    /// Runs models.
    pub engine: Engine,
    /// What consumers have.
    pub wallets: Arc<dyn WalletRepository>,
    /// What administrators do with it.
    pub adjustments: Arc<Adjustments>,
    /// Packages of credits.
    pub packages: Arc<Packages>,
    /// Buying credits.
    pub purchases: Arc<Purchases>,
    /// What developers earn.
    pub earnings: Arc<dyn EarningsRepository>,
    /// Paying developers.
    pub payouts: Arc<Payouts>,
    /// How models do.
    pub analytics: Arc<dyn AnalyticsRepository>,
    /// Checks the ledger.
    pub ledger: Arc<dyn LedgerVerifier>,
    /// The built-in payment provider, whose pages are served at `/local/`; development only.
    pub test_payments: Option<Arc<dyn TestPayments>>,
    /// The limits on callers, and whoever counts; shared by all of the server's threads.
    pub caller_limits: Arc<CallerLimits>,
    /// Remembers requests that may be repeated.
    pub idempotency: Arc<dyn IdempotencyRepository>,
    /// Whether the store can serve.
    pub health: Arc<dyn StoreHealth>,
    /// Whether Redis answers, where there is one.
    pub redis: Option<Arc<dyn PartHealth>>,
    /// Whether this process wants requests.
    pub lifecycle: Arc<Lifecycle>,
    /// What is measured; shared by all of the server's threads.
    pub metrics: Arc<Metrics>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

/// What the middleware needs.
pub(crate) struct Tools {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) settings: HttpSettings,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) tracing: Arc<dyn Tracing>,
}

/// Mounts every route on an application. Wrap the application with [`crate::limit`], then with
/// [`crate::turn_away`], [`actix_web::middleware::Compress`], [`cors`] and, outermost, [`crate::answer`].
pub fn configure(
    services: Services,
    settings: HttpSettings,
) -> impl FnOnce(&mut ServiceConfig) + Clone {
    move |config| {
        let Services {
            gate,
            consumers,
            developers,
            endpoints,
            base_models,
            tars_models,
            market,
            market_cache,
            engine,
            wallets,
            adjustments,
            packages,
            purchases,
            earnings,
            payouts,
            analytics,
            ledger,
            test_payments,
            caller_limits,
            idempotency,
            health,
            redis,
            lifecycle,
            metrics,
            clock,
        } = services;
        let tracing = engine.tracing();
        let local_jwks = settings.local_jwks.clone();
        let provider = test_payments.map(|payments| local::Provider {
            payments,
            purchases: Arc::clone(&purchases),
            clock: Arc::clone(&clock),
        });
        config
            .app_data(Data::from(gate))
            .app_data(Data::from(consumers))
            .app_data(Data::from(developers))
            .app_data(Data::from(endpoints))
            .app_data(Data::from(base_models))
            .app_data(Data::from(tars_models))
            .app_data(Data::from(market))
            .app_data(Data::from(market_cache))
            .app_data(Data::new(engine))
            .app_data(Data::from(wallets))
            .app_data(Data::from(adjustments))
            .app_data(Data::from(packages))
            .app_data(Data::from(purchases))
            .app_data(Data::from(earnings))
            .app_data(Data::from(payouts))
            .app_data(Data::from(analytics))
            .app_data(Data::from(ledger))
            .app_data(Data::from(caller_limits))
            .app_data(Data::from(idempotency))
            .app_data(Data::from(health))
            .app_data(Data::from(lifecycle))
            .app_data(Data::from(Arc::clone(&clock)))
            .app_data(Data::new(Tools {
                clock,
                settings,
                metrics,
                tracing,
            }));
        if let Some(redis) = redis {
            config.app_data(Data::from(redis));
        }
        mount(config, &routes());
        if let Some(jwks) = local_jwks {
            mount_local_keys(config, jwks);
        }
        if let Some(provider) = provider {
            local::mount(config, provider);
        }
        config.configure(docs::mount);
        config.default_service(web::to(|| async {
            ApiError::new(ErrorCode::NotFound).into_response()
        }));
    }
}

fn mount_local_keys(config: &mut ServiceConfig, jwks: Value) {
    let keys = web::resource("/local/jwks.json").app_data(Data::new(jwks));
    config.service(keys.route(reading().to(show_local_keys)));
}

async fn show_local_keys(keys: Data<Value>) -> HttpResponse {
    HttpResponse::Ok().json(keys.as_ref())
}

/// One resource for each address, with every method that the table has for it; any other
/// method is answered with the list of those.
fn mount(config: &mut ServiceConfig, table: &[Route]) {
    let mut addresses: Vec<&'static str> = Vec::new();
    for path in table.iter().flat_map(Route::paths) {
        if !addresses.contains(&path) {
            addresses.push(path);
        }
    }
    for address in addresses {
        let mut resource = web::resource(address);
        let mut allowed: Vec<&str> = Vec::new();
        for route in table
            .iter()
            .filter(|route| route.paths().any(|path| path == address))
        {
            allowed.push(route.method.as_str());
            if route.is_read_by_head() {
                allowed.push("HEAD");
            }
            resource = resource.route(route.mounted());
        }
        let allow = HeaderValue::from_str(&allowed.join(", ")).ok();
        resource = resource.default_service(web::to(move |_request: HttpRequest| {
            let mut error = ApiError::new(ErrorCode::MethodNotAllowed);
            if let Some(allow) = &allow {
                error = error.with_header(header::ALLOW, allow.clone());
            }
            std::future::ready(error.into_response())
        }));
        config.service(resource);
    }
}

/// Which pages of other origins may call, and what they may read of the answer.
pub fn cors(settings: &HttpSettings) -> Cors {
    let exposed = [
        "ratelimit-policy",
        "ratelimit",
        "x-ratelimit-limit",
        "x-ratelimit-remaining",
        "x-ratelimit-reset",
        "retry-after",
        "location",
        "link",
        "etag",
        "x-request-id",
        "idempotency-replayed",
        "preference-applied",
    ];
    let policy = Cors::default()
        .allowed_methods([
            Method::GET,
            Method::HEAD,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ])
        .allow_any_header()
        .expose_headers(exposed.map(HeaderName::from_static))
        .max_age(3_600)
        .block_on_origin_mismatch(false);
    settings
        .cors_origins
        .iter()
        .fold(policy, |policy, origin| policy.allowed_origin(origin))
}
