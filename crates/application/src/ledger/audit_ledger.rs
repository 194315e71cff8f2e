//! Audits the ledger.

use foretell_domain::policy;
use foretell_ports::ledger::AuditReport;

use super::Ledger;
use crate::Caller;
use crate::error::AppError;

impl Ledger {
    /// Checks every invariant of the ledger. For admins.
    ///
    /// # Errors
    /// [`AppError::Refused`] for everyone else, [`AppError::Store`].
    pub async fn audit_ledger(&self, caller: &Caller) -> Result<AuditReport, AppError> {
        policy::may_administer(caller.actor())?;
        Ok(self.queries.audit().await?)
    }
}
