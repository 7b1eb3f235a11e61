//! `tarsify admin`: who may do everything.

use std::process::ExitCode;

use anyhow::{Context, bail};
use tarsify_domain::people::{ProfileError, Role};
use tarsify_domain::text::EmailAddress;

use crate::cli::AdminAction;
use crate::config::Config;
use crate::logging;
use crate::migrate;
use crate::platform::Platform;
use crate::provider::ProviderAccess;
use crate::store::{Store, Stores};
use crate::terminal;

pub(crate) async fn run(
    config: &Config,
    stores: &Stores,
    action: AdminAction,
    email: &str,
) -> anyhow::Result<ExitCode> {
    let email = EmailAddress::parse(email).context("the e-mail address cannot be used")?;
    logging::start(config)?;
    let store = stores.open().await?;
    let outcome = assign(config, &store, action, &email).await;
    store.close().await?;
    outcome
}

async fn assign(
    config: &Config,
    store: &Store,
    action: AdminAction,
    email: &EmailAddress,
) -> anyhow::Result<ExitCode> {
    migrate::require_current(config, store).await?;
    let databases = store.connect().await?;
    let platform = Platform::build(config, &databases, ProviderAccess::configured(config))?;
    let (role, done) = match action {
        AdminAction::Grant => (Role::Admin, "is an administrator now"),
        AdminAction::Revoke => (Role::User, "is an ordinary developer now"),
    };
    let assigned = platform.services.developers.assign_role(email, role).await;
    databases.close();
    match assigned {
        Ok(developer) => terminal::say(&format!("{email} ({}) {done}.", developer.id)),
        Err(ProfileError::NotFound) => {
            bail!(
                "no developer has verified the address {email}: he has to register at POST /api/studio/auth/register with a verified e-mail address, or be named by his UID in ADMIN_UIDS"
            )
        }
        Err(error) => Err(error).context("the role could not be assigned"),
    }
}
