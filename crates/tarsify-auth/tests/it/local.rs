//! Local identities: their tokens in both realms, and their key on disk.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tarsify_auth::{AuthSettings, LOCAL_ISSUER, LocalIdentities, LocalIdentityError, LocalKind};
use tarsify_domain::clock::Clock;
use tarsify_domain::people::{AdminRule, Realm};
use tarsify_domain::text::EmailAddress;
use time::Duration;

use crate::forge::{first_key, key_set, unsigned_token};
use crate::key_server::Answer;
use crate::world::{
    World, firebase_settings, hour_of_first_key, is_expired, is_invalid, other, with,
};

fn email() -> EmailAddress {
    EmailAddress::parse("ada@example.com").unwrap()
}

fn issue(world: &World, identities: &LocalIdentities, kind: LocalKind, seconds: i64) -> String {
    let lifetime = Duration::seconds(seconds);
    identities
        .issue(kind, &email(), lifetime, world.clock.now())
        .unwrap()
}

async fn world_with(identities: &LocalIdentities) -> World {
    let settings = AuthSettings {
        local: Some(identities.issuer()),
        ..firebase_settings()
    };
    World::with(settings, hour_of_first_key()).await
}

#[tokio::test]
async fn a_local_token_is_good_in_its_realm_only() {
    let folder = tempfile::tempdir().unwrap();
    let identities = LocalIdentities::open(folder.path()).unwrap();
    let world = world_with(&identities).await;
    for kind in LocalKind::ALL {
        let token = issue(&world, &identities, kind, 600);
        for _ in 0..2 {
            let identity = world.check(kind.realm(), &token).await.unwrap();
            assert_eq!(identity.key.realm, kind.realm());
            assert_eq!(identity.key.issuer, LOCAL_ISSUER);
            assert_eq!(identity.key.subject, kind.subject(&email()));
            assert_eq!(identity.email, Some(email()));
            assert!(identity.email_is_verified);
            assert!(identity.name.is_some());
            assert_eq!(identity.authenticated_at, world.clock.now());
            let is_admin = identity.key.subject.starts_with(AdminRule::LOCAL_PREFIX);
            assert_eq!(is_admin, kind == LocalKind::Admin);
        }
        let foreign = world.check(other(kind.realm()), &token).await;
        assert!(is_invalid(&foreign), "{kind:?}: {foreign:?}");
    }
    assert_eq!(world.server.requests(), 0, "Firebase's keys are not needed");
    let firebase = first_key().token(&world.claims(Realm::Consumers));
    assert!(world.check(Realm::Consumers, &firebase).await.is_ok());
}

#[tokio::test]
async fn a_local_token_expires() {
    let folder = tempfile::tempdir().unwrap();
    let identities = LocalIdentities::open(folder.path()).unwrap();
    let world = world_with(&identities).await;
    let late = issue(&world, &identities, LocalKind::Admin, -1);
    assert!(is_expired(&world.check(Realm::Developers, &late).await));
    let token = issue(&world, &identities, LocalKind::Admin, 600);
    assert!(world.check(Realm::Developers, &token).await.is_ok());
    world.clock.advance(600);
    assert!(is_expired(&world.check(Realm::Developers, &token).await));
}

#[tokio::test]
async fn one_issuer_cannot_speak_for_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let identities = LocalIdentities::open(folder.path()).unwrap();
    let settings = AuthSettings {
        local: Some(identities.issuer()),
        emulator: true,
        ..firebase_settings()
    };
    let world = World::with(settings, hour_of_first_key()).await;
    let mut local_claims = world.claims(Realm::Consumers);
    local_claims = with(local_claims, "iss", json!(LOCAL_ISSUER));
    local_claims = with(local_claims, "aud", json!("tarsify-local-consumers"));
    let named = json!({"alg": "RS256", "kid": identities.key_id()});
    let table = [
        ("Firebase's key", first_key().token(&local_claims)),
        (
            "the local key's name",
            first_key().token_with_header(&named, &local_claims),
        ),
        (
            "nothing",
            unsigned_token(&json!({"alg": "none"}), &local_claims),
        ),
        ("a local name on Firebase's claims", {
            first_key().token_with_header(&named, &world.claims(Realm::Consumers))
        }),
    ];
    for (why, token) in table {
        let outcome = world.check(Realm::Consumers, &token).await;
        assert!(is_invalid(&outcome), "{why}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_local_token_proves_nothing_where_they_are_off_or_another_machines() {
    let folder = tempfile::tempdir().unwrap();
    let identities = LocalIdentities::open(folder.path()).unwrap();
    let world = World::new().await;
    let token = issue(&world, &identities, LocalKind::Consumer, 600);
    assert!(is_invalid(&world.check(Realm::Consumers, &token).await));
    let elsewhere = tempfile::tempdir().unwrap();
    let others = LocalIdentities::open(elsewhere.path()).unwrap();
    let world = world_with(&others).await;
    assert!(is_invalid(&world.check(Realm::Consumers, &token).await));
}

#[tokio::test]
async fn the_published_key_is_one_that_a_key_cache_takes() {
    let folder = tempfile::tempdir().unwrap();
    let identities = LocalIdentities::open(folder.path()).unwrap();
    let jwks = identities.jwks();
    let keys = jwks["keys"].as_array().unwrap();
    let members: BTreeSet<_> = keys[0].as_object().unwrap().keys().collect();
    let expected = ["alg", "e", "kid", "kty", "n", "use"].map(str::to_owned);
    assert_eq!(members, expected.iter().collect(), "nothing private");
    assert_eq!(keys[0]["kid"], json!(identities.key_id()));
    let mut published: Value = serde_json::from_str(&key_set(&[])).unwrap();
    published["keys"] = jwks["keys"].clone();
    let answer = Answer::fresh_for(600, published.to_string());
    let world = World::with(firebase_settings(), answer).await;
    world
        .check(
            Realm::Consumers,
            &first_key().token(&world.claims(Realm::Consumers)),
        )
        .await
        .unwrap_err();
    assert!(world.keys.has_keys());
}

fn mode(path: &Path) -> u32 {
    let permissions = fs::metadata(path).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::mode(&permissions) & 0o777
}

#[test]
fn the_key_is_kept_and_only_its_owner_can_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("deep").join("data");
    let first = LocalIdentities::open(&data_dir).unwrap();
    let again = LocalIdentities::open(&data_dir).unwrap();
    assert_eq!(first.key_id(), again.key_id());
    let identity = data_dir.join("identity");
    assert_eq!(mode(&identity), 0o700);
    assert_eq!(mode(&identity.join("signing-key.pem")), 0o600);
    let pem = fs::read_to_string(identity.join("signing-key.pem")).unwrap();
    assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----\n"));
    let told = format!("{first:?} {:?} {}", first.issuer(), first.jwks());
    let secret = pem.lines().nth(5).unwrap();
    assert!(!told.contains(secret));
}

