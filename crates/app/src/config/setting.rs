//! What is known of a setting once it has been read: its value, where that is from, and what it may be.

use std::fmt;
use std::ops::RangeInclusive;

use super::layer::variable_of;

/// One setting as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Setting {
    /// Its key, such as `server.bind`.
    pub(crate) key: String,
    /// Its value as it would be written in a file; [`HIDDEN`] if it is secret.
    pub(crate) value: String,
    /// The file or variable that the value is from.
    pub(crate) origin: String,
    /// What values there are.
    pub(crate) allowed: Allowed,
}

/// What stands for the value of a secret.
pub(crate) const HIDDEN: &str = "\"(hidden)\"";

/// What values a setting may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Allowed {
    /// A whole number within these bounds.
    Number(RangeInclusive<i64>),
    /// True or false.
    Flag,
    /// A text.
    Text,
    /// A text that is never shown.
    Secret,
    /// A list of at most so many texts.
    List(usize),
}

impl Setting {
    /// The variable of the environment that sets it.
    pub(crate) fn variable(&self) -> String {
        variable_of(&self.key)
    }
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(range) => write!(f, "a whole number from {} to {}", range.start(), range.end()),
            Self::Flag => f.write_str("true or false"),
            Self::Text => f.write_str("a text"),
            Self::Secret => f.write_str("a text that is kept secret"),
            Self::List(most) => write!(f, "a list of at most {most} texts"),
        }
    }
}
