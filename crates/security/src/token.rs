//! Session tokens, API key secrets and codes: 256 random bits in a recognisable form.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use foretell_ports::secret::{Presented, TokenHash, Tokens};
use secrecy::{ExposeSecret, ExposeSecretMut, SecretBox, SecretString};
use sha2::{Digest, Sha256};

/// Prefix of a session token, by which people and secret scanners recognise it.
const PREFIX: &str = "ft_s_";

/// Prefix of an API key secret; as long as the other.
const KEY_PREFIX: &str = "ft_k_";

/// Prefix of a code; as long as the others.
const CODE_PREFIX: &str = "ft_c_";

const RANDOM_BYTES: usize = 32;

/// Characters of 32 bytes in base64url without padding.
const BODY_CHARS: usize = 43;

/// Session tokens: `ft_s_` and 43 characters of base64url (RFC 4648, section 5, without padding);
/// API key secrets, with `ft_k_` instead; and codes, with `ft_c_`.
///
/// They contain 256 random bits, so that an unsalted SHA-256 of the whole text is safe to store.
#[derive(Debug, Clone, Copy, Default)]
pub struct SessionTokens;

impl Tokens for SessionTokens {
    /// # Panics
    /// If the operating system has no random numbers: a guessable token would be worse.
    fn issue(&self) -> (SecretString, TokenHash) {
        issue_with(PREFIX)
    }

    /// # Panics
    /// As for a session token.
    fn issue_key(&self) -> (SecretString, TokenHash) {
        issue_with(KEY_PREFIX)
    }

    /// # Panics
    /// As for a session token.
    fn issue_code(&self) -> (SecretString, TokenHash) {
        issue_with(CODE_PREFIX)
    }

    fn recognize_code(&self, code: &str) -> Option<TokenHash> {
        code.strip_prefix(CODE_PREFIX).is_some_and(is_body).then(|| hash_of(code))
    }

    fn recognize(&self, token: &str) -> Option<Presented> {
        if let Some(body) = token.strip_prefix(PREFIX) {
            return is_body(body).then(|| Presented::SessionToken(hash_of(token)));
        }
        let body = token.strip_prefix(KEY_PREFIX)?;
        is_body(body).then(|| Presented::ApiKeySecret(hash_of(token)))
    }
}

#[expect(clippy::expect_used, reason = "a system without random numbers must not issue tokens")]
fn issue_with(prefix: &str) -> (SecretString, TokenHash) {
    let bits = SecretBox::<[u8; RANDOM_BYTES]>::init_with_mut(|bits| {
        getrandom::fill(bits).expect("the operating system gives random numbers");
    });
    // Capacity for all of it, so that no reallocation leaves a copy behind.
    let mut token = String::with_capacity(prefix.len() + BODY_CHARS);
    token.push_str(prefix);
    URL_SAFE_NO_PAD.encode_string(bits.expose_secret(), &mut token);
    let hash = hash_of(&token);
    (token.into(), hash)
}

fn is_body(text: &str) -> bool {
    let mut bits = SecretBox::<[u8; RANDOM_BYTES]>::default();
    URL_SAFE_NO_PAD.decode_slice(text, bits.expose_secret_mut()) == Ok(RANDOM_BYTES)
}

fn hash_of(token: &str) -> TokenHash {
    TokenHash(Sha256::digest(token).into())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const ZEROS: &str = "ft_s_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    #[test]
    fn tokens_have_a_prefix_and_43_characters() {
        for _ in 0..100 {
            let (token, _) = SessionTokens.issue();
            let body = token.expose_secret().strip_prefix("ft_s_").unwrap().to_owned();
            assert_eq!(body.len(), BODY_CHARS);
            assert!(
                body.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'),
                "{body}"
            );
        }
    }

    #[test]
    fn issued_token_has_returned_hash() {
        let (token, hash) = SessionTokens.issue();
        assert_eq!(
            SessionTokens.recognize(token.expose_secret()),
            Some(Presented::SessionToken(hash))
        );
        let (secret, hash) = SessionTokens.issue_key();
        assert!(secret.expose_secret().starts_with("ft_k_"));
        assert_eq!(SessionTokens.recognize_code(secret.expose_secret()), None);
        let (code, code_hash) = SessionTokens.issue_code();
        assert_eq!(SessionTokens.recognize_code(code.expose_secret()), Some(code_hash));
        assert_eq!(SessionTokens.recognize(code.expose_secret()), None, "a code signs nobody in");
        assert_eq!(
            SessionTokens.recognize(secret.expose_secret()),
            Some(Presented::ApiKeySecret(hash))
        );
    }

    #[test]
    fn hash_is_sha_256_of_whole_text() {
        // By sha256sum of GNU coreutils.
        let expected = "2529ab9dbb2787e2c9dc4281513528bfd7a3f9e8a5b4427b0a8e8efe0eb882a8";
        let expected: Vec<_> = (0..expected.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&expected[at..at + 2], 16).unwrap())
            .collect();
        let hash = TokenHash(expected.try_into().unwrap());
        assert_eq!(SessionTokens.recognize(ZEROS), Some(Presented::SessionToken(hash)));
    }

    #[test]
    fn tokens_and_hashes_are_distinct() {
        let issued: Vec<_> = (0..1_000).map(|_| SessionTokens.issue()).collect();
        let tokens: BTreeSet<_> = issued.iter().map(|(token, _)| token.expose_secret()).collect();
        let hashes: BTreeSet<_> = issued.iter().map(|(_, hash)| hash).collect();
        assert_eq!((tokens.len(), hashes.len()), (1_000, 1_000));
    }

    #[test]
    fn malformed_texts_have_no_hash() {
        let body = &ZEROS[PREFIX.len()..];
        let foreign = [
            String::new(),
            PREFIX.to_owned(),
            body.to_owned(),
            format!("ft_x_{body}"),
            format!("ft_k_{body}A"),
            format!("FT_S_{body}"),
            format!(" {ZEROS}"),
            format!("{ZEROS} "),
            format!("{ZEROS}A"),
            format!("{ZEROS}="),
            ZEROS[..ZEROS.len() - 1].to_owned(),
            ZEROS.replacen("AA", "A+", 1),
            ZEROS.replacen("AA", "A/", 1),
            ZEROS.replacen("AA", "é", 1),
            // The last character holds four bits of the token; the two beyond them must be zero.
            format!("{}B", &ZEROS[..ZEROS.len() - 1]),
            "A".repeat(100_000),
        ];
        for text in foreign {
            assert_eq!(SessionTokens.recognize(&text), None, "{text:.80}");
        }
    }

    #[test]
    fn debug_output_hides_the_token() {
        let (token, _) = SessionTokens.issue();
        assert!(!format!("{token:?}").contains("ft_s_"));
    }
}
