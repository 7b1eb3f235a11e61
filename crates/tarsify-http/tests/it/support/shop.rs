//! A whole application with its fakes.

use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_http::Request;
use actix_web::body::BoxBody;
use actix_web::dev::{Service, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::{Compress, from_fn};
use actix_web::{App, Error, test};
use futures_util::future::LocalBoxFuture;
use prometheus_client::registry::Registry;
use tarsify_domain::catalog::{
    BaseModels, CatalogChanges, Endpoints, Market, SchemaRules, TarsModels,
};
use tarsify_domain::health::PartHealth;
use tarsify_domain::idempotency::IdempotencyRepository;
use tarsify_domain::limits::{Enforcement, LimitSettings, LimitSettingsRepository, Limits};
use tarsify_domain::payments::TestPayments;
use tarsify_domain::people::{
    AdminRule, Authenticator, Consumers, Developers, Gate, Realm, Standings,
};
use tarsify_domain::{Clock, Credits};
use tarsify_engine::{Engine, EngineSettings, JsonSchemaRules, MemoryStore};
use tarsify_http::{
    CallerLimits, HttpSettings, Lifecycle, LocalRateLimiter, MarketCache, Metrics, Services,
    answer, configure, cors, limit,
};
use tarsify_testing::{
    FakeAuthenticator, FakeHealth, FakeLimitSettings, FakePayments, FakeStore, FakeTreasury,
    TestClock, World,
};

use super::treasury::{Money, with_accounts};
use super::{Ask, Gpu, RunStore};

/// Where the provider is told to call.
const CALLBACKS: &str = "https://tarsify.example.com/api/webhooks/runpod";

/// The subject whom the configuration makes an administrator.
const ROOT: &str = "root";

type Call = Rc<dyn Fn(Request) -> LocalBoxFuture<'static, Result<ServiceResponse<BoxBody>, Error>>>;

/// What may differ between two applications.
pub(crate) struct Plan {
    pub(crate) settings: HttpSettings,
    pub(crate) cache_bytes: u64,
    pub(crate) admins: AdminRule,
    pub(crate) engine: EngineSettings,
    /// What every consumer can spend when he comes.
    pub(crate) welcome: Credits,
    /// Whether the pages of the built-in payment provider are there.
    pub(crate) has_test_payments: bool,
    /// The limits that callers are held to; none when nothing is said.
    pub(crate) limits: Option<LimitSettings>,
    /// How Redis is, where there is one.
    pub(crate) redis: Option<Arc<dyn PartHealth>>,
    /// Whom `/metrics` is for; everybody when nothing is said.
    pub(crate) metrics_token: Option<&'static str>,
    /// Puts something else in the place of a port.
    pub(crate) ports: fn(World) -> World,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            settings: HttpSettings {
                cors_origins: vec!["https://shop.example.com".to_owned()],
                ..HttpSettings::default()
            },
            cache_bytes: 1_000_000,
            admins: AdminRule {
                subjects: [ROOT.to_owned()].into(),
                local_issuer: None,
            },
            engine: EngineSettings {
                callbacks: Some(CALLBACKS.to_owned()),
                test_run_patience: Duration::from_millis(300),
                ..EngineSettings::default()
            },
            welcome: Credits::new(1_000),
            has_test_payments: true,
            limits: None,
            redis: None,
            metrics_token: None,
            ports: |world| world,
        }
    }
}

/// An application on fakes.
pub(crate) struct Shop {
    pub(crate) store: Arc<FakeStore>,
    pub(crate) treasury: Arc<FakeTreasury>,
    pub(crate) payments: Arc<FakePayments>,
    pub(crate) clock: TestClock,
    pub(crate) tokens: Arc<FakeAuthenticator>,
    pub(crate) health: Arc<FakeHealth>,
    pub(crate) runs: RunStore,
    pub(crate) gpu: Gpu,
    pub(crate) limit_settings: Arc<FakeLimitSettings>,
    pub(crate) services: Services,
    pub(crate) settings: HttpSettings,
    call: Call,
}

