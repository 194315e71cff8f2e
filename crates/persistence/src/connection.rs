//! Open connection of either database, and a macro that runs one Diesel statement on both.

use diesel::{PgConnection, SqliteConnection};

/// An open connection.
pub(crate) enum Connection<'a> {
    /// Connection to a file.
    Sqlite(&'a mut SqliteConnection),
    /// Connection to a server.
    Postgres(&'a mut PgConnection),
}

/// Runs the same statement on either connection. A name after the connection is the type of its
/// Diesel backend.
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
