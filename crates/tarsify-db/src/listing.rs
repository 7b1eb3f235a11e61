//! Pages of a list in one statement: the items, where each stands, and how many there are in
//! all, whichever part of the list is wanted.

use diesel::QueryableByName;
use diesel::deserialize;
use diesel::pg::Pg;
use diesel::row::NamedRow;
use diesel::sql_types::{BigInt, Nullable, Text, Uuid as SqlUuid};
use tarsify_domain::page::{Cursor, CursorKey, Order, Position};
use tarsify_domain::{Page, PageRequest, RepoError, Timestamp};
use uuid::Uuid;

use crate::pool::Database;
use crate::statement::{Binds, Statement};
use crate::stored;

/// How many rows are read for a page of up to 20, 50 or 100.
const READ: [u32; 3] = [21, 51, 101];

/// What a list is sorted by before the id decides; each holds the SQL of the value.
#[derive(Clone, Copy)]
pub(crate) enum SortKey {
    /// A `timestamptz`; its cursors hold microseconds since 1970.
    Moment(&'static str),
    /// A `bigint`.
    Number(&'static str),
    /// A `text` that compares byte by byte.
    Text(&'static str),
}

#[derive(Clone, Copy)]
pub(crate) enum Direction {
    Ascending,
    Descending,
}

/// An order of a list. The id follows the key's direction, so that one index reads both ways.
pub(crate) struct Sort {
    pub(crate) order: Order,
    pub(crate) key: SortKey,
    /// The SQL of the id.
    pub(crate) id: &'static str,
    pub(crate) direction: Direction,
}

/// How it is known how many a list has in all.
pub(crate) enum Counted {
    /// They are counted in these tables, which are what the filter needs.
    In(String),
    /// The SQL of a number that is kept.
    Kept(String),
}

/// The parts of a list's statement.
pub(crate) struct Listing {
    /// Common table expressions before it, each with a comma behind it.
    pub(crate) with: String,
    /// What is wanted of each item; its id must be called `id`.
    pub(crate) columns: String,
    /// The tables that the columns need.
    pub(crate) tables: String,
    /// How it is known how many there are in all.
    pub(crate) counted: Counted,
    /// Conditions that an item of the list meets.
    pub(crate) filter: Vec<String>,
    /// The values of all these.
    pub(crate) binds: Binds,
    /// The order.
    pub(crate) sort: Sort,
}

impl Listing {
    /// Reads the page that `page` asks for and turns each row into the domain's own.
    pub(crate) async fn read<R, T>(
        self,
        database: &Database,
        page: &PageRequest,
        turn: impl Fn(R) -> Result<T, RepoError>,
    ) -> Result<Page<T>, RepoError>
    where
        R: QueryableByName<Pg> + Send + 'static,
    {
        let order = self.sort.order;
        let statement = self.statement(page)?;
        let rows: Vec<ListingRow<R>> =
            database.read(&statement).await.map_err(|f| f.into_repo())?;
        let total = rows.first().map_or(0, |row| row.total);
        let total = stored::count("total", total)?;
        let mut items = Vec::with_capacity(rows.len());
        for (item, key, id) in rows.into_iter().filter_map(|row| row.item) {
            let cursor = Cursor {
                order: order.name.to_owned(),
                key,
                id,
            };
            items.push((turn(item)?, cursor));
        }
        let cut = Page::cut(items, total, page.limit, |(_, cursor)| cursor.clone());
        Ok(cut.map(|(item, _)| item))
    }

    fn statement(self, page: &PageRequest) -> Result<Statement, RepoError> {
        let Self {
            with,
            columns,
            tables,
            counted,
            filter,
            mut binds,
            sort,
        } = self;
        let (column, number, text) = match sort.key {
            SortKey::Moment(column) => {
                let micros = format!("(extract(epoch FROM {column}) * 1000000)::bigint");
                (column, micros, "NULL::text")
            }
            SortKey::Number(column) => (column, column.to_owned(), "NULL::text"),
            SortKey::Text(column) => (column, "NULL::bigint".to_owned(), column),
        };
        let (direction, beyond) = match sort.direction {
            Direction::Ascending => ("ASC", ">"),
            Direction::Descending => ("DESC", "<"),
        };
        let id = sort.id;
        let total = match counted {
            Counted::In(tables) => format!(
                "SELECT count(*) AS total FROM {tables}{}",
                condition(&filter)
            ),
            Counted::Kept(number) => format!("SELECT {number} AS total"),
        };
        let mut rest = filter;
        if let Position::After(cursor) = &page.position {
            let key = bind_key(&mut binds, sort.key, &cursor.key)?;
            let cursor_id = binds.uuid(cursor.id);
            rest.push(format!("({column}, {id}) {beyond} ({key}, {cursor_id})"));
        }
        let rest = condition(&rest);
        // One more than the page holds tells whether another follows. The number is part of the text,
        // because of one that is bound the server knows nothing and plans anew each time; there are
        // few texts, because each of them is prepared on every connection.
        let needed = page.limit.get() + 1;
        let limit = READ
            .into_iter()
            .find(|read| *read >= needed)
            .unwrap_or(needed);
        let offset = match page.offset() {
            0 => String::new(),
            offset => format!(" OFFSET {}", binds.number(offset)),
        };
        let sql = format!(
            "WITH {with} counted AS ({total}), \
             listed AS (\
                SELECT {columns}, {number} AS cursor_number, {text} AS cursor_text \
                FROM {tables}{rest} \
                ORDER BY {column} {direction}, {id} {direction} LIMIT {limit}{offset}\
             ) \
             SELECT counted.total, listed.* FROM counted LEFT JOIN listed ON true \
             ORDER BY listed.cursor_number {direction}, \
                listed.cursor_text COLLATE \"C\" {direction}, listed.id {direction}"
        );
        Ok(Statement::new(sql, binds))
    }
}

fn condition(filter: &[String]) -> String {
    if filter.is_empty() {
        String::new()
    } else {
        format!(" WHERE {}", filter.join(" AND "))
    }
}

fn bind_key(binds: &mut Binds, sort: SortKey, key: &CursorKey) -> Result<String, RepoError> {
    match (sort, key) {
        (SortKey::Moment(_), CursorKey::Integer(micros)) => Ok(binds.moment(moment(*micros))),
        (SortKey::Number(_), CursorKey::Integer(number)) => Ok(binds.number(*number)),
        (SortKey::Text(_), CursorKey::Text(text)) => Ok(binds.text(text)),
        _ => Err(RepoError::Internal(
            "the cursor belongs to a list that is sorted by something else".into(),
        )),
    }
}

/// The moment that many microseconds after 1970. Cursors come from strangers, so one beyond the
/// years that are stored stands before or after everything, like the edge of those years.
fn moment(micros: i64) -> Timestamp {
    const YEAR_1: i64 = -62_135_596_800_000_000;
    const YEAR_9999: i64 = 253_402_300_799_000_000;
    let nanoseconds = i128::from(micros.clamp(YEAR_1, YEAR_9999)) * 1_000;
    Timestamp::from_unix_timestamp_nanos(nanoseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// How many there are in all and, unless the page is empty, one item with its place.
struct ListingRow<R> {
    total: i64,
    item: Option<(R, CursorKey, Uuid)>,
}

impl<R: QueryableByName<Pg>> QueryableByName<Pg> for ListingRow<R> {
    fn build<'a>(row: &impl NamedRow<'a, Pg>) -> deserialize::Result<Self> {
        let total = NamedRow::get::<BigInt, i64>(row, "total")?;
        let Some(id) = NamedRow::get::<Nullable<SqlUuid>, Option<Uuid>>(row, "id")? else {
            return Ok(Self { total, item: None });
        };
        let number = NamedRow::get::<Nullable<BigInt>, Option<i64>>(row, "cursor_number")?;
        let key = match number {
            Some(number) => CursorKey::Integer(number),
            None => CursorKey::Text(NamedRow::get::<Text, String>(row, "cursor_text")?),
        };
        Ok(Self {
            total,
            item: Some((R::build(row)?, key, id)),
        })
    }
}
