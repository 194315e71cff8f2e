//! The table `bets`: immutable rows, numbered within each market by their sequence.

use std::cmp::Reverse;

use diesel::prelude::*;
use foretell_domain::id::{AccountId, BetId, ClientId, MarketId};
use foretell_domain::market::{Bet, Fill, FillRecord, FillRecordError, TradeSide};
use foretell_domain::money::{Amount, Balance};
use foretell_domain::probability::Probability;
use foretell_domain::shares::Shares;
use foretell_domain::time::Timestamp;
use foretell_ports::market::{PricePoint, PriceWindow};
use foretell_ports::page::{Page, PageRequest, PageStart};
use foretell_ports::portfolio::BetKey;

use crate::connection::{Connection, on};
use crate::dialect::{bulk_market, content, look_up};
use crate::error::{Failure, StoredRow};
use crate::id::{DbId, db_ids};
use crate::ledger::timeline::Timeline;
use crate::market::prices;
use crate::schema::{bets, market_states};
use crate::unreadable_rows::{load_page, skip_unreadable};

#[derive(Queryable, QueryableByName, Selectable)]
#[diesel(table_name = bets)]
pub(crate) struct BetRow {
    pub(crate) id: DbId,
    client_id: Option<DbId>,
    market_id: DbId,
    pub(crate) sequence: i64,
    market_version: i64,
    user_id: DbId,
    account_id: DbId,
    transfer_id: DbId,
    option_id: DbId,
    option_index: i32,
    side: String,
    cash_minor: i64,
    fee_minor: i64,
    shares_units: i64,
    prices_before: Vec<u8>,
    prices_after: Vec<u8>,
    created_at_us: i64,
}

impl BetRow {
    /// Returns the cursor in the list of the user's bets and sales.
    pub(crate) fn key(&self) -> BetKey {
        BetKey { created_at: Timestamp::from_micros(self.created_at_us), id: self.id.into() }
    }
}

impl TryFrom<BetRow> for Bet {
    type Error = Failure;

    fn try_from(row: BetRow) -> Result<Self, Failure> {
        let stored = StoredRow { table: "bets", id: row.id };
        let fill = FillRecord {
            option_index: stored.convert("option_index", usize::try_from(row.option_index))?,
            side: stored.named("side", TradeSide::from_name(&row.side))?,
            cash: stored.convert("cash_minor", Amount::new(row.cash_minor))?,
            fee: Balance::from_minor(row.fee_minor),
            shares: stored.convert("shares_units", Shares::new(row.shares_units))?,
            prices_before: stored.convert("prices_before", prices::decode(&row.prices_before))?,
            prices_after: stored.convert("prices_after", prices::decode(&row.prices_after))?,
            sequence: row.sequence,
            market_version: row.market_version,
        };
        let fill =
            Fill::restore(fill).or_else(|error| stored.convert(column_of(error), Err(error)))?;
        Ok(Self {
            id: row.id.into(),
            client_id: row.client_id.map(Into::into),
            market_id: row.market_id.into(),
            user_id: row.user_id.into(),
            account_id: row.account_id.into(),
            transfer_id: row.transfer_id.into(),
            option_id: row.option_id.into(),
            fill,
            created_at: stored.time("created_at_us", row.created_at_us)?,
        })
    }
}

/// Returns the column that violates a rule of fills.
const fn column_of(error: FillRecordError) -> &'static str {
    match error {
        FillRecordError::Prices => "prices_after",
        FillRecordError::Option => "option_index",
        FillRecordError::Fee => "fee_minor",
        FillRecordError::Sequence => "sequence",
        FillRecordError::MarketVersion => "market_version",
    }
}

/// Inserted columns of a bet.
#[derive(Insertable)]
#[diesel(table_name = bets, treat_none_as_default_value = false)]
pub(crate) struct NewBetRow<'a> {
    pub(crate) id: DbId,
    pub(crate) client_id: Option<DbId>,
    pub(crate) market_id: DbId,
    pub(crate) sequence: i64,
    pub(crate) market_version: i64,
    pub(crate) user_id: DbId,
    pub(crate) account_id: DbId,
    pub(crate) transfer_id: DbId,
    pub(crate) option_id: DbId,
    pub(crate) option_index: i32,
    pub(crate) side: &'a str,
    pub(crate) cash_minor: i64,
    pub(crate) fee_minor: i64,
    pub(crate) shares_units: i64,
    pub(crate) prices_before: Vec<u8>,
    pub(crate) prices_after: Vec<u8>,
    pub(crate) created_at_us: i64,
}

