//! Accounts and transfers: reading them, moving money, and the audit.

mod audit_ledger;
pub(crate) mod initialize_ledger;
mod read_accounts;
mod transfer_money;

use std::sync::Arc;

use foretell_ports::ledger::LedgerQueries;

use crate::context::Context;
use crate::ports::Ports;

/// Accounts and transfers.
pub struct Ledger {
    context: Arc<Context>,
    queries: Arc<dyn LedgerQueries>,
}

impl Ledger {
    pub(crate) fn new(context: &Arc<Context>, ports: &Ports) -> Self {
        Self { context: Arc::clone(context), queries: Arc::clone(&ports.ledger) }
    }
}
