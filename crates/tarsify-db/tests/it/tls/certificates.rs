//! Certificates made for one server: its own, the root behind it, and a root that is not.

use std::fs;
use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

/// The files of the roots.
pub(super) struct Certificates {
    pub(super) roots: String,
    pub(super) other_roots: String,
}

/// Writes `server.crt` and `server.key` for a server of these names, and the roots.
pub(super) fn make(folder: &Path, names: &[&str]) -> Certificates {
    let write = |name: &str, text: String| {
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (roots, issuer) = authority("ours");
    let (other_roots, _) = authority("another");
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut server = CertificateParams::new(names).unwrap();
    server.use_authority_key_identifier_extension = true;
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate().unwrap();
    write("server.crt", server.signed_by(&key, &issuer).unwrap().pem());
    write("server.key", key.serialize_pem());
    Certificates {
        roots: write("roots.pem", roots),
        other_roots: write("other-roots.pem", other_roots),
    }
}

fn authority(name: &str) -> (String, Issuer<'static, KeyPair>) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.distinguished_name.push(DnType::CommonName, name);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    (certificate.pem(), Issuer::new(params, key))
}
