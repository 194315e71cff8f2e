//! Passwords and tokens without cryptography: fast and deterministic. They protect nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use foretell_domain::password;
use foretell_ports::secret::{
    NewPassword, PasswordError, PasswordHash, PasswordHasher, Presented, TokenHash, Tokens,
    Verification,
};
use secrecy::{ExposeSecret, SecretString};

use crate::ids::mix;

const CURRENT: &str = "$plain$v=2$";
const OUTDATED: &str = "$plain$v=1$";

/// Returns a valid new password.
pub fn new_password(typed: &str) -> NewPassword {
    NewPassword::new(&typed.into()).expect("a good password")
}

/// Stores passwords in their normal form; all clones share one counter.
#[derive(Debug, Clone, Default)]
pub struct PlainPasswordHasher {
    verified: Arc<AtomicU64>,
}

impl PlainPasswordHasher {
    /// Returns a hash with outdated parameters: it matches, and must be replaced.
    pub fn outdated(password: &str) -> PasswordHash {
        PasswordHash(format!("{OUTDATED}{password}"))
    }

    /// Returns how often a password was verified, with a hash or without.
    pub fn verifications(&self) -> u64 {
        self.verified.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl PasswordHasher for PlainPasswordHasher {
    async fn hash(&self, password: SecretString) -> Result<PasswordHash, PasswordError> {
        Ok(PasswordHash(format!("{CURRENT}{}", password::normalize(password.expose_secret()))))
    }

    async fn verify(
        &self,
        password: SecretString,
        hash: Option<PasswordHash>,
    ) -> Result<Verification, PasswordError> {
        self.verified.fetch_add(1, Ordering::SeqCst);
        let Some(PasswordHash(hash)) = hash else { return Ok(Verification::Mismatch) };
        let given = password::normalize(password.expose_secret());
        if let Some(stored) = hash.strip_prefix(CURRENT) {
            return Ok(if stored == given { Verification::Match } else { Verification::Mismatch });
        }
        match hash.strip_prefix(OUTDATED) {
            Some(stored) if stored == given => {
                Ok(Verification::MatchAndRehash(self.hash(password).await?))
            }
            Some(_) => Ok(Verification::Mismatch),
            None => Err(PasswordError::Failed("not a hash of this hasher".into())),
        }
    }
}

const TOKEN_PREFIX: &str = "test-token-";
const KEY_PREFIX: &str = "test-key-";
const CODE_PREFIX: &str = "test-code-";

/// Issues numbered tokens and secrets; all clones share one counter.
#[derive(Debug, Clone)]
pub struct SeededTokens {
    seed: u64,
    issued: Arc<AtomicU64>,
}

impl SeededTokens {
    /// Creates the tokens of this seed.
    pub fn new(seed: u64) -> Self {
        Self { seed, issued: Arc::new(AtomicU64::new(0)) }
    }
}

impl SeededTokens {
    fn issue_with(&self, prefix: &str) -> (SecretString, TokenHash) {
        let number = self.issued.fetch_add(1, Ordering::SeqCst);
        let token = format!("{prefix}{:x}-{number}", self.seed);
        let hash = hash_of(&token);
        (SecretString::from(token), hash)
    }
}

impl Tokens for SeededTokens {
    fn issue(&self) -> (SecretString, TokenHash) {
        self.issue_with(TOKEN_PREFIX)
    }

    fn issue_key(&self) -> (SecretString, TokenHash) {
        self.issue_with(KEY_PREFIX)
    }

    fn issue_code(&self) -> (SecretString, TokenHash) {
        self.issue_with(CODE_PREFIX)
    }

    fn recognize_code(&self, code: &str) -> Option<TokenHash> {
        code.starts_with(CODE_PREFIX).then(|| hash_of(code))
    }

    fn recognize(&self, token: &str) -> Option<Presented> {
        if token.starts_with(KEY_PREFIX) {
            return Some(Presented::ApiKeySecret(hash_of(token)));
        }
        token.starts_with(TOKEN_PREFIX).then(|| Presented::SessionToken(hash_of(token)))
    }
}

fn hash_of(token: &str) -> TokenHash {
    let mut hash = [0; 32];
    for (lane, chunk) in (0_u64..).zip(hash.chunks_exact_mut(8)) {
        let mixed = token.bytes().fold(mix(lane), |state, byte| mix(state ^ u64::from(byte)));
        chunk.copy_from_slice(&mixed.to_be_bytes());
    }
    TokenHash(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn password_matches_itself_only() {
        let hasher = PlainPasswordHasher::default();
        let hash = hasher.hash("secret".into()).await.unwrap();
        let check = async |given: &str, hash: Option<PasswordHash>, expected: Verification| {
            assert_eq!(hasher.verify(given.into(), hash).await.unwrap(), expected, "{given}");
        };
        check("secret", Some(hash.clone()), Verification::Match).await;
        check("other", Some(hash.clone()), Verification::Mismatch).await;
        check("secret", None, Verification::Mismatch).await;
        let outdated = PlainPasswordHasher::outdated("secret");
        check("secret", Some(outdated), Verification::MatchAndRehash(hash)).await;
        assert!(hasher.verify("secret".into(), Some(PasswordHash(String::new()))).await.is_err());
        assert_eq!(hasher.verifications(), 5);
    }

    #[test]
    fn token_is_recognised_by_its_hash() {
        let tokens = SeededTokens::new(1);
        let (first, first_hash) = tokens.issue();
        let (_, second_hash) = tokens.issue();
        assert_eq!(
            tokens.recognize(first.expose_secret()),
            Some(Presented::SessionToken(first_hash))
        );
        assert_ne!(first_hash, second_hash);
        let (key, key_hash) = tokens.issue_key();
        assert_eq!(tokens.recognize(key.expose_secret()), Some(Presented::ApiKeySecret(key_hash)));
        assert_eq!(tokens.recognize("foreign"), None);
    }
}