impl Shop {
    pub(crate) async fn open() -> Self {
        Self::planned(Plan::default()).await
    }

    pub(crate) async fn planned(plan: Plan) -> Self {
        Self::over(FakeStore::new(), plan).await
    }

    /// An application of its own over a store that others may use too.
    pub(crate) async fn over(store: Arc<FakeStore>, plan: Plan) -> Self {
        let clock = TestClock::new();
        let tokens = Arc::new(FakeAuthenticator::new(Arc::new(clock.clone())));
        let health = Arc::new(FakeHealth::new());
        let treasury = FakeTreasury::new(Arc::new(clock.clone()));
        let payments = Arc::new(FakePayments::new());
        let world = (plan.ports)(with_accounts(store.world(), &treasury, plan.welcome));
        let people = (plan.admins, Arc::clone(&tokens));
        let market_cache = Arc::new(MarketCache::new(plan.cache_bytes));
        let memory = MemoryStore::with_clock(Arc::new(clock.clone()));
        let runs = RunStore::new(memory, Arc::clone(&store), Arc::clone(&treasury));
        let gpu = Gpu::new();
        let engine = Engine::builder()
            .store(runs.clone())
            .provider(gpu.clone())
            .clock(Arc::new(clock.clone()))
            .settings(plan.engine);
        let limit_settings = FakeLimitSettings::holding(plan.limits.clone().unwrap_or_default());
        let enforcement = match plan.limits {
            Some(_) => Enforcement::On,
            None => Enforcement::Off,
        };
        let repository: Arc<dyn LimitSettingsRepository> =
            Arc::<FakeLimitSettings>::clone(&limit_settings);
        let limits = Limits::new(repository, Arc::new(clock.clone()), enforcement);
        limits.refresh().await.unwrap();
        let caller_limits = CallerLimits::new(
            Arc::new(limits),
            Arc::new(LocalRateLimiter::new()),
            Arc::<FakeTreasury>::clone(&treasury),
            Arc::new(clock.clone()),
        );
        let rest = Rest {
            caller_limits: Arc::new(caller_limits),
            market_cache,
            health: Arc::clone(&health),
            redis: plan.redis,
            metrics: Arc::new(Metrics::new(Registry::default(), plan.metrics_token)),
            engine: engine.build().unwrap(),
            idempotency: Arc::new(runs.clone()),
            treasury: Arc::clone(&treasury),
            payments: Arc::clone(&payments),
            has_test_payments: plan.has_test_payments,
        };
        let services = services(world, people, &clock, rest);
        let settings = plan.settings;
        let app = App::new()
            .configure(configure(services.clone(), settings.clone()))
            .wrap(from_fn(limit))
            .wrap(Compress::default())
            .wrap(cors(&settings))
            .wrap(from_fn(answer));
        let app = Rc::new(test::init_service(app).await);
        let call: Call = Rc::new(move |request| {
            let app = Rc::clone(&app);
            Box::pin(async move { app.call(request).await })
        });
        Self {
            store,
            treasury,
            payments,
            clock,
            tokens,
            health,
            runs,
            gpu,
            limit_settings,
            services,
            settings,
            call,
        }
    }

    pub(crate) fn call(
        &self,
        request: Request,
    ) -> impl Future<Output = Result<ServiceResponse<BoxBody>, Error>> + use<> {
        (self.call)(request)
    }

