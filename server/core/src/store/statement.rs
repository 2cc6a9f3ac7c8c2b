//! Statements in SQL of our own, for what diesel has no words for. Each is prepared once on a connection,
//! which `diesel::sql_query` does not do.

use diesel::backend::Backend;
use diesel::connection::Connection;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{HasSqlType, Untyped};
use diesel::{QueryResult, RunQueryDsl};
use std::borrow::Cow;
use std::marker::PhantomData;
use std::str::Split;

/// A statement whose values stand where its text has question marks, in their order.
pub struct Statement<V> {
    text: Cow<'static, str>,
    values: V,
}

impl Statement<()> {
    /// A statement that still needs its values.
    pub fn new(text: impl Into<Cow<'static, str>>) -> Self {
        Self { text: text.into(), values: () }
    }
}

impl<V> Statement<V> {
    /// The statement with its next value.
    pub fn bind<SqlType, T>(self, value: T) -> Statement<Bind<V, SqlType, T>> {
        Statement { text: self.text, values: Bind { before: self.values, value, sql_type: PhantomData } }
    }
}

/// A value and those before it.
pub struct Bind<V, SqlType, T> {
    before: V,
    value: T,
    sql_type: PhantomData<SqlType>,
}

/// The values of a statement, written between the pieces of its text.
pub trait Values<DB: Backend> {
    /// Writes the values, each with the piece of text behind it.
    fn write<'b>(&'b self, pieces: &mut Split<'b, char>, out: AstPass<'_, 'b, DB>) -> QueryResult<()>;
}

impl<DB: Backend> Values<DB> for () {
    fn write<'b>(&'b self, _: &mut Split<'b, char>, _: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        Ok(())
    }
}

impl<DB, V, SqlType, T> Values<DB> for Bind<V, SqlType, T>
where
    DB: Backend + HasSqlType<SqlType>,
    V: Values<DB>,
    T: ToSql<SqlType, DB>,
{
    fn write<'b>(&'b self, pieces: &mut Split<'b, char>, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.before.write(pieces, out.reborrow())?;
        out.push_bind_param::<SqlType, T>(&self.value)?;
        out.push_sql(pieces.next().unwrap_or_default());
        Ok(())
    }
}

impl<DB: Backend, V: Values<DB>> QueryFragment<DB> for Statement<V> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        let mut pieces = self.text.split('?');
        out.push_sql(pieces.next().unwrap_or_default());
        self.values.write(&mut pieces, out)
    }
}

/// Its text tells it from others.
impl<V> QueryId for Statement<V> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<V> Query for Statement<V> {
    type SqlType = Untyped;
}

impl<V, C: Connection> RunQueryDsl<C> for Statement<V> {}

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