#[test]
fn a_draft_left_by_a_killed_process_does_not_matter() {
    let folder = tempfile::tempdir().unwrap();
    let identity = folder.path().join("identity");
    fs::create_dir(&identity).unwrap();
    fs::write(identity.join("signing-key.new"), "half a key").unwrap();
    LocalIdentities::open(folder.path()).unwrap();
    assert_eq!(mode(&identity.join("signing-key.pem")), 0o600);
    assert!(!identity.join("signing-key.new").exists());
}

#[test]
fn a_file_that_holds_no_key_is_named() {
    let weak = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let public = first_key().public_pem.as_str();
    for content in ["", "no key", weak, public] {
        let folder = tempfile::tempdir().unwrap();
        let identity = folder.path().join("identity");
        fs::create_dir(&identity).unwrap();
        fs::write(identity.join("signing-key.pem"), content).unwrap();
        let error = LocalIdentities::open(folder.path()).unwrap_err();
        assert!(
            matches!(error, LocalIdentityError::Malformed { .. }),
            "{content}"
        );
        let told = error.to_string();
        assert!(
            told.contains("signing-key.pem") && told.contains("delete it"),
            "{told}"
        );
        let kept = fs::read_to_string(identity.join("signing-key.pem")).unwrap();
        assert_eq!(kept, content, "nothing is overwritten");
    }
}

#[test]
fn a_folder_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("identity/signing-key.pem")).unwrap();
    let error = LocalIdentities::open(folder.path()).unwrap_err();
    let told = error.to_string();
    assert!(
        matches!(error, LocalIdentityError::File { .. }),
        "{error:?}"
    );
    assert!(told.contains("signing-key.pem could not be read"), "{told}");
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("data"), "a file").unwrap();
    let error = LocalIdentities::open(&folder.path().join("data")).unwrap_err();
    assert!(
        matches!(error, LocalIdentityError::File { .. }),
        "{error:?}"
    );
}

#[test]
fn threads_that_race_have_one_key() {
    let folder = tempfile::tempdir().unwrap();
    let ids: BTreeSet<_> = std::thread::scope(|scope| {
        let racers: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| LocalIdentities::open(folder.path()).unwrap()))
            .collect();
        let opened = racers.into_iter().map(|racer| racer.join().unwrap());
        opened.map(|racer| racer.key_id().to_owned()).collect()
    });
    assert_eq!(ids.len(), 1);
}

/// Names the file by which a child process knows that it is one.
const RACE: &str = "this-is-a-race";

#[test]
fn processes_that_race_have_one_key() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(RACE), "").unwrap();
    let children: Vec<_> = (0..4)
        .map(|_| {
            Command::new(std::env::current_exe().unwrap())
                .args([
                    "--exact",
                    "local::opens_the_key_as_a_child_process",
                    "--ignored",
                ])
                .current_dir(folder.path())
                .stdout(std::process::Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    let processes = children.len();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let ids: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "opened")
        })
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    assert_eq!(ids.len(), processes);
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 1);
}

#[test]
#[ignore = "processes_that_race_have_one_key runs it in child processes"]
fn opens_the_key_as_a_child_process() {
    if Path::new(RACE).exists() {
        let identities = LocalIdentities::open(Path::new(".")).unwrap();
        let path = format!("{}.opened", std::process::id());
        fs::write(path, identities.key_id()).unwrap();
    }
}
