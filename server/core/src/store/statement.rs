//! Statements in SQL of our own, for what diesel has no words for. Each is prepared once on a connection,
//! which `diesel::sql_query` does not do.

use super::connection::AnyConnection;
use diesel::backend::Backend;
use diesel::connection::Connection;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{HasSqlType, Untyped};
use diesel::{QueryResult, RunQueryDsl};
use serde::Serialize;
use std::borrow::Cow;
use std::marker::PhantomData;

/// A statement whose values stand where its text has question marks, in their order.
pub struct Statement<V, S = Written> {
    source: S,
    values: V,
}

/// Where the text of a statement comes from, cut where values stand.
pub trait Source {
    /// What a row is read as: columns by their place, or [`Untyped`] for columns by their names.
    type Row;
    /// What tells the statement from others, if its type does.
    type Id: 'static;
    /// Whether its type does. Otherwise its text does, which is put together each time.
    const IS_KNOWN: bool;

    /// The pieces.
    fn pieces(&self) -> impl Iterator<Item = &str>;
}

/// A text that is put together when it is needed.
pub struct Written(Cow<'static, str>);

impl Source for Written {
    type Row = Untyped;
    type Id = ();
    const IS_KNOWN: bool = false;

    fn pieces(&self) -> impl Iterator<Item = &str> {
        self.0.split('?')
    }
}

/// The text of a statement that is asked so often that its type is its name.
pub trait Text: 'static {
    /// The types of its columns.
    type Row;
    /// The text, cut where values stand.
    const PIECES: &'static [&'static str];
}

/// A text that the compiler knows.
pub struct Known<T>(PhantomData<T>);

impl<T: Text> Source for Known<T> {
    type Row = T::Row;
    type Id = T;
    const IS_KNOWN: bool = true;

    fn pieces(&self) -> impl Iterator<Item = &str> {
        T::PIECES.iter().copied()
    }
}

impl Statement<()> {
    /// A statement that still needs its values.
    pub fn new(text: impl Into<Cow<'static, str>>) -> Self {
        Self { source: Written(text.into()), values: () }
    }
}

impl<T: Text> Statement<(), Known<T>> {
    /// The statement with this text, which still needs its values.
    pub fn known() -> Self {
        Self { source: Known(PhantomData), values: () }
    }
}

impl<V, S> Statement<V, S> {
    /// The statement with its next value.
    pub fn bind<SqlType, T>(self, value: T) -> Statement<Bind<V, SqlType, T>, S> {
        Statement { source: self.source, values: Bind { before: self.values, value, sql_type: PhantomData } }
    }
}

/// A value and those before it.
pub struct Bind<V, SqlType, T> {
    before: V,
    value: T,
    sql_type: PhantomData<SqlType>,
}

/// The condition that a column has one of the names that [`names`] gives as the one value. It is the same statement
/// however many there are.
pub fn among(connection: &AnyConnection, column: &str) -> String {
    format!("{column} IN (SELECT name FROM {})", each_name(connection))
}

/// What stands behind FROM for the names that [`names`] gives as the one value, each as `name`.
pub fn each_name(connection: &AnyConnection) -> &'static str {
    match connection {
        AnyConnection::Pg(_) => "json_array_elements_text(CAST(? AS json)) AS named (name)",
        AnyConnection::Sqlite(_) => "(SELECT value AS name FROM json_each(?)) AS named",
    }
}

/// Names as one value of a statement.
pub fn names<T: Serialize>(names: &[T]) -> String {
    // Names are text, which always serialises; no names are among none.
    serde_json::to_string(names).unwrap_or_else(|_| "[]".to_owned())
}

/// The values of a statement, written between the pieces of its text.
pub trait Values<DB: Backend> {
    /// Writes the values, each with the piece of text behind it.
    fn write<'b>(
        &'b self,
        pieces: &mut impl Iterator<Item = &'b str>,
        out: AstPass<'_, 'b, DB>,
    ) -> QueryResult<()>;
}

impl<DB: Backend> Values<DB> for () {
    fn write<'b>(&'b self, _: &mut impl Iterator<Item = &'b str>, _: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        Ok(())
    }
}

impl<DB, V, SqlType, T> Values<DB> for Bind<V, SqlType, T>
where
    DB: Backend + HasSqlType<SqlType>,
    V: Values<DB>,
    T: ToSql<SqlType, DB>,
{
    fn write<'b>(
        &'b self,
        pieces: &mut impl Iterator<Item = &'b str>,
        mut out: AstPass<'_, 'b, DB>,
    ) -> QueryResult<()> {
        self.before.write(pieces, out.reborrow())?;
        out.push_bind_param::<SqlType, T>(&self.value)?;
        out.push_sql(pieces.next().unwrap_or_default());
        Ok(())
    }
}

impl<DB: Backend, V: Values<DB>, S: Source> QueryFragment<DB> for Statement<V, S> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        let mut pieces = self.source.pieces();
        out.push_sql(pieces.next().unwrap_or_default());
        self.values.write(&mut pieces, out)
    }
}

impl<V, S: Source> QueryId for Statement<V, S> {
    type QueryId = S::Id;
    const HAS_STATIC_QUERY_ID: bool = S::IS_KNOWN;
}

impl<V, S: Source> Query for Statement<V, S> {
    type SqlType = S::Row;
}

impl<V, S, C: Connection> RunQueryDsl<C> for Statement<V, S> {}

/// Runs an expression on the connection of either engine.
#[macro_export]
macro_rules! on_engine {
    ($connection:expr, |$inner:ident| $work:expr) => {
        match $connection {
            $crate::store::AnyConnection::Pg($inner) => $work,
            $crate::store::AnyConnection::Sqlite($inner) => $work,
        }
    };
}

pub use crate::on_engine;
