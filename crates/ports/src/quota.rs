//! Counts of resources that quotas limit.

use foretell_domain::id::UserId;
use foretell_domain::quota::Quota;

use crate::error::StoreError;

/// Counts within a unit of work.
pub trait QuotaTx {
    /// Returns the number of a user's resources in this quota. The caller must hold a lock, so that
    /// no other unit adds to them until it ends: the exclusive lock on the user, or on an account
    /// of theirs for [`Quota::OpenMarkets`]. Other units may still delete some.
    fn count_for_quota(&mut self, user: UserId, quota: Quota) -> Result<u32, StoreError>;
}
