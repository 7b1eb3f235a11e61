//! The registry holds each number and each class once.

use std::collections::BTreeSet;

use super::ErrorCode;

#[test]
fn numbers_and_classes_are_unique_and_in_order() {
    let numbers: Vec<_> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
    let sorted: BTreeSet<_> = numbers.iter().copied().collect();
    assert_eq!(numbers, sorted.into_iter().collect::<Vec<_>>());
    let classes: BTreeSet<_> = ErrorCode::ALL.iter().map(|code| code.class()).collect();
    assert_eq!(classes.len(), ErrorCode::ALL.len());
}
