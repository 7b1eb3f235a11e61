//! Packages of credits, and who changed them.

use tarsify_domain::audit::Actor;
use tarsify_domain::id::{DeveloperId, PackageId};
use tarsify_domain::money::Credits;
use tarsify_domain::payments::{CreditPackage, PackageAmounts, PackageRepository, Shown};
use tarsify_domain::{RepoError, Version};

use crate::bank::Bank;
use crate::things::moment;

fn package(number: i64, price_cents: i64) -> CreditPackage {
    CreditPackage {
        id: PackageId::new(moment(number)),
        amounts: PackageAmounts {
            credits: Credits::new(1_000),
            bonus: Credits::new(50),
            price_cents,
        },
        currency: "usd".to_owned(),
        is_popular: true,
        is_active: true,
        version: Version::FIRST,
        created_at: moment(number),
        updated_at: moment(number),
    }
}

fn somebody() -> Actor {
    Actor {
        issuer: "https://issuer.example".to_owned(),
        subject: "the administrator".to_owned(),
        developer: Some(DeveloperId::new(moment(1))),
    }
}

const AUDIT: &str = "SELECT format('%s %s %s %s %s %s', action, about, about_id, subject, \
    developer_id, data) FROM audit_entries ORDER BY id";

#[tokio::test]
async fn the_five_packages_are_there_the_cheapest_first() {
    let bank = Bank::open().await;
    let listed = bank.packages.list(Shown::OnOffer).await.unwrap();
    let credits: Vec<_> = listed.iter().map(|one| one.amounts.credits.get()).collect();
    assert_eq!(credits, [500, 1_000, 2_500, 5_000, 10_000]);
    assert!(
        listed
            .iter()
            .all(|one| one.amounts.price_cents == one.amounts.credits.get())
    );
    assert_eq!(listed.iter().filter(|one| one.is_popular).count(), 1);
}

#[tokio::test]
async fn a_package_is_made_and_found_as_it_was_and_its_maker_is_remembered() {
    let bank = Bank::open().await;
    let new = package(7, 999);
    let actor = somebody();
    bank.packages.create(&new, &actor).await.unwrap();
    assert_eq!(bank.packages.find(new.id).await.unwrap(), Some(new.clone()));
    let listed = bank.packages.list(Shown::All).await.unwrap();
    assert_eq!(
        listed[1].id, new.id,
        "it stands after the one for 500 cents"
    );
    let (id, developer) = (new.id, actor.developer.unwrap());
    let expected = format!(
        "package.create credit_package {id} the administrator {developer} \
         {{\"credits\": 1000, \"currency\": \"usd\", \"isActive\": true, \"isPopular\": true, \
         \"priceCents\": 999, \"bonusCredits\": 50}}"
    );
    assert_eq!(bank.sql(AUDIT).await, [expected]);
    let again = bank.packages.create(&new, &actor).await;
    assert!(matches!(again, Err(RepoError::Internal(_))), "{again:?}");
    assert_eq!(bank.sql(AUDIT).await.len(), 1);
}

#[tokio::test]
async fn a_package_is_revised_only_where_it_stands() {
    let bank = Bank::open().await;
    let mut known = package(7, 999);
    bank.packages.create(&known, &somebody()).await.unwrap();
    known.is_active = false;
    known.amounts.bonus = Credits::new(60);
    known.updated_at = moment(8);
    let actor = Actor {
        developer: None,
        ..somebody()
    };
    let revised = bank.packages.revise(&known, &actor).await.unwrap();
    assert_eq!(
        revised,
        CreditPackage {
            version: Version::FIRST.next(),
            ..known.clone()
        }
    );
    assert_eq!(bank.packages.find(known.id).await.unwrap(), Some(revised));
    let stale = bank.packages.revise(&known, &actor).await;
    assert!(matches!(stale, Err(RepoError::Stale)), "{stale:?}");
    let audit = bank.sql(AUDIT).await;
    assert_eq!(audit.len(), 2, "{audit:?}");
    assert!(audit[1].starts_with("package.revise") && audit[1].contains("\"bonusCredits\": 60"));
    let on_offer = bank.packages.list(Shown::OnOffer).await.unwrap();
    assert_eq!(on_offer.len(), 5);
    assert_eq!(bank.packages.list(Shown::All).await.unwrap().len(), 6);
    let nowhere = bank.packages.find(PackageId::new(moment(99))).await;
    assert_eq!(nowhere.unwrap(), None);
}
