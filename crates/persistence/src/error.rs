//! Errors of this crate, and their conversion to errors of the ports.

use std::fmt::Display;
use std::path::PathBuf;

use diesel::result::Error as DieselError;
use foretell_domain::time::Timestamp;
use foretell_ports::error::{Cause, StoreError};
use thiserror::Error;

use crate::dialect::classify;

/// 0001-01-01T00:00:00Z.
pub(crate) const FIRST_MICROS: i64 = -62_135_596_800_000_000;

/// The last microsecond of the year 9999.
pub(crate) const LAST_MICROS: i64 = 253_402_300_799_999_999;

const CREATE_UTF8_DATABASE: &str = "create another one with CREATE DATABASE foretell ENCODING \
    'UTF8' TEMPLATE template0, copy the data with pg_dump and psql, and change database.url";

const CREATE_UTF8_FILE: &str = "copy the data with sqlite3 OLD .dump into a new file, whose \
    encoding is UTF-8 unless told otherwise, and change database.url";

/// Reason why a store could not be opened.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// The URL is not valid.
    #[error("the database URL is not usable: {0}")]
    Url(&'static str),
    /// The folder of the database file cannot be created.
    #[error("creating the folder {} failed", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Cause.
        #[source]
        source: std::io::Error,
    },
    /// The encoding of the database cannot store every text.
    #[error(
        "the database has the encoding {found}, and Foretell needs {needed}: {}",
        if *is_postgres { CREATE_UTF8_DATABASE } else { CREATE_UTF8_FILE }
    )]
    Encoding {
        /// Current encoding.
        found: String,
        /// Required encoding.
        needed: &'static str,
        /// `true` for a Postgres server; otherwise a file.
        is_postgres: bool,
    },
    /// Connecting failed.
    #[error("the database cannot be reached")]
    Unreachable(#[source] Cause),
}

/// Reason why the schema could not be migrated.
#[derive(Debug, Error)]
pub enum MigrateError {
    /// A newer version of the program has changed the schema: run that version or a newer one.
    #[error("the database has a migration that this program does not know ({0}): it is newer")]
    Newer(String),
    /// The database cannot be reached.
    #[error("the database cannot be reached")]
    Unreachable(#[source] Cause),
    /// A migration failed and was rolled back; the previous ones stay applied.
    #[error("a migration failed")]
    Failed(#[source] Cause),
}

/// Failure inside a unit of work or a query.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Error of the database or its driver.
    Database(DieselError),
    /// A stored row violates a rule of the domain.
    Corrupt { table: &'static str, column: &'static str, id: String, cause: Cause },
    /// A list has more consecutive unreadable rows than are skipped.
    TooManyUnreadable,
    /// Fewer rows were saved than the unit had locked.
    Vanished { table: &'static str, expected: usize, saved: usize },
    /// The query was abandoned before it began.
    Abandoned,
}

impl Failure {
    /// Returns `true` if the connection is lost, and with it all uncommitted changes.
    pub(crate) fn is_connection_lost(&self) -> bool {
        matches!(self, Self::Database(error) if classify::is_connection_lost(error))
    }
}

impl Failure {
    /// Returns `true` if the statement was cancelled by this program, or the query has not begun.
    pub(crate) fn is_cancellation(&self) -> bool {
        match self {
            Self::Abandoned => true,
            Self::Database(error) => classify::is_cancellation(error),
            _ => false,
        }
    }
}

impl From<DieselError> for Failure {
    fn from(error: DieselError) -> Self {
        Self::Database(error)
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Database(error) => classify::statement(error),
            Failure::Corrupt { table, column, id, cause } => {
                Self::Corrupt { table, column, id, cause }
            }
            Failure::Abandoned => Self::Unavailable("the caller of the query is gone".into()),
            Failure::TooManyUnreadable => {
                Self::Rejected("too many rows of the list cannot be read".into())
            }
            Failure::Vanished { table, expected, saved } => Self::Rejected(
                format!("{saved} of {expected} rows of {table} were there to be saved").into(),
            ),
        }
    }
}

/// Fails unless every row was saved.
pub(crate) const fn expect_saved(
    table: &'static str,
    expected: usize,
    saved: usize,
) -> Result<(), Failure> {
    if expected == saved { Ok(()) } else { Err(Failure::Vanished { table, expected, saved }) }
}

/// A stored row being converted, which errors can name.
#[derive(Clone, Copy)]
pub(crate) struct StoredRow<I> {
    pub(crate) table: &'static str,
    pub(crate) id: I,
}

impl<I: Display> StoredRow<I> {
    /// Returns the value of a column, or an error with the column and the row.
    pub(crate) fn convert<T, E: Into<Cause>>(
        &self,
        column: &'static str,
        value: Result<T, E>,
    ) -> Result<T, Failure> {
        let Self { table, id } = self;
        value.map_err(|cause| Failure::Corrupt {
            table,
            column,
            id: id.to_string(),
            cause: cause.into(),
        })
    }

    /// Returns the time in a column; one outside the range of RFC 3339 is an error.
    pub(crate) fn time(&self, column: &'static str, micros: i64) -> Result<Timestamp, Failure> {
        let is_writable = (FIRST_MICROS..=LAST_MICROS).contains(&micros);
        let time = is_writable.then_some(Timestamp::from_micros(micros));
        self.convert(column, time.ok_or("not between the years 1 and 9999"))
    }

    /// Returns the time in a nullable column.
    pub(crate) fn optional_time(
        &self,
        column: &'static str,
        micros: Option<i64>,
    ) -> Result<Option<Timestamp>, Failure> {
        micros.map(|micros| self.time(column, micros)).transpose()
    }

    /// Returns the value that the text of a column stands for.
    pub(crate) fn named<T>(&self, column: &'static str, value: Option<T>) -> Result<T, Failure> {
        self.convert(column, value.ok_or("unknown name"))
    }
}