    pub(crate) fn ask(&self, method: Method, path: impl Into<String>) -> Ask<'_> {
        Ask::new(self, method, path.into())
    }

    pub(crate) fn get(&self, path: impl Into<String>) -> Ask<'_> {
        self.ask(Method::GET, path)
    }

    pub(crate) fn post(&self, path: impl Into<String>) -> Ask<'_> {
        self.ask(Method::POST, path)
    }

    pub(crate) fn patch(&self, path: impl Into<String>) -> Ask<'_> {
        self.ask(Method::PATCH, path)
    }

    /// A token of somebody, registered or not.
    pub(crate) fn token(&self, realm: Realm, subject: &str) -> String {
        self.tokens.token_of(realm, subject)
    }

    /// A token of a developer who signs in now.
    pub(crate) fn fresh_token(&self, subject: &str) -> String {
        self.fresh_token_of(Realm::Developers, subject)
    }

    /// A token of somebody who signs in now.
    pub(crate) fn fresh_token_of(&self, realm: Realm, subject: &str) -> String {
        let mut identity = tarsify_testing::builders::identity(realm, subject);
        identity.authenticated_at = self.clock.now();
        identity.expires_at = self.clock.now() + time::Duration::hours(1);
        self.tokens.token(identity)
    }

    /// A token of the administrator whom the configuration names.
    pub(crate) fn admin(&self) -> String {
        self.token(Realm::Developers, ROOT)
    }
}

/// What is not made of the world.
struct Rest {
    caller_limits: Arc<CallerLimits>,
    market_cache: Arc<MarketCache>,
    health: Arc<FakeHealth>,
    redis: Option<Arc<dyn PartHealth>>,
    metrics: Arc<Metrics>,
    engine: Engine,
    idempotency: Arc<dyn IdempotencyRepository>,
    treasury: Arc<FakeTreasury>,
    payments: Arc<FakePayments>,
    has_test_payments: bool,
}

fn services(
    world: World,
    (admins, tokens): (AdminRule, Arc<FakeAuthenticator>),
    clock: &TestClock,
    rest: Rest,
) -> Services {
    let money = Money::over(&rest.treasury, &rest.payments, clock);
    let pages: Arc<dyn TestPayments> = rest.payments;
    let clock: Arc<dyn Clock> = Arc::new(clock.clone());
    let changes = Arc::new(CatalogChanges::new());
    let schemas: Arc<dyn SchemaRules> = Arc::new(JsonSchemaRules);
    let authenticator: Arc<dyn Authenticator> = tokens;
    let World {
        consumers,
        developers,
        endpoints,
        base_models,
        tars_models,
        market,
        keep: _,
    } = world;
    let gate = Gate {
        authenticator,
        consumers: Arc::clone(&consumers),
        developers: Arc::clone(&developers),
        admins,
        standings: Standings::new(Arc::clone(&clock)),
    };
    let base = BaseModels {
        repository: Arc::clone(&base_models),
        endpoints: Arc::clone(&endpoints),
        schemas: Arc::clone(&schemas),
        changes: Arc::clone(&changes),
        clock: Arc::clone(&clock),
    };
    let tars = TarsModels {
        repository: tars_models,
        base_models,
        schemas: Arc::clone(&schemas),
        changes: Arc::clone(&changes),
        clock: Arc::clone(&clock),
    };
    Services {
        gate: Arc::new(gate),
        consumers: Arc::new(Consumers::new(consumers, Arc::clone(&clock), Credits::ZERO)),
        developers: Arc::new(Developers::new(
            developers,
            Arc::clone(&changes),
            Arc::clone(&clock),
        )),
        endpoints: Arc::new(Endpoints::new(
            endpoints,
            Arc::clone(&changes),
            Arc::clone(&clock),
        )),
        base_models: Arc::new(base),
        tars_models: Arc::new(tars),
        market: Arc::new(Market::new(market, schemas, changes)),
        market_cache: rest.market_cache,
        engine: rest.engine,
        wallets: Arc::<FakeTreasury>::clone(&rest.treasury),
        adjustments: money.adjustments,
        packages: money.packages,
        purchases: money.purchases,
        earnings: Arc::<FakeTreasury>::clone(&rest.treasury),
        payouts: money.payouts,
        analytics: Arc::<FakeTreasury>::clone(&rest.treasury),
        ledger: rest.treasury,
        test_payments: rest.has_test_payments.then_some(pages),
        caller_limits: rest.caller_limits,
        idempotency: rest.idempotency,
        health: rest.health,
        redis: rest.redis,
        lifecycle: Arc::new(Lifecycle::default()),
        metrics: rest.metrics,
        clock,
    }
}
