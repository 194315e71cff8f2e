//! Storage and audit of accounts and transfers.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use async_trait::async_trait;
use foretell_domain::account::Account;
use foretell_domain::id::{AccountId, ClientId, TransferId, UserId};
use foretell_domain::money::{Balance, Currency};
use foretell_domain::time::Timestamp;
use foretell_domain::transfer::Transfer;

use crate::error::StoreError;
use crate::locked::Locked;
use crate::page::{Page, PageRequest};
use crate::portfolio::Profit;

/// Writes accounts and transfers within a unit of work.
pub trait LedgerTx {
    /// Stores the ledger's currency if none is stored yet, and returns the stored one.
    fn record_currency_once(
        &mut self,
        currency: &Currency,
        at: Timestamp,
    ) -> Result<Currency, StoreError>;

    /// Inserts the accounts that do not exist yet, and returns the number inserted.
    fn insert_accounts_once(
        &mut self,
        accounts: &[Account],
        at: Timestamp,
    ) -> Result<usize, StoreError>;

    /// Locks the accounts among `ids` that exist, in ascending order of id, and returns them in
    /// that order.
    fn lock_accounts(
        &mut self,
        ids: &BTreeSet<AccountId>,
    ) -> Result<Vec<Locked<Account>>, StoreError>;

    /// Locks the accounts of a user, in ascending order of id, and returns them in that order.
    fn lock_accounts_of(&mut self, owner: UserId) -> Result<Vec<Locked<Account>>, StoreError>;

    /// Stores balance, version and status of locked accounts.
    fn save_accounts(&mut self, accounts: &[&Locked<Account>]) -> Result<(), StoreError>;

    /// Returns the transfers among `ids` that exist, in any order.
    fn find_transfers(&mut self, ids: &[TransferId]) -> Result<Vec<Transfer>, StoreError>;

    /// Returns those of these client ids that the account has already used for a payment. A
    /// transfer stored before client ids existed counts with its own id, which the client may have
    /// chosen.
    fn find_paid_as(
        &mut self,
        names: &[(AccountId, ClientId)],
    ) -> Result<Vec<(AccountId, ClientId)>, StoreError>;

    /// Returns the transfers that debited an account and gave it one of these versions, in any
    /// order.
    fn find_transfers_from(
        &mut self,
        account: AccountId,
        versions: RangeInclusive<i64>,
    ) -> Result<Vec<Transfer>, StoreError>;

    /// Returns those of `ids` that a transfer has already reversed.
    fn find_reversed(&mut self, ids: &[TransferId]) -> Result<Vec<TransferId>, StoreError>;

    /// Inserts transfers. An existing id, an account version already used on the same side, or a
    /// second reversal causes [`StoreError::Rejected`]. A version already used on the other side is
    /// not detected here, only by the audit: the lock on the account prevents it.
    fn insert_transfers(&mut self, transfers: &[Transfer]) -> Result<(), StoreError>;
}

/// An account with its creation time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountDetails {
    /// The account.
    pub account: Account,
    /// Creation time.
    pub created_at: Timestamp,
}

/// A transfer with the owners of both accounts, to decide who may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferDetails {
    /// The transfer.
    pub transfer: Transfer,
    /// Owner of the debit account, if it is a user's.
    pub debit_owner: Option<UserId>,
    /// Owner of the credit account, if it is a user's.
    pub credit_owner: Option<UserId>,
}

/// A stored value that differs from the value computed from other rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditFinding {
    /// The table of the row.
    pub table: &'static str,
    /// The id of the row; the parts of a longer key are separated by a slash.
    pub id: String,
    /// The column that differs.
    pub column: &'static str,
    /// The stored value.
    pub stored: String,
    /// The computed value.
    pub expected: String,
}

/// Maximum number of findings of one table that an audit lists.
pub const MAX_FINDINGS_PER_TABLE: usize = 10;

