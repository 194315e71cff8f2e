//! The tables `ledger` and `accounts`.

use std::collections::BTreeSet;

use diesel::prelude::*;
use foretell_domain::account::Account;
use foretell_domain::id::{AccountId, UserId};
use foretell_domain::money::Currency;
use foretell_domain::time::Timestamp;
use foretell_ports::ledger::AccountDetails;
use foretell_ports::unit::Locked;

use crate::connection::{Connection, on};
use crate::dialect::{bulk_ledger, look_up};
use crate::error::{Failure, StoredRow, expect_saved};
use crate::id::{DbId, db_ids};
use crate::ledger::account_rows::{AccountRow, NewAccountRow};
use crate::schema::{accounts, ledger};
use crate::unreadable_rows::skip_unreadable;

/// Maximum number of listed accounts of one user.
const MAX_LISTED: i64 = 100;

/// Id of the only row of the table `ledger`.
const LEDGER_ID: i32 = 1;

/// Stores the currency if none is stored yet, and returns the stored one.
pub(crate) fn record_currency_once(
    connection: &mut Connection<'_>,
    currency: &Currency,
    at: Timestamp,
) -> Result<Currency, Failure> {
    let row = (
        ledger::id.eq(LEDGER_ID),
        ledger::currency_code.eq(currency.code()),
        ledger::currency_decimals.eq(i32::from(currency.decimals())),
        ledger::created_at_us.eq(at.micros()),
    );
    // Two nodes may initialize one database at the same time: the first one wins, and both return
    // its currency.
    let insert = diesel::insert_into(ledger::table).values(row).on_conflict_do_nothing();
    on!(connection, |c| insert.execute(c))?;
    Ok(find_currency(connection)?.unwrap_or_else(|| currency.clone()))
}

/// Returns the ledger's currency, if it is stored.
pub(crate) fn find_currency(connection: &mut Connection<'_>) -> Result<Option<Currency>, Failure> {
    let found: Option<(String, i32)> = on!(connection, |c| {
        let columns = (ledger::currency_code, ledger::currency_decimals);
        ledger::table.find(LEDGER_ID).select(columns).first(c).optional()
    })?;
    let currency = |(code, decimals): (String, i32)| {
        let stored = StoredRow { table: "ledger", id: LEDGER_ID };
        let decimals = stored.convert("currency_decimals", u8::try_from(decimals))?;
        stored.convert("currency_code", Currency::new(&code, decimals))
    };
    found.map(currency).transpose()
}

/// Inserts the accounts that do not exist yet, and returns the number inserted.
pub(crate) fn insert_once(
    connection: &mut Connection<'_>,
    accounts: &[Account],
    at: Timestamp,
) -> Result<usize, Failure> {
    let rows: Vec<_> = accounts.iter().map(|account| NewAccountRow::new(account, at)).collect();
    Ok(bulk_ledger::insert_accounts_once(connection, &rows)?)
}

/// Locks the accounts among `ids` that exist and returns them, both in ascending order.
pub(crate) fn lock(
    connection: &mut Connection<'_>,
    ids: &BTreeSet<AccountId>,
) -> Result<Vec<Locked<Account>>, Failure> {
    // `db_ids` sorts: all units lock accounts in ascending order of id, so that they cannot
    // deadlock.
    let rows = look_up::lock_accounts(connection, &db_ids(ids.iter().copied()))?;
    let locked = |row| Ok(Locked::assume(AccountDetails::try_from(row)?.account));
    rows.into_iter().map(locked).collect()
}

/// Locks the accounts of a user and returns them, both in ascending order.
pub(crate) fn lock_of(
    connection: &mut Connection<'_>,
    owner: UserId,
) -> Result<Vec<Locked<Account>>, Failure> {
    let ids: Vec<DbId> = on!(connection, |c| {
        accounts::table
            .filter(accounts::owner_id.eq(DbId::from(owner)))
            .select(accounts::id)
            .load(c)
    })?;
    // Two steps, since only `lock` takes the locks in the common order.
    lock(connection, &ids.into_iter().map(AccountId::from).collect())
}

/// Stores balance, version and status of locked accounts.
pub(crate) fn save(
    connection: &mut Connection<'_>,
    accounts: &[&Locked<Account>],
) -> Result<(), Failure> {
    // The creation time is not saved again.
    let unchanged = Timestamp::from_micros(0);
    let rows: Vec<_> =
        accounts.iter().map(|account| NewAccountRow::new(account, unchanged)).collect();
    let saved = bulk_ledger::save_accounts(connection, &rows)?;
    expect_saved("accounts", rows.len(), saved)
}

/// Returns the account with this id.
pub(crate) fn find(
    connection: &mut Connection<'_>,
    id: AccountId,
) -> Result<Option<AccountDetails>, Failure> {
    let found = on!(connection, |c| {
        accounts::table.find(DbId::from(id)).select(AccountRow::as_select()).first(c).optional()
    })?;
    found.map(AccountDetails::try_from).transpose()
}

/// Returns the accounts of a user, oldest first; at most 100.
pub(crate) fn list(
    connection: &mut Connection<'_>,
    owner: UserId,
) -> Result<Vec<AccountDetails>, Failure> {
    let rows = on!(connection, |c| {
        accounts::table
            .filter(accounts::owner_id.eq(DbId::from(owner)))
            .order((accounts::created_at_us, accounts::id))
            .limit(MAX_LISTED)
            .select(AccountRow::as_select())
            .load(c)
    })?;
    skip_unreadable(rows.into_iter().map(AccountDetails::try_from))
}
