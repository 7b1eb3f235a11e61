//! `tarsify demo`: a market full of examples on this machine, and a walk through it.

mod gpus;
mod walk;

use std::net::TcpListener;
use std::process::ExitCode;

use anyhow::{Context, bail};
use tarsify_auth::{LOCAL_ISSUER, LocalKind};
use tarsify_db::Database;
use tarsify_domain::Clock;
use tarsify_domain::catalog::NewTarsModel;
use tarsify_domain::catalog::tars_model::TarsModelError;
use tarsify_domain::id::DeveloperId;
use tarsify_domain::people::{DeveloperProfile, IdentityKey, ProfileError, VerifiedIdentity};
use tarsify_domain::text::EmailAddress;
use tarsify_domain::{Expected, Patch};
use tokio_util::sync::CancellationToken;

use crate::clock::SystemClock;
use crate::config::{Config, Environment};
use crate::logging;
use crate::migrate;
use crate::platform::Platform;
use crate::provider::ProviderAccess;
use crate::seed::content::{BUILT_IN_DEMO, Demo, DemoDeveloper, DemoTarsModel};
use crate::seed::{self, ProviderIds};
use crate::serve;
use crate::store::{Databases, Stores};
use crate::terminal;
use crate::token;
use crate::traces::Traces;

const CONSUMER: &str = "consumer@example.com";
const ADMIN: &str = "admin@example.com";

pub(crate) async fn run(config: &Config, stores: &Stores) -> anyhow::Result<ExitCode> {
    if config.environment == Environment::Production {
        bail!(
            "the demo signs strangers in and fills the market with examples: it does not run in production"
        );
    }
    if !config.has_private_database() {
        bail!(
            "the demo fills a private database of its own: unset DATABASE_URL (it is set, and the demo would write into that database)"
        );
    }
    let traces = Traces::configured(config)?;
    logging::start_with(config, traces.as_ref())?;
    serve::finish(traces, open_and_serve(config, stores).await).await
}

async fn open_and_serve(config: &Config, stores: &Stores) -> anyhow::Result<serve::Ended> {
    let listener = serve::listen(config)?;
    terminal::remark("Starting a private database; the first time takes a few seconds …");
    let store = stores.open().await?;
    let served = async {
        migrate::require_current(config, &store).await?;
        let databases = store.connect().await?;
        let outcome = with_provider(config, &databases, listener).await;
        databases.close();
        outcome
    }
    .await;
    serve::close(store, served).await
}

/// Serves beside an emulator, unless the operator says where RunPod's protocol is spoken.
async fn with_provider(
    config: &Config,
    databases: &Databases,
    listener: TcpListener,
) -> anyhow::Result<serve::Ended> {
    let address = listener
        .local_addr()
        .context("the listening socket cannot be used")?;
    if config.runpod.has_own_base_url {
        let access = ProviderAccess::listening_at(config, address);
        let access = if config.runpod.is_local() {
            access.called_back_at(address)
        } else {
            access
        };
        return fill_and_serve(config, databases, listener, access).await;
    }
    let emulator = gpus::Gpus::on_this_machine()?;
    let mut config = config.clone();
    config.runpod.base_url = emulator.base_url()?;
    // The emulator wants none, and nobody else is to see it.
    config.runpod.api_key = None;
    let access = ProviderAccess::listening_at(&config, address).called_back_at(address);
    let stop = CancellationToken::new();
    let served = async {
        let served = fill_and_serve(&config, databases, listener, access).await;
        stop.cancel();
        served
    };
    let (served, emulated) = tokio::join!(served, emulator.run(stop.clone()));
    let served = served?;
    emulated.map(|()| served)
}

async fn fill_and_serve(
    config: &Config,
    databases: &Databases,
    listener: TcpListener,
    access: ProviderAccess,
) -> anyhow::Result<serve::Ended> {
    let address = access.own_address.clone();
    let platform = Platform::build(config, databases, access)?;
    let Some(identities) = &platform.identities else {
        bail!("the demo needs local identities");
    };
    let demo =
        Demo::parse(BUILT_IN_DEMO, "the built-in demo").context("the demo cannot be used")?;
    fill(config, &platform, &databases.requests, &demo).await?;
    let walk = walk::Walk {
        address,
        consumer: token::issue(identities, LocalKind::Consumer, &email(CONSUMER)?)?,
        developer: token::issue(
            identities,
            LocalKind::Developer,
            &first_developer(&demo)?.email,
        )?,
        admin: token::issue(identities, LocalKind::Admin, &email(ADMIN)?)?,
        gpus: (config.runpod.has_own_base_url).then(|| config.runpod.base_url.to_string()),
    };
    terminal::say(&walk.to_string())?;
    serve::serve(config, platform, listener).await
}

