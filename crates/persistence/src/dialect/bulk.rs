//! Writes of many rows: on Postgres one statement with an array for each column, whose text is the
//! same for any number of rows; on `SQLite` one prepared statement per row, since statements there
//! cost no round trip.
//!
//! The macros make the text of a statement and its binds from one list of columns, with the types
//! of the schema, so that they cannot differ.

/// A placeholder of a further column.
macro_rules! placeholder {
    ($column:ident) => {
        ", ?"
    };
}

/// Runs a statement on Postgres that reads the rows as a table `new` of these columns; it stands
/// between the two texts.
macro_rules! with_rows {
    (
        $connection:expr, $rows:expr, $before:expr,
        $table:ident ($first:ident $(, $column:ident)* $(,)?), $after:expr
    ) => {{
        use diesel::dsl::SqlTypeOf;
        use diesel::sql_types::Array;

        const STATEMENT: &str = concat!(
            $before, "unnest(?", $($crate::dialect::bulk::placeholder!($column),)*
            ") AS new (", stringify!($first), $(", ", stringify!($column),)* ")", $after,
        );
        $crate::prepared::prepared(STATEMENT)
            .bind::<Array<SqlTypeOf<$crate::schema::$table::$first>>, _>(
                $crate::dialect::column($rows, |row| &row.$first),
            )
            $(.bind::<Array<SqlTypeOf<$crate::schema::$table::$column>>, _>(
                $crate::dialect::column($rows, |row| &row.$column),
            ))*
            .execute($connection)
    }};
}

/// Inserts rows with these columns, which are the fields of the rows, and returns the number of
/// rows inserted. `or_nothing` leaves out rows that violate a unique key, `or_nothing_on` those
/// that violate the key of this column.
macro_rules! bulk_insert {
    ($connection:expr, $rows:expr, $table:ident ($($column:ident),+ $(,)?)) => {
        $crate::dialect::bulk::bulk_insert!(@ $connection, $rows, $table ($($column),+), "", )
    };
    ($connection:expr, $rows:expr, $table:ident ($($column:ident),+ $(,)?), or_nothing) => {
        $crate::dialect::bulk::bulk_insert!(
            @ $connection, $rows, $table ($($column),+),
            " ON CONFLICT DO NOTHING",
            .on_conflict_do_nothing()
        )
    };
    (
        $connection:expr, $rows:expr, $table:ident ($($column:ident),+ $(,)?),
        or_nothing_on $key:ident
    ) => {
        $crate::dialect::bulk::bulk_insert!(
            @ $connection, $rows, $table ($($column),+),
            concat!(" ON CONFLICT (", stringify!($key), ") DO NOTHING"),
            .on_conflict($crate::schema::$table::$key).do_nothing()
        )
    };
    (
        @ $connection:expr, $rows:expr, $table:ident ($first:ident $(, $column:ident)*),
        $after:expr, $($or:tt)*
    ) => {
        match $connection {
            $crate::connection::Connection::Sqlite(c) => $crate::dialect::sum_of($rows, |row| {
                diesel::insert_into($crate::schema::$table::table).values(row)$($or)*.execute(*c)
            }),
            $crate::connection::Connection::Postgres(c) => $crate::dialect::bulk::with_rows!(
                *c, $rows,
                concat!(
                    "INSERT INTO ", stringify!($table),
                    " (", stringify!($first), $(", ", stringify!($column),)* ") SELECT * FROM "
                ),
                $table ($first $(, $column)*), $after
            ),
        }
    };
}

pub(super) use {bulk_insert, placeholder, with_rows};
