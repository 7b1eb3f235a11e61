//! Assertions that several suites share.

use std::fmt::Debug;

use tarsify_domain::page::{Cursor, Limit, Order, Page, PageRequest, Position};
use tarsify_domain::{RepoError, Timestamp};

use crate::builders::page;

#[track_caller]
pub(super) fn assert_conflict<T: Debug>(result: Result<T, RepoError>) {
    assert!(
        matches!(result, Err(RepoError::Conflict)),
        "expected Conflict, not {result:?}"
    );
}

#[track_caller]
pub(super) fn assert_stale<T: Debug>(result: Result<T, RepoError>) {
    assert!(
        matches!(result, Err(RepoError::Stale)),
        "expected Stale, not {result:?}"
    );
}

/// Of two steps at once that exclude each other, one is done and the other is `Stale`.
#[track_caller]
pub(super) fn assert_one_is_stale<T: Debug>(results: (Result<T, RepoError>, Result<T, RepoError>)) {
    match results {
        (Ok(_), loser) | (loser, Ok(_)) => assert_stale(loser),
        neither => panic!("nobody won: {neither:?}"),
    }
}

/// Of two steps at once that want the same value, one gets it and the other is in `Conflict`.
#[track_caller]
pub(super) fn assert_one_conflicts<T: Debug>(
    results: (Result<T, RepoError>, Result<T, RepoError>),
) {
    match results {
        (Ok(_), loser) | (loser, Ok(_)) => assert_conflict(loser),
        neither => panic!("nobody won: {neither:?}"),
    }
}

#[track_caller]
pub(super) fn assert_newest_first(moments: impl IntoIterator<Item = Timestamp>) {
    let moments: Vec<_> = moments.into_iter().collect();
    assert!(
        moments.is_sorted_by(|newer, older| newer >= older),
        "not newest first: {moments:?}"
    );
}

/// Reads a list of a few items in every way there is, demands the same of each, and returns
/// the items in the list's order.
pub(super) async fn whole_list<T: Debug + PartialEq>(
    order: Order,
    list: impl AsyncFn(&PageRequest) -> Result<Page<T>, RepoError>,
) -> Vec<T> {
    let whole = list(&page(1, 100)).await.unwrap();
    let length = whole.items.len();
    assert_eq!(whole.total, as_total(length), "total of the only page");
    assert_eq!(whole.next, None, "the only page has no next");
    for limit in [1, 2, 3] {
        assert_eq!(
            walk(order, limit, length, &list).await,
            whole.items,
            "by cursor, {limit} at a time"
        );
        assert_eq!(
            leaf(limit, length, &list).await,
            whole.items,
            "by number, {limit} at a time"
        );
    }
    for number in [50, i64::from(u32::MAX)] {
        let beyond = list(&page(number, 100)).await.unwrap();
        assert_eq!(beyond.items, [], "past the end");
        assert_eq!(beyond.total, as_total(length), "total past the end");
        assert_eq!(beyond.next, None, "nothing follows the end");
    }
    whole.items
}

/// Follows cursors from the first page to the last.
async fn walk<T: Debug + PartialEq>(
    order: Order,
    limit: i64,
    length: usize,
    list: &impl AsyncFn(&PageRequest) -> Result<Page<T>, RepoError>,
) -> Vec<T> {
    let mut items = Vec::new();
    let mut request = page(1, limit);
    loop {
        let Page {
            items: more,
            total,
            next,
        } = list(&request).await.unwrap();
        assert_eq!(total, as_total(length), "total while walking");
        items.extend(more);
        assert!(items.len() <= length, "the walk goes round in circles");
        let Some(next) = next else {
            return items;
        };
        assert!(items.len() < length, "a cursor to an empty page");
        let text = next.encode();
        request = PageRequest {
            position: Position::After(Cursor::decode(&text, order).unwrap()),
            limit: Limit::parse(limit).unwrap(),
        };
    }
}

/// Turns pages by their numbers.
async fn leaf<T: Debug + PartialEq>(
    limit: i64,
    length: usize,
    list: &impl AsyncFn(&PageRequest) -> Result<Page<T>, RepoError>,
) -> Vec<T> {
    let mut items = Vec::new();
    for number in 1.. {
        let request = page(number, limit);
        let leaf = list(&request).await.unwrap();
        assert_eq!(leaf.total, as_total(length), "total of page {number}");
        if leaf.items.is_empty() {
            break;
        }
        items.extend(leaf.items);
        assert_eq!(
            leaf.next.is_some(),
            items.len() < length,
            "whether page {number} has a next"
        );
    }
    items
}

fn as_total(length: usize) -> u64 {
    u64::try_from(length).unwrap()
}