/// Adds the catalogue, the people and their models, as far as they are not there.
async fn fill(
    config: &Config,
    platform: &Platform,
    database: &Database,
    demo: &Demo,
) -> anyhow::Result<()> {
    let catalog = seed::read(None)?;
    seed::apply(&catalog, &demo_ids(config), platform, database).await?;
    let consumer = identity(LocalKind::Consumer, &email(CONSUMER)?);
    match platform
        .services
        .consumers
        .register(&consumer, None, None)
        .await
    {
        Ok(_) | Err(ProfileError::AlreadyRegistered) => {}
        Err(error) => return Err(error).context("the demo's consumer could not be registered"),
    }
    for person in &demo.developers {
        let developer = register(platform, person).await;
        let developer =
            developer.with_context(|| format!("{} could not be registered", person.email))?;
        for model in demo
            .tars_models
            .iter()
            .filter(|model| model.developer == person.email)
        {
            let published = publish(platform, developer, model).await;
            published.with_context(|| {
                format!("the demo's model {} could not be published", model.slug)
            })?;
        }
    }
    Ok(())
}

/// The operator's own endpoints where he named some, otherwise those of the examples.
fn demo_ids(config: &Config) -> ProviderIds {
    let examples = [
        ("tts", "demo-tts"),
        ("sdxl", "demo-sdxl"),
        ("whisper", "demo-whisper"),
        ("vllm", "demo-vllm"),
    ];
    let mut ids: ProviderIds = examples
        .into_iter()
        .map(|(key, id)| (key, id.to_owned()))
        .collect();
    ids.extend(seed::configured_ids(&config.runpod));
    ids
}

async fn register(platform: &Platform, person: &DemoDeveloper) -> anyhow::Result<DeveloperId> {
    let developers = &platform.services.developers;
    let identity = identity(LocalKind::Developer, &person.email);
    match developers
        .register(&identity, None, Some(person.name.clone()))
        .await
    {
        Ok(developer) => {
            let profile = DeveloperProfile {
                bio: person.bio.clone().map_or(Patch::Keep, Patch::Set),
                country: person.country.map_or(Patch::Keep, Patch::Set),
                ..DeveloperProfile::default()
            };
            Ok(developers
                .complete(developer, &Expected::Any, profile)
                .await?
                .id)
        }
        Err(ProfileError::AlreadyRegistered) => {
            let found = platform
                .repositories
                .developers
                .find_by_identity(&identity.key)
                .await?;
            found
                .map(|developer| developer.id)
                .context("the e-mail address belongs to another identity")
        }
        Err(error) => Err(error.into()),
    }
}

async fn publish(
    platform: &Platform,
    developer: DeveloperId,
    entry: &DemoTarsModel,
) -> anyhow::Result<()> {
    let base = platform
        .repositories
        .base_models
        .find_by_slug(&entry.base_model)
        .await?;
    let base = base.with_context(|| format!("there is no base model {}", entry.base_model))?;
    let models = &platform.services.tars_models;
    let new = NewTarsModel {
        base_model_id: base.id,
        title: entry.title.clone(),
        slug: entry.slug.clone(),
        description: entry.description.clone(),
        price: entry.price,
        overrides: entry.overrides.clone(),
    };
    let model = match models.create(developer, new).await {
        Ok(model) => model,
        Err(error) => return kept_from_before(entry, error),
    };
    match models.publish(developer, model.id, &Expected::Any).await {
        Ok(_) => Ok(()),
        Err(error) => kept_from_before(entry, error),
    }
}

/// What somebody has done since an earlier demo is his to decide: his models stay, and what he
/// switched off or gave another schema goes without the examples that need it.
fn kept_from_before(entry: &DemoTarsModel, error: TarsModelError) -> anyhow::Result<()> {
    match error {
        TarsModelError::SlugTaken => Ok(()),
        TarsModelError::BaseModelNotActive
        | TarsModelError::EndpointNotActive
        | TarsModelError::OverridesDoNotFit(_) => {
            tracing::warn!(model = %entry.slug, why = %error, "an example is left out");
            Ok(())
        }
        error => Err(error.into()),
    }
}

/// The identity that a local token of this person proves.
fn identity(kind: LocalKind, email: &EmailAddress) -> VerifiedIdentity {
    let now = SystemClock.now();
    VerifiedIdentity {
        key: IdentityKey {
            realm: kind.realm(),
            issuer: LOCAL_ISSUER.to_owned(),
            subject: kind.subject(email),
        },
        email: Some(email.clone()),
        email_is_verified: true,
        name: Some("Ada Lovelace".to_owned()).filter(|_| kind == LocalKind::Consumer),
        authenticated_at: now,
        expires_at: now,
    }
}

fn email(text: &str) -> anyhow::Result<EmailAddress> {
    EmailAddress::parse(text).context("an e-mail address of the demo cannot be used")
}

fn first_developer(demo: &Demo) -> anyhow::Result<&DemoDeveloper> {
    demo.developers.first().context("the demo has no developer")
}
