//! What stops a use case, other than a refusal of the domain that a repeated command must repeat.

use std::time::Duration;

use foretell_domain::error::DomainError;
use foretell_ports::error::StoreError;
use foretell_ports::secret::PasswordError;
use thiserror::Error;

/// Why a use case gave no result.
#[derive(Debug, Error)]
pub enum AppError {
    /// The domain refuses; nothing was changed.
    #[error(transparent)]
    Refused(#[from] DomainError),
    /// The caller's session or API key has ended since it was looked up, or they were suspended; nothing was
    /// changed.
    #[error("the session or API key has ended")]
    Unauthorized,
    /// The mail address is unknown, the password is wrong, or the user is suspended: which, nobody is told.
    #[error("mail address or password is wrong")]
    BadCredentials,
    /// The password that a user gave once more is not theirs.
    #[error("the password is wrong")]
    WrongPassword,
    /// There were too many wrong passwords for this mail address, or from this address.
    #[error("there were too many attempts to sign in")]
    TooManyAttempts {
        /// How long to wait for the next one.
        retry_after: Duration,
    },
    /// Too many invalid tokens were presented from this network.
    #[error("too many invalid tokens were presented")]
    TooManyInvalidTokens {
        /// How long to wait before another one is looked up.
        retry_after: Duration,
    },
    /// Too many event streams are open.
    #[error("too many event streams are open")]
    TooManyStreams {
        /// How long to wait before trying again.
        retry_after: Duration,
    },
    /// The idempotency key was used before, for another command.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// What was to be changed has another version than the change was meant for; nothing was changed.
    #[error("the version that the change is meant for is not the latest")]
    Stale,
    /// There is more work than can be taken on; the command was not begun.
    #[error("the server is busy")]
    Overloaded,
    /// Storage did not do it.
    #[error("storage failed")]
    Store(#[from] StoreError),
    /// A password could not be hashed.
    #[error("a password could not be hashed")]
    Password(#[from] PasswordError),
    /// A fault of the program.
    #[error("internal error: {0}")]
    Internal(&'static str),
}

impl AppError {
    /// Whether trying again later may succeed.
    pub const fn is_temporary(&self) -> bool {
        match self {
            Self::Overloaded
            | Self::TooManyAttempts { .. }
            | Self::TooManyInvalidTokens { .. }
            | Self::TooManyStreams { .. }
            | Self::Password(PasswordError::Busy) => true,
            Self::Store(error) => matches!(
                error,
                StoreError::Contention(_) | StoreError::Unavailable(_) | StoreError::CommitUnknown(_)
            ),
            _ => false,
        }
    }
}

/// The same error for one more caller if a row is corrupt; nothing for other errors.
pub(crate) fn clone_corrupt(error: &StoreError) -> Option<StoreError> {
    let StoreError::Corrupt { table, column, id, cause } = error else { return None };
    Some(StoreError::Corrupt { table, column, id: id.clone(), cause: cause.to_string().into() })
}
