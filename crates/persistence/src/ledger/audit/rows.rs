//! Rows of the audit: read one at a time, and reported if they differ from what they should be.

use std::collections::BTreeSet;

use diesel::connection::DefaultLoadingMode;
use diesel::pg::{Pg, PgRowByRowLoadingMode};
use diesel::sqlite::Sqlite;
use diesel::{QueryableByName, RunQueryDsl as _};
use foretell_domain::market::Difference;
use foretell_ports::ledger::AuditFinding;

use crate::connection::Connection;
use crate::error::Failure;
use crate::id::DbId;

/// Markets with a difference: several checks may find the same one.
#[derive(Default)]
pub(super) struct DriftingMarkets(BTreeSet<DbId>);

impl DriftingMarkets {
    /// Adds a market.
    pub(super) fn add(&mut self, market: DbId) {
        self.0.insert(market);
    }

    /// Returns the number of markets.
    pub(super) fn count(&self) -> i64 {
        i64::try_from(self.0.len()).unwrap_or(i64::MAX)
    }
}

/// A row with a difference.
pub(super) struct Listed<I> {
    pub(super) table: &'static str,
    pub(super) id: I,
}

impl<I: ToString> Listed<I> {
    /// Returns what is reported of the difference.
    pub(super) fn finding(
        &self,
        Difference { column, stored, expected }: Difference,
    ) -> AuditFinding {
        AuditFinding { table: self.table, id: self.id.to_string(), column, stored, expected }
    }
}

/// Runs a query and reads its rows one at a time.
pub(super) fn for_each_row<T>(
    connection: &mut Connection<'_>,
    query: &str,
    mut read: impl FnMut(T) -> Result<(), Failure>,
) -> Result<(), Failure>
where
    T: QueryableByName<Sqlite> + QueryableByName<Pg> + 'static,
{
    match connection {
        Connection::Sqlite(c) => {
            for row in diesel::sql_query(query).load_iter::<T, DefaultLoadingMode>(*c)? {
                read(row?)?;
            }
        }
        Connection::Postgres(c) => {
            // The default mode would load the whole result into memory.
            for row in diesel::sql_query(query).load_iter::<T, PgRowByRowLoadingMode>(*c)? {
                read(row?)?;
            }
        }
    }
    Ok(())
}
