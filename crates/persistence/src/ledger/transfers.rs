//! The table `transfers`: immutable rows, numbered on each side by the version of its account.

#![allow(clippy::ref_option_ref, reason = "the code that Diesel derives for an optional text")]

use std::cmp::Reverse;
use std::ops::RangeInclusive;

use diesel::dsl::{exists, not};
use diesel::prelude::*;
use foretell_domain::id::{AccountId, ClientId, TransferId, UserId};
use foretell_domain::money::Balance;
use foretell_domain::time::Timestamp;
use foretell_domain::transfer::{Transfer, TransferKind};
use foretell_ports::ledger::TransferDetails;
use foretell_ports::page::{Page, PageRequest, PageStart};

use crate::connection::{Connection, on};
use crate::dialect::{bulk_ledger, look_up};
use crate::error::{Failure, StoredRow};
use crate::id::{DbId, db_ids};
use crate::ledger::timeline::Timeline;
use crate::ledger::transfer_rows::{NewTransferRow, TransferRow};
use crate::post::post_lists::paginate;
use crate::schema::{accounts, transfers};
use crate::unreadable_rows::load_page;

/// Returns the transfers among `ids` that exist.
pub(crate) fn find_all(
    connection: &mut Connection<'_>,
    ids: &[TransferId],
) -> Result<Vec<Transfer>, Failure> {
    let rows = look_up::transfers(connection, &db_ids(ids.iter().copied()))?;
    rows.into_iter().map(Transfer::try_from).collect()
}

/// Returns those of these client ids that the account has used for payments.
pub(crate) fn find_paid_as(
    connection: &mut Connection<'_>,
    wanted: &[(AccountId, ClientId)],
) -> Result<Vec<(AccountId, ClientId)>, Failure> {
    Ok(look_up::used_in_transfers(connection, wanted)?)
}

/// Returns the transfers that debited an account and gave it one of these versions.
pub(crate) fn find_from(
    connection: &mut Connection<'_>,
    account: AccountId,
    versions: RangeInclusive<i64>,
) -> Result<Vec<Transfer>, Failure> {
    let (first, last) = versions.into_inner();
    let rows: Vec<TransferRow> = on!(connection, |c| {
        transfers::table
            .filter(transfers::debit_account_id.eq(DbId::from(account)))
            .filter(transfers::debit_version.between(first, last))
            .select(TransferRow::as_select())
            .load(c)
    })?;
    rows.into_iter().map(Transfer::try_from).collect()
}

/// Returns those of `ids` that a transfer has already reversed.
pub(crate) fn find_reversed(
    connection: &mut Connection<'_>,
    ids: &[TransferId],
) -> Result<Vec<TransferId>, Failure> {
    let reversed = look_up::reversed(connection, &db_ids(ids.iter().copied()))?;
    Ok(reversed.into_iter().map(TransferId::from).collect())
}

/// Returns at most `limit` payments of the settlement that a pot has paid, which are not reversed
/// and gave it a version below `before`, newest first.
pub(crate) fn list_payments_before(
    connection: &mut Connection<'_>,
    pot: AccountId,
    before: i64,
    limit: usize,
) -> Result<Vec<Transfer>, Failure> {
    let kinds = TransferKind::ALL.into_iter().filter(|kind| kind.settles());
    let kinds: Vec<_> = kinds.map(TransferKind::as_str).collect();
    let reversals = diesel::alias!(transfers as reversals);
    // An earlier settlement of the market may have been undone: its payments are reversed.
    let is_reversed = exists(
        reversals.filter(reversals.field(transfers::reversal_of).eq(transfers::id.nullable())),
    );
    let rows: Vec<TransferRow> = on!(connection, |c| {
        transfers::table
            .filter(transfers::debit_account_id.eq(DbId::from(pot)))
            .filter(transfers::debit_version.lt(before))
            .filter(transfers::kind.eq_any(&kinds))
            .filter(not(is_reversed))
            .order(transfers::debit_version.desc())
            .limit(i64::try_from(limit).unwrap_or(i64::MAX))
            .select(TransferRow::as_select())
            .load(c)
    })?;
    rows.into_iter().map(Transfer::try_from).collect()
}

/// Inserts transfers.
pub(crate) fn insert(
    connection: &mut Connection<'_>,
    transfers: &[Transfer],
) -> Result<(), Failure> {
    let rows: Vec<_> = transfers.iter().map(NewTransferRow::from).collect();
    bulk_ledger::insert_transfers(connection, &rows)?;
    Ok(())
}

