//! Replays markets bet by bet: sequence, transfers, fees and prices, and the stored sums of the
//! market.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable};
use foretell_domain::id::UserId;
use foretell_domain::market::{Bet, Difference, Market, Replay, StoredTrade};
use foretell_domain::transfer::Transfer;
use foretell_ports::ledger::AuditReport;

use super::rows::{DriftingMarkets, Listed, for_each_row};
use crate::connection::{Connection, on};
use crate::error::Failure;
use crate::id::{DbId, Id};
use crate::ledger::transfer_rows::TransferRow;
use crate::market::bet_rows::BetRow;
use crate::market::market_rows::{MarketRow, MarketRows, OptionRow, StateRow};
use crate::schema::{accounts, bets, market_options, market_states, markets, transfers};

/// Number of markets, and of bets of one market, in memory at once.
const MARKETS_PER_PAGE: i64 = 100;
const BETS_PER_PAGE: i64 = 500;

/// Bets and sales whose market does not exist.
const STRAYS: &str = "SELECT id, market_id FROM bets WHERE NOT EXISTS (
    SELECT 1 FROM market_states WHERE market_states.market_id = bets.market_id)";

/// Markets whose first transfer is not their subsidy, or whose creator does not own the account
/// that paid it.
const SUBSIDIES: &str = "SELECT markets.id AS id, markets.subsidy_minor AS stored,
        CASE WHEN transfers.kind = 'subsidy'
            AND transfers.debit_account_id = markets.creator_account_id
            AND accounts.owner_id = markets.creator_id THEN transfers.amount_minor END AS paid
    FROM markets
    LEFT JOIN transfers ON transfers.credit_account_id = markets.id AND transfers.credit_version = 1
    LEFT JOIN accounts ON accounts.id = markets.creator_account_id";

#[derive(QueryableByName)]
struct StrayRow {
    #[diesel(sql_type = Id)]
    id: DbId,
    #[diesel(sql_type = Id)]
    market_id: DbId,
}

#[derive(QueryableByName)]
struct SubsidyRow {
    #[diesel(sql_type = Id)]
    id: DbId,
    #[diesel(sql_type = BigInt)]
    stored: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    paid: Option<i64>,
}

/// Joined rows of a bet, its transfer and the owner of its account.
type JoinedRow = (BetRow, Option<TransferRow>, Option<DbId>);

/// A market, or the problem with its rows.
type ReadMarket = Result<Market, Difference>;

/// Checks all bets and all markets.
pub(super) fn check(
    connection: &mut Connection<'_>,
    report: &mut AuditReport,
    drifting: &mut DriftingMarkets,
) -> Result<(), Failure> {
    check_subsidies(connection, report, drifting)?;
    // In pages and not row by row: a connection that is reading a result cannot run the queries of
    // each market in between.
    let mut last = DbId::from(foretell_domain::id::MarketId::from_u128(0));
    loop {
        let page = load_markets(connection, last)?;
        let Some((end, _)) = page.last() else { break };
        last = *end;
        for (id, market) in page {
            match market {
                Ok(market) => replay(connection, &market, report, drifting)?,
                Err(difference) => {
                    drifting.add(id);
                    report.list(Listed { table: "markets", id }.finding(difference));
                }
            }
        }
    }
    for_each_row(connection, STRAYS, |row: StrayRow| {
        report.bet_drift += 1;
        drifting.add(row.market_id);
        let (stored, expected) = (row.market_id.to_string(), "a market".to_owned());
        let difference = Difference { column: "market_id", stored, expected };
        report.list(Listed { table: "bets", id: row.id }.finding(difference));
        Ok(())
    })
}

fn check_subsidies(
    connection: &mut Connection<'_>,
    report: &mut AuditReport,
    drifting: &mut DriftingMarkets,
) -> Result<(), Failure> {
    for_each_row(connection, SUBSIDIES, |row: SubsidyRow| {
        if row.paid != Some(row.stored) {
            drifting.add(row.id);
            let expected = row
                .paid
                .map_or("a subsidy paid by the creator".to_owned(), |paid| paid.to_string());
            let difference =
                Difference { column: "subsidy_minor", stored: row.stored.to_string(), expected };
            report.list(Listed { table: "markets", id: row.id }.finding(difference));
        }
        Ok(())
    })
}

