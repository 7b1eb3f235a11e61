//! `tarsify seed`: adds what a catalogue file holds and leaves alone what is there.

pub(crate) mod content;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use tarsify_db::{Database, PgSeedRepository, SeedOutcome};
use tarsify_domain::Clock;
use tarsify_domain::catalog::base_model::BaseModelError;
use tarsify_domain::catalog::endpoint::{EndpointLimits, ProviderEndpointId};
use tarsify_domain::catalog::{Endpoint, NewBaseModel, NewEndpoint, Provider};
use tarsify_domain::id::EndpointId;

use self::content::{Catalog, SeedBaseModel, SeedEndpoint};
use crate::clock::SystemClock;
use crate::config::{Config, RunPod};
use crate::logging;
use crate::migrate;
use crate::platform::Platform;
use crate::provider::ProviderAccess;
use crate::store::{Store, Stores};
use crate::terminal;

/// The provider's ids of the seeded endpoints, by their keys; what is not here stays a
/// switched-off placeholder.
pub(crate) type ProviderIds = BTreeMap<&'static str, String>;

/// What seeding has done, a line for each thing.
pub(crate) type Report = Vec<String>;

pub(crate) async fn run(
    config: &Config,
    stores: &Stores,
    file: Option<&Path>,
) -> anyhow::Result<ExitCode> {
    let catalog = read(file)?;
    logging::start(config)?;
    let store = stores.open().await?;
    let outcome = seed(config, &store, &catalog).await;
    store.close().await?;
    terminal::say(&outcome?.join("\n"))
}

/// The provider's ids that the operator configured.
pub(crate) fn configured_ids(runpod: &RunPod) -> ProviderIds {
    let RunPod {
        ep_tts,
        ep_sdxl,
        ep_whisper,
        ep_vllm,
        ..
    } = runpod;
    [
        ("tts", ep_tts),
        ("sdxl", ep_sdxl),
        ("whisper", ep_whisper),
        ("vllm", ep_vllm),
    ]
    .into_iter()
    .filter_map(|(key, id)| id.clone().map(|id| (key, id)))
    .collect()
}

/// Reads the file, or the built-in catalogue when none is named.
pub(crate) fn read(file: Option<&Path>) -> anyhow::Result<Catalog> {
    let Some(file) = file else {
        return Catalog::parse(content::BUILT_IN_CATALOG, "the built-in catalogue")
            .context("the catalogue cannot be used");
    };
    let shown = file.display().to_string();
    let text = fs::read_to_string(file).with_context(|| format!("{shown} cannot be read"))?;
    Catalog::parse(&text, &shown).context("the catalogue cannot be used")
}

async fn seed(config: &Config, store: &Store, catalog: &Catalog) -> anyhow::Result<Report> {
    migrate::require_current(config, store).await?;
    let databases = store.connect().await?;
    let platform = Platform::build(config, &databases, ProviderAccess::configured(config))?;
    let report = apply(
        catalog,
        &configured_ids(&config.runpod),
        &platform,
        &databases.requests,
    )
    .await;
    databases.close();
    report
}

/// Adds what is missing.
pub(crate) async fn apply(
    catalog: &Catalog,
    ids: &ProviderIds,
    platform: &Platform,
    database: &Database,
) -> anyhow::Result<Report> {
    let repository = PgSeedRepository::new(database.clone());
    let mut report = Report::new();
    let mut endpoints: BTreeMap<&str, EndpointId> = BTreeMap::new();
    for entry in &catalog.endpoints {
        let endpoint = endpoint(entry, ids)?;
        let seeded = repository
            .seed_endpoint(&entry.key, &endpoint, entry.placeholder.as_str())
            .await;
        let (id, outcome) =
            seeded.with_context(|| format!("the endpoint {} could not be stored", entry.key))?;
        let done = match outcome {
            SeedOutcome::Created if endpoint.is_active => "added",
            SeedOutcome::Created => "added as a switched-off placeholder",
            SeedOutcome::Activated => "switched on",
            SeedOutcome::Kept => "kept as it is",
        };
        report.push(format!("endpoint {}: {done}", entry.key));
        endpoints.insert(&entry.key, id);
    }
    for entry in &catalog.base_models {
        let Some(endpoint_id) = endpoints.get(entry.endpoint.as_str()) else {
            bail!(
                "the base model {} names the endpoint {}, which is not in the catalogue",
                entry.slug,
                entry.endpoint
            );
        };
        let added = add_base_model(entry, *endpoint_id, platform).await;
        let done = if added
            .with_context(|| format!("the base model {} could not be stored", entry.slug))?
        {
            "added"
        } else {
            "kept as it is"
        };
        report.push(format!("base model {}: {done}", entry.slug));
    }
    Ok(report)
}

fn endpoint(entry: &SeedEndpoint, ids: &ProviderIds) -> anyhow::Result<Endpoint> {
    let configured = ids
        .get(entry.key.as_str())
        .map(|id| ProviderEndpointId::parse(id))
        .transpose();
    let configured = configured.with_context(|| {
        format!(
            "the configured id of the endpoint {} cannot be used",
            entry.key
        )
    })?;
    let new = NewEndpoint {
        is_active: configured.is_some(),
        provider_endpoint_id: configured.unwrap_or_else(|| entry.placeholder.clone()),
        provider: Provider::RunPod,
        name: entry.name.clone(),
        source: entry.source,
        docker_image: entry.docker_image.clone(),
        gpu_type: entry.gpu_type.clone(),
        limits: EndpointLimits::default(),
    };
    Ok(Endpoint::new(new, SystemClock.now()))
}

/// Whether it was not there before.
async fn add_base_model(
    entry: &SeedBaseModel,
    endpoint_id: EndpointId,
    platform: &Platform,
) -> anyhow::Result<bool> {
    if platform
        .repositories
        .base_models
        .find_by_slug(&entry.slug)
        .await?
        .is_some()
    {
        return Ok(false);
    }
    let new = NewBaseModel {
        endpoint_id,
        slug: entry.slug.clone(),
        name: entry.name.clone(),
        description: entry.description.clone(),
        category: entry.category,
        input_schema: entry.input_schema.clone(),
        output_type: entry.output_type,
        output_format: entry.output_format.clone(),
        estimated: entry.estimated,
        timeout: entry.timeout,
        streams_output: entry.streams_output,
        is_active: entry.active,
    };
    match platform.services.base_models.create(new).await {
        Ok(_) => Ok(true),
        // Another process seeds at the same time.
        Err(BaseModelError::SlugTaken) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
