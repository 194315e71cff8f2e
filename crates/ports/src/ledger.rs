//! Accounts and transfers: writing them, reading them, and auditing them.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use async_trait::async_trait;
use foretell_domain::account::Account;
use foretell_domain::id::{AccountId, ClientId, TransferId, UserId};
use foretell_domain::money::{Balance, Currency};
use foretell_domain::time::Timestamp;
use foretell_domain::transfer::Transfer;

use crate::error::StoreError;
use crate::page::{Page, Stretch};
use crate::portfolio::Profit;
use crate::unit::Locked;

/// Writes accounts and transfers within a unit of work.
pub trait LedgerTx {
    /// Stores the ledger's currency if none is stored yet, and returns the one that is stored.
    fn record_currency_once(&mut self, currency: &Currency, at: Timestamp) -> Result<Currency, StoreError>;

    /// Inserts accounts unless they are there already, and says how many were inserted.
    fn insert_accounts_once(&mut self, accounts: &[Account], at: Timestamp) -> Result<usize, StoreError>;

    /// Locks the accounts among `ids` that exist, in ascending order of id, and returns them in that order.
    fn lock_accounts(&mut self, ids: &BTreeSet<AccountId>) -> Result<Vec<Locked<Account>>, StoreError>;

    /// Locks the accounts of a user, in ascending order of id, and returns them in that order.
    fn lock_accounts_of(&mut self, owner: UserId) -> Result<Vec<Locked<Account>>, StoreError>;

    /// Stores balance, version and status of locked accounts.
    fn save_accounts(&mut self, accounts: &[&Locked<Account>]) -> Result<(), StoreError>;

    /// The transfers among `ids` that exist, in any order.
    fn find_transfers(&mut self, ids: &[TransferId]) -> Result<Vec<Transfer>, StoreError>;

    /// Those of these client ids under which the account has paid already. A transfer of before client ids were
    /// stored counts with its own id, which the client may have chosen.
    fn find_paid_as(
        &mut self,
        names: &[(AccountId, ClientId)],
    ) -> Result<Vec<(AccountId, ClientId)>, StoreError>;

    /// The transfers that took money from an account and gave it one of these versions, in any order.
    fn find_transfers_from(
        &mut self,
        account: AccountId,
        versions: RangeInclusive<i64>,
    ) -> Result<Vec<Transfer>, StoreError>;

    /// Those of `ids` that a transfer has reversed already.
    fn find_reversed(&mut self, ids: &[TransferId]) -> Result<Vec<TransferId>, StoreError>;

    /// Inserts transfers. A known id, an account version taken on the same side or a second reversal makes it
    /// [`StoreError::Rejected`]. A version taken on the other side is a broken chain, which the audit finds: the
    /// lock on the account is what prevents it.
    fn insert_transfers(&mut self, transfers: &[Transfer]) -> Result<(), StoreError>;
}

/// An account with the time it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountDetails {
    /// The account.
    pub account: Account,
    /// When it was opened.
    pub created_at: Timestamp,
}

/// A transfer with the owners of its sides, for deciding who may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferDetails {
    /// The transfer.
    pub transfer: Transfer,
    /// Whose the debit side is, if a user's.
    pub debit_owner: Option<UserId>,
    /// Whose the credit side is, if a user's.
    pub credit_owner: Option<UserId>,
}

/// A row that differs from what other rows imply.
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
    /// The value that other rows imply.
    pub expected: String,
}

/// The most findings of one table that an audit lists.
pub const MAX_FINDINGS_PER_TABLE: usize = 10;

/// The result of an audit of the ledger. A sound ledger has zero everywhere but in the counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditReport {
    /// The accounts there are.
    pub accounts: i64,
    /// The transfers there are.
    pub transfers: i64,
    /// The markets there are.
    pub markets: i64,
    /// The bets and sales there are.
    pub bets: i64,
    /// The sum of all balances: zero, since money only moves.
    pub sum_of_balances: i128,
    /// Accounts whose balance is not the sum of their transfers.
    pub balance_drift: i64,
    /// Accounts whose balance or version is not that of their last transfer.
    pub last_row_drift: i64,
    /// Accounts whose transfers leave out or repeat a version, or whose running balances do not follow.
    pub broken_chains: i64,
    /// Accounts other than the treasury below zero.
    pub below_floor: i64,
    /// Open or closed markets whose pot does not cover the largest payout and the fees.
    pub uncovered_markets: i64,
    /// Markets whose outstanding shares, fees, volume, stakes or bet count are not those of their bets and
    /// positions, or whose subsidy is not the one that was paid.
    pub market_drift: i64,
    /// Bets and sales that do not fit their transfer, their market or the bets before them.
    pub bet_drift: i64,
    /// Positions that are not the sum of their bets and sales.
    pub position_drift: i64,
    /// Transfers between accounts that their kind does not allow, and reversals that reverse something else.
    pub transfer_drift: i64,
    /// Payouts without their transfer, and settlements that are not the sum of their payouts.
    pub payout_drift: i64,
    /// Settled or deleted markets whose pot is not empty.
    pub unsettled_remainders: i64,
    /// The first rows that differ, at most [`MAX_FINDINGS_PER_TABLE`] of each table.
    pub findings: Vec<AuditFinding>,
}

impl AuditReport {
    /// Adds a finding, unless enough of its table are listed.
    pub fn list(&mut self, finding: AuditFinding) {
        let listed = self.findings.iter().filter(|listed| listed.table == finding.table).count();
        if listed < MAX_FINDINGS_PER_TABLE {
            self.findings.push(finding);
        }
    }

    /// Whether every invariant holds.
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
    /// The ledger's currency, once it is initialized.
    async fn find_currency(&self) -> Result<Option<Currency>, StoreError>;

    /// The account with this id.
    async fn find_account(&self, id: AccountId) -> Result<Option<AccountDetails>, StoreError>;

    /// The accounts of a user, oldest first; at most 100.
    async fn list_accounts(&self, owner: UserId) -> Result<Vec<AccountDetails>, StoreError>;

    /// The balance of an account after its last transfer at or before `at`; zero before its first one.
    async fn balance_at(&self, id: AccountId, at: Timestamp) -> Result<Balance, StoreError>;

    /// The transfers of an account, newest first. The total is the account's version, and a deep page
    /// costs what the first does.
    async fn page_transfers(
        &self,
        account: AccountId,
        stretch: Stretch<i64>,
    ) -> Result<Page<Transfer>, StoreError>;

    /// The transfer that `payer` made under this client id, or else the one with this id.
    async fn find_transfer(
        &self,
        id: TransferId,
        payer: Option<AccountId>,
    ) -> Result<Option<TransferDetails>, StoreError>;

    /// All transfers, by descending id.
    async fn list_transfers(&self, stretch: Stretch<TransferId>) -> Result<Vec<Transfer>, StoreError>;

    /// The profits of active users from the transfers of markets since a moment, the highest first, and of equal ones
    /// the one whose id is lower: what payouts, refunds and sales brought them less what bets took. Who has none of
    /// these is left out. It reads every transfer since then; one whose id was made more than a minute before it
    /// happened may be passed over.
    async fn rank_profits(&self, since: Option<Timestamp>, limit: u32) -> Result<Vec<Profit>, StoreError>;

    /// The sum of all balances in minor units: 0, since money only moves.
    async fn sum_balances(&self) -> Result<i128, StoreError>;

    /// Checks every invariant of the ledger and its markets against the rows, all at one moment.
    async fn audit(&self) -> Result<AuditReport, StoreError>;
}
