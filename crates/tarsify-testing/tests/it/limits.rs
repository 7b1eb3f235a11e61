//! Every case about limits on the store in memory, and what it remembers of changes.

use tarsify_domain::audit::Actor;
use tarsify_domain::limits::{Author, LimitSettingsRepository};
use tarsify_testing::contract::limits::LimitWorld;
use tarsify_testing::{FakeLimitSettings, limit_contract_tests};

async fn fake() -> LimitWorld {
    LimitWorld {
        settings: FakeLimitSettings::new(),
        keep: Box::new(()),
    }
}

limit_contract_tests!(fake);

#[tokio::test]
async fn changes_are_remembered() {
    let settings = FakeLimitSettings::new();
    let first = settings.find().await.unwrap();
    let by = Author {
        actor: Actor {
            issuer: "https://issuer.example.com".to_owned(),
            subject: "ada".to_owned(),
            developer: None,
        },
        reason: None,
    };
    settings.revise(&first, &by).await.unwrap();
    settings.revise(&first, &by).await.unwrap_err();
    assert_eq!(settings.audit(), [by]);
}
