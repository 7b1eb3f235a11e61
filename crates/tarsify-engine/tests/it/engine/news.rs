//! How who follows comes to hear: by a word on the bus, and without one by looking.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, json};
use tarsify_domain::Scope;
use tarsify_domain::id::{ConsumerId, ExecutionId};
use tarsify_domain::text::Slug;
use tarsify_engine::{
    Engine, EngineSettings, EventBus, Followed, LocalBus, MemoryStore, RunPod, RunRequest,
};
use tarsify_testing::builders::runnable_model;
use tarsify_testing::clock::MOMENT;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

/// Only a failure waits so long.
const PATIENCE: Duration = Duration::from_secs(20);

const LOOK: Duration = Duration::from_millis(50);

/// Says nothing to anybody, as a bus does that has lost its words.
struct Mute(LocalBus);

impl EventBus for Mute {
    fn announce(&self) {}

    fn listen(&self) -> watch::Receiver<()> {
        self.0.listen()
    }
}

fn engine(store: &MemoryStore, bus: Arc<dyn EventBus>, patrol: Duration) -> Engine {
    let provider = RunPod::new("key").unwrap();
    let engine = Engine::builder().store(store.clone()).provider(provider);
    let settings = EngineSettings {
        patrol,
        ..EngineSettings::default()
    };
    engine.bus(bus).settings(settings).build().unwrap()
}

/// A run that was just submitted here.
async fn submitted(engine: &Engine, store: &MemoryStore) -> (Scope, ExecutionId) {
    let model = runnable_model();
    let slug: Slug = model.slug.clone();
    store.add_model(model);
    let consumer = ConsumerId::new(MOMENT);
    store.grant(consumer, tarsify_domain::Credits::new(1_000));
    let mut inputs = Map::new();
    inputs.insert("prompt".to_owned(), json!("x"));
    let request = RunRequest {
        consumer,
        slug,
        inputs,
        max_concurrent_runs: None,
        idempotency: None,
    };
    let admitted = engine.submit(request).await.unwrap();
    (Scope::Consumer(consumer), admitted.execution.summary.id)
}

/// Long enough that usually nobody has anything left to do. When it was too short, less is proved,
/// and nothing fails.
async fn quiet() {
    sleep(LOOK * 3).await;
}

/// Whoever comes to a process in which nobody was, and whoever is there when nothing else happens,
/// hears `there` of what happens `here`.
async fn is_heard(here: &Engine, there: &Engine, store: &MemoryStore) {
    let stop = CancellationToken::new();
    let scenes = async {
        for pause in [Duration::ZERO, LOOK * 3] {
            let (scope, id) = submitted(here, store).await;
            quiet().await;
            let mut following = there.follow(scope, id, 1).await.unwrap();
            sleep(pause).await;
            here.cancel(scope, id).await.unwrap();
            let heard = timeout(PATIENCE, following.next()).await;
            assert!(matches!(heard, Ok(Ok(Followed::Event(_)))), "{heard:?}");
        }
        for pause in [Duration::ZERO, LOOK * 3] {
            let (scope, id) = submitted(here, store).await;
            quiet().await;
            let cancel = async {
                sleep(pause).await;
                here.cancel(scope, id).await.unwrap();
            };
            let ((), waited) = tokio::join!(cancel, there.wait(scope, id, PATIENCE * 2));
            assert!(waited.unwrap().summary.status.is_terminal());
        }
        stop.cancel();
    };
    let began = Instant::now();
    tokio::join!(there.run_watch(stop.clone()), scenes);
    assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_word_on_the_bus_is_followed_though_nobody_looks() {
    let store = MemoryStore::new();
    let bus: Arc<dyn EventBus> = Arc::new(LocalBus::default());
    let engine = || engine(&store, Arc::clone(&bus), PATIENCE * 10);
    is_heard(&engine(), &engine(), &store).await;
}

#[tokio::test]
async fn a_word_that_is_lost_is_healed_by_a_look() {
    let store = MemoryStore::new();
    let engine = || engine(&store, Arc::new(Mute(LocalBus::default())), LOOK);
    is_heard(&engine(), &engine(), &store).await;
}

#[tokio::test]
async fn what_was_read_before_it_was_told_is_given_once() {
    let store = MemoryStore::new();
    let engine = engine(&store, Arc::new(LocalBus::default()), LOOK);
    let mut first = engine.follow_all(Scope::System, None).await.unwrap();
    let (scope, id) = submitted(&engine, &store).await;
    engine.tell_followers().await.unwrap();
    let Followed::Event(queued) = first.next().await.unwrap() else {
        panic!("it was told");
    };
    engine.cancel(scope, id).await.unwrap();
    let mut late = engine.follow_all(scope, Some(queued.place)).await.unwrap();
    engine.tell_followers().await.unwrap();
    for following in [&mut first, &mut late] {
        let Followed::Event(cancelled) = following.next().await.unwrap() else {
            panic!("it was told");
        };
        assert_eq!(cancelled.place.seq, 2);
        let more = timeout(Duration::from_millis(1), following.next()).await;
        assert!(more.is_err(), "{more:?}");
    }
}
