//! How long an answer takes inside the application, without a network: the fixed cost of a
//! request, a market page from memory and a new one, and a refusal with its faults.

use std::sync::Arc;
use std::time::Duration;

use actix_web::body::to_bytes;
use actix_web::dev::Service;
use actix_web::http::StatusCode;
use actix_web::middleware::{Compress, from_fn};
use actix_web::rt::System;
use actix_web::{App, test};
use async_trait::async_trait;
use divan::Bencher;
use tarsify_domain::catalog::{
    BaseModels, CatalogChanges, Endpoints, Market, Provider, SchemaRules, TarsModelStatus,
    TarsModels,
};
use tarsify_domain::earnings::Payouts;
use tarsify_domain::execution::{JobPlace, Operation, ProviderJobId};
use tarsify_domain::id::EndpointId;
use tarsify_domain::ledger::Adjustments;
use tarsify_domain::limits::{Enforcement, Limits};
use tarsify_domain::payments::{Packages, Purchases};
use tarsify_domain::people::{AdminRule, Consumers, Developers, Gate, Standings};
use tarsify_domain::{Clock, Credits};
use tarsify_engine::provider::{
    GpuProvider, LookAnswer, StopAnswer, Submission, SubmitAnswer, Told,
};
use tarsify_engine::{Engine, JsonSchemaRules, MemoryStore};
use tarsify_http::{
    CallerLimits, HttpSettings, Lifecycle, LocalRateLimiter, MarketCache, Metrics, Services,
    answer, configure, cors,
};
use tarsify_testing::clock::MOMENT;
use tarsify_testing::{
    FakeAuthenticator, FakeHealth, FakeLimitSettings, FakePayments, FakeStore, FakeTreasury,
    TestClock, World, builders,
};

fn main() {
    divan::main();
}

#[divan::bench]
fn nothing_but_the_frame(bencher: Bencher<'_, '_>) {
    ask(bencher, "/livez", StatusCode::OK);
}

#[divan::bench]
fn a_market_page_from_memory(bencher: Bencher<'_, '_>) {
    ask(bencher, "/api/marketplace/models", StatusCode::OK);
}

/// A search is never kept, so its envelope is written each time.
#[divan::bench]
fn a_market_page_made_anew(bencher: Bencher<'_, '_>) {
    ask(bencher, "/api/marketplace/models?search=a", StatusCode::OK);
}

#[divan::bench]
fn a_refusal_with_two_faults(bencher: Bencher<'_, '_>) {
    let path = "/api/marketplace/models?limit=0&sort=x";
    ask(bencher, path, StatusCode::BAD_REQUEST);
}

/// Sends the same request again and again to an application on fakes with twenty models.
fn ask(bencher: Bencher<'_, '_>, path: &str, expected: StatusCode) {
    let system = System::new();
    let settings = HttpSettings::default();
    let services = system.block_on(services());
    let app = App::new()
        .configure(configure(services, settings.clone()))
        .wrap(Compress::default())
        .wrap(cors(&settings))
        .wrap(from_fn(answer));
    let app = system.block_on(test::init_service(app));
    bencher.bench_local(|| {
        system.block_on(async {
            let request = test::TestRequest::get().uri(path).to_request();
            let response = app.call(request).await;
            let response = response.unwrap_or_else(|error| stop(&error));
            if response.status() != expected {
                stop(&response.status());
            }
            to_bytes(response.into_body()).await.ok()
        })
    });
}