impl From<&Bet> for NewBetRow<'static> {
    fn from(bet: &Bet) -> Self {
        let fill = &bet.fill;
        Self {
            id: bet.id.into(),
            client_id: bet.client_id.map(DbId::from),
            market_id: bet.market_id.into(),
            sequence: fill.sequence,
            market_version: fill.market_version,
            user_id: bet.user_id.into(),
            account_id: bet.account_id.into(),
            transfer_id: bet.transfer_id.into(),
            option_id: bet.option_id.into(),
            // Out of the range of the column, so that a CHECK rejects it; no market has that many
            // options.
            option_index: i32::try_from(fill.option_index).unwrap_or(i32::MAX),
            side: fill.side.as_str(),
            cash_minor: fill.cash.minor(),
            fee_minor: fill.fee.minor(),
            shares_units: fill.shares.units(),
            prices_before: prices::encode(&fill.prices_before),
            prices_after: prices::encode(&fill.prices_after),
            created_at_us: bet.created_at.micros(),
        }
    }
}

/// Returns the bets among `ids` that exist.
pub(crate) fn find_all(
    connection: &mut Connection<'_>,
    ids: &[BetId],
) -> Result<Vec<Bet>, Failure> {
    let rows = look_up::bets(connection, &db_ids(ids.iter().copied()))?;
    rows.into_iter().map(Bet::try_from).collect()
}

/// Returns those of these client ids that the account has used for trades.
pub(crate) fn find_traded_as(
    connection: &mut Connection<'_>,
    wanted: &[(AccountId, ClientId)],
) -> Result<Vec<(AccountId, ClientId)>, Failure> {
    Ok(look_up::used_in_bets(connection, wanted)?)
}

/// Inserts bets.
pub(crate) fn insert(connection: &mut Connection<'_>, bets: &[Bet]) -> Result<(), Failure> {
    let rows: Vec<_> = bets.iter().map(NewBetRow::from).collect();
    bulk_market::insert_bets(connection, &rows)?;
    Ok(())
}

/// Returns the bet or sale that `trader` made under this client id, or else the one with this id.
pub(crate) fn find(
    connection: &mut Connection<'_>,
    id: BetId,
    trader: Option<AccountId>,
) -> Result<Option<Bet>, Failure> {
    let id = DbId::from(id);
    // Without an account this is NULL, which selects no row.
    let own = bets::account_id.nullable().eq(trader.map(DbId::from)).and(bets::client_id.eq(id));
    let found = on!(connection, |c| {
        bets::table
            .filter(bets::id.eq(id).or(own))
            // False sorts before true.
            .order(bets::id.eq(id))
            .select(BetRow::as_select())
            .first(c)
            .optional()
    })?;
    found.map(Bet::try_from).transpose()
}

/// Returns the bets of a market, newest first, found by their numbers, so that a deep page costs as
/// much as the first.
pub(crate) fn page(
    connection: &mut Connection<'_>,
    market: MarketId,
    page: PageRequest<i64>,
) -> Result<Page<Bet>, Failure> {
    let id = DbId::from(market);
    let total = count(connection, id)?;
    let load = |page: &PageRequest<i64>| {
        let (first, last) = page.numbers(total);
        Ok(on!(connection, |c| {
            bets::table
                .filter(bets::market_id.eq(id))
                .filter(bets::sequence.between(first, last))
                .order(bets::sequence.desc())
                .select(BetRow::as_select())
                .load(c)
        })?)
    };
    let rows = load_page(page, load, |row: &BetRow| row.sequence, Bet::try_from)?;
    Ok(Page { rows, total })
}

/// Returns at most `limit` bets of each of these markets, market by market, newest first.
pub(crate) fn list_newest(
    connection: &mut Connection<'_>,
    markets: &[MarketId],
    limit: u32,
) -> Result<Vec<Bet>, Failure> {
    let rows =
        content::newest_bets(connection, &db_ids(markets.iter().copied()), i64::from(limit))?;
    let mut bets = skip_unreadable(rows.into_iter().map(Bet::try_from))?;
    bets.sort_by_key(|bet| (bet.market_id, Reverse(bet.fill.sequence)));
    Ok(bets)
}

/// Returns the prices after the last trade before `before`.
pub(crate) fn find_prices_before(
    connection: &mut Connection<'_>,
    market: MarketId,
    before: Timestamp,
) -> Result<Option<Vec<Probability>>, Failure> {
    let market_id = DbId::from(market);
    let count = count(connection, market_id)?;
    let time_of_us = |sequence| time_of(connection, market_id, sequence);
    // No index has the times: a search by sequence finds the bets near this time (ADR 0009).
    let last = Timeline { count, time_of_us }.ceiling(before.micros())?;
    let load = |page: &PageRequest<i64>| {
        let end = if let PageStart::After(sequence) = page.start { sequence - 1 } else { last };
        Ok(on!(connection, |c| {
            bets::table
                .filter(bets::market_id.eq(market_id))
                .filter(bets::sequence.le(end))
                .filter(bets::created_at_us.lt(before.micros()))
                .order(bets::sequence.desc())
                .limit(i64::from(page.limit))
                .select((bets::id, bets::sequence, bets::prices_after))
                .load(c)
        })?)
    };
    let prices = |(id, _, bytes): (DbId, i64, Vec<u8>)| decode_after(id, &bytes);
    Ok(load_page(PageRequest { start: PageStart::First, limit: 1 }, load, |row| row.1, prices)?
        .pop())
}

