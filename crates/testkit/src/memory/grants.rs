//! Sign-up grants in memory.

use foretell_domain::time::Timestamp;
use foretell_ports::error::StoreError;
use foretell_ports::grant::{EmailHash, GrantTx};

use super::tx::MemoryTx;

impl GrantTx for MemoryTx<'_> {
    fn record_grant_once(&mut self, email: EmailHash, at: Timestamp) -> Result<bool, StoreError> {
        self.step(|tables, _| {
            let is_new = tables.signup_grants.get(&email).is_none();
            if is_new {
                tables.signup_grants.put(email, at);
            }
            Ok(is_new)
        })
    }
}