async fn services() -> Services {
    let World {
        consumers,
        developers,
        endpoints,
        base_models,
        tars_models,
        market,
        keep: _,
    } = full_store().await;
    let clock: Arc<dyn Clock> = Arc::new(TestClock::new());
    let changes = Arc::new(CatalogChanges::new());
    let schemas: Arc<dyn SchemaRules> = Arc::new(JsonSchemaRules);
    let gate = Gate {
        authenticator: Arc::new(FakeAuthenticator::new(Arc::clone(&clock))),
        consumers: Arc::clone(&consumers),
        developers: Arc::clone(&developers),
        admins: AdminRule::default(),
        standings: Standings::new(Arc::clone(&clock)),
    };
    let (now, told) = (|| Arc::clone(&clock), || Arc::clone(&changes));
    let runs = MemoryStore::with_clock(now());
    let engine = Engine::builder().store(runs.clone()).provider(Nobody);
    let treasury = FakeTreasury::new(now());
    let kept = || Arc::clone(&treasury);
    let payments = Arc::new(FakePayments::new());
    let (packages, purchases) = (kept(), kept());
    let purchases = Purchases {
        repository: purchases,
        packages,
        provider: Arc::<FakePayments>::clone(&payments),
        clock: now(),
    };
    let payouts = Payouts {
        repository: kept(),
        outbox: kept(),
        provider: payments,
        minimum: Credits::ZERO,
        clock: now(),
    };
    Services {
        gate: Arc::new(gate),
        consumers: Arc::new(Consumers::new(consumers, now(), Credits::ZERO)),
        developers: Arc::new(Developers::new(developers, told(), now())),
        endpoints: Arc::new(Endpoints::new(Arc::clone(&endpoints), told(), now())),
        base_models: Arc::new(BaseModels {
            repository: Arc::clone(&base_models),
            endpoints,
            schemas: Arc::clone(&schemas),
            changes: told(),
            clock: now(),
        }),
        tars_models: Arc::new(TarsModels {
            repository: tars_models,
            base_models,
            schemas: Arc::clone(&schemas),
            changes: told(),
            clock: now(),
        }),
        market: Arc::new(Market::new(market, schemas, told())),
        market_cache: Arc::new(MarketCache::new(1_000_000)),
        engine: engine.build().unwrap_or_else(|error| stop(&error)),
        wallets: kept(),
        adjustments: Arc::new(Adjustments::new(kept(), now())),
        packages: Arc::new(Packages::new(kept(), now())),
        purchases: Arc::new(purchases),
        earnings: kept(),
        payouts: Arc::new(payouts),
        analytics: kept(),
        ledger: kept(),
        test_payments: None,
        caller_limits: caller_limits(kept(), &clock),
        idempotency: Arc::new(runs),
        health: Arc::new(FakeHealth::new()),
        redis: None,
        lifecycle: Arc::new(Lifecycle::default()),
        metrics: Arc::new(Metrics::default()),
        clock,
    }
}

fn caller_limits(wallets: Arc<FakeTreasury>, clock: &Arc<dyn Clock>) -> Arc<CallerLimits> {
    let now = || Arc::clone(clock);
    let limits = Limits::new(FakeLimitSettings::new(), now(), Enforcement::On);
    let counter = Arc::new(LocalRateLimiter::new());
    Arc::new(CallerLimits::new(Arc::new(limits), counter, wallets, now()))
}

async fn full_store() -> World {
    let world = FakeStore::new().world();
    let developer = builders::new_developer("bench");
    let registered = world.developers.register(&developer).await;
    let developer = registered.unwrap_or_else(|error| stop(&error));
    let endpoint = builders::endpoint(MOMENT);
    stored(world.endpoints.create(&endpoint).await);
    let base = builders::base_model(&endpoint);
    stored(world.base_models.create(&base).await);
    for _ in 0..20 {
        let mut model = builders::tars_model(&base, developer.id);
        model.status = TarsModelStatus::Published;
        model.published_at = Some(MOMENT);
        stored(world.tars_models.create(&model).await);
    }
    world
}

fn stored<E: std::fmt::Display>(outcome: Result<(), E>) {
    outcome.unwrap_or_else(|error| stop(&error));
}

#[expect(
    clippy::panic,
    reason = "a benchmark of something broken must not give a number"
)]
fn stop(why: &dyn std::fmt::Display) -> ! {
    panic!("the benchmark cannot run: {why}")
}

/// A provider whom nobody asks: nothing is run here.
struct Nobody;

fn silence<A>(answer: A) -> Told<A> {
    Told {
        answer,
        http_status: None,
        took: Duration::ZERO,
        said: String::new(),
    }
}

#[async_trait]
impl GpuProvider for Nobody {
    fn kind(&self) -> Provider {
        Provider::RunPod
    }

    async fn submit(&self, _submission: Submission<'_>) -> Told<SubmitAnswer> {
        silence(SubmitAnswer::Refused)
    }

    async fn look(&self, _place: &JobPlace, _job: &ProviderJobId) -> Told<LookAnswer> {
        silence(LookAnswer::NotFound)
    }

    async fn stop(&self, _place: &JobPlace, _job: &ProviderJobId) -> Told<StopAnswer> {
        silence(StopAnswer::NotFound)
    }

    fn allowances(&self, _operation: Operation) -> Vec<(EndpointId, u32)> {
        Vec::new()
    }

    fn burst(&self, _operation: Operation) -> u32 {
        0
    }
}
