//! Rows of the tables `settlements` and `payouts`.

use std::num::ParseIntError;

use diesel::prelude::*;
use foretell_domain::id::AccountId;
use foretell_domain::market::{Settlement, SettlementTerms, SettlementUndo};
use foretell_domain::money::Balance;
use foretell_domain::time::Timestamp;
use foretell_ports::error::Cause;

use crate::error::{Failure, StoredRow};
use crate::id::DbId;
use crate::schema::{payouts, settlements};

/// Stored names of the two kinds of terms.
pub(crate) const PAYOUTS: &str = "payouts";

pub(crate) const REFUNDS: &str = "refunds";

/// Parses the stored basis points of each option.
pub(crate) fn parse_basis_points(text: &str) -> Result<Vec<u16>, ParseIntError> {
    text.split(',').map(str::parse).collect()
}

/// Returns basis points as they are stored, such as `0,10000`.
pub(crate) fn write_basis_points(basis_points: &[u16]) -> String {
    let numbers: Vec<_> = basis_points.iter().map(ToString::to_string).collect();
    numbers.join(",")
}

#[derive(Queryable, QueryableByName, Selectable, Insertable)]
#[diesel(table_name = settlements, treat_none_as_default_value = false)]
pub(crate) struct SettlementRow {
    pub(crate) market_id: DbId,
    kind: String,
    basis_points: Option<String>,
    available_minor: Option<i64>,
    stakes_minor: Option<i64>,
    decided_by: DbId,
    decided_at_us: i64,
    cursor_account_id: Option<DbId>,
    holders_paid: i64,
    paid_minor: i64,
    completed_at_us: Option<i64>,
    undo_cursor: Option<i64>,
    undo_covered_minor: i64,
}

impl SettlementRow {
    pub(crate) fn terms(&self) -> Result<SettlementTerms, Failure> {
        let stored = StoredRow { table: "settlements", id: self.market_id };
        match (self.kind.as_str(), &self.basis_points, self.available_minor, self.stakes_minor) {
            (PAYOUTS, Some(text), None, None) => {
                let basis_points = stored.convert("basis_points", parse_basis_points(text))?;
                Ok(SettlementTerms::Payouts { basis_points })
            }
            (REFUNDS, None, Some(available), Some(stakes)) => Ok(SettlementTerms::Refunds {
                available: Balance::from_minor(available),
                stakes: Balance::from_minor(stakes),
            }),
            _ => stored.convert("kind", Err(Cause::from("the terms do not fit the kind"))),
        }
    }
}

impl TryFrom<SettlementRow> for Settlement {
    type Error = Failure;

    fn try_from(row: SettlementRow) -> Result<Self, Failure> {
        let stored = StoredRow { table: "settlements", id: row.market_id };
        Ok(Self {
            market_id: row.market_id.into(),
            terms: row.terms()?,
            decided_by: row.decided_by.into(),
            decided_at: stored.time("decided_at_us", row.decided_at_us)?,
            cursor: row.cursor_account_id.map(AccountId::from),
            holders_paid: row.holders_paid,
            paid: Balance::from_minor(row.paid_minor),
            completed_at: stored.optional_time("completed_at_us", row.completed_at_us)?,
            undo: row.undo_cursor.map(|cursor| SettlementUndo {
                cursor,
                covered: Balance::from_minor(row.undo_covered_minor),
            }),
        })
    }
}

impl From<&Settlement> for SettlementRow {
    fn from(settlement: &Settlement) -> Self {
        let (kind, basis_points, available_minor, stakes_minor) = match &settlement.terms {
            SettlementTerms::Payouts { basis_points } => {
                (PAYOUTS, Some(write_basis_points(basis_points)), None, None)
            }
            SettlementTerms::Refunds { available, stakes } => {
                (REFUNDS, None, Some(available.minor()), Some(stakes.minor()))
            }
        };
        Self {
            market_id: settlement.market_id.into(),
            kind: kind.to_owned(),
            basis_points,
            available_minor,
            stakes_minor,
            decided_by: settlement.decided_by.into(),
            decided_at_us: settlement.decided_at.micros(),
            cursor_account_id: settlement.cursor.map(DbId::from),
            holders_paid: settlement.holders_paid,
            paid_minor: settlement.paid.minor(),
            completed_at_us: settlement.completed_at.map(Timestamp::micros),
            undo_cursor: settlement.undo.map(|undo| undo.cursor),
            undo_covered_minor: settlement.undo.map_or(0, |undo| undo.covered.minor()),
        }
    }
}

/// Inserted columns of a payout.
#[derive(Insertable, Clone, Copy)]
#[diesel(table_name = payouts, treat_none_as_default_value = false)]
pub(crate) struct PayoutRow {
    pub(crate) market_id: DbId,
    pub(crate) account_id: DbId,
    pub(crate) amount_minor: i64,
    pub(crate) created_at_us: i64,
}
