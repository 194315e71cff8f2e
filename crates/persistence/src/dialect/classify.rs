//! Classifies database errors by what a caller can do about them.
//!
//! Diesel knows few kinds of errors and hides the SQLSTATE of the others, so those are recognised
//! by their primary message. Connections request English messages from Postgres if they may
//! (`lc_messages`).

use diesel::result::{DatabaseErrorKind, Error};
use foretell_ports::error::StoreError;

/// Contention: the same statement may succeed in another transaction.
const CONTENTION: [&str; 8] = [
    // Postgres: 40P01, 40001, 55P03.
    "deadlock detected",
    "could not serialize access",
    "canceling statement due to lock timeout",
    "could not obtain lock",
    // SQLite: BUSY and LOCKED, also if another connection has just changed the schema.
    "database is locked",
    "database table is locked",
    "database schema is locked",
    "database schema has changed",
];

/// The database cannot work, or not in time; the statement itself is valid.
const UNAVAILABLE: [&str; 19] = [
    // Postgres.
    "terminating connection",
    "the database system is",
    "server closed the connection",
    "could not receive data from server",
    "could not send data to server",
    "SSL connection has been closed",
    "no connection to the server",
    "canceling statement due to statement timeout",
    "canceling statement due to user request",
    "too many clients",
    "remaining connection slots",
    "No space left on device",
    // Both.
    "out of memory",
    // SQLite.
    "the query was cancelled",
    "disk I/O error",
    "database or disk is full",
    "unable to open database file",
    "attempt to write a readonly database",
    "database disk image is malformed",
];

/// Disk failures during a SQLite commit: their effect is known only when the file is opened again.
const UNKNOWN_AT_COMMIT: [&str; 1] = ["disk I/O error"];

/// A full-text table of `SQLite` is missing or broken.
const BROKEN_INDEX: [&str; 6] = [
    "no such table",
    "no such column",
    "no column named",
    "vtable constructor failed",
    "fts5:",
    "database disk image is malformed",
];

/// Returns `true` if a statement failed because a full-text table is missing or broken. Its
/// transaction can continue.
pub(crate) fn is_broken_index(error: &Error) -> bool {
    matches!(
        error,
        Error::DatabaseError(_, information) if is_any(information.message(), &BROKEN_INDEX)
    )
}

/// A statement was cancelled because its caller is gone: on Postgres, and on SQLite by our own
/// function.
const CANCELLED: [&str; 2] = ["canceling statement due to user request", "the query was cancelled"];

/// Returns `true` if a statement was cancelled by this program.
pub(crate) fn is_cancellation(error: &Error) -> bool {
    matches!(
        error,
        Error::DatabaseError(_, information) if is_any(information.message(), &CANCELLED)
    )
}

fn is_any(message: &str, phrases: &[&str]) -> bool {
    phrases.iter().any(|phrase| message.contains(phrase))
}

/// Classifies an error of a statement. Its transaction has no effect.
pub(crate) fn statement(error: Error) -> StoreError {
    let kind = match &error {
        Error::BrokenTransactionManager => return StoreError::Unavailable(Box::new(error)),
        Error::DatabaseError(kind, information) => (kind, information.message()),
        _ => return StoreError::Rejected(Box::new(error)),
    };
    match kind {
        (DatabaseErrorKind::SerializationFailure, _) => StoreError::Contention(Box::new(error)),
        (DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::ReadOnlyTransaction, _) => {
            StoreError::Unavailable(Box::new(error))
        }
        (DatabaseErrorKind::Unknown, message) if is_any(message, &CONTENTION) => {
            StoreError::Contention(Box::new(error))
        }
        (DatabaseErrorKind::Unknown | DatabaseErrorKind::UnableToSendCommand, message)
            if is_any(message, &UNAVAILABLE) =>
        {
            StoreError::Unavailable(Box::new(error))
        }
        _ => StoreError::Rejected(Box::new(error)),
    }
}