/// Returns the transfer that `payer` made under this client id, or else the one with this id, and
/// the owners of its sides.
pub(crate) fn find(
    connection: &mut Connection<'_>,
    id: TransferId,
    payer: Option<AccountId>,
) -> Result<Option<TransferDetails>, Failure> {
    let id = DbId::from(id);
    // Without an account this is NULL, which selects no row.
    let own = transfers::debit_account_id
        .nullable()
        .eq(payer.map(DbId::from))
        .and(transfers::client_id.eq(id));
    let (debit, credit) = diesel::alias!(accounts as debit_accounts, accounts as credit_accounts);
    let found: Option<(TransferRow, Option<DbId>, Option<DbId>)> = on!(connection, |c| {
        transfers::table
            .left_join(debit.on(debit.field(accounts::id).eq(transfers::debit_account_id)))
            .left_join(credit.on(credit.field(accounts::id).eq(transfers::credit_account_id)))
            .filter(transfers::id.eq(id).or(own))
            // False sorts before true.
            .order(transfers::id.eq(id))
            .select((
                TransferRow::as_select(),
                debit.field(accounts::owner_id).nullable(),
                credit.field(accounts::owner_id).nullable(),
            ))
            .first(c)
            .optional()
    })?;
    let details = |(row, debit_owner, credit_owner): (TransferRow, Option<DbId>, Option<DbId>)| {
        Ok(TransferDetails {
            transfer: row.try_into()?,
            debit_owner: debit_owner.map(UserId::from),
            credit_owner: credit_owner.map(UserId::from),
        })
    };
    found.map(details).transpose()
}

/// Returns all transfers, by descending id.
pub(crate) fn list(
    connection: &mut Connection<'_>,
    page: PageRequest<TransferId>,
) -> Result<Vec<Transfer>, Failure> {
    let load = |page: &PageRequest<TransferId>| {
        Ok(on!(connection, |c, Db| {
            let all = transfers::table.select(TransferRow::as_select()).into_boxed::<Db>();
            paginate!(all, transfers::id, page).load(c)
        })?)
    };
    load_page(page, load, |row: &TransferRow| row.id.into(), Transfer::try_from)
}

/// Returns the balance of an account after its last transfer at or before `at`; zero before its
/// first one.
pub(crate) fn balance_at(
    connection: &mut Connection<'_>,
    id: AccountId,
    at: Timestamp,
) -> Result<Balance, Failure> {
    let id = DbId::from(id);
    let count = count(connection, id)?;
    let time_of_us = |version| time_of(connection, id, version);
    // No index has the times: a search by version finds the rows near this time (ADR 0009).
    let last_version = Timeline { count, time_of_us }.ceiling(at.micros())?;
    // One query for each side, since each side has an index of its own.
    let debit: Option<(i64, i64)> = on!(connection, |c| {
        transfers::table
            .filter(transfers::debit_account_id.eq(id))
            .filter(transfers::debit_version.le(last_version))
            .filter(transfers::created_at_us.le(at.micros()))
            .order(transfers::debit_version.desc())
            .select((transfers::debit_version, transfers::debit_balance_minor))
            .first(c)
            .optional()
    })?;
    let credit: Option<(i64, i64)> = on!(connection, |c| {
        transfers::table
            .filter(transfers::credit_account_id.eq(id))
            .filter(transfers::credit_version.le(last_version))
            .filter(transfers::created_at_us.le(at.micros()))
            .order(transfers::credit_version.desc())
            .select((transfers::credit_version, transfers::credit_balance_minor))
            .first(c)
            .optional()
    })?;
    // The later side is the one with the higher version: versions count both sides together.
    let last = debit.into_iter().chain(credit).max();
    Ok(last.map_or(Balance::ZERO, |(_, balance_minor)| Balance::from_minor(balance_minor)))
}

/// Returns the number of an account's transfers.
fn count(connection: &mut Connection<'_>, account: DbId) -> Result<i64, Failure> {
    let version: Option<i64> = on!(connection, |c| accounts::table
        .find(account)
        .select(accounts::version)
        .first(c)
        .optional())?;
    Ok(version.unwrap_or(0))
}

/// Returns the time of the transfer that gave an account this version.
fn time_of(connection: &mut Connection<'_>, account: DbId, version: i64) -> Result<i64, Failure> {
    let debited = transfers::debit_account_id.eq(account).and(transfers::debit_version.eq(version));
    let credited =
        transfers::credit_account_id.eq(account).and(transfers::credit_version.eq(version));
    let found: Option<i64> = on!(connection, |c| {
        let entry = transfers::table.filter(debited.or(credited)).select(transfers::created_at_us);
        entry.first(c).optional()
    })?;
    let stored = StoredRow { table: "accounts", id: account };
    stored.convert("version", found.ok_or("it counts a transfer that is not there"))
}

/// Returns the transfers of an account, newest first, found by their versions, so that a deep page
/// costs as much as the first.
pub(crate) fn page(
    connection: &mut Connection<'_>,
    account: AccountId,
    page: PageRequest<i64>,
) -> Result<Page<Transfer>, Failure> {
    let id = DbId::from(account);
    let total = count(connection, id)?;
    let load = |page: &PageRequest<i64>| {
        let (first, last) = page.numbers(total);
        let debited =
            transfers::debit_account_id.eq(id).and(transfers::debit_version.between(first, last));
        let credited =
            transfers::credit_account_id.eq(id).and(transfers::credit_version.between(first, last));
        let mut rows: Vec<TransferRow> = on!(connection, |c| {
            transfers::table.filter(debited.or(credited)).select(TransferRow::as_select()).load(c)
        })?;
        // Debits and credits come from two indexes, so the database returns them in no common
        // order.
        rows.sort_by_key(|row| Reverse(row.version_of(id)));
        Ok(rows)
    };
    let rows = load_page(page, load, |row| row.version_of(id), Transfer::try_from)?;
    Ok(Page { rows, total })
}
