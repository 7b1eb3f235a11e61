//! Every contract suite on the fakes.

use std::collections::BTreeSet;

use tarsify_testing::contract::all;
use tarsify_testing::{FakeStore, World, contract_tests};

async fn fake_world() -> World {
    FakeStore::new().world()
}

contract_tests!(fake_world);

#[test]
fn every_case_has_its_own_name() {
    let names: BTreeSet<_> = all().iter().map(|case| case.name).collect();
    assert_eq!(names.len(), all().len());
    assert!(names.contains("search::punctuation_parts_words"));
}
