//! The tables `settlements` and `payouts`.

use diesel::prelude::*;
use foretell_domain::id::MarketId;
use foretell_domain::market::Settlement;
use foretell_domain::time::Timestamp;
use foretell_ports::market::PaidSet;

use crate::connection::{Connection, on};
use crate::dialect::{bulk_market, content};
use crate::error::{Failure, expect_saved};
use crate::id::DbId;
use crate::market::settlement_rows::{PayoutRow, SettlementRow};
use crate::schema::settlements;
use crate::unreadable_rows::skip_unreadable;

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
