//! The tables `settlements`, `payouts` and `market_debts`.

use diesel::prelude::*;
use foretell_domain::id::{AccountId, MarketId, TransferId};
use foretell_domain::market::Settlement;
use foretell_domain::time::Timestamp;
use foretell_ports::market::{Debt, PaidSet};
use foretell_ports::page::{PageRequest, PageStart};

use crate::connection::{Connection, on};
use crate::dialect::{bulk_market, content};
use crate::error::{Failure, expect_saved};
use crate::id::{DbId, db_ids};
use crate::market::resolution_rows::DebtRow;
use crate::market::settlement_rows::{PayoutRow, SettlementRow};
use crate::post::post_lists::paginate;
use crate::schema::{market_debts, payouts, settlements};
use crate::unreadable_rows::{load_page, skip_unreadable};

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
        settlements::undo_cursor.eq(settlement.undo.map(|undo| undo.cursor)),
        settlements::undo_covered_minor.eq(settlement.undo.map_or(0, |undo| undo.covered.minor())),
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

/// Deletes the claims of these accounts.
pub(crate) fn delete_payouts(
    connection: &mut Connection<'_>,
    market: MarketId,
    accounts: &[AccountId],
) -> Result<(), Failure> {
    let ids = db_ids(accounts.iter().copied());
    let claims = payouts::table
        .filter(payouts::market_id.eq(DbId::from(market)))
        .filter(payouts::account_id.eq_any(&ids));
    let deleted = on!(connection, |c| diesel::delete(claims).execute(c))?;
    expect_saved("payouts", ids.len(), deleted)
}

/// Deletes an undone settlement.
pub(crate) fn delete(connection: &mut Connection<'_>, market: MarketId) -> Result<(), Failure> {
    let settlement = settlements::table.find(DbId::from(market));
    let deleted = on!(connection, |c| diesel::delete(settlement).execute(c))?;
    expect_saved("settlements", 1, deleted)
}

/// Inserts debts.
pub(crate) fn insert_debts(connection: &mut Connection<'_>, debts: &[Debt]) -> Result<(), Failure> {
    let rows: Vec<_> = debts.iter().map(DebtRow::from).collect();
    bulk_market::insert_debts(connection, &rows)?;
    Ok(())
}

/// Returns a page of the debts of all accounts, newest first.
pub(crate) fn list_debts(
    connection: &mut Connection<'_>,
    page: PageRequest<TransferId>,
) -> Result<Vec<Debt>, Failure> {
    let load = |page: &PageRequest<TransferId>| {
        Ok(on!(connection, |c, Db| {
            let all = market_debts::table.select(DebtRow::as_select()).into_boxed::<Db>();
            paginate!(all, market_debts::transfer_id, page).load(c)
        })?)
    };
    load_page(page, load, |row: &DebtRow| row.transfer_id.into(), Debt::try_from)
}

/// Returns the number of debts.
pub(crate) fn count_debts(connection: &mut Connection<'_>) -> Result<i64, Failure> {
    Ok(on!(connection, |c| market_debts::table.count().get_result(c))?)
}

/// Returns the settlements of those of these markets that have one.
pub(crate) fn find_all(
    connection: &mut Connection<'_>,
    markets: &[DbId],
) -> Result<Vec<Settlement>, Failure> {
    let rows = content::settlements(connection, markets)?;
    skip_unreadable(rows.into_iter().map(Settlement::try_from))
}

/// Returns at most `limit` markets whose settlement, or its undoing, is not complete, by ascending id
/// after `after`.
pub(crate) fn list_unsettled(
    connection: &mut Connection<'_>,
    after: Option<MarketId>,
    limit: u32,
) -> Result<Vec<MarketId>, Failure> {
    let after = DbId::from(after.unwrap_or(MarketId::from_u128(0)));
    let found: Vec<DbId> = on!(connection, |c| {
        settlements::table
            .filter(
                settlements::completed_at_us.is_null().or(settlements::undo_cursor.is_not_null()),
            )
            .filter(settlements::market_id.gt(after))
            .order(settlements::market_id)
            .limit(i64::from(limit))
            .select(settlements::market_id)
            .load(c)
    })?;
    Ok(found.into_iter().map(MarketId::from).collect())
}
