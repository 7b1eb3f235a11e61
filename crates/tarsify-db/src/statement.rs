//! SQL text with typed values beside it, prepared once on each connection. The text is made of
//! this crate's own words only; whatever comes from elsewhere is a value.

use std::marker::PhantomData;

use diesel::QueryableByName;
use diesel::deserialize;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::row::NamedRow;
use diesel::serialize::ToSql;
use diesel::sql_types::{
    BigInt, Bool, HasSqlType, Json, Jsonb, Nullable, Text, Timestamptz, Untyped, Uuid as SqlUuid,
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

/// A statement that is ready to run, as often as need be.
pub(crate) struct Statement {
    sql: String,
    binds: Binds,
}

impl Statement {
    pub(crate) fn new(sql: String, binds: Binds) -> Self {
        Self { sql, binds }
    }
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

/// A row of which it matters only that it is there.
pub(crate) struct Written;

impl QueryableByName<Pg> for Written {
    fn build<'a>(_row: &impl NamedRow<'a, Pg>) -> deserialize::Result<Self> {
        Ok(Self)
    }
}
