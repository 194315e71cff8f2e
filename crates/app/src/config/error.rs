//! Errors of a configuration, worded for the operator who must fix them.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// Reason why the settings cannot be used. It never contains a secret.
#[derive(Debug)]
pub(crate) enum ConfigError {
    /// `FORETELL_ENV` is neither `development` nor `production`.
    Environment {
        /// Its value.
        found: String,
    },
    /// The requested file does not exist or is not text.
    Unreadable {
        /// Path of the file.
        path: PathBuf,
        /// Error of the operating system.
        source: io::Error,
    },
    /// A file is not valid TOML.
    Malformed {
        /// File.
        origin: String,
        /// Position and cause.
        reason: String,
    },
    /// A setting is set by a variable and by the file that another variable names.
    Twice {
        /// The variable with the value itself.
        variable: String,
    },
    /// All unknown keys and bad values.
    Invalid(Vec<Problem>),
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment { found } => {
                write!(f, "FORETELL_ENV is {found:?}; it must be \"development\" or \"production\"")
            }
            Self::Unreadable { path, .. } => {
                write!(f, "the file {} of the configuration cannot be read", path.display())
            }
            Self::Malformed { origin, reason } => write!(f, "{origin} is not valid TOML: {reason}"),
            Self::Twice { variable } => {
                write!(f, "{variable} and {variable}_FILE are both set; leave one of them out")
            }
            Self::Invalid(problems) => {
                f.write_str("the configuration is not valid:")?;
                problems.iter().try_for_each(|problem| write!(f, "\n- {problem}"))
            }
        }
    }
}

impl Error for ConfigError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Unreadable { source, .. } => Some(source),
            Self::Environment { .. }
            | Self::Malformed { .. }
            | Self::Twice { .. }
            | Self::Invalid(_) => None,
        }
    }
}

/// Problem with one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Problem {
    /// The setting does not exist.
    UnknownKey {
        /// Key.
        key: String,
        /// File or variable that contains it.
        origin: String,
        /// Similar settings, as they would be written there.
        suggestions: Vec<String>,
    },
    /// The value is not allowed.
    BadValue {
        /// Key.
        key: String,
        /// File or variable that contains it.
        origin: String,
        /// Value, unless it is secret.
        found: Option<String>,
        /// The problem, or the allowed values.
        reason: String,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownKey { key, origin, suggestions } => {
                write!(f, "{key} (in {origin}) is not a setting")?;
                match suggestions.as_slice() {
                    [] => Ok(()),
                    meant => write!(f, "; did you mean {}?", meant.join(" or ")),
                }
            }
            Self::BadValue { key, origin, found: Some(found), reason } => {
                write!(f, "{key} (in {origin}) is {found}: {reason}")
            }
            Self::BadValue { key, origin, found: None, reason } => {
                write!(f, "{key} (in {origin}): {reason}")
            }
        }
    }
}
