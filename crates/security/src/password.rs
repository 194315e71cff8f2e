//! Passwords hashed by argon2id.

use std::num::NonZeroUsize;
use std::sync::Arc;

use argon2::password_hash::{self, PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, PasswordHash as Phc, Version};
use async_trait::async_trait;
use foretell_domain::password;
use foretell_ports::secret::{PasswordError, PasswordHash, PasswordHasher, Verification};
use secrecy::{ExposeSecret, SecretString};

use crate::queue::HashingQueue;

/// Cost of one hash, for the server and for an attacker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashingCost {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes over that memory.
    pub passes: u32,
    /// Lanes that could be computed in parallel.
    pub lanes: u32,
}

impl HashingCost {
    /// 19 MiB, two passes, one lane: one of the settings that the OWASP Password Storage Cheat
    /// Sheet gives for argon2id
    /// (<https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html>).
    pub const OWASP: Self = Self { memory_kib: 19_456, passes: 2, lanes: 1 };
}

impl Default for HashingCost {
    fn default() -> Self {
        Self::OWASP
    }
}

/// Hashes passwords by argon2id into PHC strings, on tokio's blocking pool.
///
/// At most as many hashes run at once as the hasher has threads; some more callers wait, and the
/// rest are rejected (see [`WAITING_PER_THREAD`](crate::WAITING_PER_THREAD)), since each hash takes
/// a core and 19 MiB. A hash with outdated parameters is still verified, and replaced if the
/// password is correct.
#[derive(Debug)]
pub struct Argon2Hasher {
    queue: HashingQueue,
    work: Arc<Work>,
}

impl Argon2Hasher {
    /// Creates a hasher of this cost on so many threads; the number of cores is the best choice.
    ///
    /// # Errors
    /// [`PasswordError::Failed`] for a cost that argon2 does not allow.
    pub fn new(cost: HashingCost, threads: NonZeroUsize) -> Result<Self, PasswordError> {
        let work = Work::new(cost).map_err(failed)?;
        Ok(Self { queue: HashingQueue::new(threads), work: Arc::new(work) })
    }
}

#[async_trait]
impl PasswordHasher for Argon2Hasher {
    async fn hash(&self, password: SecretString) -> Result<PasswordHash, PasswordError> {
        let work = Arc::clone(&self.work);
        self.queue.run(move || work.hash(&normalized(&password))).await?.map_err(failed)
    }

    async fn verify(
        &self,
        password: SecretString,
        hash: Option<PasswordHash>,
    ) -> Result<Verification, PasswordError> {
        let work = Arc::clone(&self.work);
        self.queue.run(move || work.verify(&password, hash.as_ref())).await?.map_err(failed)
    }
}

/// Salt and hash of the dummy in PHC form, all zeros: it is not the hash of a known password.
const NO_ONES: &str = "$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// State used on the blocking pool.
#[derive(Debug)]
struct Work {
    argon2: Argon2<'static>,
    /// Hash of no user's password, with the current parameters: verifying it takes as long as
    /// verifying a user's, so that the response time does not reveal who has an account.
    dummy: PasswordHash,
}

impl Work {
    fn new(cost: HashingCost) -> Result<Self, password_hash::Error> {
        let params = Params::new(
            cost.memory_kib,
            cost.passes,
            cost.lanes,
            Some(Params::DEFAULT_OUTPUT_LEN),
        )?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let HashingCost { memory_kib, passes, lanes } = cost;
        let dummy = format!("$argon2id$v=19$m={memory_kib},t={passes},p={lanes}{NO_ONES}");
        Ok(Self { argon2, dummy: PasswordHash(dummy) })
    }

    /// Hashes a password in its normal form.
    fn hash(&self, password: &SecretString) -> Result<PasswordHash, password_hash::Error> {
        let hash = self.argon2.hash_password(password.expose_secret().as_bytes())?;
        Ok(PasswordHash(hash.to_string()))
    }

    fn verify(
        &self,
        password: &SecretString,
        hash: Option<&PasswordHash>,
    ) -> Result<Verification, password_hash::Error> {
        let PasswordHash(text) = hash.unwrap_or(&self.dummy);
        let stored = Phc::new(text).map_err(|_| password_hash::Error::EncodingInvalid)?;
        if stored.salt.is_none() || stored.hash.is_none() {
            // argon2 would call it a wrong password.
            return Err(password_hash::Error::EncodingInvalid);
        }
        let normalized = normalized(password);
        let is_normal = self.matches(&normalized, &stored)?;
        // Older versions hashed the password as typed. The typed password alone decides whether
        // this costs a second hash, so that it does not reveal who has an account either.
        let is_typed = !is_normal
            && normalized.expose_secret() != password.expose_secret()
            && self.matches(password, &stored)?;
        if hash.is_none() || !(is_normal || is_typed) {
            return Ok(Verification::Mismatch);
        }
        if is_normal && self.is_current(&stored)? {
            return Ok(Verification::Match);
        }
        self.hash(&normalized).map(Verification::MatchAndRehash)
    }

