//! The tables `settlements` and `payouts`.

use diesel::prelude::*;
use foretell_domain::id::{AccountId, MarketId};
use foretell_domain::market::{Settlement, SettlementTerms};
use foretell_domain::money::Balance;
use foretell_domain::time::Timestamp;
use foretell_ports::error::Cause;
use foretell_ports::market::PaidSet;

use crate::connection::{Connection, on};
use crate::dialect::{bulk_market, content};
use crate::error::{Failure, StoredRow, expect_saved};
use crate::id::DbId;
use crate::schema::{payouts, settlements};
use crate::unreadable_rows::skip_unreadable;

/// Stored names of the two kinds of terms.
const PAYOUTS: &str = "payouts";
const REFUNDS: &str = "refunds";

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
    fn terms(&self) -> Result<SettlementTerms, Failure> {
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

/// Inserts the settlement of a locked market.
pub(crate) fn insert(
    connection: &mut Connection<'_>,
    settlement: &Settlement,
) -> Result<(), Failure> {
    let insert = diesel::insert_into(settlements::table).values(SettlementRow::from(settlement));
    on!(connection, |c| insert.execute(c))?;
    Ok(())
}

/// Returns the settlement of a market. It changes only under the lock on the market, so it needs no
/// own lock.
pub(crate) fn find(
    connection: &mut Connection<'_>,
    market: MarketId,
) -> Result<Option<Settlement>, Failure> {
    let found = on!(connection, |c| {
        settlements::table
            .find(DbId::from(market))
            .select(SettlementRow::as_select())
            .first(c)
            .optional()
    })?;
    found.map(Settlement::try_from).transpose()
}

/// Stores the progress of a settlement.
pub(crate) fn save(
    connection: &mut Connection<'_>,
    settlement: &Settlement,
) -> Result<(), Failure> {
    // The terms never change after the decision, so only the progress is saved (ADR 0006).
    let progress = (
        settlements::cursor_account_id.eq(settlement.cursor.map(DbId::from)),
        settlements::holders_paid.eq(settlement.holders_paid),
        settlements::paid_minor.eq(settlement.paid.minor()),
        settlements::completed_at_us.eq(settlement.completed_at.map(Timestamp::micros)),
    );
    let update =
        diesel::update(settlements::table.find(DbId::from(settlement.market_id))).set(progress);
    let saved = on!(connection, |c| update.execute(c))?;
    expect_saved("settlements", 1, saved)
}

/// Inserts the claims of a paid set.
pub(crate) fn insert_payouts(
    connection: &mut Connection<'_>,
    set: &PaidSet,
) -> Result<(), Failure> {
    let claims = set.payouts.iter().map(|payout| PayoutRow {
        market_id: set.market_id.into(),
        account_id: payout.account_id.into(),
        amount_minor: payout.amount.minor(),
        created_at_us: set.at.micros(),
    });
    let rows: Vec<_> = claims.collect();
    // The unique key of a payout makes a second payment of the same holder impossible.
    bulk_market::insert_payouts(connection, &rows)?;
    Ok(())
}

/// Returns the settlements of those of these markets that have one.
pub(crate) fn find_all(
    connection: &mut Connection<'_>,
    markets: &[DbId],
) -> Result<Vec<Settlement>, Failure> {
    let rows = content::settlements(connection, markets)?;
    skip_unreadable(rows.into_iter().map(Settlement::try_from))
}

/// Returns at most `limit` markets whose settlement is not complete, by ascending id after `after`.
pub(crate) fn list_unsettled(
    connection: &mut Connection<'_>,
    after: Option<MarketId>,
    limit: u32,
) -> Result<Vec<MarketId>, Failure> {
    let after = DbId::from(after.unwrap_or(MarketId::from_u128(0)));
    let found: Vec<DbId> = on!(connection, |c| {
        settlements::table
            .filter(settlements::completed_at_us.is_null())
            .filter(settlements::market_id.gt(after))
            .order(settlements::market_id)
            .limit(i64::from(limit))
            .select(settlements::market_id)
            .load(c)
    })?;
    Ok(found.into_iter().map(MarketId::from).collect())
}