/// Result of an audit of the ledger. A sound ledger has zero everywhere except in the counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditReport {
    /// Number of accounts.
    pub accounts: i64,
    /// Number of transfers.
    pub transfers: i64,
    /// Number of markets.
    pub markets: i64,
    /// Number of bets and sales.
    pub bets: i64,
    /// Sum of all balances: zero, since money only moves.
    pub sum_of_balances: i128,
    /// Accounts whose balance is not the sum of their transfers.
    pub balance_drift: i64,
    /// Accounts whose balance or version is not that of their last transfer.
    pub last_row_drift: i64,
    /// Accounts whose transfers skip or repeat a version, or whose running balances are
    /// inconsistent.
    pub broken_chains: i64,
    /// Accounts with a negative balance, except the treasury.
    pub below_floor: i64,
    /// Open or closed markets whose pot does not cover the largest payout and the fees.
    pub uncovered_markets: i64,
    /// Markets whose outstanding shares, fees, volume, stakes or bet count differ from their bets
    /// and positions, or whose subsidy differs from the one paid.
    pub market_drift: i64,
    /// Bets and sales that contradict their transfer, their market or the bets before them.
    pub bet_drift: i64,
    /// Positions that differ from the sum of their bets and sales.
    pub position_drift: i64,
    /// Transfers between accounts that their kind does not allow, and reversals that do not match
    /// the reversed transfer.
    pub transfer_drift: i64,
    /// Payouts without their transfer, and settlements that differ from the sum of their payouts.
    pub payout_drift: i64,
    /// Settled or deleted markets whose pot is not empty.
    pub unsettled_remainders: i64,
    /// The first findings, at most [`MAX_FINDINGS_PER_TABLE`] of each table.
    pub findings: Vec<AuditFinding>,
}

impl AuditReport {
    /// Adds a finding, unless the maximum of its table is reached.
    pub fn list(&mut self, finding: AuditFinding) {
        let listed = self.findings.iter().filter(|listed| listed.table == finding.table).count();
        if listed < MAX_FINDINGS_PER_TABLE {
            self.findings.push(finding);
        }
    }

    /// Returns `true` if every invariant holds.
    pub const fn is_sound(&self) -> bool {
        self.sum_of_balances == 0
            && self.balance_drift == 0
            && self.last_row_drift == 0
            && self.broken_chains == 0
            && self.below_floor == 0
            && self.uncovered_markets == 0
            && self.market_drift == 0
            && self.bet_drift == 0
            && self.position_drift == 0
            && self.transfer_drift == 0
            && self.payout_drift == 0
            && self.unsettled_remainders == 0
    }
}

/// Reads accounts and transfers.
#[async_trait]
pub trait LedgerQueries: Send + Sync {
    /// Returns the ledger's currency, if it is initialized.
    async fn find_currency(&self) -> Result<Option<Currency>, StoreError>;

    /// Returns the account with this id.
    async fn find_account(&self, id: AccountId) -> Result<Option<AccountDetails>, StoreError>;

    /// Returns the accounts of a user, oldest first; at most 100.
    async fn list_accounts(&self, owner: UserId) -> Result<Vec<AccountDetails>, StoreError>;

    /// Returns the balance of an account after its last transfer at or before `at`; zero before its
    /// first one.
    async fn balance_at(&self, id: AccountId, at: Timestamp) -> Result<Balance, StoreError>;

    /// Returns the transfers of an account, newest first. The total is the account's version, and a
    /// deep page costs as much as the first.
    async fn page_transfers(
        &self,
        account: AccountId,
        page: PageRequest<i64>,
    ) -> Result<Page<Transfer>, StoreError>;

    /// Returns the transfer that `payer` made under this client id, or else the one with this id.
    async fn find_transfer(
        &self,
        id: TransferId,
        payer: Option<AccountId>,
    ) -> Result<Option<TransferDetails>, StoreError>;

    /// Returns all transfers, by descending id.
    async fn list_transfers(
        &self,
        page: PageRequest<TransferId>,
    ) -> Result<Vec<Transfer>, StoreError>;

    /// Returns the profits of active users from the transfers of markets since a moment, the
    /// highest first, and equal ones by ascending id: payouts, refunds and sales minus bets. Users
    /// without such transfers are left out. It reads every transfer since then; it may skip one
    /// whose id was created more than a minute before the transfer.
    async fn rank_profits(
        &self,
        since: Option<Timestamp>,
        limit: u32,
    ) -> Result<Vec<Profit>, StoreError>;

    /// Returns the sum of all balances in minor units: 0, since money only moves.
    async fn sum_balances(&self) -> Result<i128, StoreError>;

    /// Checks every invariant of the ledger and its markets against the rows, in one snapshot.
    async fn audit(&self) -> Result<AuditReport, StoreError>;
}
