//! Counting what quotas limit.

use foretell_domain::id::UserId;
use foretell_domain::quota::Quota;

use crate::error::StoreError;

/// Counts within a unit of work.
pub trait QuotaTx {
    /// The number of things of this quota that a user has. Only the unit that holds the right lock may ask, and then
    /// only that unit adds to them until it ends: the exclusive lock on the user, or on an account of theirs for
    /// [`Quota::OpenMarkets`]. Others may still take some away.
    fn count_for_quota(&mut self, user: UserId, quota: Quota) -> Result<u32, StoreError>;
}
