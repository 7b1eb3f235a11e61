//! Cuts a page out of everything a list holds, by number or by cursor.

use std::cmp::Ordering;

use tarsify_domain::Timestamp;
use tarsify_domain::page::{Cursor, CursorKey, Order, Page, PageRequest, Position};
use uuid::Uuid;

#[derive(Clone, Copy)]
pub(super) enum Direction {
    Ascending,
    Descending,
}

impl Direction {
    fn turn(self, ordering: Ordering) -> Ordering {
        match self {
            Self::Ascending => ordering,
            Self::Descending => ordering.reverse(),
        }
    }
}

/// An order of a list, which ids complete.
pub(super) struct Sorting<K> {
    pub(super) order: Order,
    pub(super) direction: Direction,
    pub(super) place: K,
}

pub(super) fn page<T>(
    mut items: Vec<T>,
    request: &PageRequest,
    sorting: &Sorting<impl Fn(&T) -> (CursorKey, Uuid)>,
) -> Page<T> {
    let Sorting {
        order,
        direction,
        place,
    } = sorting;
    let compare = |left: &(CursorKey, Uuid), right: &(CursorKey, Uuid)| {
        direction.turn(compare_places(left, right))
    };
    items.sort_by(|left, right| compare(&place(left), &place(right)));
    let total = count(items.len());
    match &request.position {
        Position::Number(_) => {
            let before = usize::try_from(request.offset()).unwrap_or(usize::MAX);
            items.drain(..before.min(items.len()));
        }
        Position::After(cursor) => {
            let last = (cursor.key.clone(), cursor.id);
            items.retain(|item| compare(&place(item), &last) == Ordering::Greater);
        }
    }
    Page::cut(items, total, request.limit, |last| {
        let (key, id) = place(last);
        Cursor {
            order: order.name.to_owned(),
            key,
            id,
        }
    })
}

fn compare_places(left: &(CursorKey, Uuid), right: &(CursorKey, Uuid)) -> Ordering {
    let keys = match (&left.0, &right.0) {
        (CursorKey::Integer(left), CursorKey::Integer(right)) => left.cmp(right),
        (CursorKey::Text(left), CursorKey::Text(right)) => left.cmp(right),
        _ => panic!("a cursor of another order reached the store: decode it with the list's order"),
    };
    keys.then_with(|| left.1.cmp(&right.1))
}

/// A moment as the number that cursors carry.
pub(super) fn microseconds(moment: Timestamp) -> CursorKey {
    let number = moment.unix_timestamp_nanos() / 1_000;
    CursorKey::Integer(i64::try_from(number).expect("a test's moments fit 64 bits"))
}

/// A length as the number that domain types carry.
pub(super) fn count(length: usize) -> u64 {
    u64::try_from(length).expect("a count fits 64 bits")
}
