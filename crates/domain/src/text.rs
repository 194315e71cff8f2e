//! Text that people type: names, descriptions and mail addresses with their limits, stored as typed.

use std::fmt;

use thiserror::Error;

use crate::id::UserId;

/// Why a text is not acceptable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum TextError {
    /// Too short or too long, counted in Unicode scalar values.
    #[error("must have {min} to {max} characters")]
    Length {
        /// The fewest characters.
        min: u32,
        /// The most characters.
        max: u32,
    },
    /// Nothing but white space, or a control character other than a line break or tab.
    #[error("must be readable text")]
    Unreadable,
    /// Not of the form `local@domain`.
    #[error("must be a mail address")]
    NotAnEmail,
}

pub(crate) fn check_readable(text: &str, min: u32, max: u32) -> Result<(), TextError> {
    let length = text.chars().count();
    if !(min as usize..=max as usize).contains(&length) {
        return Err(TextError::Length { min, max });
    }
    let is_control = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    if text.trim().is_empty() || text.chars().any(is_control) {
        return Err(TextError::Unreadable);
    }
    Ok(())
}

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident: $min:literal to $max:literal),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(
            feature = "serde",
            derive(serde::Serialize, serde::Deserialize),
            serde(try_from = "String", into = "String")
        )]
        pub struct $name(String);

        impl $name {
            #[doc = concat!("Accepts ", $min, " to ", $max, " characters of readable text.")]
            ///
            /// # Errors
            /// [`TextError::Length`] outside these limits, [`TextError::Unreadable`] for blank text and
            /// control characters.
            pub fn new(text: impl Into<String>) -> Result<Self, TextError> {
                let text = text.into();
                check_readable(&text, $min, $max)?;
                Ok(Self(text))
            }

            /// The text as typed.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = TextError;

            fn try_from(text: String) -> Result<Self, TextError> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0
            }
        }
    )+};
}

texts! {
    /// What a user is called in public.
    UserName: 1 to 50,
    /// What a market asks, in one line.
    MarketName: 3 to 100,
    /// How a market will be decided.
    MarketDescription: 10 to 1000,
    /// What one outcome of a market is called.
    OptionName: 1 to 50,
    /// What sort of question a market asks, such as `politics`.
    Category: 1 to 40,
    /// A note on a transfer.
    Memo: 1 to 200,
    /// Where a user's picture is found.
    AvatarUrl: 1 to 500,
    /// What its user calls an API key.
    KeyName: 1 to 50,
    /// What a post is called.
    PostTitle: 1 to 200,
    /// What a post says. Markup in it is text like any other: nothing here reads it.
    PostContent: 1 to 50_000,
    /// What a comment says.
    CommentContent: 1 to 5_000,
}

/// Where the addresses of erased users seem to be.
const ERASED_DOMAIN: &str = "@erased.invalid";

/// A mail address in lower case; two that differ only in case are one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "String", into = "String")
)]
pub struct Email(String);

impl Email {
    /// Accepts `local@domain` of 3 to 254 bytes without white space or control characters. Whether
    /// mail arrives there, only mail can tell.
    ///
    /// # Errors
    /// [`TextError::NotAnEmail`].
    pub fn new(text: &str) -> Result<Self, TextError> {
        let is_whole =
            |part: &str| !part.is_empty() && !part.chars().any(|c| c.is_whitespace() || c.is_control());
        match text.rsplit_once('@') {
            Some((local, domain)) if text.len() <= 254 && is_whole(local) && is_whole(domain) => {
                Ok(Self(text.to_lowercase()))
            }
            _ => Err(TextError::NotAnEmail),
        }
    }

    /// The address in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address that stands in the place of an erased user's. Nobody can have it: no mail arrives in the
    /// domain `invalid` (RFC 6761).
    pub(crate) fn of_erased(user: UserId) -> Self {
        Self(format!("erased-{user}{ERASED_DOMAIN}"))
    }

    /// Whether it stands, or might one day stand, in the place of an erased user's.
    pub fn is_of_erased(&self) -> bool {
        self.0.ends_with(ERASED_DOMAIN)
    }
}

impl TryFrom<String> for Email {
    type Error = TextError;

    fn try_from(text: String) -> Result<Self, TextError> {
        Self::new(&text)
    }
}

impl From<Email> for String {
    fn from(email: Email) -> Self {
        email.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_is_counted_in_characters() {
        assert!(OptionName::new("é".repeat(50)).is_ok());
        assert_eq!(OptionName::new("é".repeat(51)), Err(TextError::Length { min: 1, max: 50 }));
        assert_eq!(OptionName::new(""), Err(TextError::Length { min: 1, max: 50 }));
    }

    #[test]
    fn blank_text_and_control_characters_are_refused() {
        assert_eq!(OptionName::new("   "), Err(TextError::Unreadable));
        assert_eq!(OptionName::new("a\0b"), Err(TextError::Unreadable));
        assert!(MarketDescription::new("line one\nline two").is_ok());
    }

    #[test]
    fn mail_addresses_are_compared_in_lower_case() {
        assert_eq!(Email::new("Ada@Example.org"), Email::new("ada@example.ORG"));
        for text in ["", "@", "a@", "@b", "a b@c", "ab", "a@b\n"] {
            assert_eq!(Email::new(text), Err(TextError::NotAnEmail), "{text:?}");
        }
    }
}
