//! Rows of the tables `settlements` and `payouts`.

use diesel::prelude::*;
use foretell_domain::id::AccountId;
use foretell_domain::market::{Settlement, SettlementTerms};
use foretell_domain::money::Balance;
use foretell_domain::time::Timestamp;
use foretell_ports::error::Cause;

use crate::error::{Failure, StoredRow};
use crate::id::DbId;
use crate::schema::{payouts, settlements};

/// Stored names of the two kinds of terms.
pub(crate) const PAYOUTS: &str = "payouts";

pub(crate) const REFUNDS: &str = "refunds";

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
}

impl SettlementRow {
    pub(crate) fn terms(&self) -> Result<SettlementTerms, Failure> {
        let stored = StoredRow { table: "settlements", id: self.market_id };
        match (self.kind.as_str(), &self.basis_points, self.available_minor, self.stakes_minor) {
            (PAYOUTS, Some(text), None, None) => {
                let basis_points: Result<_, _> = text.split(',').map(str::parse).collect();
                Ok(SettlementTerms::Payouts {
                    basis_points: stored.convert("basis_points", basis_points)?,
                })
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
        })
    }
}

impl From<&Settlement> for SettlementRow {
    fn from(settlement: &Settlement) -> Self {
        let (kind, basis_points, available_minor, stakes_minor) = match &settlement.terms {
            SettlementTerms::Payouts { basis_points } => {
                let numbers: Vec<_> = basis_points.iter().map(ToString::to_string).collect();
                (PAYOUTS, Some(numbers.join(",")), None, None)
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
