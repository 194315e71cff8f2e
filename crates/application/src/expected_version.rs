//! Optimistic concurrency: the version that a change expects.

use crate::error::AppError;

/// Versions that a change expects. Versions are compared under the lock of the resource, so that
/// only the first of two changes for one version is made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ExpectedVersion {
    /// Any version.
    #[default]
    Any,
    /// One of these versions.
    OneOf(Vec<i64>),
}

impl ExpectedVersion {
    /// Checks that the change is allowed for this version.
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
    fn change_requires_an_expected_version() {
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
