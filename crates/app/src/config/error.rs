//! What can be wrong with a configuration, said so that an operator can mend it.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why there are no settings. It never shows a secret.
#[derive(Debug)]
pub(crate) enum ConfigError {
    /// `FORETELL_ENV` is neither `development` nor `production`.
    Environment {
        /// What it is.
        found: String,
    },
    /// The file that was asked for is not there or is not text.
    Unreadable {
        /// Its path.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A file is not TOML.
    Malformed {
        /// The file.
        origin: String,
        /// Where and why.
        reason: String,
    },
    /// A setting is in a variable and in the file that another names.
    Twice {
        /// The variable with the value itself.
        variable: String,
    },
    /// Unknown keys and bad values: all that there are.
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
            Self::Environment { .. } | Self::Malformed { .. } | Self::Twice { .. } | Self::Invalid(_) => None,
        }
    }
}

/// What is wrong with one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Problem {
    /// There is no such setting.
    UnknownKey {
        /// The key.
        key: String,
        /// The file or variable that it is in.
        origin: String,
        /// What may have been meant, as it would be written there.
        suggestions: Vec<String>,
    },
    /// The value is not one that the key allows.
    BadValue {
        /// The key.
        key: String,
        /// The file or variable that it is in.
        origin: String,
        /// The value, unless it is secret.
        found: Option<String>,
        /// What is wrong or what is allowed.
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
            Self::BadValue { key, origin, found: None, reason } => write!(f, "{key} (in {origin}): {reason}"),
        }
    }
}
