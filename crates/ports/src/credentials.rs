//! Users with the hashes of their passwords.

use foretell_domain::user::User;

use crate::secret::PasswordHash;

/// A user with the data needed to sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user.
    pub user: User,
    /// The hash of the password.
    pub password: PasswordHash,
}
