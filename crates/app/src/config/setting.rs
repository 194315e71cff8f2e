//! A setting after reading: its value, its origin, and the allowed values.

use std::fmt;
use std::ops::RangeInclusive;

use super::layer::variable_of;

/// A setting that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Setting {
    /// Key, such as `server.bind`.
    pub(crate) key: String,
    /// Value as it would be written in a file; [`HIDDEN`] if it is secret.
    pub(crate) value: String,
    /// File or variable that the value comes from.
    pub(crate) origin: String,
    /// Allowed values.
    pub(crate) allowed: Allowed,
}

/// Replacement for the value of a secret.
pub(crate) const HIDDEN: &str = "\"(hidden)\"";

/// Allowed values of a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Allowed {
    /// A whole number within these bounds.
    Number(RangeInclusive<i64>),
    /// True or false.
    Flag,
    /// A text.
    Text,
    /// A secret text.
    Secret,
    /// A list of at most so many texts.
    List(usize),
}

impl Setting {
    /// Returns the environment variable that sets it.
    pub(crate) fn variable(&self) -> String {
        variable_of(&self.key)
    }
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(range) => {
                write!(f, "a whole number from {} to {}", range.start(), range.end())
            }
            Self::Flag => f.write_str("true or false"),
            Self::Text => f.write_str("a text"),
            Self::Secret => f.write_str("a text that is kept secret"),
            Self::List(most) => write!(f, "a list of at most {most} texts"),
        }
    }
}
