//! Statements written in SQL that each connection prepares once.
//!
//! Diesel prepares its `sql_query`, updates and upserts again for every execution, which costs
//! Postgres a round trip and a parse each time. Here the text is constant and serves as the cache
//! key.

use std::marker::PhantomData;

use diesel::backend::Backend;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{HasSqlType, Untyped};
use diesel::{QueryResult, RunQueryDsl};

/// A statement with the values of its parameters.
#[must_use]
pub(crate) struct Prepared<V> {
    text: &'static str,
    values: V,
}

/// Creates a statement with this text, in which each `?` is a parameter.
pub(crate) const fn prepared(text: &'static str) -> Prepared<()> {
    Prepared { text, values: () }
}

impl<V> Prepared<V> {
    /// Adds the value of the next parameter.
    pub(crate) fn bind<T, U>(self, value: U) -> Prepared<(V, Value<T, U>)> {
        let Self { text, values } = self;
        Prepared { text, values: (values, Value { value, sql_type: PhantomData }) }
    }
}

/// Value of one parameter, and its SQL type.
pub(crate) struct Value<T, U> {
    value: U,
    sql_type: PhantomData<T>,
}

/// Values of all parameters, first to last.
pub(crate) trait Values<DB: Backend> {
    /// Writes each value and the text after it.
    fn walk<'b>(
        &'b self,
        texts: &mut dyn Iterator<Item = &'static str>,
        pass: &mut AstPass<'_, 'b, DB>,
    ) -> QueryResult<()>;
}

impl<DB: Backend> Values<DB> for () {
    fn walk<'b>(
        &'b self,
        texts: &mut dyn Iterator<Item = &'static str>,
        pass: &mut AstPass<'_, 'b, DB>,
    ) -> QueryResult<()> {
        pass.push_sql(texts.next().unwrap_or_default());
        Ok(())
    }
}

impl<DB, V, T, U> Values<DB> for (V, Value<T, U>)
where
    DB: Backend + HasSqlType<T>,
    V: Values<DB>,
    U: ToSql<T, DB>,
{
    fn walk<'b>(
        &'b self,
        texts: &mut dyn Iterator<Item = &'static str>,
        pass: &mut AstPass<'_, 'b, DB>,
    ) -> QueryResult<()> {
        let (earlier, last) = self;
        earlier.walk(texts, pass)?;
        pass.push_bind_param(&last.value)?;
        pass.push_sql(texts.next().unwrap_or_default());
        Ok(())
    }
}

impl<DB: Backend, V: Values<DB>> QueryFragment<DB> for Prepared<V> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.values.walk(&mut self.text.split('?'), &mut pass)
    }
}

// The text is the cache key: many texts share one Rust type.
impl<V> QueryId for Prepared<V> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<V> Query for Prepared<V> {
    type SqlType = Untyped;
}

impl<V, C> RunQueryDsl<C> for Prepared<V> {}

/// A Diesel query with a final clause that Diesel does not support.
#[must_use]
pub(crate) struct Ended<Q> {
    query: Q,
    clause: &'static str,
}

/// Appends a final clause to a query.
pub(crate) const fn ended<Q>(query: Q, clause: &'static str) -> Ended<Q> {
    Ended { query, clause }
}

impl<DB: Backend, Q: QueryFragment<DB>> QueryFragment<DB> for Ended<Q> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.query.walk_ast(pass.reborrow())?;
        pass.push_sql(self.clause);
        Ok(())
    }
}

impl<Q> QueryId for Ended<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: Query> Query for Ended<Q> {
    type SqlType = Q::SqlType;
}

impl<Q, C> RunQueryDsl<C> for Ended<Q> {}
