//! Administrators at the gate: by role, by the operator's list, or locally by name.

use tarsify_domain::people::{AdminRule, Credential, PersonStatus, Realm, Role, VerifiedIdentity};
use tarsify_testing::builders::{identity, issuer};
use tarsify_testing::clock::MOMENT;
use time::Duration;

use super::reception::{Door, Reception};

const LOCAL: &str = "https://local.example.com";

/// The operator named one subject and lets a local issuer vouch.
fn rule() -> AdminRule {
    AdminRule {
        subjects: ["uid-of-ada".to_owned()].into(),
        local_issuer: Some(LOCAL.to_owned()),
    }
}

fn vouched_by(issuer: &str, subject: &str) -> VerifiedIdentity {
    let mut who = identity(Realm::Developers, subject);
    issuer.clone_into(&mut who.key.issuer);
    who
}

#[tokio::test]
async fn who_is_an_administrator_without_a_role() {
    let known = issuer(Realm::Developers);
    let table = [
        (known, "uid-of-ada", "ok", "the operator named her"),
        (known, "uid-of-ad", "NotAdmin", "a part of a name"),
        (known, "uid-of-ada2", "NotAdmin", "more than the name"),
        (known, "UID-OF-ADA", "NotAdmin", "subjects have case"),
        (known, "dora", "NotAdmin", "nobody named her"),
        (
            known,
            "admin:dora",
            "NotAdmin",
            "the prefix is the local issuer's",
        ),
        (LOCAL, "admin:dora", "ok", "local, and so called"),
        (LOCAL, "admin:", "ok", "local, and so called"),
        (LOCAL, "dora", "NotAdmin", "local, but not so called"),
        (LOCAL, "Admin:dora", "NotAdmin", "the prefix has case"),
        (LOCAL, "not-admin:dora", "NotAdmin", "it is a prefix"),
        (
            LOCAL,
            "uid-of-ada",
            "NotAdmin",
            "anybody may take that name locally",
        ),
    ];
    for (issuer, subject, wanted, why) in table {
        let hall = Reception::with_admins(rule());
        let token = hall.authenticator.token(vouched_by(issuer, subject));
        assert_eq!(hall.knock(Door::Admin, &token).await, wanted, "{why}");
        // A profile without a role neither gives nor takes anything.
        let (_, token) = hall.developer(vouched_by(issuer, subject)).await;
        assert_eq!(hall.knock(Door::Admin, &token).await, wanted, "{why}");
    }
}

#[tokio::test]
async fn without_a_rule_only_the_role_counts() {
    let hall = Reception::new();
    for issuer in [issuer(Realm::Developers), LOCAL, ""] {
        for subject in ["uid-of-ada", "admin:dora"] {
            let token = hall.authenticator.token(vouched_by(issuer, subject));
            let answer = hall.knock(Door::Admin, &token).await;
            assert_eq!(answer, "NotAdmin", "{subject} of {issuer}");
        }
    }
    let (dora, token) = hall.developer(identity(Realm::Developers, "dora")).await;
    assert_eq!(hall.knock(Door::Admin, &token).await, "NotAdmin");
    hall.store
        .edit_developer(dora.id, |stored| stored.role = Role::Admin);
    assert_eq!(hall.knock(Door::Admin, &token).await, "ok");
    hall.store
        .edit_developer(dora.id, |stored| stored.role = Role::User);
    assert_eq!(hall.knock(Door::Admin, &token).await, "NotAdmin");
}

#[tokio::test]
async fn the_role_is_that_of_the_very_identity() {
    let hall = Reception::new();
    let (dora, _) = hall.developer(identity(Realm::Developers, "dora")).await;
    hall.store
        .edit_developer(dora.id, |stored| stored.role = Role::Admin);
    let token = hall.authenticator.token(vouched_by(LOCAL, "dora"));
    assert_eq!(hall.knock(Door::Admin, &token).await, "NotAdmin");
}

#[tokio::test]
async fn a_consumer_is_no_administrator_whatever_he_is_called() {
    let hall = Reception::with_admins(rule());
    for (issuer, subject) in [
        (issuer(Realm::Consumers), "uid-of-ada"),
        (LOCAL, "admin:dora"),
    ] {
        let mut who = identity(Realm::Consumers, subject);
        issuer.clone_into(&mut who.key.issuer);
        let (_, token) = hall.consumer(who.clone()).await;
        let answer = hall.knock(Door::Admin, &token).await;
        assert!(answer.starts_with("Invalid("), "{answer}");
        // Even were the authenticator to mix the realms up.
        hall.authenticator.accept(Realm::Developers, &token, who);
        assert_eq!(hall.knock(Door::Admin, &token).await, "NotAdmin");
    }
}

#[tokio::test]
async fn an_administrator_is_known_with_his_profile_if_he_has_one() {
    let hall = Reception::with_admins(rule());
    let ada = identity(Realm::Developers, "uid-of-ada");
    let token = hall.authenticator.token(ada.clone());
    let admin = hall.gate.admin(Credential::Bearer(&token)).await.unwrap();
    assert_eq!((admin.identity, admin.developer), (ada.clone(), None));
    let (profile, token) = hall.developer(ada.clone()).await;
    let admin = hall.gate.admin(Credential::Bearer(&token)).await.unwrap();
    assert_eq!((admin.identity, admin.developer), (ada, Some(profile.id)));
}

#[tokio::test]
async fn an_administrator_who_may_not_act_is_refused_however_he_became_one() {
    let by_role = vouched_by(issuer(Realm::Developers), "dora");
    let by_name = vouched_by(issuer(Realm::Developers), "uid-of-ada");
    let locally = vouched_by(LOCAL, "admin:emil");
    for who in [by_role, by_name, locally] {
        let hall = Reception::with_admins(rule());
        let (dora, token) = hall.developer(who.clone()).await;
        if who.key.subject == "dora" {
            hall.store
                .edit_developer(dora.id, |stored| stored.role = Role::Admin);
        }
        assert_eq!(hall.knock(Door::Admin, &token).await, "ok");
        for (later, wanted) in [(0, "ok"), (1, "Revoked")] {
            let valid_after = Some(MOMENT + Duration::microseconds(later));
            hall.store
                .edit_developer(dora.id, |stored| stored.tokens_valid_after = valid_after);
            assert_eq!(hall.knock(Door::Admin, &token).await, wanted, "{who:?}");
        }
        hall.store
            .edit_developer(dora.id, |stored| stored.status = PersonStatus::Disabled);
        assert_eq!(hall.knock(Door::Admin, &token).await, "Disabled", "{who:?}");
    }
}