/// Returns the next markets by id; an unreadable one has its problem instead.
fn load_markets(
    connection: &mut Connection<'_>,
    after: DbId,
) -> Result<Vec<(DbId, ReadMarket)>, Failure> {
    let rows: Vec<(MarketRow, Option<StateRow>)> = on!(connection, |c| {
        markets::table
            // Left join: a market without a state must be reported, not skipped.
            .left_join(market_states::table)
            .filter(markets::id.gt(after))
            .order(markets::id)
            .limit(MARKETS_PER_PAGE)
            .select((MarketRow::as_select(), Option::<StateRow>::as_select()))
            .load(c)
    })?;
    let Some(last) = rows.last().map(|(market, _)| market.id) else { return Ok(Vec::new()) };
    let options: Vec<OptionRow> = on!(connection, |c| {
        market_options::table
            .filter(market_options::market_id.gt(after).and(market_options::market_id.le(last)))
            .order((market_options::market_id, market_options::option_index))
            .select(OptionRow::as_select())
            .load(c)
    })?;
    let mut by_market: HashMap<DbId, Vec<OptionRow>> = HashMap::new();
    for option in options {
        by_market.entry(option.market_id).or_default().push(option);
    }
    let read = |(market, state): (MarketRow, Option<StateRow>)| {
        let options = by_market.get(&market.id).map_or(&[][..], Vec::as_slice);
        let Some(state) = &state else {
            let (stored, expected) = ("missing".to_owned(), "a row of market_states".to_owned());
            return (market.id, Err(Difference { column: "state", stored, expected }));
        };
        let read = Market::try_from(MarketRows { market: &market, state, options });
        (market.id, read.map_err(unreadable))
    };
    Ok(rows.into_iter().map(read).collect())
}

/// Replays the bets of one market.
fn replay(
    connection: &mut Connection<'_>,
    market: &Market,
    report: &mut AuditReport,
    drifting: &mut DriftingMarkets,
) -> Result<(), Failure> {
    let (id, record) = (DbId::from(market.id()), market.record());
    let Ok(mut replay) = Replay::begin(record) else { return Ok(()) };
    let (mut after, mut is_sound) = (0, true);
    loop {
        let page = load_bets(connection, id, after)?;
        let Some((last, ..)) = page.last() else { break };
        after = last.sequence;
        for row in page {
            let bet_id = row.0.id;
            if let Some(difference) = next(&mut replay, row) {
                is_sound = false;
                report.bet_drift += 1;
                report.list(Listed { table: "bets", id: bet_id }.finding(difference));
            }
        }
    }
    for (option, difference) in replay.finish(record) {
        is_sound = false;
        report.list(match option {
            Some(index) => {
                Listed { table: "market_options", id: format!("{id}/{index}") }.finding(difference)
            }
            None => Listed { table: "market_states", id: id.to_string() }.finding(difference),
        });
    }
    if !is_sound {
        drifting.add(id);
    }
    Ok(())
}

fn load_bets(
    connection: &mut Connection<'_>,
    market: DbId,
    after: i64,
) -> Result<Vec<JoinedRow>, Failure> {
    Ok(on!(connection, |c| {
        bets::table
            // Left joins: a bet without its transfer must be reported, not skipped.
            .left_join(transfers::table.on(transfers::id.eq(bets::transfer_id)))
            .left_join(accounts::table.on(accounts::id.eq(bets::account_id)))
            .filter(bets::market_id.eq(market))
            .filter(bets::sequence.gt(after))
            .order(bets::sequence)
            .limit(BETS_PER_PAGE)
            .select((
                BetRow::as_select(),
                Option::<TransferRow>::as_select(),
                accounts::owner_id.nullable(),
            ))
            .load(c)
    })?)
}

fn next(replay: &mut Replay, row: JoinedRow) -> Option<Difference> {
    let (bet, transfer, owner) = row;
    let bet = match Bet::try_from(bet) {
        Ok(bet) => bet,
        Err(failure) => return Some(unreadable(failure)),
    };
    let transfer = match transfer.map(Transfer::try_from).transpose() {
        Ok(transfer) => transfer,
        Err(failure) => return Some(unreadable(failure)),
    };
    let owner = owner.map(UserId::from);
    replay.next(StoredTrade { bet: &bet, transfer: transfer.as_ref(), owner })
}

/// Converts the failure of an unreadable row to a difference.
fn unreadable(failure: Failure) -> Difference {
    let (column, stored) = match failure {
        Failure::Corrupt { column, cause, .. } => (column, cause.to_string()),
        other => ("id", format!("{other:?}")),
    };
    Difference { column, stored, expected: "a value that can be read".to_owned() }
}
