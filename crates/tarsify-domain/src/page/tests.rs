//! Bounds of pages, and cursors that refuse to be bent.

use proptest::prelude::*;

use super::*;

const NEWEST: Order = Order {
    name: "newest",
    key: KeyKind::Integer,
};
const TITLE: Order = Order {
    name: "title",
    key: KeyKind::Text,
};

#[test]
fn limits_and_page_numbers_have_bounds() {
    for bad in [i64::MIN, -1, 0, 101, 1_000, i64::MAX] {
        assert!(Limit::parse(bad).is_err(), "{bad}");
    }
    assert_eq!(Limit::parse(100).unwrap().get(), 100);
    for bad in [i64::MIN, -1, 0, i64::from(u32::MAX) + 1] {
        assert!(PageNumber::parse(bad).is_err(), "{bad}");
    }
    let last = PageRequest {
        position: Position::Number(PageNumber::parse(i64::from(u32::MAX)).unwrap()),
        limit: Limit::parse(100).unwrap(),
    };
    assert_eq!(last.offset(), 429_496_729_400);
}

#[test]
fn a_page_names_the_next_only_when_there_is_one() {
    let cursor = |item: &i64| Cursor {
        order: "newest".into(),
        key: CursorKey::Integer(*item),
        id: Uuid::nil(),
    };
    let limit = Limit::parse(2).unwrap();
    let full = Page::cut(vec![1_i64, 2, 3], 3, limit, cursor);
    assert_eq!(full.items, [1, 2]);
    assert_eq!(full.next.unwrap().key, CursorKey::Integer(2));
    assert!(Page::cut(vec![1_i64, 2], 2, limit, cursor).next.is_none());
}

#[test]
fn a_cursor_of_another_order_is_refused() {
    let cursor = Cursor {
        order: "newest".into(),
        key: CursorKey::Integer(7),
        id: Uuid::nil(),
    };
    assert_eq!(Cursor::decode(&cursor.encode(), NEWEST).unwrap(), cursor);
    assert!(Cursor::decode(&cursor.encode(), TITLE).is_err());
    let bent = Cursor {
        order: "newest".into(),
        key: CursorKey::Text("x".into()),
        id: Uuid::nil(),
    };
    assert!(Cursor::decode(&bent.encode(), NEWEST).is_err());
}

#[test]
fn a_cursor_that_is_too_long_or_that_no_store_could_read_is_refused() {
    let after = |title: String| {
        let cursor = Cursor {
            order: "title".into(),
            key: CursorKey::Text(title),
            id: Uuid::nil(),
        };
        cursor.encode()
    };
    for (letters, is_good) in [(0, true), (1_400, true), (1_600, false), (100_000, false)] {
        let text = after("a".repeat(letters));
        assert_eq!(text.len() <= 2_048, is_good, "{letters}");
        assert_eq!(Cursor::decode(&text, TITLE).is_ok(), is_good, "{letters}");
    }
    assert!(Cursor::decode(&after("a\0b".into()), TITLE).is_err());
}

proptest! {
    #[test]
    fn a_cursor_survives_its_text_form(text in "[^\\x00]{0,60}", id in any::<u128>()) {
        let cursor = Cursor { order: "title".into(), key: CursorKey::Text(text), id: Uuid::from_u128(id) };
        prop_assert_eq!(Cursor::decode(&cursor.encode(), TITLE).unwrap(), cursor);
    }

    #[test]
    fn nonsense_is_refused_and_never_panics(text in ".{0,200}") {
        prop_assert!(Cursor::decode(&text, NEWEST).is_err());
    }
}

#[test]
fn what_is_almost_a_cursor_is_one_of_its_order_or_none() {
    let newest = Cursor {
        order: "newest".into(),
        key: CursorKey::Integer(1_800_000_000_000_000),
        id: Uuid::from_u128(7),
    };
    let title = Cursor {
        order: "title".into(),
        key: CursorKey::Text("a lighthouse".into()),
        id: Uuid::from_u128(8),
    };
    // The text, and what is in it: a change of one byte seldom leaves the other readable.
    let inside = |cursor: &Cursor| URL_SAFE_NO_PAD.decode(cursor.encode()).unwrap();
    let inputs = [
        newest.encode().into_bytes(),
        title.encode().into_bytes(),
        inside(&newest),
        inside(&title),
    ];
    let mut taken = 0;
    tarsify_testing::almost(&inputs.each_ref().map(Vec::as_slice), |bytes| {
        let plain = String::from_utf8_lossy(bytes).into_owned();
        for text in [plain, URL_SAFE_NO_PAD.encode(bytes)] {
            for order in [NEWEST, TITLE] {
                let Ok(cursor) = Cursor::decode(&text, order) else {
                    continue;
                };
                taken += 1;
                assert!(text.len() <= 2_048);
                assert_eq!(cursor.order, order.name);
                assert_eq!(
                    matches!(cursor.key, CursorKey::Text(_)),
                    order.key == KeyKind::Text
                );
                assert!(!matches!(&cursor.key, CursorKey::Text(text) if text.contains('\0')));
                assert_eq!(Cursor::decode(&cursor.encode(), order).unwrap(), cursor);
            }
        }
    });
    assert!(taken > 30, "only {taken} were good");
}
