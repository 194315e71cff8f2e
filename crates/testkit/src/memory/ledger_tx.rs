//! Writes of accounts and transfers in memory.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use foretell_domain::account::{Account, AccountRecord};
use foretell_domain::id::{AccountId, ClientId, TransferId, UserId};
use foretell_domain::money::Currency;
use foretell_domain::time::Timestamp;
use foretell_domain::transfer::Transfer;
use foretell_ports::error::StoreError;
use foretell_ports::ledger::LedgerTx;
use foretell_ports::unit::Locked;

use super::table::rejected;
use super::tables::{AccountRow, Tables};
use super::tx::MemoryTx;

impl LedgerTx for MemoryTx<'_> {
    fn record_currency_once(
        &mut self,
        currency: &Currency,
        _at: Timestamp,
    ) -> Result<Currency, StoreError> {
        self.step(|tables, _| {
            if tables.currency.get(&()).is_none() {
                tables.currency.put((), currency.clone());
            }
            tables.currency.require(&()).cloned()
        })
    }

    fn insert_accounts_once(
        &mut self,
        accounts: &[Account],
        at: Timestamp,
    ) -> Result<usize, StoreError> {
        self.step(|tables, locked| {
            let mut inserted = 0;
            for account in accounts {
                if tables.accounts.get(&account.id()).is_none() {
                    insert_account(tables, *account, at)?;
                    locked.accounts.insert(account.id());
                    inserted += 1;
                }
            }
            Ok(inserted)
        })
    }

    fn lock_accounts(
        &mut self,
        ids: &BTreeSet<AccountId>,
    ) -> Result<Vec<Locked<Account>>, StoreError> {
        self.step(|tables, locked| {
            let rows = ids.iter().filter_map(|id| tables.accounts.get(id));
            let rows: Vec<_> = rows.map(|row| Locked::assume(row.account)).collect();
            locked.accounts.extend(rows.iter().map(|account| account.id()));
            Ok(rows)
        })
    }

    fn lock_accounts_of(&mut self, owner: UserId) -> Result<Vec<Locked<Account>>, StoreError> {
        self.step(|tables, locked| {
            let range = (owner, Timestamp::from_micros(i64::MIN), AccountId::from_u128(0))
                ..=(owner, Timestamp::from_micros(i64::MAX), AccountId::from_u128(u128::MAX));
            let ids: BTreeSet<_> =
                tables.accounts_by_owner.range(range).map(|((_, _, id), ())| *id).collect();
            let rows = ids.iter().filter_map(|id| tables.accounts.get(id));
            let rows: Vec<_> = rows.map(|row| Locked::assume(row.account)).collect();
            locked.accounts.extend(rows.iter().map(|account| account.id()));
            Ok(rows)
        })
    }

    fn save_accounts(&mut self, accounts: &[&Locked<Account>]) -> Result<(), StoreError> {
        self.step(|tables, locked| {
            for account in accounts {
                locked.check_account(account.id())?;
                let stored = tables.accounts.require(&account.id())?;
                let AccountRecord { balance, version, status, .. } = *account.record();
                let record = AccountRecord { balance, version, status, ..*stored.account.record() };
                let account =
                    Account::restore(record).map_err(|error| StoreError::Rejected(error.into()))?;
                let row = AccountRow { account, created_at: stored.created_at };
                tables.accounts.put(account.id(), row);
            }
            Ok(())
        })
    }

    fn find_transfers(&mut self, ids: &[TransferId]) -> Result<Vec<Transfer>, StoreError> {
        let ids: BTreeSet<_> = ids.iter().collect();
        self.step(|tables, _| {
            Ok(ids.into_iter().filter_map(|id| tables.transfers.get(id).cloned()).collect())
        })
    }

    fn find_paid_as(
        &mut self,
        names: &[(AccountId, ClientId)],
    ) -> Result<Vec<(AccountId, ClientId)>, StoreError> {
        self.step(|tables, _| {
            let has_paid = |(account, id): &(AccountId, ClientId)| {
                let by_id = tables.transfers.get(&TransferId::from_u128(id.as_u128()));
                tables.paid_as.get(&(*account, *id)).is_some()
                    || by_id.is_some_and(|transfer| transfer.debit.account_id == *account)
            };
            Ok(names.iter().copied().filter(has_paid).collect())
        })
    }

    fn find_transfers_from(
        &mut self,
        account: AccountId,
        versions: RangeInclusive<i64>,
    ) -> Result<Vec<Transfer>, StoreError> {
        self.step(|tables, _| {
            let keys = (account, *versions.start())..=(account, *versions.end());
            let found =
                tables.account_versions.range(keys).filter_map(|(_, id)| tables.transfers.get(id));
            Ok(found.filter(|transfer| transfer.debit.account_id == account).cloned().collect())
        })
    }

    fn find_reversed(&mut self, ids: &[TransferId]) -> Result<Vec<TransferId>, StoreError> {
        let mut ids: BTreeSet<_> = ids.iter().copied().collect();
        self.step(|tables, _| {
            ids.retain(|id| tables.reversals.get(id).is_some());
            Ok(ids.into_iter().collect())
        })
    }

    fn insert_transfers(&mut self, transfers: &[Transfer]) -> Result<(), StoreError> {
        self.step(|tables, _| {
            transfers.iter().try_for_each(|transfer| insert_transfer(tables, transfer))
        })
    }
}

fn insert_account(tables: &mut Tables, account: Account, at: Timestamp) -> Result<(), StoreError> {
    if let Some(owner) = account.owner() {
        tables.users.require(&owner)?;
        tables.accounts_by_owner.insert((owner, at, account.id()), ())?;
    }
    tables.accounts.insert(account.id(), AccountRow { account, created_at: at })
}

fn insert_transfer(tables: &mut Tables, transfer: &Transfer) -> Result<(), StoreError> {
    if transfer.debit.account_id == transfer.credit.account_id {
        return Err(rejected(format!("{:?} has one account on both sides", transfer.id)));
    }
    for side in [transfer.debit, transfer.credit] {
        tables.accounts.require(&side.account_id)?;
        tables.account_versions.insert((side.account_id, side.version), transfer.id)?;
    }
    if let Some(client_id) = transfer.client_id {
        tables.paid_as.insert((transfer.debit.account_id, client_id), transfer.id)?;
    }
    if let Some(original) = transfer.reversal_of {
        tables.transfers.require(&original)?;
        tables.reversals.insert(original, transfer.id)?;
    }
    tables.transfers.insert(transfer.id, transfer.clone())
}
