//! Every case about money on the treasury in memory, and histories that it lives through beside
//! itself, which shows that a seed decides everything.

use std::collections::BTreeSet;

use tarsify_testing::contract::money::{all, history};
use tarsify_testing::{FakeTreasury, MoneyWorld, money_contract_tests};

async fn treasury() -> MoneyWorld {
    FakeTreasury::world()
}

money_contract_tests!(treasury);

#[test]
fn every_case_has_its_own_name() {
    let names: BTreeSet<_> = all().iter().map(|case| case.name).collect();
    assert_eq!(names.len(), all().len());
    assert!(names.len() >= 60);
}

#[tokio::test]
async fn the_reference_agrees_with_itself() {
    for seed in 0..40 {
        history::live(seed, 150, FakeTreasury::world(), FakeTreasury::world()).await;
    }
}
