//! Which version of something a change is meant for.

use crate::error::AppError;

/// The versions that a change may begin from. Versions are compared under the lock of what is changed, so that
/// of two changes meant for one version only the first is made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ExpectedVersion {
    /// Any.
    #[default]
    Any,
    /// One of these.
    OneOf(Vec<i64>),
}

impl ExpectedVersion {
    /// Whether the change may begin from this version.
    ///
    /// # Errors
    /// [`AppError::Stale`].
    pub fn check(&self, version: i64) -> Result<(), AppError> {
        match self {
            Self::OneOf(versions) if !versions.contains(&version) => Err(AppError::Stale),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_begins_from_the_versions_that_it_is_meant_for() {
        let check = |expected: ExpectedVersion, fits: bool| {
            assert_eq!(expected.check(3).is_ok(), fits, "{expected:?}");
        };
        check(ExpectedVersion::Any, true);
        check(ExpectedVersion::OneOf(vec![3]), true);
        check(ExpectedVersion::OneOf(vec![2, 3]), true);
        check(ExpectedVersion::OneOf(vec![2]), false);
        check(ExpectedVersion::OneOf(vec![]), false);
    }
}
