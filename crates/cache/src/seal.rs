//! Signatures of entries and messages in Redis: others who can write there cannot forge them.

use foretell_domain::time::Timestamp;
use foretell_ports::cache::Cached;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// Length of a signature, in bytes.
const TAG_BYTES: usize = 32;

/// Signs with HMAC-SHA-256 by a key that the nodes of one database share.
#[derive(Clone)]
pub(crate) struct Seal(Hmac<Sha256>);

impl Seal {
    #[expect(clippy::expect_used, reason = "an HMAC takes keys of any length")]
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self(Hmac::new_from_slice(key).expect("32 bytes are a key"))
    }

    /// Returns the signature of an entry with its key and the time when storage was read.
    pub(crate) fn sign_entry(
        &self,
        key: &str,
        cached: &Cached,
        asked_at: Timestamp,
    ) -> [u8; TAG_BYTES] {
        self.entry_mac(key, cached, asked_at).finalize().into_bytes().into()
    }

    /// Returns `true` if a node of this database has signed an entry. The comparison takes constant
    /// time.
    pub(crate) fn is_signed(
        &self,
        key: &str,
        cached: &Cached,
        asked_at: Timestamp,
        tag: &[u8],
    ) -> bool {
        self.entry_mac(key, cached, asked_at).verify_slice(tag).is_ok()
    }

    /// Returns a message for a channel, preceded by its signature.
    pub(crate) fn seal_message(&self, channel: &str, text: &str) -> Vec<u8> {
        let tag = self.message_mac(channel, text.as_bytes()).finalize().into_bytes();
        [&tag[..], text.as_bytes()].concat()
    }

    /// Returns the text of a message that a node of this database has sent through a channel.
    pub(crate) fn open_message<'a>(&self, channel: &str, message: &'a [u8]) -> Option<&'a str> {
        let (tag, text) = message.split_at_checked(TAG_BYTES)?;
        self.message_mac(channel, text).verify_slice(tag).ok()?;
        std::str::from_utf8(text).ok()
    }

    /// Computes the MAC of an entry. Lengths before texts keep two different entries from having
    /// the same bytes.
    fn entry_mac(&self, key: &str, cached: &Cached, asked_at: Timestamp) -> Hmac<Sha256> {
        let Cached { version, good_until, bytes } = cached;
        let numbers =
            [*version, good_until.micros(), asked_at.micros()].map(i64::to_be_bytes).concat();
        // Another kind than that of messages, so that neither is valid as the other.
        self.named(b"entry", key).chain_update(numbers).chain_update(bytes)
    }

    fn message_mac(&self, channel: &str, text: &[u8]) -> Hmac<Sha256> {
        self.named(b"message", channel).chain_update(text)
    }

    fn named(&self, kind: &[u8], name: &str) -> Hmac<Sha256> {
        let length = u64::try_from(name.len()).unwrap_or(u64::MAX).to_be_bytes();
        self.0.clone().chain_update(kind).chain_update(length).chain_update(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cached(version: i64, good_until: i64, text: &str) -> Cached {
        let good_until = Timestamp::from_micros(good_until);
        Cached { version, good_until, bytes: text.as_bytes().into() }
    }

    #[test]
    fn entry_signature_covers_every_part() {
        let at = Timestamp::from_micros;
        let seal = Seal::new(&[1; 32]);
        let tag = seal.sign_entry("a", &cached(1, 2, "x"), at(3));
        assert!(seal.is_signed("a", &cached(1, 2, "x"), at(3), &tag));
        assert!(
            !Seal::new(&[2; 32]).is_signed("a", &cached(1, 2, "x"), at(3), &tag),
            "another key"
        );
        assert!(!seal.is_signed("b", &cached(1, 2, "x"), at(3), &tag), "another name");
        assert!(!seal.is_signed("a", &cached(9, 2, "x"), at(3), &tag), "another version");
        assert!(!seal.is_signed("a", &cached(1, 9, "x"), at(3), &tag), "another end");
        assert!(!seal.is_signed("a", &cached(1, 2, "y"), at(3), &tag), "other bytes");
        assert!(!seal.is_signed("a", &cached(1, 2, "x"), at(9), &tag), "another time");
        for truncated in [&tag[..31], &[]] {
            assert!(!seal.is_signed("a", &cached(1, 2, "x"), at(3), truncated));
        }
    }

    #[test]
    fn message_opens_only_with_its_signature() {
        let seal = Seal::new(&[1; 32]);
        let message = seal.seal_message("floors", "7 market:1");
        assert_eq!(seal.open_message("floors", &message), Some("7 market:1"));
        assert_eq!(seal.open_message("users", &message), None, "another channel");
        assert_eq!(Seal::new(&[2; 32]).open_message("floors", &message), None, "another key");
        assert_eq!(seal.open_message("floors", b"7 market:1"), None, "no signature");
        let mut altered = message;
        *altered.last_mut().unwrap() ^= 1;
        assert_eq!(seal.open_message("floors", &altered), None);
    }
}
