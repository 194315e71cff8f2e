//! Removes secrets and personal data from traces and reports: a second guard, since no secret is
//! logged either.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// Replacement of a secret.
pub(crate) const HIDDEN: &str = "[hidden]";

/// Words in the names of fields whose values are never sent.
const SECRET_NAMES: [&str; 9] =
    ["password", "passwd", "secret", "token", "authorization", "cookie", "api_key", "dsn", "email"];

/// Patterns of secrets in texts; the group `kept`, if any, stays.
static SECRETS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let patterns = [
        // Session tokens, API keys, webhook keys, password hashes.
        r"\bft_[a-z]_[\w-]+",
        r"\bwhsec_[\w+/=-]+",
        r"\$argon2[^\s\x22]*",
        // Credentials of HTTP headers and URLs.
        r"(?i)(?P<kept>\b(?:bearer|basic)\s+)[^\s\x22,;]+",
        r"(?P<kept>://)[^/\s@]+@",
        r"(?i)(?P<kept>\b(?:password|passwd|secret|token|authorization|cookie|api[_-]?key|dsn)\x22?\s*[:=]\s*\x22?)[^\s\x22&,;}]+",
        // Email addresses.
        r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+",
    ];
    patterns.iter().filter_map(|pattern| Regex::new(pattern).ok()).collect()
});

/// Returns `true` if the value of a field with this name is never sent.
pub(crate) fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_NAMES.iter().any(|word| name.contains(word))
}

/// Returns a text without substrings that look like secrets.
pub(crate) fn scrubbed(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    for secret in SECRETS.iter() {
        let replaced = secret.replace_all(&text, |found: &Captures<'_>| {
            let kept = found.name("kept").map_or("", |kept| kept.as_str());
            format!("{kept}{HIDDEN}")
        });
        if let Cow::Owned(replaced) = replaced {
            text = Cow::Owned(replaced);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_recognised_by_form() {
        let check = |text: &str, expected: &str| assert_eq!(scrubbed(text), expected, "{text}");
        check("session ft_s_abc-DEF_123 ended", "session [hidden] ended");
        check("key ft_k_abc, of ada", "key [hidden], of ada");
        check("whsec_MDEy+/= is the key", "[hidden] is the key");
        check("hash $argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA", "hash [hidden]");
        check("Authorization: Bearer abc.def", "Authorization: [hidden] [hidden]");
        check(
            "postgres://ada:pass@db:5432/foretell refused",
            "postgres://[hidden]db:5432/foretell refused",
        );
        check(
            r#"{"password": "hunter2", "name": "Ada"}"#,
            r#"{"password": "[hidden]", "name": "Ada"}"#,
        );
        check("/confirm?token=abc&next=1", "/confirm?token=[hidden]&next=1");
        check("to Ada <ada.l+x@mail.example.org>", "to Ada <[hidden]>");
    }

    #[test]
    fn other_text_is_unchanged() {
        for text in [
            "the ledger is out of balance by 3",
            "/markets/0197f7a0-0000-7000-8000-000000000000/bets",
            "a token was refused",
            "the password is wrong",
            "5 @ 3",
        ] {
            assert!(
                matches!(scrubbed(text), Cow::Borrowed(same) if same == text),
                "{text}: {}",
                scrubbed(text)
            );
        }
    }

    #[test]
    fn secret_fields_are_recognised_by_name() {
        for name in
            ["password", "newPassword", "smtp_password", "cookie", "Authorization", "user.email"]
        {
            assert!(is_secret(name), "{name}");
        }
        for name in ["request_id", "route", "status", "user.id", "error", "kind"] {
            assert!(!is_secret(name), "{name}");
        }
    }

    #[test]
    fn every_pattern_compiles() {
        assert_eq!(SECRETS.len(), 7);
    }
}