    fn matches(&self, password: &SecretString, stored: &Phc) -> Result<bool, password_hash::Error> {
        match self.argon2.verify_password(password.expose_secret().as_bytes(), stored) {
            Ok(()) => Ok(true),
            Err(password_hash::Error::PasswordInvalid) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn is_current(&self, stored: &Phc) -> Result<bool, password_hash::Error> {
        Ok(stored.algorithm == Algorithm::Argon2id.ident()
            && stored.version == Some(Version::V0x13.into())
            && Params::try_from(stored)? == *self.argon2.params())
    }
}

fn normalized(password: &SecretString) -> SecretString {
    password::normalize(password.expose_secret()).into()
}

fn failed(error: password_hash::Error) -> PasswordError {
    PasswordError::Failed(error.into())
}

#[cfg(test)]
mod tests {
    use std::future::Future as _;
    use std::task::{Context, Waker};

    use super::*;
    use crate::WAITING_PER_THREAD;

    /// The lowest cost that argon2 allows.
    const CHEAP: HashingCost = HashingCost { memory_kib: 8, passes: 1, lanes: 1 };

    /// Hash of `password` with the salt `somesaltsomesalt`, by the reference implementation in C
    /// (argon2-cffi 25.1).
    const FOREIGN: &str = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$BbbKj4A4toOIetSRZTOFi0nLUgQBJsE09Mbp2HEbjAk";

    fn hasher(cost: HashingCost) -> Argon2Hasher {
        Argon2Hasher::new(cost, NonZeroUsize::MIN).unwrap()
    }

    async fn verify(hasher: &Argon2Hasher, password: &str, hash: Option<&str>) -> Verification {
        let hash = hash.map(|text| PasswordHash(text.to_owned()));
        hasher.verify(password.into(), hash).await.unwrap()
    }

    #[tokio::test]
    async fn hashes_are_phc_strings_with_owasp_parameters() {
        let PasswordHash(hash) = hasher(HashingCost::OWASP).hash("secret".into()).await.unwrap();
        let parts: Vec<_> = hash.split('$').collect();
        assert_eq!(parts[..4], ["", "argon2id", "v=19", "m=19456,t=2,p=1"], "{hash}");
        // 16 bytes of salt and 32 of hash, in base64 without padding.
        assert_eq!(
            parts[4..].iter().map(|part| part.len()).collect::<Vec<_>>(),
            [22, 43],
            "{hash}"
        );
    }

    #[tokio::test]
    async fn only_the_password_matches_its_hash() {
        let hasher = hasher(CHEAP);
        let PasswordHash(hash) = hasher.hash("pass word é".into()).await.unwrap();
        assert_eq!(verify(&hasher, "pass word é", Some(&hash)).await, Verification::Match);
        for wrong in ["", "pass word", "Pass word é", "pass word é ", "pass word e"] {
            assert_eq!(
                verify(&hasher, wrong, Some(&hash)).await,
                Verification::Mismatch,
                "{wrong:?}"
            );
        }
    }

    #[tokio::test]
    async fn two_hashes_of_one_password_differ() {
        let hasher = hasher(CHEAP);
        assert_ne!(
            hasher.hash("secret".into()).await.unwrap(),
            hasher.hash("secret".into()).await.unwrap()
        );
    }

    #[tokio::test]
    async fn hash_of_reference_implementation_is_verified() {
        assert_eq!(verify(&hasher(CHEAP), "password", Some(FOREIGN)).await, Verification::Match);
    }

    #[tokio::test]
    async fn equivalent_spellings_are_one_password() {
        let hasher = hasher(CHEAP);
        for (one, other) in [("Café au lait", "Cafe\u{301} au lait"), ("ｐａｓｓ １２", "pass 12")]
        {
            let PasswordHash(hash) = hasher.hash(one.into()).await.unwrap();
            assert_eq!(verify(&hasher, other, Some(&hash)).await, Verification::Match, "{other}");
            let PasswordHash(hash) = hasher.hash(other.into()).await.unwrap();
            assert_eq!(verify(&hasher, one, Some(&hash)).await, Verification::Match, "{one}");
        }
    }

    #[tokio::test]
    async fn hash_of_typed_form_still_matches_and_is_replaced() {
        let hasher = hasher(CHEAP);
        let typed = "Cafe\u{301} au lait";
        let PasswordHash(old) = hasher.work.hash(&typed.into()).unwrap();
        assert_eq!(verify(&hasher, "Cafe au lait", Some(&old)).await, Verification::Mismatch);
        let Verification::MatchAndRehash(PasswordHash(new)) =
            verify(&hasher, typed, Some(&old)).await
        else {
            panic!("the old hash was not replaced");
        };
        assert_eq!(verify(&hasher, "Café au lait", Some(&new)).await, Verification::Match);
    }

    #[tokio::test]
    async fn unknown_user_never_matches() {
        let hasher = hasher(CHEAP);
        // Not even the password of the dummy hash.
        for password in ["", "secret"] {
            assert_eq!(
                verify(&hasher, password, None).await,
                Verification::Mismatch,
                "{password:?}"
            );
        }
    }

    #[tokio::test]
    async fn unknown_user_costs_current_parameters() {
        let hasher = hasher(HashingCost { passes: 3, ..CHEAP });
        assert!(
            hasher.work.dummy.0.starts_with("$argon2id$v=19$m=8,t=3,p=1$"),
            "{:?}",
            hasher.work.dummy
        );
    }

    #[tokio::test]
    async fn hash_with_outdated_parameters_is_replaced() {
        let current = hasher(CHEAP);
        let others = [
            HashingCost { memory_kib: 16, ..CHEAP },
            HashingCost { passes: 2, ..CHEAP },
            HashingCost { memory_kib: 16, lanes: 2, ..CHEAP },
        ];
        for other in others {
            let PasswordHash(old) = hasher(other).hash("secret".into()).await.unwrap();
            assert_eq!(verify(&current, "wrong", Some(&old)).await, Verification::Mismatch);
            let Verification::MatchAndRehash(PasswordHash(new)) =
                verify(&current, "secret", Some(&old)).await
            else {
                panic!("{other:?} was not rehashed");
            };
            assert_eq!(verify(&current, "secret", Some(&new)).await, Verification::Match);
        }
    }

    #[tokio::test]
    async fn hash_of_other_argon2_variant_is_replaced() {
        let params = Params::new(8, 1, 1, Some(32)).unwrap();
        let argon2i = Argon2::new(Algorithm::Argon2i, Version::V0x13, params.clone());
        let older = Argon2::new(Algorithm::Argon2id, Version::V0x10, params);
        let short = Argon2::new(
            Algorithm::Argon2id,
            Version::V0x13,
            Params::new(8, 1, 1, Some(16)).unwrap(),
        );
        for argon2 in [argon2i, older, short] {
            let old = argon2.hash_password(b"secret").unwrap().to_string();
            let outcome = verify(&hasher(CHEAP), "secret", Some(&old)).await;
            assert!(matches!(outcome, Verification::MatchAndRehash(_)), "{old}");
        }
    }

    #[tokio::test]
    async fn malformed_hash_error_does_not_contain_it() {
        for text in [
            "",
            "secret",
            "$argon2id$v=19$m=8,t=1,p=1",
            "$scrypt$ln=1,r=8,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAA",
        ] {
            let outcome =
                hasher(CHEAP).verify("secret".into(), Some(PasswordHash(text.into()))).await;
            let Err(PasswordError::Failed(source)) = outcome else {
                panic!("{text:?} gave {outcome:?}")
            };
            assert!(!format!("{source} {source:?}").contains("secret"));
        }
    }

    #[tokio::test]
    async fn full_queue_rejects_hashing_and_verifying() {
        let hasher = hasher(CHEAP);
        let (finish, may_finish) = tokio::sync::oneshot::channel::<()>();
        let mut context = Context::from_waker(Waker::noop());
        let mut working = Box::pin(hasher.queue.run(move || may_finish.blocking_recv()));
        assert!(working.as_mut().poll(&mut context).is_pending());
        let mut waiting: Vec<_> =
            (0..WAITING_PER_THREAD).map(|_| hasher.hash("secret".into())).collect();
        for one in &mut waiting {
            assert!(one.as_mut().poll(&mut context).is_pending());
        }

        assert!(matches!(hasher.hash("secret".into()).await, Err(PasswordError::Busy)));
        assert!(matches!(hasher.verify("secret".into(), None).await, Err(PasswordError::Busy)));

        finish.send(()).unwrap();
        working.await.unwrap().unwrap();
        for one in waiting {
            one.await.unwrap();
        }
    }

    #[test]
    fn invalid_argon2_cost_is_rejected() {
        for cost in [
            HashingCost { memory_kib: 7, ..CHEAP },
            HashingCost { passes: 0, ..CHEAP },
            HashingCost { lanes: 0, ..CHEAP },
            HashingCost { lanes: 2, ..CHEAP },
        ] {
            let made = Argon2Hasher::new(cost, NonZeroUsize::MIN);
            assert!(matches!(made, Err(PasswordError::Failed(_))), "{cost:?}");
        }
    }
}
