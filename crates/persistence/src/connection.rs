//! An open connection of either database, and how one Diesel statement runs on whichever it is.

use diesel::{PgConnection, SqliteConnection};

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
