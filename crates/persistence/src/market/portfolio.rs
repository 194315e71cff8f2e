//! Portfolios of traders in all markets: the tables `bets` by user, and `positions` by account.

use diesel::prelude::*;
use foretell_domain::id::{AccountId, UserId};
use foretell_domain::market::Bet;
use foretell_ports::page::{PageRequest, PageStart};
use foretell_ports::portfolio::{BetKey, HeldKey, HeldPosition};

use crate::connection::{Connection, on};
use crate::error::Failure;
use crate::id::DbId;
use crate::market::bet_rows::BetRow;
use crate::market::position_rows::PositionRow;
use crate::schema::{bets, positions};
use crate::unreadable_rows::load_page;

/// Market and option index as stored, whether valid or not.
type RawKey = (DbId, i32);

/// Start of a seek in a sorted list, from which so many rows are requested.
#[derive(Clone, Copy)]
enum Seek<K> {
    /// All but the first so many.
    Offset(i64),
    /// Rows after a key with the same rank.
    SameRank(K),
    /// Rows after a key with a later rank.
    LaterRank(K),
}

/// Returns the rows of a page. After a key this needs two index seeks: neither database turns the
/// combined condition into one.
fn rows_of<K: Copy, R>(
    page: PageRequest<K>,
    mut load: impl FnMut(Seek<K>, i64) -> QueryResult<Vec<R>>,
) -> QueryResult<Vec<R>> {
    let limit = i64::from(page.limit);
    let key = match page.start {
        PageStart::First => return load(Seek::Offset(0), limit),
        PageStart::Offset(rows) => return load(Seek::Offset(rows), limit),
        PageStart::After(key) => key,
    };
    let mut rows = load(Seek::SameRank(key), limit)?;
    let missing = limit.saturating_sub(i64::try_from(rows.len()).unwrap_or(limit));
    if missing > 0 {
        rows.extend(load(Seek::LaterRank(key), missing)?);
    }
    Ok(rows)
}

/// Returns a page of the bets and sales of a user, newest first.
pub(crate) fn list_bets(
    connection: &mut Connection<'_>,
    user: UserId,
    page: PageRequest<BetKey>,
) -> Result<Vec<Bet>, Failure> {
    let user = DbId::from(user);
    let load = |page: &PageRequest<BetKey>| {
        Ok(rows_of(*page, |seek, limit| {
            on!(connection, |c, Db| {
                let own = bets::table.filter(bets::user_id.eq(user)).select(BetRow::as_select());
                // The order of the index `bets_by_user`, so that a page is read without sorting.
                let query = own.order((bets::created_at_us.desc(), bets::id.desc())).limit(limit);
                let query = query.into_boxed::<Db>();
                let query = match seek {
                    Seek::Offset(rows) => query.offset(rows),
                    Seek::SameRank(key) => query
                        .filter(bets::created_at_us.eq(key.created_at.micros()))
                        .filter(bets::id.lt(DbId::from(key.id))),
                    Seek::LaterRank(key) => {
                        query.filter(bets::created_at_us.lt(key.created_at.micros()))
                    }
                };
                query.load(c)
            })
        })?)
    };
    load_page(page, load, BetRow::key, Bet::try_from)
}

/// Returns the number of a user's bets and sales.
pub(crate) fn count_bets(connection: &mut Connection<'_>, user: UserId) -> Result<i64, Failure> {
    let own = bets::table.filter(bets::user_id.eq(DbId::from(user)));
    Ok(on!(connection, |c| own.count().get_result(c))?)
}

/// Returns a page of the positions of an account, newest market first.
pub(crate) fn list_positions(
    connection: &mut Connection<'_>,
    account: AccountId,
    page: PageRequest<HeldKey>,
) -> Result<Vec<HeldPosition>, Failure> {
    let account = DbId::from(account);
    let load = |page: &PageRequest<RawKey>| {
        Ok(rows_of(*page, |seek, limit| {
            on!(connection, |c, Db| {
                let own = positions::table.filter(positions::account_id.eq(account));
                let own = own.select(PositionRow::as_select());
                let query =
                    own.order((positions::market_id.desc(), positions::option_index)).limit(limit);
                let query = query.into_boxed::<Db>();
                let query = match seek {
                    Seek::Offset(rows) => query.offset(rows),
                    Seek::SameRank((market_id, option_index)) => query
                        .filter(positions::market_id.eq(market_id))
                        .filter(positions::option_index.gt(option_index)),
                    Seek::LaterRank((market_id, _)) => {
                        query.filter(positions::market_id.lt(market_id))
                    }
                };
                query.load(c)
            })
        })?)
    };
    // A number beyond the column is after all options, so the next market follows.
    let raw_key =
        |key: HeldKey| (key.market_id.into(), i32::try_from(key.option_index).unwrap_or(i32::MAX));
    let start = match page.start {
        PageStart::First => PageStart::First,
        PageStart::Offset(rows) => PageStart::Offset(rows),
        PageStart::After(key) => PageStart::After(raw_key(key)),
    };
    let page = PageRequest { start, limit: page.limit };
    let held = |row: PositionRow| {
        let (option_index, position) = row.convert()?;
        Ok(HeldPosition { market_id: row.market_id.into(), option_index, position })
    };
    load_page(page, load, |row: &PositionRow| (row.market_id, row.option_index), held)
}

/// Returns the number of an account's positions.
pub(crate) fn count_positions(
    connection: &mut Connection<'_>,
    account: AccountId,
) -> Result<i64, Failure> {
    let own = positions::table.filter(positions::account_id.eq(DbId::from(account)));
    Ok(on!(connection, |c| own.count().get_result(c))?)
}
