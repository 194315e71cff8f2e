//! Accounts and transfers: the ports, and their statements in the modules below.

pub(crate) mod account_rows;
pub(crate) mod accounts;
pub(crate) mod audit;
pub(crate) mod profits;
pub(crate) mod timeline;
pub(crate) mod transfer_rows;
pub(crate) mod transfers;

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use async_trait::async_trait;
use foretell_domain::account::Account;
use foretell_domain::id::{AccountId, ClientId, TransferId, UserId};
use foretell_domain::money::{Balance, Currency};
use foretell_domain::time::Timestamp;
use foretell_domain::transfer::Transfer;
use foretell_ports::error::StoreError;
use foretell_ports::ledger::{
    AccountDetails, AuditReport, LedgerQueries, LedgerTx, TransferDetails,
};
use foretell_ports::page::{Page, PageRequest};
use foretell_ports::portfolio::Profit;
use foretell_ports::unit::Locked;

use crate::store::Store;
use crate::tx::UnitTx;

impl LedgerTx for UnitTx<'_, '_> {
    fn record_currency_once(
        &mut self,
        currency: &Currency,
        at: Timestamp,
    ) -> Result<Currency, StoreError> {
        self.step(|c| accounts::record_currency_once(c, currency, at))
    }

    fn insert_accounts_once(
        &mut self,
        accounts: &[Account],
        at: Timestamp,
    ) -> Result<usize, StoreError> {
        self.step(|c| accounts::insert_once(c, accounts, at))
    }

    fn lock_accounts(
        &mut self,
        ids: &BTreeSet<AccountId>,
    ) -> Result<Vec<Locked<Account>>, StoreError> {
        self.step(|c| accounts::lock(c, ids))
    }

    fn lock_accounts_of(&mut self, owner: UserId) -> Result<Vec<Locked<Account>>, StoreError> {
        self.step(|c| accounts::lock_of(c, owner))
    }

    fn save_accounts(&mut self, accounts: &[&Locked<Account>]) -> Result<(), StoreError> {
        self.step(|c| accounts::save(c, accounts))
    }

    fn find_transfers(&mut self, ids: &[TransferId]) -> Result<Vec<Transfer>, StoreError> {
        self.step(|c| transfers::find_all(c, ids))
    }

    fn find_paid_as(
        &mut self,
        names: &[(AccountId, ClientId)],
    ) -> Result<Vec<(AccountId, ClientId)>, StoreError> {
        self.step(|c| transfers::find_paid_as(c, names))
    }

    fn find_transfers_from(
        &mut self,
        account: AccountId,
        versions: RangeInclusive<i64>,
    ) -> Result<Vec<Transfer>, StoreError> {
        self.step(|c| transfers::find_from(c, account, versions))
    }

    fn find_reversed(&mut self, ids: &[TransferId]) -> Result<Vec<TransferId>, StoreError> {
        self.step(|c| transfers::find_reversed(c, ids))
    }

    fn insert_transfers(&mut self, transfers: &[Transfer]) -> Result<(), StoreError> {
        self.step(|c| transfers::insert(c, transfers))
    }
}

#[async_trait]
impl LedgerQueries for Store {
    async fn find_currency(&self) -> Result<Option<Currency>, StoreError> {
        self.read("find_currency", accounts::find_currency).await
    }

    async fn find_account(&self, id: AccountId) -> Result<Option<AccountDetails>, StoreError> {
        self.read("find_account", move |c| accounts::find(c, id)).await
    }

    async fn list_accounts(&self, owner: UserId) -> Result<Vec<AccountDetails>, StoreError> {
        self.read("list_accounts", move |c| accounts::list(c, owner)).await
    }

    async fn balance_at(&self, id: AccountId, at: Timestamp) -> Result<Balance, StoreError> {
        self.read("balance_at", move |c| transfers::balance_at(c, id, at)).await
    }

    async fn page_transfers(
        &self,
        account: AccountId,
        page: PageRequest<i64>,
    ) -> Result<Page<Transfer>, StoreError> {
        self.read("page_transfers", move |c| transfers::page(c, account, page)).await
    }

    async fn find_transfer(
        &self,
        id: TransferId,
        payer: Option<AccountId>,
    ) -> Result<Option<TransferDetails>, StoreError> {
        self.read("find_transfer", move |c| transfers::find(c, id, payer)).await
    }

    async fn list_transfers(
        &self,
        page: PageRequest<TransferId>,
    ) -> Result<Vec<Transfer>, StoreError> {
        self.read("list_transfers", move |c| transfers::list(c, page)).await
    }

    async fn rank_profits(
        &self,
        since: Option<Timestamp>,
        limit: u32,
    ) -> Result<Vec<Profit>, StoreError> {
        self.read("rank_profits", move |c| profits::rank(c, since, limit)).await
    }

    async fn sum_balances(&self) -> Result<i128, StoreError> {
        self.read("sum_balances", audit::sum_balances).await
    }

    async fn audit(&self) -> Result<AuditReport, StoreError> {
        self.read("audit", audit::audit).await
    }
}
