//! Queries of accounts and transfers in memory.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use async_trait::async_trait;
use foretell_domain::id::{AccountId, ClientId, TransferId, UserId};
use foretell_domain::money::{Balance, Currency};
use foretell_domain::time::Timestamp;
use foretell_domain::transfer::{Transfer, TransferKind};
use foretell_domain::user::UserStatus;
use foretell_ports::error::StoreError;
use foretell_ports::ledger::{AccountDetails, AuditReport, LedgerQueries, TransferDetails};
use foretell_ports::page::{Page, PageRequest};
use foretell_ports::portfolio::Profit;

use super::tables::{AccountRow, Tables};
use super::users::accounts_of;
use super::{MemoryStore, audit, cut_page};

/// Maximum number of accounts that [`LedgerQueries::list_accounts`] returns.
const MAX_ACCOUNTS_LISTED: usize = 100;

fn details(row: &AccountRow) -> AccountDetails {
    AccountDetails { account: row.account, created_at: row.created_at }
}

fn owner(tables: &Tables, account: AccountId) -> Option<UserId> {
    tables.accounts.committed().get(&account).and_then(|row| row.account.owner())
}

/// Returns the transfers of an account up to a version, newest first.
fn transfers_back_from(
    tables: &Tables,
    account: AccountId,
    version: i64,
) -> impl Iterator<Item = &Transfer> {
    let versions =
        tables.account_versions.committed().range((account, i64::MIN)..=(account, version)).rev();
    versions.filter_map(|(_, transfer)| tables.transfers.committed().get(transfer))
}

/// Returns the account whose profit a transfer of a market changes, and the change.
fn change_of_trader(tables: &Tables, row: &Transfer) -> Option<(AccountId, i64)> {
    let takes_payout_back = || {
        let original = tables.transfers.committed().get(&row.reversal_of?)?;
        Some(matches!(original.kind, TransferKind::Payout | TransferKind::Refund))
    };
    match row.kind {
        TransferKind::Bet => Some((row.debit.account_id, -row.amount.minor())),
        TransferKind::Reversal if takes_payout_back() == Some(true) => {
            Some((row.debit.account_id, -row.amount.minor()))
        }
        TransferKind::Sale | TransferKind::Payout | TransferKind::Refund => {
            Some((row.credit.account_id, row.amount.minor()))
        }
        _ => None,
    }
}

#[async_trait]
impl LedgerQueries for MemoryStore {
    async fn find_currency(&self) -> Result<Option<Currency>, StoreError> {
        Ok(self.read()?.currency.committed().get(&()).cloned())
    }

    async fn find_account(&self, id: AccountId) -> Result<Option<AccountDetails>, StoreError> {
        Ok(self.read()?.accounts.committed().get(&id).map(details))
    }

    async fn list_accounts(&self, owner: UserId) -> Result<Vec<AccountDetails>, StoreError> {
        let tables = self.read()?;
        let rows =
            accounts_of(&tables, owner).filter_map(|id| tables.accounts.committed().get(&id));
        Ok(rows.take(MAX_ACCOUNTS_LISTED).map(details).collect())
    }

    async fn balance_at(&self, id: AccountId, at: Timestamp) -> Result<Balance, StoreError> {
        let tables = self.read()?;
        let last =
            transfers_back_from(&tables, id, i64::MAX).find(|transfer| transfer.created_at <= at);
        Ok(last.map_or(Balance::ZERO, |transfer| transfer.side_of(id).balance_after))
    }

    async fn page_transfers(
        &self,
        account: AccountId,
        page: PageRequest<i64>,
    ) -> Result<Page<Transfer>, StoreError> {
        let tables = self.read()?;
        let total =
            tables.accounts.committed().get(&account).map_or(0, |row| row.account.version());
        let (_, newest) = page.numbers(total);
        let rows = transfers_back_from(&tables, account, newest.max(0)).take(page.limit as usize);
        Ok(Page { rows: rows.cloned().collect(), total })
    }

    async fn list_transfers(
        &self,
        page: PageRequest<TransferId>,
    ) -> Result<Vec<Transfer>, StoreError> {
        let transfers = self.read()?.transfers.committed().values().rev().cloned().collect();
        Ok(cut_page(transfers, page, |transfer: &Transfer, last| transfer.id < last))
    }

    async fn find_transfer(
        &self,
        id: TransferId,
        payer: Option<AccountId>,
    ) -> Result<Option<TransferDetails>, StoreError> {
        let tables = self.read()?;
        let client_id = ClientId::from_u128(id.as_u128());
        let own = payer.and_then(|payer| tables.paid_as.committed().get(&(payer, client_id)));
        let id = own.copied().unwrap_or(id);
        let transfer = tables.transfers.committed().get(&id).cloned();
        Ok(transfer.map(|transfer| TransferDetails {
            debit_owner: owner(&tables, transfer.debit.account_id),
            credit_owner: owner(&tables, transfer.credit.account_id),
            transfer,
        }))
    }

    async fn rank_profits(
        &self,
        since: Option<Timestamp>,
        limit: u32,
    ) -> Result<Vec<Profit>, StoreError> {
        let tables = self.read()?;
        let rows = tables.transfers.committed().values();
        let mut sums: BTreeMap<UserId, i64> = BTreeMap::new();
        for row in rows.filter(|row| since.is_none_or(|since| row.created_at >= since)) {
            let trader = change_of_trader(&tables, row)
                .and_then(|(account, change)| Some((owner(&tables, account)?, change)));
            if let Some((user, change)) = trader {
                *sums.entry(user).or_default() += change;
            }
        }
        let is_active = |user: &UserId| {
            let found = tables.users.committed().get(user);
            found.is_some_and(|found| found.user.status == UserStatus::Active)
        };
        sums.retain(|user, _| is_active(user));
        let profit = |(user_id, profit_minor)| Profit { user_id, profit_minor };
        let mut ranked: Vec<_> = sums.into_iter().map(profit).collect();
        ranked.sort_by_key(|profit| (Reverse(profit.profit_minor), profit.user_id));
        ranked.truncate(limit as usize);
        Ok(ranked)
    }

    async fn sum_balances(&self) -> Result<i128, StoreError> {
        let tables = self.read()?;
        let balances =
            tables.accounts.committed().values().map(|row| row.account.balance().minor());
        Ok(balances.map(i128::from).sum())
    }

    async fn audit(&self) -> Result<AuditReport, StoreError> {
        Ok(audit::report(&*self.read()?))
    }
}
