//! The table `positions`: the shares of each account in each option.

use std::collections::{BTreeMap, BTreeSet};

use diesel::dsl::{exists, select};
use diesel::prelude::*;
use foretell_domain::id::{AccountId, MarketId, UserId};
use foretell_domain::market::{Holding, Market, Stakes};
use foretell_ports::market::{PositionKey, PositionRow as ListedPosition, WantedHolding};
use foretell_ports::page::{NumberedPage, Page, PageRequest, PageStart};
use foretell_ports::unit::Locked;

use crate::connection::{Connection, on};
use crate::dialect::{bulk_market, look_up};
use crate::error::{Failure, StoredRow};
use crate::id::DbId;
use crate::market::position_rows::PositionRow;
use crate::schema::{accounts, positions};
use crate::unreadable_rows::{load_page, skip_unreadable};

/// Returns the holdings of these accounts in these markets; a trader who never traded there has
/// none.
pub(crate) fn find_holdings(
    connection: &mut Connection<'_>,
    wanted: &[WantedHolding],
) -> Result<Vec<Holding>, Failure> {
    let wanted: BTreeSet<_> = wanted.iter().copied().collect();
    let mut holdings: BTreeMap<(DbId, DbId), Holding> = BTreeMap::new();
    let option_counts: BTreeMap<_, _> =
        wanted.iter().map(|wanted| (DbId::from(wanted.market_id), wanted.option_count)).collect();
    for row in look_up::positions(connection, &wanted)? {
        let option_count = option_counts.get(&row.market_id).copied().unwrap_or(0);
        let empty = || Holding::empty(row.market_id.into(), row.account_id.into(), option_count);
        row.enter(holdings.entry((row.market_id, row.account_id)).or_insert_with(empty))?;
    }
    Ok(holdings.into_values().collect())
}

/// Inserts or replaces positions, `(holding, option index)` each; the last one of equal keys is
/// stored.
pub(crate) fn save(
    connection: &mut Connection<'_>,
    positions: &[(&Holding, usize)],
) -> Result<(), Failure> {
    let mut rows = BTreeMap::new();
    for (holding, option_index) in positions {
        let row = new_row(holding, *option_index)?;
        rows.insert((row.market_id, row.account_id, row.option_index), row);
    }
    // One statement must not update the same row twice, which Postgres rejects; and the map sorts
    // the keys, so that concurrent units write rows in the same order.
    let rows: Vec<_> = rows.into_values().collect();
    bulk_market::save_positions(connection, &rows)?;
    Ok(())
}

fn new_row(holding: &Holding, option_index: usize) -> Result<PositionRow, Failure> {
    let stored = StoredRow { table: "positions", id: holding.account_id };
    let position = holding.positions.get(option_index).ok_or("the holding has no such option");
    let position = stored.convert("option_index", position)?;
    Ok(PositionRow {
        market_id: holding.market_id.into(),
        account_id: holding.account_id.into(),
        option_index: stored.convert("option_index", i32::try_from(option_index))?,
        shares_units: position.shares.units(),
        spent_minor: position.spent.minor(),
        received_minor: position.received.minor(),
    })
}

/// Returns at most `limit` holdings of a market whose accounts are greater than `after`, by
/// ascending account.
pub(crate) fn list_holdings_after(
    connection: &mut Connection<'_>,
    market: &Market,
    after: Option<AccountId>,
    limit: usize,
) -> Result<Vec<Holding>, Failure> {
    let market_id = DbId::from(market.id());
    let after = DbId::from(after.unwrap_or(AccountId::from_u128(0)));
    let option_count = market.record().options.len();
    // Each account has at most one row per option, so these are all rows of `limit` accounts.
    let most_rows = i64::try_from(limit.saturating_mul(option_count)).unwrap_or(i64::MAX);
    // Also positions without shares: a cancellation refunds what was paid, whether or not shares
    // are left.
    let rows: Vec<PositionRow> = on!(connection, |c| {
        positions::table
            .filter(positions::market_id.eq(market_id))
            .filter(positions::account_id.gt(after))
            .order((positions::account_id, positions::option_index))
            .limit(most_rows)
            .select(PositionRow::as_select())
            .load(c)
    })?;
    let mut holdings: Vec<Holding> = Vec::new();
    for row in rows {
        let account_id = AccountId::from(row.account_id);
        if holdings.last().is_none_or(|last| last.account_id != account_id) {
            if holdings.len() == limit {
                break;
            }
            holdings.push(Holding::empty(market.id(), account_id, option_count));
        }
        if let Some(holding) = holdings.last_mut() {
            row.enter(holding)?;
        }
    }
    Ok(holdings)
}

