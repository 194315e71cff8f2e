//! Texts that users enter, each normalized and checked when it is new ([ADR 0024]).
//!
//! `new` applies the policy for new texts. `restore` returns a stored text without checking it
//! again, so that rows written under an older policy stay readable.
//!
//! [ADR 0024]: https://github.com/foretell/foretell/blob/main/docs/adr/0024-text-policy.md

mod appearance;
mod email;
mod policy;
mod web_address;

use std::fmt;

use thiserror::Error;

pub use appearance::Appearance;
pub use email::{Email, EmailDomain};
pub use policy::normalize;
pub(crate) use policy::one_line;
pub(crate) use web_address::parse as parse_web_address;

use policy::multi_line;

/// Reason why a text is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum TextError {
    /// Too short or too long, counted in Unicode scalar values after normalization.
    #[error("must have {min} to {max} characters")]
    Length {
        /// Minimum number of characters.
        min: u32,
        /// Maximum number of characters.
        max: u32,
    },
    /// No visible character, or a control, invisible, private-use or unassigned character.
    #[error("must be readable text without control and invisible characters")]
    Unreadable,
    /// A line break in a single-line text.
    #[error("must be one line")]
    LineBreak,
    /// A name reserved by the server, or one that looks like it.
    #[error("this name is reserved")]
    Reserved,
    /// Not an address that can receive email.
    #[error("must be an email address")]
    NotAnEmail,
    /// Not an absolute `http` or `https` URL.
    #[error("must be an absolute http or https URL without user name, quotes and spaces")]
    NotAUrl,
}

/// Text deserialized by serde: a stored text, not a new one.
#[cfg(feature = "serde")]
#[derive(serde::Deserialize)]
struct StoredText(String);

/// Name of an erased user.
const ERASED_NAME: &str = "Deleted user";

/// The same without its space, the form in which reserved names are compared.
const ERASED_LETTERS: &str = "Deleteduser";

/// Normalizes a single-line text that is not a reserved name.
fn user_name(text: &str, min: u32, max: u32) -> Result<String, TextError> {
    let name = one_line(text, min, max)?;
    let letters: String = name.chars().filter(|c| c.is_alphanumeric()).collect();
    let is_reserved = Appearance::of(&letters).is_like(&Appearance::of(ERASED_LETTERS));
    if is_reserved { Err(TextError::Reserved) } else { Ok(name) }
}

fn web_url(text: &str, min: u32, max: u32) -> Result<String, TextError> {
    match parse_web_address(text).map(String::from) {
        Some(url) if url.len() <= max as usize => Ok(url),
        None if text.chars().count() <= max as usize => Err(TextError::NotAUrl),
        _ => Err(TextError::Length { min, max }),
    }
}

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident: $rule:ident, $min:literal to $max:literal),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(
            feature = "serde",
            derive(serde::Serialize, serde::Deserialize),
            serde(from = "StoredText", into = "String")
        )]
        pub struct $name(String);

        impl $name {
            #[doc = concat!("Normalizes a new text and accepts ", $min, " to ", $max, " characters.")]
            ///
            /// # Errors
            /// [`TextError`].
            pub fn new(text: impl AsRef<str>) -> Result<Self, TextError> {
                $rule(text.as_ref(), $min, $max).map(Self)
            }

            /// Returns a stored text without checking it again.
            pub fn restore(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// Returns the text in its normal form.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0
            }
        }

        #[cfg(feature = "serde")]
        impl From<StoredText> for $name {
            fn from(text: StoredText) -> Self {
                Self(text.0)
            }
        }
    )+};
}

texts! {
    /// Public name of a user.
    UserName: user_name, 1 to 50,
    /// Question of a market.
    MarketName: one_line, 3 to 100,
    /// Rules by which a market is resolved.
    MarketDescription: multi_line, 10 to 1000,
    /// What a market's creator or staff add to its resolution rules.
    Clarification: multi_line, 1 to 2_000,
    /// Evidence for a resolution of a market.
    EvidenceText: multi_line, 1 to 2_000,
    /// Absolute URL of a source for a resolution, in its normal form.
    EvidenceUrl: web_url, 1 to 500,
    /// Reason for a dispute, or for the undoing of a settlement.
    Reason: multi_line, 1 to 500,
    /// Name of one outcome of a market.
    OptionName: one_line, 1 to 50,
    /// Subject of a market, such as `politics`.
    Category: one_line, 1 to 40,
    /// Note on a transfer.
    Memo: one_line, 1 to 200,
    /// Absolute URL of a user's picture, in its normal form.
    AvatarUrl: web_url, 1 to 500,
    /// Name that a user gives to an API key.
    KeyName: one_line, 1 to 50,
    /// Title of a post.
    PostTitle: one_line, 1 to 200,
    /// Body of a post. Markup in it is treated as plain text.
    PostContent: multi_line, 1 to 50_000,
    /// Body of a comment.
    CommentContent: multi_line, 1 to 5_000,
}

impl UserName {
    /// Returns the name of an erased user, which no user can choose.
    pub(crate) fn of_erased() -> Self {
        Self(ERASED_NAME.to_owned())
    }
}

#[cfg(feature = "serde")]
impl From<StoredText> for Email {
    fn from(text: StoredText) -> Self {
        Self::restore(text.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_like_deleted_user_are_reserved() {
        for text in [
            "Deleted user",
            "deleted USER",
            "  Deleted   user ",
            "Deleted\u{A0}user",
            "DeletedUser",
            "deleted-user.",
            "Dеlеtеd usеr",
            "De1eted user",
            "Ｄｅｌｅｔｅｄ user",
            "(Deleted user)",
        ] {
            assert_eq!(UserName::new(text), Err(TextError::Reserved), "{text}");
        }
        for text in ["Deleted users", "Undeleted user", "user deleted"] {
            assert!(UserName::new(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn avatars_are_stored_in_normal_form() {
        let check = |text: &str, expected: Result<&str, TextError>| {
            let avatar = AvatarUrl::new(text);
            assert_eq!(
                avatar.as_ref().map(AvatarUrl::as_str),
                expected.as_ref().copied(),
                "{text}"
            );
        };
        check("HTTPS://Example.org/ä", Ok("https://example.org/%C3%A4"));
        check("https://x\"onerror=alert(1)", Err(TextError::NotAUrl));
        check("nonsense", Err(TextError::NotAUrl));
        // Short as typed, too long after encoding.
        let long = format!("https://example.org/{}", "東".repeat(60));
        check(&long, Err(TextError::Length { min: 1, max: 500 }));
    }

    #[test]
    fn stored_text_is_read_unchanged() {
        assert_eq!(UserName::restore("\u{200B}\u{200B}").as_str(), "\u{200B}\u{200B}");
        assert_eq!(Email::restore("a@b@c.org").as_str(), "a@b@c.org");
    }

    #[cfg(feature = "serde")]
    #[test]
    fn serde_reads_texts_of_older_policy() {
        let name: OptionName = serde_json::from_str("\"Ye\u{200B}s\"").unwrap();
        assert_eq!(serde_json::to_string(&name).unwrap(), "\"Ye\u{200B}s\"");
    }
}
