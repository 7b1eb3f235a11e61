//! What a token costs: one that is seen for the first time against one that is known.
#![expect(
    clippy::expect_used,
    reason = "a benchmark that cannot be set up has nothing to measure"
)]

use std::sync::Arc;

use divan::Bencher;
use tarsify_auth::{
    AuthSettings, FIREBASE_JWKS_URL, JwksCache, JwksSettings, LocalIdentities, LocalKind,
    TokenAuthenticator,
};
use tarsify_domain::clock::{Clock, Timestamp};
use tarsify_domain::people::{Authenticator, Credential, Realm};
use tarsify_domain::text::EmailAddress;
use time::Duration;
use tokio::runtime::{Builder, Runtime};

struct StoppedClock;

impl Clock for StoppedClock {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH + Duration::days(20_000)
    }
}

struct Setup {
    runtime: Runtime,
    identities: LocalIdentities,
    keys: JwksCache,
    token: String,
    _folder: tempfile::TempDir,
}

impl Setup {
    fn new() -> Self {
        let runtime = Builder::new_current_thread().build().expect("a runtime");
        let folder = tempfile::tempdir().expect("a folder");
        let identities = LocalIdentities::open(folder.path()).expect("a key");
        let settings = JwksSettings::new(FIREBASE_JWKS_URL);
        let keys = JwksCache::new(settings, Arc::new(StoppedClock)).expect("a cache");
        let email = EmailAddress::parse("ada@example.com").expect("an address");
        let lifetime = Duration::hours(1);
        let token = identities
            .issue(LocalKind::Consumer, &email, lifetime, StoppedClock.now())
            .expect("a token");
        Self {
            runtime,
            identities,
            keys,
            token,
            _folder: folder,
        }
    }

    fn authenticator(&self) -> TokenAuthenticator {
        let settings = AuthSettings {
            local: Some(self.identities.issuer()),
            ..AuthSettings::default()
        };
        TokenAuthenticator::new(settings, &self.keys, Arc::new(StoppedClock)).expect("settings")
    }

    fn check(&self, authenticator: &TokenAuthenticator) -> bool {
        let credential = Credential::Bearer(&self.token);
        let check = authenticator.authenticate(Realm::Consumers, credential);
        self.runtime.block_on(check).is_ok()
    }
}

#[divan::bench]
fn a_token_seen_for_the_first_time(bencher: Bencher<'_, '_>) {
    let setup = Setup::new();
    assert!(setup.check(&setup.authenticator()));
    bencher
        .with_inputs(|| setup.authenticator())
        .bench_refs(|authenticator| setup.check(authenticator));
}

#[divan::bench]
fn a_known_token(bencher: Bencher<'_, '_>) {
    let setup = Setup::new();
    let authenticator = setup.authenticator();
    assert!(setup.check(&authenticator));
    bencher.bench(|| setup.check(&authenticator));
}

fn main() {
    divan::main();
}
