//! Developers' own profiles, and the roles that operators give them.

use tarsify_domain::people::{
    Developer, DeveloperProfile, PersonStatus, ProfileError, Realm, Role, VerifiedIdentity,
};
use tarsify_domain::text::{AvatarUrl, Bio, Country};
use tarsify_domain::{Expected, Patch, Version};
use tarsify_testing::builders::{email, identity, person_name};

use crate::workshop::{Workshop, answer, one_of};

const ANY: &Expected = &Expected::Any;

fn dora() -> VerifiedIdentity {
    identity(Realm::Developers, "dora")
}

async fn registered(shop: &Workshop) -> Developer {
    shop.developers.register(&dora(), None, None).await.unwrap()
}

async fn stored(shop: &Workshop, who: &VerifiedIdentity) -> Option<Developer> {
    let developers = shop.store.world().developers;
    developers.find_by_identity(&who.key).await.unwrap()
}

#[tokio::test]
async fn a_new_developer_is_an_unverified_user_whose_profile_is_not_complete() {
    let shop = Workshop::new();
    let now = shop.later();
    let made = registered(&shop).await;
    assert_eq!(made.subject, "dora");
    assert_eq!(made.email, Some(email("dora@example.com")));
    assert_eq!(made.display_name, Some(person_name("dora of the token")));
    assert_eq!((made.role, made.status), (Role::User, PersonStatus::Active));
    assert!(!made.is_verified && !made.profile_is_complete);
    assert_eq!(made.version, Version::FIRST);
    assert_eq!((made.created_at, made.updated_at), (now, now));
    assert_eq!(stored(&shop, &dora()).await, Some(made));
}

#[tokio::test]
async fn the_name_in_the_body_wins_and_an_unfit_one_in_the_token_is_left_out() {
    let table = [
        (Some("Dora"), Some("Token"), Some("Dora")),
        (None, Some("  Token  "), Some("Token")),
        (None, Some("T"), None),
        (None, None, None),
    ];
    for (body, token, wanted) in table {
        let shop = Workshop::new();
        let who = VerifiedIdentity {
            name: token.map(str::to_owned),
            ..dora()
        };
        let register = shop.developers.register(&who, None, body.map(person_name));
        let name = register.await.unwrap().display_name;
        assert_eq!(name, wanted.map(person_name), "{body:?}, {token:?}");
    }
}

#[tokio::test]
async fn the_email_is_the_tokens_and_one_in_the_body_must_be_the_same() {
    let known = "dora@example.com";
    let table = [
        (None, Some(known), Ok(Some(known))),
        (None, None, Ok(None)),
        (Some(known), Some(known), Ok(Some(known))),
        (Some("emil@example.com"), Some(known), Err("/email")),
        (Some(known), None, Err("/email")),
    ];
    for (body, token, wanted) in table {
        let shop = Workshop::new();
        let who = VerifiedIdentity {
            email: token.map(email),
            ..dora()
        };
        let body = body.map(email);
        let register = shop.developers.register(&who, body.as_ref(), None).await;
        let answered = match register {
            Ok(made) => Ok(made.email),
            Err(ProfileError::Disagrees(issue)) => Err(issue.path),
            Err(other) => panic!("{other:?}"),
        };
        let wanted = wanted.map(|known| known.map(email)).map_err(str::to_owned);
        assert_eq!(answered, wanted, "{body:?}, {token:?}");
        assert_eq!(stored(&shop, &who).await.is_some(), wanted.is_ok());
    }
}

#[tokio::test]
async fn nobody_registers_twice_nor_with_anothers_email() {
    let shop = Workshop::new();
    let made = registered(&shop).await;
    let again = Some(person_name("Another name"));
    let twice = shop.developers.register(&dora(), None, again).await;
    assert_eq!(answer(twice), "AlreadyRegistered");
    assert_eq!(stored(&shop, &dora()).await, Some(made));
    let emil = VerifiedIdentity {
        email: dora().email,
        ..identity(Realm::Developers, "emil")
    };
    let taken = shop.developers.register(&emil, None, None).await;
    assert_eq!(answer(taken), "AlreadyRegistered");
}

fn profile() -> DeveloperProfile {
    DeveloperProfile {
        display_name: Patch::Set(person_name("Dora D.")),
        avatar_url: Patch::Set(AvatarUrl::parse("https://example.com/dora.png").unwrap()),
        bio: Patch::Set(Bio::parse("Makes pictures.").unwrap()),
        country: Patch::Set(Country::parse("de").unwrap()),
        payout_email: Patch::Set(email("money@example.com")),
    }
}

