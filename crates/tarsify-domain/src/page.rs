//! Pages of a list: by number for screens that count, by cursor for those that follow on.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::Misfit;

/// How many items a page holds: 1 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Limit(u32);

impl Limit {
    /// Most items on one page.
    pub const MAX: i64 = 100;
    /// What a caller gets who does not say.
    pub const DEFAULT: Self = Self(20);

    /// Checks the bounds.
    ///
    /// # Errors
    /// When the number is not between 1 and 100.
    pub fn parse(number: i64) -> Result<Self, Misfit> {
        match u32::try_from(number) {
            Ok(limit) if limit >= 1 && number <= Self::MAX => Ok(Self(limit)),
            _ => Err(Misfit::new("range", "must be between 1 and 100")),
        }
    }

    /// The number of items.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// The number of a page, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PageNumber(u32);

impl PageNumber {
    /// The first page.
    pub const FIRST: Self = Self(1);

    /// Checks the bounds.
    ///
    /// # Errors
    /// When the number is below 1 or does not fit 32 bits.
    pub fn parse(number: i64) -> Result<Self, Misfit> {
        match u32::try_from(number) {
            Ok(page) if page >= 1 => Ok(Self(page)),
            _ => Err(Misfit::new("range", "must be 1 or more")),
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// Where a page begins.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Position {
    /// At a multiple of the limit.
    Number(PageNumber),
    /// Right after an item.
    After(Cursor),
}

/// Which part of a list is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PageRequest {
    /// Where it begins.
    pub position: Position,
    /// How many items at the most.
    pub limit: Limit,
}

impl PageRequest {
    /// How many items stand before the page when it is asked for by number.
    #[must_use]
    pub fn offset(&self) -> i64 {
        match &self.position {
            Position::Number(number) => {
                i64::from(number.get().saturating_sub(1)) * i64::from(self.limit.get())
            }
            Position::After(_) => 0,
        }
    }
}

impl Default for PageRequest {
    fn default() -> Self {
        Self {
            position: Position::Number(PageNumber::FIRST),
            limit: Limit::DEFAULT,
        }
    }
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The items, in the list's order.
    pub items: Vec<T>,
    /// How many items the whole list has.
    pub total: u64,
    /// Where the next page begins; none on the last.
    pub next: Option<Cursor>,
}

impl<T> Page<T> {
    /// Cuts `items`, which may hold one more than the page, and makes the cursor of the last
    /// item that stays.
    #[must_use]
    pub fn cut(
        mut items: Vec<T>,
        total: u64,
        limit: Limit,
        cursor: impl FnOnce(&T) -> Cursor,
    ) -> Self {
        let wanted = usize::try_from(limit.get()).unwrap_or(usize::MAX);
        let more = items.len() > wanted;
        items.truncate(wanted);
        let next = if more { items.last().map(cursor) } else { None };
        Self { items, total, next }
    }

    /// The same page with every item turned into something else.
    pub fn map<U>(self, turn: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(turn).collect(),
            total: self.total,
            next: self.next,
        }
    }
}

/// What a list is sorted by before the id decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// A whole number.
    Integer,
    /// A text.
    Text,
}

/// An order that a list can be read in; a cursor of one order means nothing in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// Its name, written into every cursor.
    pub name: &'static str,
    /// What it sorts by.
    pub key: KeyKind,
}

/// A value that a list is sorted by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum CursorKey {
    /// A whole number; moments are microseconds since 1970.
    Integer(i64),
    /// A text.
    Text(String),
}

/// The place of an item in an ordered list.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Cursor {
    /// The name of the order.
    pub order: String,
    /// The item's sort value.
    pub key: CursorKey,
    /// The item's id, which breaks ties.
    pub id: Uuid,
}

impl Cursor {
    /// Writes the cursor as the opaque text that callers carry.
    #[must_use]
    pub fn encode(&self) -> String {
        let parts = (&self.order, &self.key, self.id.simple().to_string());
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(&parts).unwrap_or_default())
    }

    /// Reads a cursor that belongs to `order`.
    ///
    /// # Errors
    /// When the text was not made by [`Cursor::encode`] for the same order.
    pub fn decode(text: &str, order: Order) -> Result<Self, Misfit> {
        let misfit = || {
            Misfit::new(
                "format",
                "is no cursor of this list and order: take it from meta.nextCursor and change nothing else in the query",
            )
        };
        if text.len() > 2_048 {
            return Err(misfit());
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_ignored| misfit())?;
        let (name, key, id): (String, CursorKey, String) =
            serde_json::from_slice(&bytes).map_err(|_ignored| misfit())?;
        let id = Uuid::parse_str(&id).map_err(|_ignored| misfit())?;
        let fits = match (&key, order.key) {
            (CursorKey::Integer(_), KeyKind::Integer) => true,
            (CursorKey::Text(text), KeyKind::Text) => !text.contains('\0'),
            _ => false,
        };
        if name != order.name || !fits {
            return Err(misfit());
        }
        Ok(Self {
            order: name,
            key,
            id,
        })
    }
}

#[cfg(test)]
mod tests;
