//! SQL text with typed values beside it, prepared once on each connection. The text is made of
//! this crate's own words only; whatever comes from elsewhere is a value.

use std::marker::PhantomData;
use std::panic::Location;
use std::time::Duration;

use diesel::QueryableByName;
use diesel::deserialize;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::row::NamedRow;
use diesel::serialize::ToSql;
use diesel::sql_types::{
    Array, BigInt, Binary, Bool, HasSqlType, Json, Jsonb, Nullable, Text, Timestamptz, Untyped,
    Uuid as SqlUuid,
};
use serde_json::Value;
use tarsify_domain::Timestamp;
use uuid::Uuid;

/// The values of a statement. Each method adds one and answers its placeholder, so that a
/// value is named where it is used and nothing has to be counted.
#[derive(Default)]
pub(crate) struct Binds(Vec<Box<dyn QueryFragment<Pg> + Send + Sync>>);

impl Binds {
    pub(crate) fn uuid(&mut self, value: Uuid) -> String {
        self.add::<SqlUuid, _>(value)
    }

    pub(crate) fn text(&mut self, value: impl Into<String>) -> String {
        self.add::<Text, String>(value.into())
    }

    pub(crate) fn optional_text(&mut self, value: Option<&str>) -> String {
        self.add::<Nullable<Text>, Option<String>>(value.map(str::to_owned))
    }

    pub(crate) fn number(&mut self, value: i64) -> String {
        self.add::<BigInt, _>(value)
    }

    pub(crate) fn flag(&mut self, value: bool) -> String {
        self.add::<Bool, _>(value)
    }

    pub(crate) fn moment(&mut self, value: Timestamp) -> String {
        self.add::<Timestamptz, _>(value)
    }

    pub(crate) fn optional_moment(&mut self, value: Option<Timestamp>) -> String {
        self.add::<Nullable<Timestamptz>, _>(value)
    }

    pub(crate) fn json(&mut self, value: Value) -> String {
        self.add::<Json, _>(value)
    }

    pub(crate) fn jsonb(&mut self, value: Value) -> String {
        self.add::<Jsonb, _>(value)
    }

    pub(crate) fn optional_uuid(&mut self, value: Option<Uuid>) -> String {
        self.add::<Nullable<SqlUuid>, _>(value)
    }

    pub(crate) fn optional_number(&mut self, value: Option<i64>) -> String {
        self.add::<Nullable<BigInt>, _>(value)
    }

    pub(crate) fn bytes(&mut self, value: Vec<u8>) -> String {
        self.add::<Binary, _>(value)
    }

    /// A length of time, as an `interval`.
    pub(crate) fn span(&mut self, value: Duration) -> String {
        let micros = self.number(microseconds(value));
        format!("({micros} * interval '1 microsecond')")
    }

    pub(crate) fn uuids(&mut self, values: Vec<Uuid>) -> String {
        self.add::<Array<SqlUuid>, _>(values)
    }

    pub(crate) fn numbers(&mut self, values: Vec<i64>) -> String {
        self.add::<Array<BigInt>, _>(values)
    }

    pub(crate) fn optional_numbers(&mut self, values: Vec<Option<i64>>) -> String {
        self.add::<Array<Nullable<BigInt>>, _>(values)
    }

    pub(crate) fn texts(&mut self, values: Vec<&str>) -> String {
        let values: Vec<String> = values.into_iter().map(str::to_owned).collect();
        self.add::<Array<Text>, _>(values)
    }

    pub(crate) fn optional_texts(&mut self, values: Vec<Option<&str>>) -> String {
        let values = values.into_iter().map(|value| value.map(str::to_owned));
        self.add::<Array<Nullable<Text>>, Vec<Option<String>>>(values.collect())
    }

    pub(crate) fn optional_moments(&mut self, values: Vec<Option<Timestamp>>) -> String {
        self.add::<Array<Nullable<Timestamptz>>, _>(values)
    }

    pub(crate) fn jsons(&mut self, values: Vec<Value>) -> String {
        self.add::<Array<Json>, _>(values)
    }

