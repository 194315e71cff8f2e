//! Storage of the email addresses that get no sign-up grant any more.

use std::fmt;

use foretell_domain::time::Timestamp;

use crate::error::StoreError;

/// Keyed hash of an email address in its normal form. Without the key it does not tell the address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EmailHash(pub [u8; 32]);

/// Hides the hash: who has the key could use it to guess the address.
impl fmt::Debug for EmailHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailHash(..)")
    }
}

/// Writes sign-up grants within a unit of work.
pub trait GrantTx {
    /// Records that an email address gets no further grant. Returns `true` if it was not recorded
    /// before. Of two units that record the same address, the second one waits for the first.
    fn record_grant_once(&mut self, email: EmailHash, at: Timestamp) -> Result<bool, StoreError>;
}
