//! Where the roots come from, and when `prefer` gives up.

use std::fs;

use tokio_postgres::config::SslNegotiation;

use super::{Encryption, Mode, Roots, Wishes, goes_without};
use crate::settings::ConnectError;

fn encryption(mode: Option<Mode>, roots: Option<Roots>) -> Result<Encryption, ConnectError> {
    Wishes { mode, roots }.encryption(SslNegotiation::Postgres)
}

#[test]
fn the_systems_roots_stand_in_for_a_file_and_mean_the_whole_check() {
    for mode in [None, Some(Mode::VerifyFull), Some(Mode::VerifyCa)] {
        let found = encryption(mode, Some(Roots::System));
        // A system without any says so.
        let fits = matches!(
            found,
            Ok(Encryption::Demanded(_)) | Err(ConnectError::SystemRoots(_))
        );
        assert!(fits, "{mode:?}");
    }
    for mode in [Mode::Disable, Mode::Prefer, Mode::Require] {
        let refused = encryption(Some(mode), Some(Roots::System));
        let fits = matches!(refused, Err(ConnectError::TlsContradiction(_)));
        assert!(fits, "{mode:?}");
    }
}

#[test]
fn a_file_without_a_root_is_refused_in_every_mode_that_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("roots.pem");
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for text in [
        "",
        "no certificate",
        broken,
        "-----BEGIN CERTIFICATE-----\n",
    ] {
        fs::write(&path, text).unwrap();
        for mode in [
            Mode::Prefer,
            Mode::Require,
            Mode::VerifyCa,
            Mode::VerifyFull,
        ] {
            let refused = encryption(Some(mode), Some(Roots::File(path.clone())));
            let Err(error @ ConnectError::RootCertificates { .. }) = refused else {
                panic!("{mode:?} took {text:?}");
            };
            assert!(error.to_string().contains("roots.pem"), "{error}");
        }
        encryption(Some(Mode::Disable), Some(Roots::File(path.clone()))).unwrap();
    }
}

#[test]
fn only_a_failure_of_tls_leads_away_from_it() {
    assert!(goes_without(&ConnectError::Tls("refused".into())));
    assert!(!goes_without(&ConnectError::Unreachable("gone".into())));
}
