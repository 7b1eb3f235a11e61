//! Whether the provider can be reached and knows us. It asks one endpoint how it is, which costs
//! nothing.

use std::time::Duration;

use reqwest::{Client, StatusCode, redirect};
use tarsify_domain::RepoError;
use tarsify_domain::catalog::endpoint::ProviderEndpointId;
use tarsify_domain::catalog::{EndpointRepository, Provider};
use tarsify_domain::page::{Limit, PageNumber, PageRequest, Position};

use super::{Finding, chain};
use crate::config::{Config, Environment, RunPod};

const PART: &str = "provider";
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) async fn look(config: &Config, endpoints: &dyn EndpointRepository) -> Finding {
    let runpod = &config.runpod;
    let endpoint = match an_active_one(endpoints).await {
        Ok(endpoint) => endpoint,
        Err(error) => return Finding::bad(PART, chain(&error)),
    };
    let works_for_strangers =
        config.environment == Environment::Production && config.server.role.works();
    match endpoint {
        _ if runpod.lacks_key() && works_for_strangers => Finding::bad(
            PART,
            "RUNPOD_API_KEY is not set, and workers in production do not start without it: set it, or serve with --role api here",
        ),
        Some(_) if runpod.lacks_key() => Finding::bad(
            PART,
            "RUNPOD_API_KEY is not set: RunPod refuses every run. Set it, or RUNPOD_BASE_URL to that of `tarsify emulator`",
        ),
        Some(endpoint) => ask(runpod, &endpoint).await,
        None => Finding::good(
            PART,
            "not asked, because no endpoint is switched on: name yours in RUNPOD_EP_SDXL and its like and run `tarsify seed`",
        ),
    }
}

/// The provider's id of an endpoint that is switched on.
async fn an_active_one(
    endpoints: &dyn EndpointRepository,
) -> Result<Option<ProviderEndpointId>, RepoError> {
    let mut position = Position::Number(PageNumber::FIRST);
    loop {
        let limit = Limit::DEFAULT;
        let page = endpoints.list(&PageRequest { position, limit }).await?;
        let mut active = page.items.into_iter().filter(|endpoint| endpoint.is_active);
        let found = active.find(|endpoint| endpoint.provider == Provider::RunPod);
        match (found, page.next) {
            (Some(endpoint), _) => return Ok(Some(endpoint.provider_endpoint_id)),
            (None, Some(next)) => position = Position::After(next),
            (None, None) => return Ok(None),
        }
    }
}

async fn ask(runpod: &RunPod, endpoint: &ProviderEndpointId) -> Finding {
    let base = runpod.base_url.as_str().trim_end_matches('/');
    let client = Client::builder()
        .timeout(PATIENCE)
        .redirect(redirect::Policy::none())
        .build();
    let client = match client {
        Ok(client) => client,
        Err(error) => return Finding::bad(PART, chain(&error)),
    };
    let mut question = client.get(format!("{base}/{}/health", endpoint.as_str()));
    if let Some(key) = &runpod.api_key {
        question = question.bearer_auth(key.expose());
    }
    match question.send().await {
        Ok(answer) => judge(answer.status(), base, endpoint.as_str()),
        Err(error) => Finding::bad(
            PART,
            format!(
                "{base} cannot be reached: check RUNPOD_BASE_URL, and that this machine may call out ({})",
                chain(&error.without_url())
            ),
        ),
    }
}

fn judge(status: StatusCode, base: &str, endpoint: &str) -> Finding {
    match status {
        status if status.is_success() => {
            Finding::good(PART, format!("{base} answers for the endpoint {endpoint}"))
        }
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Finding::bad(
            PART,
            format!(
                "{base} refuses the key: set RUNPOD_API_KEY to one that may use the endpoint {endpoint}"
            ),
        ),
        StatusCode::NOT_FOUND => Finding::bad(
            PART,
            format!(
                "{base} does not know the endpoint {endpoint}: check its id in the console, and that RUNPOD_BASE_URL includes the version (/v2)"
            ),
        ),
        status => Finding::bad(
            PART,
            format!(
                "{base} answers {status} for the endpoint {endpoint}: runs wait until that is over"
            ),
        ),
    }
}
