//! Storage errors, classified by what the caller can do about them.

use std::error::Error as StdError;
use std::fmt;
use std::iter::successors;

use thiserror::Error;

/// The cause of a [`StoreError`], for logs; never shown to clients.
pub type Cause = Box<dyn StdError + Send + Sync>;

/// Reason why an operation on storage failed.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Concurrent transactions conflicted (deadlock, serialization failure, locked database) more
    /// often than the adapter retries. Nothing was changed; the same call may succeed later.
    #[error("storage is busy with other work")]
    Contention(#[source] Cause),
    /// Storage cannot be reached, or no connection became free in time. Nothing was changed.
    #[error("storage is not available")]
    Unavailable(#[source] Cause),
    /// The response to a commit was lost: either all changes are stored or none.
    #[error("the outcome of a commit is unknown")]
    CommitUnknown(#[source] Cause),
    /// Storage rejected the changes themselves (a constraint, a value out of range, a panic in the
    /// unit). Nothing was changed, and the same call would fail again.
    #[error("storage rejected the changes")]
    Rejected(#[source] Cause),
    /// A stored row violates a rule of the domain.
    #[error("{table}.{column} of row {id} does not convert")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column, or the affected part of the row.
        column: &'static str,
        /// The row's id.
        id: String,
        /// The violated rule.
        #[source]
        cause: Cause,
    },
}

/// An error with all its causes, for logs, such as `storage is not available: database or disk is
/// full`.
#[derive(Debug, Clone, Copy)]
pub struct Chain<'a>(pub &'a (dyn StdError + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.0, f)?;
        successors(self.0.source(), |error| (**error).source())
            .try_for_each(|cause| write!(f, ": {cause}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chain_contains_every_cause() {
        let full = std::io::Error::other(StoreError::Contention("the file is locked".into()));
        let error = StoreError::Unavailable(Box::new(full));
        let told = Chain(&error).to_string();
        assert!(told.starts_with("storage is not available: "), "{told}");
        assert!(told.ends_with("storage is busy with other work: the file is locked"), "{told}");
    }
}
