//! The table `transfers`: immutable rows, numbered on each side by the version of its account.

#![allow(clippy::ref_option_ref, reason = "the code that Diesel derives for an optional text")]

use std::cmp::Reverse;
use std::ops::RangeInclusive;

use diesel::prelude::*;
use foretell_domain::id::{AccountId, ClientId, TransferId, UserId};
use foretell_domain::money::{Amount, Balance};
use foretell_domain::text::Memo;
use foretell_domain::time::Timestamp;
use foretell_domain::transfer::{
    Side, Transfer, TransferKind, TransferRecord, TransferRecordError,
};
use foretell_ports::ledger::TransferDetails;
use foretell_ports::page::{Page, PageRequest, PageStart};

use crate::connection::{Connection, on};
use crate::dialect::{bulk_ledger, look_up};
use crate::error::{Failure, StoredRow};
use crate::id::{DbId, db_ids};
use crate::ledger::timeline::Timeline;
use crate::post::post_lists::paginate;
use crate::schema::{accounts, transfers};
use crate::unreadable_rows::load_page;

#[derive(Queryable, Selectable)]
#[diesel(table_name = transfers)]
pub(crate) struct TransferRow {
    pub(crate) id: DbId,
    client_id: Option<DbId>,
    kind: String,
    amount_minor: i64,
    debit_account_id: DbId,
    debit_version: i64,
    debit_balance_minor: i64,
    credit_account_id: DbId,
    credit_version: i64,
    credit_balance_minor: i64,
    market_id: Option<DbId>,
    reversal_of: Option<DbId>,
    memo: Option<String>,
    created_at_us: i64,
}

impl TransferRow {
    /// Returns the version that the transfer gave one of its accounts.
    fn version_of(&self, account: DbId) -> i64 {
        if self.debit_account_id == account { self.debit_version } else { self.credit_version }
    }
}

impl TryFrom<TransferRow> for Transfer {
    type Error = Failure;

    fn try_from(row: TransferRow) -> Result<Self, Failure> {
        let stored = StoredRow { table: "transfers", id: row.id };
        let side = |account_id: DbId, balance_minor, version| Side {
            account_id: account_id.into(),
            balance_after: Balance::from_minor(balance_minor),
            version,
        };
        let record = TransferRecord {
            id: row.id.into(),
            client_id: row.client_id.map(Into::into),
            kind: stored.named("kind", TransferKind::from_name(&row.kind))?,
            amount: stored.convert("amount_minor", Amount::new(row.amount_minor))?,
            debit: side(row.debit_account_id, row.debit_balance_minor, row.debit_version),
            credit: side(row.credit_account_id, row.credit_balance_minor, row.credit_version),
            market_id: row.market_id.map(Into::into),
            reversal_of: row.reversal_of.map(Into::into),
            memo: row.memo.map(Memo::restore),
            created_at: stored.time("created_at_us", row.created_at_us)?,
        };
        Self::restore(record).or_else(|error| stored.convert(column_of(error), Err(error)))
    }
}

/// Returns the column that violates a rule of transfers.
const fn column_of(error: TransferRecordError) -> &'static str {
    match error {
        TransferRecordError::SelfTransfer => "credit_account_id",
        TransferRecordError::DebitVersion => "debit_version",
        TransferRecordError::CreditVersion => "credit_version",
    }
}

/// Inserted columns of a transfer.
#[derive(Insertable, Clone, Copy)]
#[diesel(table_name = transfers, treat_none_as_default_value = false)]
pub(crate) struct NewTransferRow<'a> {
    pub(crate) id: DbId,
    pub(crate) client_id: Option<DbId>,
    pub(crate) kind: &'static str,
    pub(crate) amount_minor: i64,
    pub(crate) debit_account_id: DbId,
    pub(crate) debit_version: i64,
    pub(crate) debit_balance_minor: i64,
    pub(crate) credit_account_id: DbId,
    pub(crate) credit_version: i64,
    pub(crate) credit_balance_minor: i64,
    pub(crate) market_id: Option<DbId>,
    pub(crate) reversal_of: Option<DbId>,
    pub(crate) memo: Option<&'a str>,
    pub(crate) created_at_us: i64,
}

impl<'a> From<&'a Transfer> for NewTransferRow<'a> {
    fn from(transfer: &'a Transfer) -> Self {
        let TransferRecord { debit, credit, .. } = &**transfer;
        Self {
            id: transfer.id.into(),
            client_id: transfer.client_id.map(DbId::from),
            kind: transfer.kind.as_str(),
            amount_minor: transfer.amount.minor(),
            debit_account_id: debit.account_id.into(),
            debit_version: debit.version,
            debit_balance_minor: debit.balance_after.minor(),
            credit_account_id: credit.account_id.into(),
            credit_version: credit.version,
            credit_balance_minor: credit.balance_after.minor(),
            market_id: transfer.market_id.map(DbId::from),
            reversal_of: transfer.reversal_of.map(DbId::from),
            memo: transfer.memo.as_ref().map(Memo::as_str),
            created_at_us: transfer.created_at.micros(),
        }
    }
}

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

#[cfg(test)]
mod tests {
    use foretell_domain::id::MarketId;

    use super::*;

    fn row() -> TransferRow {
        TransferRow {
            id: MarketId::from_u128(9).into(),
            client_id: None,
            kind: "payment".to_owned(),
            amount_minor: 5,
            debit_account_id: MarketId::from_u128(1).into(),
            debit_version: 1,
            debit_balance_minor: 0,
            credit_account_id: MarketId::from_u128(2).into(),
            credit_version: 1,
            credit_balance_minor: 5,
            market_id: None,
            reversal_of: None,
            memo: None,
            created_at_us: 0,
        }
    }

    /// Checks which column of a changed row cannot be read.
    fn check(change: impl FnOnce(&mut TransferRow), expected: Option<&str>) {
        let mut row = row();
        change(&mut row);
        let found = match Transfer::try_from(row) {
            Ok(_) => None,
            Err(Failure::Corrupt { table: "transfers", column, .. }) => Some(column),
            Err(other) => panic!("{other:?}"),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn invalid_transfer_names_its_column() {
        check(|_| (), None);
        check(|row| row.amount_minor = 0, Some("amount_minor"));
        check(|row| row.credit_account_id = row.debit_account_id, Some("credit_account_id"));
        check(|row| row.debit_version = 0, Some("debit_version"));
        check(|row| row.credit_version = 0, Some("credit_version"));
    }
}
