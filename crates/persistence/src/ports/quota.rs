//! Implementation of the port for quotas.

use foretell_domain::id::UserId;
use foretell_domain::quota::Quota;
use foretell_ports::error::StoreError;
use foretell_ports::quota::QuotaTx;

use crate::quotas;
use crate::tx::UnitTx;

impl QuotaTx for UnitTx<'_, '_> {
    fn count_for_quota(&mut self, user: UserId, quota: Quota) -> Result<u32, StoreError> {
        self.step(|c| quotas::count(c, user, quota))
    }
}
