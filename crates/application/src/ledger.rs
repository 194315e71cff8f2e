//! Accounts and transfers: reading them, moving money, and the audit.

mod audit_ledger;
pub(crate) mod initialize_ledger;
mod read_accounts;
mod transfer_money;

use std::sync::Arc;

use foretell_ports::error::StoreError;
use foretell_ports::ledger::LedgerQueries;

use crate::application::Ports;
use crate::context::Context;

/// Accounts and transfers.
pub struct Ledger {
    context: Arc<Context>,
    queries: Arc<dyn LedgerQueries>,
}

impl Ledger {
    pub(crate) fn new(context: &Arc<Context>, ports: &Ports) -> Self {
        Self { context: Arc::clone(context), queries: Arc::clone(&ports.ledger) }
    }

    /// Returns the sum of all balances in minor units, which must be 0. It needs no permission.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn sum_balances(&self) -> Result<i128, StoreError> {
        self.queries.sum_balances().await
    }
}
