//! Passwords, session tokens, API key secrets, and secrets shared by nodes.

use std::fmt;

use async_trait::async_trait;
use foretell_domain::password::{self, NewPasswordError};
use secrecy::{ExposeSecret as _, SecretString};
use thiserror::Error;

use crate::error::StoreError;

/// Hash of a password in PHC string format, with its parameters.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(pub String);

impl PasswordHash {
    /// Returns the placeholder of a hash for users without a password; it is never compared with a
    /// password.
    pub const fn of_nothing() -> Self {
        Self(String::new())
    }
}

/// Hides the hash: an attacker could use it to guess passwords offline.
impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

/// A valid new password, in its normal form.
#[derive(Debug, Clone)]
pub struct NewPassword(SecretString);

impl NewPassword {
    /// Normalizes and checks a password.
    ///
    /// # Errors
    /// [`NewPasswordError`].
    pub fn new(typed: &SecretString) -> Result<Self, NewPasswordError> {
        let normalized = SecretString::from(password::normalize(typed.expose_secret()));
        password::check_new(normalized.expose_secret())?;
        Ok(Self(normalized))
    }

    /// Returns the password in its normal form.
    pub fn into_secret(self) -> SecretString {
        self.0
    }
}

/// Reason why a password could not be hashed or compared.
#[derive(Debug, Error)]
pub enum PasswordError {
    /// Too many operations are waiting; try again later.
    #[error("too many passwords are being checked")]
    Busy,
    /// The hash is malformed, or hashing failed.
    #[error("a password could not be hashed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Result of comparing a password with a hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verification {
    /// The password is wrong.
    Mismatch,
    /// The password is correct.
    Match,
    /// The password is correct, but its hash has outdated parameters or was made from another form
    /// of it: store this one instead.
    MatchAndRehash(PasswordHash),
}

/// Hashes and verifies passwords, outside the threads that serve requests.
///
/// Passwords are hashed in their normal form ([`password::normalize`]). A hash of the form as
/// typed, as older versions stored it, still matches and is replaced.
#[async_trait]
pub trait PasswordHasher: Send + Sync {
    /// Returns a hash of `password` with a new salt.
    async fn hash(&self, password: SecretString) -> Result<PasswordHash, PasswordError>;

    /// Compares `password` with `hash`; with `None`, for unknown users, it does the same work and
    /// returns [`Verification::Mismatch`].
    async fn verify(
        &self,
        password: SecretString,
        hash: Option<PasswordHash>,
    ) -> Result<Verification, PasswordError>;
}

/// SHA-256 of a session token, an API key's secret or a code, the form that is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenHash(pub [u8; 32]);

/// Credential that a client presents, by its hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Presented {
    /// A session token.
    SessionToken(TokenHash),
    /// The secret of an API key.
    ApiKeySecret(TokenHash),
}

/// Creates and recognises session tokens, API key secrets and codes. The form of each tells its type.
pub trait Tokens: Send + Sync {
    /// Returns a new session token of 256 random bits, and its hash.
    fn issue(&self) -> (SecretString, TokenHash);

    /// Returns a new secret for an API key, of 256 random bits, and its hash.
    fn issue_key(&self) -> (SecretString, TokenHash);

    /// Returns a new code of 256 random bits, and its hash. It authorizes one operation, such as a
    /// registration, for anybody who has it, and is no credential.
    fn issue_code(&self) -> (SecretString, TokenHash);

    /// Returns the hash of a code, or `None` if the text has not the form of one.
    fn recognize_code(&self, code: &str) -> Option<TokenHash>;

    /// Returns the credential that a client presents, or `None` if it has an unknown form.
    fn recognize(&self, token: &str) -> Option<Presented>;
}

/// Stores secrets that all nodes of one database share, within a unit of work.
pub trait SecretTx {
    /// Stores `candidate` under a name that has no secret yet, and returns the secret that is now
    /// stored under the name.
    fn insert_secret_if_absent(
        &mut self,
        name: &'static str,
        candidate: [u8; 32],
    ) -> Result<[u8; 32], StoreError>;
}
