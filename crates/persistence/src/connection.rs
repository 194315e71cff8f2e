//! An open connection of either database, and how one Diesel statement runs on whichever it is.

use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::{PgConnection, QueryResult, RunQueryDsl, SqliteConnection};

/// An open connection.
pub(crate) enum Connection<'a> {
    /// To a file.
    Sqlite(&'a mut SqliteConnection),
    /// To a server.
    Postgres(&'a mut PgConnection),
}

/// Runs the same statement on whichever connection is open. With a name after the connection's, that is
/// the type of its Diesel backend.
macro_rules! on {
    ($connection:expr, |$c:ident| $statement:expr) => {
        $crate::connection::on!($connection, |$c, Db| $statement)
    };
    ($connection:expr, |$c:ident, $backend:ident| $statement:expr) => {
        match $connection {
            $crate::connection::Connection::Sqlite(c) => {
                #[allow(dead_code, reason = "few statements name the backend")]
                type $backend = diesel::sqlite::Sqlite;
                let $c: &mut diesel::SqliteConnection = c;
                $statement
            }
            $crate::connection::Connection::Postgres(c) => {
                #[allow(dead_code, reason = "few statements name the backend")]
                type $backend = diesel::pg::Pg;
                let $c: &mut diesel::PgConnection = c;
                $statement
            }
        }
    };
}
pub(crate) use on;

/// A statement whose text never varies, so that each connection prepares it once. Diesel does that by
/// itself for most of its own statements, but neither for updates and upserts nor for `sql_query`.
#[must_use]
pub(crate) struct Cached<Q> {
    query: Q,
    suffix: &'static str,
}

/// Prepares `query` once a connection; its text must be one of few.
pub(crate) const fn cached<Q>(query: Q) -> Cached<Q> {
    Cached { query, suffix: "" }
}

/// The same with a clause at the end that Diesel cannot write.
pub(crate) const fn cached_with<Q>(query: Q, suffix: &'static str) -> Cached<Q> {
    Cached { query, suffix }
}

impl<Q> QueryId for Cached<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q, DB> QueryFragment<DB> for Cached<Q>
where
    DB: diesel::backend::Backend,
    Q: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.query.walk_ast(pass.reborrow())?;
        pass.push_sql(self.suffix);
        Ok(())
    }

    fn is_safe_to_cache_prepared(&self, _backend: &DB) -> QueryResult<bool> {
        Ok(true)
    }
}

impl<Q: Query> Query for Cached<Q> {
    type SqlType = Q::SqlType;
}

impl<Q, C> RunQueryDsl<C> for Cached<Q> {}
