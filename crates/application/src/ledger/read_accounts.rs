//! Reads accounts, statements and transfers that the caller may see.

use std::collections::BTreeSet;

use foretell_domain::id::{AccountId, TransferId};
use foretell_domain::money::Balance;
use foretell_domain::policy;
use foretell_domain::time::Timestamp;
use foretell_domain::transfer::{Transfer, TransferError};
use foretell_ports::ledger::{AccountDetails, TransferDetails};
use foretell_ports::page::{Page, PageRequest};
use foretell_ports::unit::Tx;

use super::Ledger;
use crate::Caller;
use crate::error::AppError;

/// Upper bound of a unit of work's duration from its locks to its commit: the timeouts of its
/// statements end it earlier. Older moments need no lock.
const UNIT_SECONDS: i64 = 300;

impl Ledger {
    /// Returns the caller's own accounts, oldest first.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn list_accounts(&self, caller: &Caller) -> Result<Vec<AccountDetails>, AppError> {
        Ok(self.queries.list_accounts(caller.user.id).await?)
    }

    /// Returns an account that the caller may see; any other is reported as not found.
    ///
    /// # Errors
    /// [`AppError::Refused`] with `AccountNotFound`, [`AppError::Store`].
    pub async fn get_account(
        &self,
        caller: &Caller,
        id: AccountId,
    ) -> Result<AccountDetails, AppError> {
        let found = self.queries.find_account(id).await?;
        let is_visible = |details: &AccountDetails| {
            policy::can_see_account(caller.actor(), details.account.owner())
        };
        found.filter(is_visible).ok_or(TransferError::AccountNotFound(id).into())
    }

    /// Returns the balance of such an account at a moment, which no later transfer changes.
    ///
    /// A moment that has just passed is final once no unit holds the lock on the account: a unit
    /// that takes the lock later also reads the clock later. So this waits for that lock.
    ///
    /// # Errors
    /// As for the account itself; [`AppError::Refused`] with `NotFinal` for a moment in the future.
    pub async fn get_balance_at(
        &self,
        caller: &Caller,
        id: AccountId,
        at: Timestamp,
    ) -> Result<Balance, AppError> {
        self.get_account(caller, id).await?;
        let now = self.context.now();
        if at > now {
            return Err(TransferError::NotFinal { newest: now }.into());
        }
        if at > now.plus_seconds(-UNIT_SECONDS) {
            self.await_account(id).await?;
        }
        Ok(self.queries.balance_at(id, at).await?)
    }

    /// Waits until no running unit of work can change the account at a time that has passed.
    async fn await_account(&self, id: AccountId) -> Result<(), AppError> {
        let work = move |tx: &mut dyn Tx| tx.lock_accounts(&BTreeSet::from([id])).map(drop);
        Ok(self.context.units.run("await_account", work).await?)
    }

    /// Returns the transfers of such an account, newest first.
    ///
    /// # Errors
    /// As for the account itself.
    pub async fn list_transfers(
        &self,
        caller: &Caller,
        id: AccountId,
        page: PageRequest<i64>,
    ) -> Result<Page<Transfer>, AppError> {
        self.get_account(caller, id).await?;
        Ok(self.queries.page_transfers(id, page).await?)
    }

    /// Returns the transfer that the caller made under this client id, or else the one with this id
    /// if the caller may see one of its accounts; any other is reported as not found.
    ///
    /// # Errors
    /// [`AppError::Refused`] with `NotFound`, [`AppError::Store`].
    pub async fn get_transfer(
        &self,
        caller: &Caller,
        id: TransferId,
    ) -> Result<TransferDetails, AppError> {
        let found = self.queries.find_transfer(id, Some(caller.account_id)).await?;
        let actor = caller.actor();
        let is_visible = |details: &TransferDetails| {
            policy::can_see_account(actor, details.debit_owner)
                || policy::can_see_account(actor, details.credit_owner)
        };
        found.filter(is_visible).ok_or(TransferError::NotFound(id).into())
    }
}