    pub(crate) fn optional_jsons(&mut self, values: Vec<Option<Value>>) -> String {
        self.add::<Array<Nullable<Json>>, _>(values)
    }

    pub(crate) fn flags(&mut self, values: Vec<bool>) -> String {
        self.add::<Array<Bool>, _>(values)
    }

    pub(crate) fn jsonbs(&mut self, values: Vec<Value>) -> String {
        self.add::<Array<Jsonb>, _>(values)
    }

    pub(crate) fn byte_strings(&mut self, values: Vec<Vec<u8>>) -> String {
        self.add::<Array<Binary>, _>(values)
    }

    pub(crate) fn optional_byte_strings(&mut self, values: Vec<Option<Vec<u8>>>) -> String {
        self.add::<Array<Nullable<Binary>>, _>(values)
    }

    /// Lengths of time, as numbers of microseconds.
    pub(crate) fn microseconds(&mut self, values: Vec<Duration>) -> String {
        self.numbers(values.into_iter().map(microseconds).collect())
    }

    fn add<Sql, V>(&mut self, value: V) -> String
    where
        Pg: HasSqlType<Sql>,
        Sql: 'static,
        V: ToSql<Sql, Pg> + Send + Sync + 'static,
    {
        self.0.push(Box::new(Bind::<Sql, V> {
            value,
            kind: PhantomData,
        }));
        format!("${}", self.0.len())
    }
}

/// A length of time in microseconds.
pub(crate) fn microseconds(value: Duration) -> i64 {
    // A century, so that adding it to the present stays a date.
    const LONGEST: i64 = 3_155_760_000_000_000;
    i64::try_from(value.as_micros()).map_or(LONGEST, |micros| micros.min(LONGEST))
}

/// A statement that is ready to run, as often as need be.
pub(crate) struct Statement {
    sql: String,
    binds: Binds,
    /// Where it is made, which tells it from the others.
    made_at: &'static Location<'static>,
}

impl Statement {
    #[track_caller]
    pub(crate) fn new(sql: String, binds: Binds) -> Self {
        Self {
            sql,
            binds,
            made_at: Location::caller(),
        }
    }

    /// Where it is made.
    pub(crate) const fn made_at(&self) -> &'static Location<'static> {
        self.made_at
    }
}

/// The module that a place is in, such as `execution/claim`.
pub(crate) fn module(place: &'static Location<'static>) -> &'static str {
    let file = place.file();
    let module = file.rsplit_once("src/").map_or(file, |(_, module)| module);
    module.strip_suffix(".rs").unwrap_or(module)
}

impl QueryFragment<Pg> for Statement {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(&self.sql);
        for bind in &self.binds.0 {
            bind.walk_ast(out.reborrow())?;
        }
        Ok(())
    }
}

// No static id: prepared statements are told apart by their text, of which there are few.
impl QueryId for Statement {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Statement {
    type SqlType = Untyped;
}

struct Bind<Sql, V> {
    value: V,
    kind: PhantomData<fn() -> Sql>,
}

impl<Sql, V> QueryFragment<Pg> for Bind<Sql, V>
where
    Pg: HasSqlType<Sql>,
    V: ToSql<Sql, Pg>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_bind_param_value_only(&self.value)
    }
}

/// Behind a query of what arrays hold: of how many rows come of it the server can know nothing then, and
/// plans as for one. It makes one plan for all lengths, and looks each row up by itself, also in what was
/// small when the statement was prepared and is not any more.
pub(crate) const AS_FOR_ONE: &str = "LIMIT (SELECT NULL::bigint)";

/// What stands in a `text` or `jsonb`, neither of which can hold a NUL.
pub(crate) fn without_nul(text: &str) -> String {
    text.replace('\0', "\u{FFFD}")
}

/// A row of which it matters only that it is there.
pub(crate) struct Written;

impl QueryableByName<Pg> for Written {
    fn build<'a>(_row: &impl NamedRow<'a, Pg>) -> deserialize::Result<Self> {
        Ok(Self)
    }
}
