//! The TLS that connections have, from what an address says about it. Refuses to weaken what was
//! asked for: only `prefer` ever goes without.

mod address;
mod verifier;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::config::{SslMode, SslNegotiation};
use tokio_postgres::error::SqlState;
use tokio_postgres_rustls::MakeRustlsConnect;

pub(crate) use address::{Wishes, split};
use verifier::{AnyCertificate, ChainOnly};

use crate::settings::ConnectError;

/// The protocol's registered name, without which servers refuse TLS that was not agreed upon.
const PROTOCOL: &[u8] = b"postgresql";

/// How a connection is protected.
#[derive(Clone)]
pub(crate) enum Encryption {
    /// Not at all.
    Off,
    /// By TLS where that works.
    Preferred(MakeRustlsConnect),
    /// By TLS, or there is no connection.
    Demanded(MakeRustlsConnect),
}

impl Encryption {
    /// What the client has to insist on.
    pub(crate) fn mode(&self) -> SslMode {
        match self {
            Self::Off => SslMode::Disable,
            Self::Preferred(_) => SslMode::Prefer,
            Self::Demanded(_) => SslMode::Require,
        }
    }
}

/// The values of `sslmode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Disable,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

/// The values of `sslrootcert`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Roots {
    System,
    File(PathBuf),
}

/// What is looked at in the server's certificate.
enum Check {
    Nothing,
    Chain(RootCertStore),
    ChainAndName(RootCertStore),
}

impl Wishes {
    /// What the address asks for.
    pub(crate) fn encryption(
        &self,
        negotiation: SslNegotiation,
    ) -> Result<Encryption, ConnectError> {
        let mode = match (self.mode, &self.roots) {
            (Some(Mode::Disable | Mode::Prefer | Mode::Require), Some(Roots::System)) => {
                return Err(ConnectError::TlsContradiction(
                    "sslrootcert=system is there to check the server's certificate, and its sslmode does not. Write sslmode=verify-full, or leave sslrootcert out",
                ));
            }
            (Some(mode), _) => mode,
            (None, Some(Roots::System)) => Mode::VerifyFull,
            (None, _) => Mode::Prefer,
        };
        let connector = |check| connector(check, negotiation);
        Ok(match mode {
            Mode::Disable => Encryption::Off,
            Mode::Prefer => Encryption::Preferred(connector(self.check_if_wished()?)?),
            Mode::Require => Encryption::Demanded(connector(self.check_if_wished()?)?),
            Mode::VerifyCa => {
                self.warn_of_strangers();
                Encryption::Demanded(connector(Check::Chain(self.roots()?))?)
            }
            Mode::VerifyFull => {
                Encryption::Demanded(connector(Check::ChainAndName(self.roots()?))?)
            }
        })
    }

    fn check_if_wished(&self) -> Result<Check, ConnectError> {
        Ok(match self.roots {
            Some(_) => Check::Chain(self.roots()?),
            None => Check::Nothing,
        })
    }

    fn roots(&self) -> Result<RootCertStore, ConnectError> {
        match &self.roots {
            Some(Roots::File(path)) => from_file(path),
            Some(Roots::System) | None => from_system(),
        }
    }

    fn warn_of_strangers(&self) {
        if !matches!(self.roots, Some(Roots::File(_))) {
            tracing::warn!(
                "sslmode=verify-ca takes the certificate of any host that the system's roots vouch for: write sslmode=verify-full, or name your own root with sslrootcert"
            );
        }
    }
}

fn from_file(path: &Path) -> Result<RootCertStore, ConnectError> {
    let unusable = |source| ConnectError::RootCertificates {
        path: path.to_owned(),
        source,
    };
    let text = fs::read(path).map_err(|error| unusable(error.into()))?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let store = store(found.map_err(|error| unusable(error.into()))?);
    store.ok_or_else(|| unusable("it holds no root certificate".into()))
}

fn from_system() -> Result<RootCertStore, ConnectError> {
    let found = rustls_native_certs::load_native_certs();
    let fault = found.errors.into_iter().next();
    store(found.certs).ok_or_else(|| {
        ConnectError::SystemRoots(fault.map_or_else(|| "none was found".into(), Into::into))
    })
}

/// Bundles hold odd ones among the good: those prove nothing, and are left out.
fn store(certificates: Vec<CertificateDer<'static>>) -> Option<RootCertStore> {
    let mut store = RootCertStore::empty();
    let (usable, _odd) = store.add_parsable_certificates(certificates);
    (usable > 0).then_some(store)
}

fn connector(check: Check, negotiation: SslNegotiation) -> Result<MakeRustlsConnect, ConnectError> {
    // Not the process's default, which others set.
    let provider: Arc<CryptoProvider> = aws_lc_rs::default_provider().into();
    let algorithms = provider.signature_verification_algorithms;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| ConnectError::Tls(error.into()))?;
    let builder = match check {
        Check::Nothing => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate { algorithms })),
        Check::Chain(roots) => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(ChainOnly { roots, algorithms })),
        Check::ChainAndName(roots) => builder.with_root_certificates(roots),
    };
    let mut config = builder.with_no_client_auth();
    if negotiation == SslNegotiation::Direct {
        config.alpn_protocols = vec![PROTOCOL.to_vec()];
    }
    Ok(MakeRustlsConnect::new(config))
}

/// Why the client got no connection.
pub(crate) fn failed(error: tokio_postgres::Error) -> ConnectError {
    // The client tells its kinds apart by their words only.
    if error.to_string() == "error performing TLS handshake" {
        ConnectError::Tls(error.into())
    } else {
        ConnectError::Unreachable(error.into())
    }
}

/// Whether `prefer` tries again without TLS: when TLS failed, or the server lets nobody in that
/// way. A wrong password stays wrong, and is not sent again where everybody could read it.
pub(crate) fn goes_without(error: &ConnectError) -> bool {
    match error {
        ConnectError::Tls(_) => true,
        ConnectError::Unreachable(cause) => cause
            .downcast_ref::<tokio_postgres::Error>()
            .and_then(tokio_postgres::Error::code)
            .is_some_and(|code| *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
