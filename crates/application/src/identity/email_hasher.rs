//! Keyed hashes of email addresses, which outlive their users without telling who they were.

use foretell_domain::text::Email;
use foretell_ports::grant::EmailHash;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// Name of the shared secret that is the key. It has no other use, so that no other hash can stand
/// for an address.
pub(crate) const KEY_NAME: &str = "email_hashes";

/// Hashes email addresses with a key of this installation.
#[derive(Clone)]
pub(crate) struct EmailHasher(Hmac<Sha256>);

impl EmailHasher {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self(Hmac::new_from_slice(key).expect("32 bytes are a key"))
    }

    /// Returns the hash of an address; all spellings of an address have the same one.
    pub(crate) fn hash(&self, email: &Email) -> EmailHash {
        EmailHash(self.0.clone().chain_update(email.as_str()).finalize().into_bytes().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_address_have_one_hash() {
        let hash = |key: u8, text: &str| {
            EmailHasher::new(&[key; 32]).hash(&Email::new(text).expect("an address"))
        };
        let expected = hash(1, "ada@bücher.example");
        for spelling in ["ADA@BÜCHER.example", "Ada@xn--bcher-kva.Example"] {
            assert_eq!(hash(1, spelling), expected, "{spelling}");
        }
        assert_ne!(hash(1, "ben@bücher.example"), expected);
        assert_ne!(hash(2, "ada@bücher.example"), expected, "without the key nobody can tell");
    }
}