/// The id, sequence, time, cash and prices of a bet.
type PriceRow = (DbId, i64, i64, i64, Vec<u8>);

/// Returns the prices after the trades of a window from number `after_sequence + 1` on, in order.
pub(crate) fn list_prices(
    connection: &mut Connection<'_>,
    window: PriceWindow,
    after_sequence: i64,
    limit: u32,
) -> Result<Vec<(i64, PricePoint)>, Failure> {
    let market_id = DbId::from(window.market_id);
    let count = count(connection, market_id)?;
    let time_of_us = |sequence| time_of(connection, market_id, sequence);
    let last = Timeline { count, time_of_us }.ceiling(window.to.micros())?;
    // A later page starts where the previous one ended; only the first has to find the start of the
    // window.
    let before = if after_sequence > 0 {
        after_sequence
    } else {
        let time_of_us = |sequence| time_of(connection, market_id, sequence);
        Timeline { count: last, time_of_us }.floor(window.from.micros())?
    };
    let load = |page: &PageRequest<i64>| {
        let PageStart::After(before) = page.start else { return Ok(Vec::new()) };
        Ok(on!(connection, |c| {
            bets::table
                .filter(bets::market_id.eq(market_id))
                .filter(bets::sequence.gt(before))
                .filter(bets::sequence.le(last))
                .filter(bets::created_at_us.ge(window.from.micros()))
                .filter(bets::created_at_us.lt(window.to.micros()))
                .order(bets::sequence)
                .limit(i64::from(page.limit))
                .select((
                    bets::id,
                    bets::sequence,
                    bets::created_at_us,
                    bets::cash_minor,
                    bets::prices_after,
                ))
                .load(c)
        })?)
    };
    let point = |(id, sequence, created_at_us, cash_minor, bytes): PriceRow| {
        let prices = decode_after(id, &bytes)?;
        let at = StoredRow { table: "bets", id }.time("created_at_us", created_at_us)?;
        Ok((sequence, PricePoint { at, prices, volume: Balance::from_minor(cash_minor) }))
    };
    load_page(
        PageRequest { start: PageStart::After(before), limit },
        load,
        |row: &PriceRow| row.1,
        point,
    )
}

/// Returns the number of bets and sales that a market counts.
fn count(connection: &mut Connection<'_>, market: DbId) -> Result<i64, Failure> {
    let count: Option<i64> = on!(connection, |c| {
        market_states::table.find(market).select(market_states::bet_count).first(c).optional()
    })?;
    Ok(count.unwrap_or(0))
}

/// Returns the time of the bet with this number.
fn time_of(connection: &mut Connection<'_>, market: DbId, sequence: i64) -> Result<i64, Failure> {
    let found: Option<i64> = on!(connection, |c| {
        bets::table
            .filter(bets::market_id.eq(market))
            .filter(bets::sequence.eq(sequence))
            .select(bets::created_at_us)
            .first(c)
            .optional()
    })?;
    let stored = StoredRow { table: "market_states", id: market };
    stored.convert("bet_count", found.ok_or("it counts a bet that is not there"))
}

fn decode_after(id: DbId, bytes: &[u8]) -> Result<Vec<Probability>, Failure> {
    StoredRow { table: "bets", id }.convert("prices_after", prices::decode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> BetRow {
        let prices = prices::encode(&[Probability::default(); 2]);
        let id = DbId::from(MarketId::from_u128(9));
        BetRow {
            id,
            client_id: None,
            market_id: id,
            sequence: 1,
            market_version: 2,
            user_id: id,
            account_id: id,
            transfer_id: id,
            option_id: id,
            option_index: 1,
            side: "buy".to_owned(),
            cash_minor: 5,
            fee_minor: 0,
            shares_units: 7,
            prices_before: prices.clone(),
            prices_after: prices,
            created_at_us: 0,
        }
    }

    /// Checks which column of a changed row cannot be read.
    fn check(change: impl FnOnce(&mut BetRow), expected: Option<&str>) {
        let mut row = row();
        change(&mut row);
        let found = match Bet::try_from(row) {
            Ok(_) => None,
            Err(Failure::Corrupt { table: "bets", column, .. }) => Some(column),
            Err(other) => panic!("{other:?}"),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn invalid_bet_names_its_column() {
        check(|_| (), None);
        check(|row| row.prices_after.truncate(8), Some("prices_after"));
        check(|row| row.option_index = 2, Some("option_index"));
        check(|row| row.fee_minor = -1, Some("fee_minor"));
        check(|row| row.sequence = 0, Some("sequence"));
        check(|row| row.market_version = 0, Some("market_version"));
    }
}