/// Classifies an error of `COMMIT`. `is_usable` tells if the connection works and is outside any
/// transaction again: then the database has responded, and a commit that it rejects is rolled back.
pub(crate) fn commit(error: Error, is_usable: bool) -> StoreError {
    let error = match error {
        Error::RollbackErrorOnCommit { commit_error, .. } => *commit_error,
        error => error,
    };
    // Without a clear answer of the database the unit may be committed: running it again here could
    // do everything twice.
    let is_definite = match &error {
        Error::DatabaseError(_, information) => !is_any(information.message(), &UNKNOWN_AT_COMMIT),
        _ => false,
    };
    if is_usable && is_definite && !is_connection_lost(&error) {
        statement(error)
    } else {
        StoreError::CommitUnknown(Box::new(error))
    }
}

/// Returns `true` if the connection itself is lost.
pub(crate) fn is_connection_lost(error: &Error) -> bool {
    matches!(
        error,
        Error::DatabaseError(
            DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand,
            _
        ) | Error::BrokenTransactionManager
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database_error(kind: DatabaseErrorKind, message: &str) -> Error {
        Error::DatabaseError(kind, Box::new(message.to_owned()))
    }

    fn name(error: &StoreError) -> &'static str {
        match error {
            StoreError::Contention(_) => "contention",
            StoreError::Unavailable(_) => "unavailable",
            StoreError::CommitUnknown(_) => "commit unknown",
            StoreError::Rejected(_) => "rejected",
            StoreError::Corrupt { .. } => "corrupt",
        }
    }

    fn check(kind: DatabaseErrorKind, message: &str, of_statement: &str, of_commit: &str) {
        let error = database_error(kind, message);
        assert_eq!(name(&statement(error)), of_statement, "statement: {message}");
        let error = database_error(kind, message);
        assert_eq!(name(&commit(error, true)), of_commit, "commit: {message}");
        let error = database_error(kind, message);
        assert_eq!(
            name(&commit(error, false)),
            "commit unknown",
            "commit, connection lost: {message}"
        );
    }

    #[test]
    fn errors_are_classified_by_kind_and_message() {
        use DatabaseErrorKind as Kind;
        for (kind, message, of_statement, of_commit) in [
            (Kind::Unknown, "deadlock detected", "contention", "contention"),
            (Kind::SerializationFailure, "could not serialize access", "contention", "contention"),
            (Kind::Unknown, "canceling statement due to lock timeout", "contention", "contention"),
            (Kind::Unknown, "database is locked", "contention", "contention"),
            (
                Kind::Unknown,
                "canceling statement due to statement timeout",
                "unavailable",
                "unavailable",
            ),
            (Kind::ReadOnlyTransaction, "cannot execute INSERT", "unavailable", "unavailable"),
            (Kind::Unknown, "database or disk is full", "unavailable", "unavailable"),
            (Kind::Unknown, "disk I/O error", "unavailable", "commit unknown"),
            (
                Kind::ClosedConnection,
                "server closed the connection",
                "unavailable",
                "commit unknown",
            ),
            (Kind::UniqueViolation, "duplicate key", "rejected", "rejected"),
            (
                Kind::CheckViolation,
                "CHECK constraint failed: deadlock detected",
                "rejected",
                "rejected",
            ),
            (Kind::Unknown, "bigint out of range", "rejected", "rejected"),
        ] {
            check(kind, message, of_statement, of_commit);
        }
    }

    #[test]
    fn commit_error_precedes_rollback_error() {
        let both = |commit_error| Error::RollbackErrorOnCommit {
            rollback_error: Box::new(database_error(
                DatabaseErrorKind::Unknown,
                "no transaction is active",
            )),
            commit_error: Box::new(commit_error),
        };
        let refused =
            database_error(DatabaseErrorKind::ForeignKeyViolation, "violates foreign key");
        assert_eq!(name(&commit(both(refused), true)), "rejected");
        let lost = database_error(DatabaseErrorKind::ClosedConnection, "gone");
        assert_eq!(name(&commit(both(lost), false)), "commit unknown");
    }

    #[test]
    fn driver_error_rejects_statement_or_leaves_commit_unknown() {
        assert_eq!(name(&statement(Error::NotFound)), "rejected");
        assert_eq!(name(&statement(Error::BrokenTransactionManager)), "unavailable");
        assert_eq!(name(&commit(Error::BrokenTransactionManager, false)), "commit unknown");
    }
}
