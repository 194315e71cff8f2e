//! Passwords: the normal form that is hashed, and the rules for a new one. Hashing is not done
//! here.

use std::sync::LazyLock;

use thiserror::Error;
use unicode_normalization::UnicodeNormalization as _;

/// Minimum characters of a password, counted in its normal form.
const MIN_CHARS: u32 = 8;

/// Maximum characters of a password, counted in its normal form.
const MAX_CHARS: u32 = 128;

/// The most common passwords in lower case, one per line, sorted by byte. Their source is in
/// `password/README.md`.
static COMMON: LazyLock<Vec<&str>> =
    LazyLock::new(|| include_str!("password/common.txt").lines().collect());

/// Reason why a new password is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NewPasswordError {
    /// Too short or too long.
    #[error("must have {min} to {max} characters")]
    Length {
        /// Minimum number of characters.
        min: u32,
        /// Maximum number of characters.
        max: u32,
    },
    /// One of the most common passwords, which attackers try first.
    #[error("is one of the most common passwords")]
    Common,
}

/// Returns the form of a password that is hashed: Normalization Form KC (NIST SP 800-63B), since
/// keyboards produce different forms.
pub fn normalize(password: &str) -> String {
    password.nfkc().collect()
}

/// Checks a new password in its normal form.
///
/// # Errors
/// [`NewPasswordError`].
pub fn check_new(normalized: &str) -> Result<(), NewPasswordError> {
    let length = normalized.chars().count();
    if !(MIN_CHARS as usize..=MAX_CHARS as usize).contains(&length) {
        return Err(NewPasswordError::Length { min: MIN_CHARS, max: MAX_CHARS });
    }
    let lower_case = normalized.to_lowercase();
    match COMMON.binary_search(&lower_case.as_str()) {
        Ok(_) => Err(NewPasswordError::Common),
        Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(typed: &str, expected: Result<(), NewPasswordError>) {
        assert_eq!(check_new(&normalize(typed)), expected, "{typed:?}");
    }

    #[test]
    fn equivalent_spellings_have_one_normal_form() {
        for (one, other) in
            [("Café-latte", "Cafe\u{301}-latte"), ("ｐａｓｓ１", "pass1"), ("ﬁnal", "final")]
        {
            assert_eq!(normalize(one), normalize(other));
        }
        assert_eq!(normalize("  two spaces "), "  two spaces ");
    }

    #[test]
    fn length_is_counted_in_the_normal_form() {
        const LENGTH: NewPasswordError = NewPasswordError::Length { min: 8, max: 128 };
        check("1234567", Err(LENGTH));
        check("e\u{301}e\u{301}e\u{301}e\u{301}", Err(LENGTH));
        check(&"é".repeat(128), Ok(()));
        check(&"é".repeat(129), Err(LENGTH));
        check("ﷺ", Ok(()));
        check(&"ﷺ".repeat(10), Err(LENGTH));
    }

    #[test]
    fn common_passwords_are_rejected_in_any_spelling() {
        for text in [
            "password",
            "PassWord",
            "12345678",
            "ｐａｓｓｗｏｒｄ",
            "１２３４５６７８",
            "qwertyuiop",
            "iloveyou",
        ] {
            check(text, Err(NewPasswordError::Common));
        }
        check("correct horse", Ok(()));
        check("password of my own", Ok(()));
    }

    #[test]
    fn the_list_is_sorted_lower_case_and_long_enough() {
        assert!(COMMON.is_sorted() && COMMON.len() == 10_000);
        assert!(
            COMMON.iter().all(|text| text.len() >= 8 && normalize(&text.to_lowercase()) == *text)
        );
    }
}
