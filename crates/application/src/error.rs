//! Errors of use cases, except domain errors that are stored and replayed under an idempotency key.

use std::time::Duration;

use foretell_domain::error::DomainError;
use foretell_domain::job::JobError;
use foretell_domain::market::MarketError;
use foretell_domain::money::Currency;
use foretell_domain::policy::Denied;
use foretell_domain::post::PostError;
use foretell_domain::quota::QuotaExceeded;
use foretell_domain::registration::RegistrationError;
use foretell_domain::transfer::TransferError;
use foretell_domain::user::UserError;
use foretell_domain::webhook::WebhookError;
use foretell_ports::error::StoreError;
use foretell_ports::secret::PasswordError;
use foretell_ports::unit::WorkError;
use thiserror::Error;

/// Reason why a use case failed.
#[derive(Debug, Error)]
pub enum AppError {
    /// The domain rejects the operation; nothing was changed.
    #[error(transparent)]
    Refused(#[from] DomainError),
    /// The caller's session or API key has ended since it was read, or they were suspended; nothing
    /// was changed.
    #[error("the session or API key has ended")]
    Unauthorized,
    /// The email address is unknown, the password is wrong, or the user is suspended. Clients do
    /// not learn which.
    #[error("email address or password is wrong")]
    BadCredentials,
    /// The password that a signed-in user entered for confirmation is wrong.
    #[error("the password is wrong")]
    WrongPassword,
    /// Too many wrong passwords for this email address, or from this network.
    #[error("there were too many attempts to sign in")]
    TooManyAttempts {
        /// Time to wait before the next attempt.
        retry_after: Duration,
    },
    /// Too many invalid tokens from this network.
    #[error("too many invalid tokens were presented")]
    TooManyInvalidTokens {
        /// Time to wait before the next token is checked.
        retry_after: Duration,
    },
    /// Too many open event streams.
    #[error("too many event streams are open")]
    TooManyStreams {
        /// Time to wait before trying again.
        retry_after: Duration,
    },
    /// The idempotency key was already used for another command.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// The resource has another version than expected; nothing was changed.
    #[error("the version that the change is meant for is not the latest")]
    Stale,
    /// The server is overloaded; the command was not executed.
    #[error("the server is busy")]
    Overloaded,
    /// Storage failed.
    #[error("storage failed")]
    Store(#[from] StoreError),
    /// Hashing a password failed.
    #[error("a password could not be hashed")]
    Password(#[from] PasswordError),
    /// A program error.
    #[error("internal error: {0}")]
    Internal(&'static str),
}

impl AppError {
    /// Returns `true` if trying again later may succeed.
    pub const fn is_temporary(&self) -> bool {
        match self {
            Self::Overloaded
            | Self::TooManyAttempts { .. }
            | Self::TooManyInvalidTokens { .. }
            | Self::TooManyStreams { .. }
            | Self::Password(PasswordError::Busy) => true,
            Self::Store(error) => matches!(
                error,
                StoreError::Contention(_)
                    | StoreError::Unavailable(_)
                    | StoreError::CommitUnknown(_)
            ),
            _ => false,
        }
    }
}

/// Makes the errors of single areas work with `?`.
macro_rules! refused_by {
    ($($error:ty),+ $(,)?) => {$(
        impl From<$error> for AppError {
            fn from(refusal: $error) -> Self {
                Self::Refused(refusal.into())
            }
        }
    )+};
}

refused_by!(
    Denied,
    JobError,
    MarketError,
    PostError,
    QuotaExceeded,
    RegistrationError,
    TransferError,
    UserError,
    WebhookError
);

impl WorkError for AppError {
    fn into_store_error(self) -> Result<StoreError, Self> {
        match self {
            Self::Store(error) => Ok(error),
            refusal => Err(refusal),
        }
    }
}

/// Returns a copy of the error of a corrupt row for another caller; `None` for other errors.
pub(crate) fn clone_corrupt(error: &StoreError) -> Option<StoreError> {
    let StoreError::Corrupt { table, column, id, cause } = error else { return None };
    Some(StoreError::Corrupt { table, column, id: id.clone(), cause: cause.to_string().into() })
}

/// Reason why the application could not be started.
#[derive(Debug, Error)]
pub enum StartError {
    /// Storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The database was created with another currency, which cannot be changed.
    #[error(
        "the database was created with the currency {} with {} decimals, and the settings say {} with {}",
        stored.code(), stored.decimals(), configured.code(), configured.decimals()
    )]
    Currency {
        /// Currency of the database.
        stored: Currency,
        /// Currency of the settings.
        configured: Currency,
    },
}