/// Returns who has ever held shares of a market: positions are kept when their shares are sold.
pub(crate) fn find_stakes(
    connection: &mut Connection<'_>,
    market: &Locked<Market>,
    actor: UserId,
) -> Result<Stakes, Failure> {
    let creator = DbId::from(market.record().creator_id);
    let of_market = positions::table.filter(positions::market_id.eq(DbId::from(market.id())));
    let accounts_of =
        |user: DbId| accounts::table.filter(accounts::owner_id.eq(user)).select(accounts::id);
    // A user has few accounts: both questions end after as many look-ups in the key, however many
    // holders the market has.
    let of_actor = of_market.filter(positions::account_id.eq_any(accounts_of(actor.into())));
    let of_others = of_market.filter(positions::account_id.ne_all(accounts_of(creator)));
    let (of_actor, of_others) =
        on!(connection, |c| select((exists(of_actor), exists(of_others))).get_result(c))?;
    Ok(Stakes { of_actor, of_others })
}

/// Returns the positions of a market with shares above zero, by option and then by descending
/// shares.
pub(crate) fn page(
    connection: &mut Connection<'_>,
    market: MarketId,
    page: NumberedPage,
) -> Result<Page<ListedPosition>, Failure> {
    let market_id = DbId::from(market);
    let held = positions::table
        .filter(positions::market_id.eq(market_id))
        .filter(positions::shares_units.gt(0));
    let total = on!(connection, |c| held.count().get_result(c))?;
    let found: Vec<(PositionRow, Option<DbId>)> = on!(connection, |c| {
        held.inner_join(accounts::table)
            .order((positions::option_index, positions::shares_units.desc(), positions::account_id))
            .limit(i64::from(page.limit()))
            .offset(page.offset())
            .select((PositionRow::as_select(), accounts::owner_id))
            .load(c)
    })?;
    Ok(Page { rows: skip_unreadable(found.into_iter().map(listed))?, total })
}

/// Builds a query of the positions of a market with their owners, by account and option after a
/// key.
macro_rules! held_after {
    ($market:expr, $account:expr, $option_index:expr) => {{
        let (market, account): (DbId, DbId) = ($market, $account);
        positions::table
            .inner_join(accounts::table)
            .filter(positions::market_id.eq(market))
            // The first condition uses the index of the key; the second only filters the rows of
            // one account.
            .filter(positions::account_id.ge(account))
            .filter(positions::account_id.gt(account).or(positions::option_index.gt($option_index)))
            .order((positions::account_id, positions::option_index))
            .select((PositionRow::as_select(), accounts::owner_id))
    }};
}

/// Returns the positions of a market with shares above zero, by account and option, after a cursor.
pub(crate) fn list(
    connection: &mut Connection<'_>,
    market: MarketId,
    after: Option<PositionKey>,
    limit: u32,
) -> Result<Vec<ListedPosition>, Failure> {
    let first = PositionKey { account_id: AccountId::from_u128(0), option_index: 0 };
    let account = DbId::from(after.unwrap_or(first).account_id);
    let option_index =
        after.map_or(-1, |after| i32::try_from(after.option_index).unwrap_or(i32::MAX));
    let load = |page: &PageRequest<(DbId, i32)>| {
        let PageStart::After((account, option_index)) = page.start else { return Ok(Vec::new()) };
        Ok(on!(connection, |c| {
            held_after!(market.into(), account, option_index)
                .filter(positions::shares_units.gt(0))
                .limit(i64::from(page.limit))
                .load(c)
        })?)
    };
    let start = PageStart::After((account, option_index));
    load_page(PageRequest { start, limit }, load, |(row, _)| row.key(), listed)
}

/// Returns the positions of a market, including those without shares, by account and option after a
/// key.
pub(crate) fn load_after(
    connection: &mut Connection<'_>,
    market: DbId,
    (account, option_index): (DbId, i32),
    limit: i64,
) -> QueryResult<Vec<OwnedPosition>> {
    on!(connection, |c| held_after!(market, account, option_index).limit(limit).load(c))
}

/// A position with the owner of its account.
pub(crate) type OwnedPosition = (PositionRow, Option<DbId>);

/// Converts a position in a market with so many options, like [`listed`].
pub(crate) fn listed_of(option_count: i64, row: OwnedPosition) -> Result<ListedPosition, Failure> {
    let stored = StoredRow { table: "positions", id: row.0 };
    let is_option = i64::from(row.0.option_index) < option_count;
    stored
        .convert("option_index", is_option.then_some(()).ok_or("the market has no such option"))?;
    listed(row)
}

fn listed((row, owner_id): OwnedPosition) -> Result<ListedPosition, Failure> {
    let (option_index, position) = row.convert()?;
    let stored = StoredRow { table: "accounts", id: row.account_id };
    let user_id =
        stored.convert("owner_id", owner_id.ok_or("it holds shares and has no owner"))?.into();
    Ok(ListedPosition { user_id, account_id: row.account_id.into(), option_index, position })
}
