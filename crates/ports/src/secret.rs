//! Passwords, session tokens, the secrets of API keys, and secrets that nodes share.

use std::fmt;

use async_trait::async_trait;
use foretell_domain::password::{self, NewPasswordError};
use secrecy::{ExposeSecret as _, SecretString};
use thiserror::Error;

use crate::error::StoreError;

/// A password's hash in PHC string format, with its parameters.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(pub String);

impl PasswordHash {
    /// In the place of a hash, where there is no password any more; it is never compared with one.
    pub const fn of_nothing() -> Self {
        Self(String::new())
    }
}

/// Never shows the hash: whoever has it can try passwords at home.
impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

/// A password that a user may choose, in its normal form.
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

    /// The password in its normal form.
    pub fn into_secret(self) -> SecretString {
        self.0
    }
}

/// Why a password could not be hashed or compared.
#[derive(Debug, Error)]
pub enum PasswordError {
    /// Too many others are waiting; try again later.
    #[error("too many passwords are being checked")]
    Busy,
    /// The hash is not one, or hashing itself failed.
    #[error("a password could not be hashed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// What comparing a password with a hash came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verification {
    /// It is not the password.
    Mismatch,
    /// It is the password.
    Match,
    /// It is the password, and its hash was made with outdated parameters or from another form of it: store
    /// this one instead.
    MatchAndRehash(PasswordHash),
}

/// Hashes and compares passwords, off the threads that serve requests.
///
/// Passwords are hashed in their normal form ([`password::normalize`]). A hash that was made from the form as
/// typed, as older versions did, still matches and is replaced.
#[async_trait]
pub trait PasswordHasher: Send + Sync {
    /// A hash of `password` with a salt of its own.
    async fn hash(&self, password: SecretString) -> Result<PasswordHash, PasswordError>;

    /// Compares `password` with `hash`; with `None`, for unknown users, it does the same work and answers
    /// [`Verification::Mismatch`].
    async fn verify(
        &self,
        password: SecretString,
        hash: Option<PasswordHash>,
    ) -> Result<Verification, PasswordError>;
}

/// The SHA-256 of a session token or an API key's secret: what is stored of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenHash(pub [u8; 32]);

/// What a client presents to say who it is, by its hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Presented {
    /// A session token.
    SessionToken(TokenHash),
    /// The secret of an API key.
    ApiKeySecret(TokenHash),
}

/// Makes and recognises session tokens and the secrets of API keys. By its form alone, each tells which it is.
pub trait Tokens: Send + Sync {
    /// A new session token of 256 random bits, and its hash.
    fn issue(&self) -> (SecretString, TokenHash);

    /// A new secret for an API key, of 256 random bits, and its hash.
    fn issue_key(&self) -> (SecretString, TokenHash);

    /// What a client presents, or `None` if it cannot be ours.
    fn recognize(&self, token: &str) -> Option<Presented>;
}

/// Keeps secrets that all nodes of one database share, within a unit of work.
pub trait SecretTx {
    /// Stores `candidate` under a name that has no secret yet, and returns the secret that the name has then.
    fn keep_secret_once(&mut self, name: &'static str, candidate: [u8; 32]) -> Result<[u8; 32], StoreError>;
}
