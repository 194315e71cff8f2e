//! Rows of the table `transfers`.

#![allow(clippy::ref_option_ref, reason = "the code that Diesel derives for an optional text")]

use diesel::prelude::*;
use foretell_domain::money::{Amount, Balance};
use foretell_domain::text::Memo;
use foretell_domain::transfer::{
    Side, Transfer, TransferKind, TransferRecord, TransferRecordError,
};

use crate::error::{Failure, StoredRow};
use crate::id::DbId;
use crate::schema::transfers;

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
    pub(crate) fn version_of(&self, account: DbId) -> i64 {
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
