//! Runs a model from inside another program: no database, no server, nothing but the engine.
//!
//! The GPUs are those of the emulator, so that it works on any machine. For real ones, leave the
//! emulator out and build the provider with `RunPod::new(key)`.
//!
//! ```text
//! cargo run --example embed -p tarsify-engine
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::net::TcpListener;
use std::time::Duration;

use serde_json::{Value, json};
use tarsify_domain::catalog::endpoint::ProviderEndpointId;
use tarsify_domain::catalog::{
    Category, ConfigOverrides, InputSchema, OutputType, Provider, TarsModelStatus,
};
use tarsify_domain::execution::{RunnableBase, RunnableEndpoint, RunnableModel};
use tarsify_domain::id::{BaseModelId, ConsumerId, DeveloperId, EndpointId, TarsModelId};
use tarsify_domain::money::Price;
use tarsify_domain::text::{Name, Slug, Title};
use tarsify_domain::{Credits, Scope, Timestamp, Version};
use tarsify_emulator::{Emulator, EmulatorSettings};
use tarsify_engine::{Engine, MemoryStore, RunPod, RunPodSettings, RunRequest};
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Somebody with GPUs.
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let base_url = format!("http://{}/v2", listener.local_addr()?);
    let emulator = Emulator::new(EmulatorSettings::default())?;

    // A model, and an engine that knows it.
    let store = MemoryStore::new();
    let model = poet()?;
    let slug = model.slug.clone();
    store.add_model(model);
    // The model has a price, so its consumer needs credits.
    let consumer = ConsumerId::new(Timestamp::UNIX_EPOCH);
    store.grant(consumer, Credits::new(25));
    let engine = Engine::builder()
        .store(store.clone())
        .provider(RunPod::with_settings(RunPodSettings {
            base_url,
            ..RunPodSettings::default()
        })?)
        .build()?;

    let stop = CancellationToken::new();
    let run = async {
        let outcome = run_once(&engine, consumer, slug).await;
        stop.cancel();
        outcome
    };
    let (outcome, (), served) = tokio::join!(
        run,
        engine.run_workers(stop.clone()),
        emulator.run(listener, stop.clone()),
    );
    served?;
    let left = store.wallet(consumer).available.credits();
    println!("credits   {} left", left.get());
    outcome
}

async fn run_once(engine: &Engine, consumer: ConsumerId, slug: Slug) -> Result<(), Box<dyn Error>> {
    let Value::Object(inputs) = json!({"prompt": "the sea at night"}) else {
        return Err("the inputs are no object".into());
    };
    let request = RunRequest {
        consumer,
        slug,
        inputs,
        max_concurrent_runs: None,
        idempotency: None,
    };
    let accepted = engine.submit(request).await?.execution.summary;
    println!("accepted  {} {}", accepted.id, accepted.status.as_str());

    let scope = Scope::Consumer(consumer);
    let patience = Duration::from_secs(30);
    let ended = engine.wait(scope, accepted.id, patience).await?;
    println!(
        "ended     {}, {} credits charged",
        ended.summary.status.as_str(),
        ended.summary.charged.get()
    );
    println!("output    {}", ended.output.unwrap_or_default());
    Ok(())
}

/// A model as a developer would brand it: the prefix is his secret.
fn poet() -> Result<RunnableModel, Box<dyn Error>> {
    let moment = Timestamp::UNIX_EPOCH;
    let schema = json!({
        "type": "object",
        "properties": {"prompt": {"type": "string", "minLength": 1, "maxLength": 500}},
        "required": ["prompt"],
    });
    let overrides = json!({"promptPrefix": "Write four lines about "});
    Ok(RunnableModel {
        id: TarsModelId::new(moment),
        version: Version::FIRST,
        slug: Slug::parse("four-lines")?,
        title: Title::parse("Four Lines")?,
        developer_id: DeveloperId::new(moment),
        status: TarsModelStatus::Published,
        price: Price::DEFAULT,
        overrides: ConfigOverrides::parse(overrides).map_err(|issues| format!("{issues:?}"))?,
        base_model: RunnableBase {
            id: BaseModelId::new(moment),
            version: Version::FIRST,
            name: Name::parse("AI Chat")?,
            category: Category::Text,
            output_type: OutputType::Text,
            input_schema: InputSchema::parse(schema)?,
            estimated_seconds: 2,
            timeout_seconds: 60,
            streams_output: false,
            is_active: true,
        },
        endpoint: RunnableEndpoint {
            id: EndpointId::new(moment),
            version: Version::FIRST,
            provider: Provider::RunPod,
            provider_endpoint_id: ProviderEndpointId::parse("demo-vllm")?,
            is_active: true,
        },
    })
}
