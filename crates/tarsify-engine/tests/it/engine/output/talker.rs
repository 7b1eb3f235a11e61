//! A provider whose one job says what it is told to say, and an engine in front of it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Map, Value};
use tarsify_domain::catalog::Provider;
use tarsify_domain::execution::{JobPlace, Operation, ProviderJobId};
use tarsify_domain::id::{ConsumerId, EndpointId, ExecutionId};
use tarsify_domain::text::Slug;
use tarsify_domain::{Clock, Credits, Scope};
use tarsify_engine::provider::{
    GpuProvider, JobStatus, JobView, LookAnswer, StopAnswer, StreamAnswer, Submission,
    SubmitAnswer, Told,
};
use tarsify_engine::{Engine, MemoryStore, RunRequest};
use tarsify_testing::TestClock;

use crate::engine::workshop;

#[derive(Default)]
struct Script {
    answers: VecDeque<StreamAnswer>,
    output: Option<Value>,
    reads: u32,
    hangs: bool,
}

#[derive(Clone, Default)]
struct Talker(Arc<Mutex<Script>>);

impl Talker {
    fn script(&self) -> MutexGuard<'_, Script> {
        self.0.lock().unwrap()
    }
}

/// An answer with these words.
pub(super) fn said(words: &str) -> StreamAnswer {
    StreamAnswer::Said(vec![words.into()])
}

fn told<A>(answer: A) -> Told<A> {
    Told {
        answer,
        http_status: Some(200),
        took: Duration::ZERO,
        said: String::new(),
    }
}

#[async_trait]
impl GpuProvider for Talker {
    fn kind(&self) -> Provider {
        Provider::RunPod
    }

    async fn submit(&self, _submission: Submission<'_>) -> Told<SubmitAnswer> {
        told(SubmitAnswer::Accepted(
            ProviderJobId::parse("job-1").unwrap(),
        ))
    }

    async fn look(&self, _place: &JobPlace, _job: &ProviderJobId) -> Told<LookAnswer> {
        let status = match self.script().output.clone() {
            None => JobStatus::InProgress { progress: None },
            output => JobStatus::Completed { output },
        };
        told(LookAnswer::Seen(JobView {
            status,
            queue_ms: None,
            run_ms: None,
        }))
    }

    async fn read_stream(&self, _place: &JobPlace, _job: &ProviderJobId) -> Told<StreamAnswer> {
        if self.script().hangs {
            std::future::pending::<()>().await;
        }
        let mut script = self.script();
        script.reads += 1;
        let answer = script.answers.pop_front();
        told(answer.unwrap_or(StreamAnswer::Said(Vec::new())))
    }

    async fn stop(&self, _place: &JobPlace, _job: &ProviderJobId) -> Told<StopAnswer> {
        told(StopAnswer::Cancelled)
    }

    fn allowances(&self, _operation: Operation) -> Vec<(EndpointId, u32)> {
        Vec::new()
    }

    fn burst(&self, _operation: Operation) -> u32 {
        u32::MAX
    }
}

/// An engine whose one model talks.
pub(super) struct Booth {
    pub(super) engine: Engine,
    pub(super) store: MemoryStore,
    pub(super) clock: Arc<TestClock>,
    talker: Talker,
}

impl Booth {
    /// With a model that says parts of its output.
    pub(super) fn open(overrides: Value) -> Self {
        Self::with(overrides, true)
    }

    /// With one that says nothing before it ends.
    pub(super) fn silent() -> Self {
        Self::with(Value::Object(Map::new()), false)
    }

    fn with(overrides: Value, streams_output: bool) -> Self {
        let clock = Arc::new(TestClock::default());
        let store = MemoryStore::with_clock(Arc::<TestClock>::clone(&clock));
        let talker = Talker::default();
        let engine = Engine::builder()
            .store(store.clone())
            .provider(talker.clone())
            .clock(Arc::<TestClock>::clone(&clock))
            .build()
            .unwrap();
        let mut model = workshop::model("talker", "talker", overrides, clock.now());
        model.base_model.streams_output = streams_output;
        store.add_model(model);
        Self {
            engine,
            store,
            clock,
            talker,
        }
    }

    pub(super) async fn run(&self) -> (Scope, ExecutionId) {
        let consumer = ConsumerId::new(self.clock.now());
        self.store.grant(consumer, Credits::new(1_000));
        let request = RunRequest {
            consumer,
            slug: Slug::parse("talker").unwrap(),
            inputs: workshop::object(serde_json::json!({"prompt": "a tale"})),
            max_concurrent_runs: None,
            idempotency: None,
        };
        let admitted = self.engine.submit(request).await.unwrap();
        (Scope::Consumer(consumer), admitted.execution.summary.id)
    }

    pub(super) fn says(&self, answers: impl IntoIterator<Item = StreamAnswer>) {
        self.talker.script().answers.extend(answers);
    }

    pub(super) fn completes(&self, output: Value) {
        self.talker.script().output = Some(output);
    }

    /// From now on no question for what it says is answered.
    pub(super) fn hangs(&self) {
        self.talker.script().hangs = true;
    }

    /// How often what it says was read.
    pub(super) fn reads(&self) -> u32 {
        self.talker.script().reads
    }

    /// Its job is at work.
    pub(super) async fn submitted(&self) {
        assert_eq!(self.engine.submit_due().await.unwrap(), 1);
    }

    /// Its job is looked at once, as soon as it is due.
    pub(super) async fn looked(&self) {
        for _ in 0..40 {
            self.clock.advance(time::Duration::milliseconds(500));
            if self.engine.look_due().await.unwrap() == 1 {
                return;
            }
        }
        panic!("it is never looked at");
    }
}