fn applied(profile: DeveloperProfile, developer: &mut Developer) {
    profile.display_name.apply(&mut developer.display_name);
    profile.avatar_url.apply(&mut developer.avatar_url);
    profile.bio.apply(&mut developer.bio);
    profile.country.apply(&mut developer.country);
    profile.payout_email.apply(&mut developer.payout_email);
}

#[tokio::test]
async fn only_what_is_mentioned_of_the_profile_changes() {
    let nothing = DeveloperProfile::default();
    let cleared = DeveloperProfile {
        display_name: Patch::Clear,
        avatar_url: Patch::Clear,
        bio: Patch::Clear,
        country: Patch::Clear,
        payout_email: Patch::Clear,
    };
    let country = DeveloperProfile {
        country: profile().country,
        ..nothing.clone()
    };
    let no_name = DeveloperProfile {
        display_name: Patch::Clear,
        ..nothing.clone()
    };
    for change in [nothing, profile(), country, no_name, cleared] {
        let shop = Workshop::new();
        let made = registered(&shop).await;
        // Everything is filled first, so that keeping differs from clearing.
        let full = shop.developers.revise(made, ANY, profile()).await.unwrap();
        let mut wanted = full.clone();
        wanted.version = full.version.next();
        wanted.updated_at = shop.later();
        applied(change.clone(), &mut wanted);
        let revised = shop.developers.revise(full, ANY, change).await;
        assert_eq!(revised.unwrap(), wanted);
        assert_eq!(stored(&shop, &dora()).await, Some(wanted));
    }
}

#[tokio::test]
async fn completing_changes_the_profile_and_marks_it_and_revising_keeps_the_mark() {
    let shop = Workshop::new();
    let made = registered(&shop).await;
    let mut wanted = made.clone();
    wanted.version = made.version.next();
    wanted.updated_at = shop.later();
    wanted.profile_is_complete = true;
    applied(profile(), &mut wanted);
    let completed = shop.developers.complete(made, ANY, profile()).await;
    let completed = completed.unwrap();
    assert_eq!(completed, wanted);
    let nothing = DeveloperProfile::default();
    let revised = shop.developers.revise(completed, ANY, nothing).await;
    assert!(revised.unwrap().profile_is_complete);
}

#[tokio::test]
async fn the_version_he_read_is_the_one_he_changes() {
    let table = [
        // What he says, whether somebody was quicker, and the answer.
        (Expected::Any, false, "ok"),
        (one_of(&[3, 1]), false, "ok"),
        (one_of(&[2]), false, "PreconditionFailed"),
        (one_of(&[]), false, "PreconditionFailed"),
        (Expected::Any, true, "Repo(Stale)"),
        (one_of(&[1]), true, "PreconditionFailed"),
    ];
    for (expected, somebody_was_quicker, wanted) in table {
        for completes in [false, true] {
            let shop = Workshop::new();
            let made = registered(&shop).await;
            if somebody_was_quicker {
                let quick = DeveloperProfile::default();
                let revise = shop.developers.revise(made.clone(), ANY, quick);
                revise.await.unwrap();
            }
            let before = stored(&shop, &dora()).await;
            let revision = shop.changes.revision();
            let answered = if completes {
                shop.developers.complete(made, &expected, profile()).await
            } else {
                shop.developers.revise(made, &expected, profile()).await
            };
            assert_eq!(answer(answered), wanted, "{expected:?}");
            let is_done = wanted == "ok";
            assert_eq!(stored(&shop, &dora()).await != before, is_done);
            assert_eq!(shop.changes.revision() != revision, is_done);
        }
    }
}

#[tokio::test]
async fn a_role_is_given_and_taken_by_email() {
    let shop = Workshop::new();
    let made = registered(&shop).await;
    for role in [Role::Admin, Role::User] {
        let address = email("Dora@Example.com");
        let given = shop.developers.assign_role(&address, role).await.unwrap();
        assert_eq!((given.id, given.role), (made.id, role));
        assert_eq!(stored(&shop, &dora()).await, Some(given));
    }
    let strange = email("nobody@example.com");
    let given = shop.developers.assign_role(&strange, Role::Admin).await;
    assert_eq!(answer(given), "NotFound");
}

/// Whatever the developer at hand claims to be, only his profile is written.
#[tokio::test]
async fn a_developer_cannot_give_himself_a_role_or_verify_himself() {
    let shop = Workshop::new();
    let made = registered(&shop).await;
    let forged = Developer {
        role: Role::Admin,
        is_verified: true,
        status: PersonStatus::Disabled,
        ..made
    };
    let revised = shop
        .developers
        .revise(forged, ANY, profile())
        .await
        .unwrap();
    assert_eq!((revised.role, revised.is_verified), (Role::User, false));
    assert_eq!(revised.status, PersonStatus::Active);
}
