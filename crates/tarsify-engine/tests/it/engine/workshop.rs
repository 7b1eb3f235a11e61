//! An engine, its store, and the emulator behind it.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tarsify_domain::catalog::endpoint::ProviderEndpointId;
use tarsify_domain::catalog::{
    Category, ConfigOverrides, InputSchema, OutputType, Provider, TarsModelStatus,
};
use tarsify_domain::execution::{Execution, RunnableBase, RunnableEndpoint, RunnableModel};
use tarsify_domain::id::{
    BaseModelId, ConsumerId, DeveloperId, EndpointId, ExecutionId, TarsModelId,
};
use tarsify_domain::money::Price;
use tarsify_domain::text::{Name, Slug, Title};
use tarsify_domain::{Clock, Credits, Scope, Timestamp, Version};
use tarsify_emulator::{Behaviour, Emulator, EmulatorSettings, TimeScale};
use tarsify_engine::{
    Engine, EngineSettings, MemoryStore, Observer, RunPod, RunPodSettings, RunRequest,
};
use tarsify_testing::TestClock;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Longer than anything here takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Workshop {
    pub(crate) engine: Engine,
    pub(crate) store: MemoryStore,
    /// The store's clock; it stands still unless a test moves it.
    pub(crate) clock: Arc<TestClock>,
    pub(crate) emulator: Emulator,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl Workshop {
    pub(crate) fn open() -> Self {
        Self::with(EngineSettings::default())
    }

    pub(crate) fn with(settings: EngineSettings) -> Self {
        Self::watched(settings, Arc::new(()))
    }

    /// The same with somebody who watches.
    pub(crate) fn watched(settings: EngineSettings, observer: Arc<dyn Observer>) -> Self {
        let emulator = Emulator::new(EmulatorSettings {
            time: TimeScale::Zero,
            shortest_execution_timeout: Duration::from_millis(1),
            shortest_ttl: Duration::from_millis(1),
            ..EmulatorSettings::default()
        });
        let emulator = emulator.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let base_url = format!("http://{}/v2", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let serving = emulator.clone().run(listener, stop.clone());
        tasks.spawn(async move { serving.await.unwrap() });

        let clock = Arc::new(TestClock::default());
        let store = MemoryStore::with_clock(Arc::<TestClock>::clone(&clock));
        let provider = RunPod::with_settings(RunPodSettings {
            base_url,
            observer: Arc::clone(&observer),
            ..RunPodSettings::default()
        });
        let engine = Engine::builder()
            .store(store.clone())
            .provider(provider.unwrap())
            .clock(Arc::<TestClock>::clone(&clock))
            .observer(observer)
            .settings(settings)
            .build()
            .unwrap();
        Self {
            engine,
            store,
            clock,
            emulator,
            stop,
            tasks,
        }
    }

    /// Lets the workers go about it until the workshop is closed.
    pub(crate) fn run_workers(&mut self) {
        let (engine, stop) = (self.engine.clone(), self.stop.clone());
        self.tasks
            .spawn(async move { engine.run_workers(stop).await });
    }

    pub(crate) async fn close(mut self) {
        self.stop.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
    }

    pub(crate) fn behave(&self, endpoint: &str, behaviour: Value) {
        let behaviour: Behaviour = serde_json::from_value(behaviour).unwrap();
        self.emulator.set_behaviour(endpoint, behaviour).unwrap();
    }

    /// A published model on an endpoint of the emulator.
    pub(crate) fn model(&self, slug: &str, endpoint: &str, overrides: Value) -> RunnableModel {
        let model = model(slug, endpoint, overrides, self.clock.now());
        self.store.add_model(model.clone());
        model
    }

    /// What a consumer can spend and what is set aside, in millicredits.
    pub(crate) fn wallet(&self, consumer: ConsumerId) -> (i64, i64) {
        let wallet = self.store.wallet(consumer);
        (wallet.available.get(), wallet.held.get())
    }

    pub(crate) async fn submit(&self, slug: &str, inputs: Value) -> (Scope, ExecutionId) {
        let request = self.request(slug, inputs);
        let scope = Scope::Consumer(request.consumer);
        let admitted = self.engine.submit(request).await.unwrap();
        (scope, admitted.execution.summary.id)
    }

    /// A request of a new consumer who can spend 1,000 credits.
    pub(crate) fn request(&self, slug: &str, inputs: Value) -> RunRequest {
        let consumer = ConsumerId::new(self.clock.now());
        self.store.grant(consumer, Credits::new(1_000));
        RunRequest {
            consumer,
            slug: Slug::parse(slug).unwrap(),
            inputs: object(inputs),
            max_concurrent_runs: None,
            idempotency: None,
        }
    }

    /// Has the store's clock go with the real one, a hundred times as fast, while the answer is
    /// kept.
    pub(crate) fn keep_time(&self) -> JoinSet<()> {
        let clock = Arc::clone(&self.clock);
        let mut keeping = JoinSet::new();
        keeping.spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_millis(10)).await;
                clock.advance(time::Duration::seconds(1));
            }
        });
        keeping
    }

    /// Takes every step that is due, minute after minute, until the execution has ended.
    pub(crate) async fn see_through(&self, scope: Scope, id: ExecutionId) -> Execution {
        self.see_through_at(scope, id, time::Duration::seconds(5))
            .await
    }

    /// The same with a clock that moves so much every few milliseconds: slowly where the
    /// provider asks for patience, which is real.
    pub(crate) async fn see_through_at(
        &self,
        scope: Scope,
        id: ExecutionId,
        pace: time::Duration,
    ) -> Execution {
        for _ in 0..2_000 {
            self.engine.submit_due().await.unwrap();
            self.engine.look_due().await.unwrap();
            self.engine.sweep_due().await.unwrap();
            let execution = self.engine.status(scope, id).await.unwrap();
            if execution.summary.status.is_terminal() {
                return execution;
            }
            self.clock.advance(pace);
            // The emulator's own time is real.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("the execution does not end");
    }
}

pub(crate) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        other => panic!("{other} is no object"),
    }
}

pub(crate) fn model(slug: &str, endpoint: &str, overrides: Value, now: Timestamp) -> RunnableModel {
    let schema = json!({
        "type": "object",
        "properties": {
            "prompt": {"type": "string", "minLength": 1, "maxLength": 500},
            "style": {"type": "string"},
            "width": {"type": "integer", "minimum": 64, "maximum": 1024},
            "negative": {"type": "string"},
            "sampler": {"type": "object"},
        },
        "required": ["prompt"],
    });
    RunnableModel {
        id: TarsModelId::new(now),
        version: Version::FIRST,
        slug: Slug::parse(slug).unwrap(),
        title: Title::parse("A model").unwrap(),
        developer_id: DeveloperId::new(now),
        status: TarsModelStatus::Published,
        price: Price::DEFAULT,
        overrides: ConfigOverrides::parse(overrides).unwrap(),
        base_model: RunnableBase {
            id: BaseModelId::new(now),
            version: Version::FIRST,
            name: Name::parse("A base model").unwrap(),
            category: Category::Text,
            output_type: OutputType::Json,
            input_schema: InputSchema::parse(schema).unwrap(),
            estimated_seconds: 2,
            timeout_seconds: 60,
            streams_output: false,
            is_active: true,
        },
        endpoint: RunnableEndpoint {
            id: EndpointId::new(now),
            version: Version::FIRST,
            provider: Provider::RunPod,
            provider_endpoint_id: ProviderEndpointId::parse(endpoint).unwrap(),
            is_active: true,
        },
    }
}
