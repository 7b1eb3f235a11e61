//! How this process reaches RunPod, or what stands in for it, and how others reach this process.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use url::Url;

use crate::config::{Config, Secret};

/// Below our own address, where providers call back.
const CALLBACKS: &str = "api/webhooks/runpod";

/// How the provider is reached, and how it reaches us.
#[derive(Debug, Clone)]
pub(crate) struct ProviderAccess {
    pub(crate) base_url: Url,
    pub(crate) api_key: Option<Secret<String>>,
    /// Where it may call; it is only asked where there is none.
    pub(crate) callbacks: Option<String>,
    /// Where people reach us, without a slash at the end.
    pub(crate) own_address: String,
}

impl ProviderAccess {
    /// As the configuration says.
    pub(crate) fn configured(config: &Config) -> Self {
        let public = config.server.public_url.as_ref();
        let listening = config.server.listen_address();
        Self {
            base_url: config.runpod.base_url.clone(),
            api_key: config.runpod.api_key.clone(),
            callbacks: public.map(|url| callbacks_below(url.as_str())),
            own_address: reachable_at(config, listening),
        }
    }

    /// As the configuration says, listening where the system let us.
    pub(crate) fn listening_at(config: &Config, listening: SocketAddr) -> Self {
        Self {
            own_address: reachable_at(config, listening),
            ..Self::configured(config)
        }
    }

    /// With callbacks to where we listen, unless there is a public address. It is for a provider
    /// on this machine.
    pub(crate) fn called_back_at(mut self, listening: SocketAddr) -> Self {
        // Nobody can call an address that means all of them.
        let host = match listening.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip => ip,
        };
        let address = SocketAddr::new(host, listening.port());
        self.callbacks
            .get_or_insert_with(|| callbacks_below(&format!("http://{address}")));
        self
    }
}

fn callbacks_below(address: &str) -> String {
    format!("{}/{CALLBACKS}", address.trim_end_matches('/'))
}

/// The address that people reach us at.
fn reachable_at(config: &Config, listening: SocketAddr) -> String {
    let public = config.server.public_url.as_ref();
    public.map_or_else(
        || format!("http://{listening}"),
        |url| url.as_str().trim_end_matches('/').to_owned(),
    )
}
