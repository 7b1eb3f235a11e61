//! The suite that every store of limits has to pass, and what only a database can show.

use tarsify_db::PgLimitSettingsRepository;
use tarsify_domain::audit::{Actor, Reason};
use tarsify_domain::limits::{Author, LimitSettingsRepository};
use tarsify_testing::contract::limits::LimitWorld;
use tarsify_testing::limit_contract_tests;

use crate::support::database;

async fn postgres() -> LimitWorld {
    let kept = database().await;
    LimitWorld {
        settings: std::sync::Arc::new(PgLimitSettingsRepository::new(kept.database.clone())),
        keep: Box::new(kept),
    }
}

limit_contract_tests!(postgres);

#[tokio::test]
async fn who_changed_them_and_why_is_remembered() {
    let kept = database().await;
    let repository = PgLimitSettingsRepository::new(kept.database.clone());
    let first = repository.find().await.unwrap();
    let by = Author {
        actor: Actor {
            issuer: "https://issuer.example.com".to_owned(),
            subject: "ada".to_owned(),
            developer: None,
        },
        reason: Reason::parse("a crowd is coming").ok(),
    };
    let silent = Author {
        reason: None,
        ..by.clone()
    };
    let second = repository.revise(&first, &by).await.unwrap();
    repository.revise(&first, &by).await.unwrap_err();
    repository.revise(&second, &silent).await.unwrap();
    let remembered = "SELECT format('%s %s %s %s', action, subject, coalesce(reason, '-'), \
        data = (SELECT settings FROM rate_limit_settings)) FROM audit_entries ORDER BY id";
    assert_eq!(
        kept.sql(remembered).await,
        [
            "limits.revise ada a crowd is coming t",
            "limits.revise ada - t"
        ]
    );
}

#[tokio::test]
async fn what_somebody_wrote_by_hand_and_nobody_can_read_is_a_failure_and_no_surprise() {
    let kept = database().await;
    kept.sql("UPDATE rate_limit_settings SET settings = '{\"tiers\": []}'")
        .await;
    let repository = PgLimitSettingsRepository::new(kept.database.clone());
    assert!(repository.find().await.is_err());
}
