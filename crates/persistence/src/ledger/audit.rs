//! The audit: every invariant of the ledger and its markets, checked against the rows.
//!
//! Each check reads whole tables, but row by row and in an order in which the rows of one account
//! or one market follow each other, so that memory does not grow with the ledger: databases sort on
//! disk if they must. Sums have 128 bits, so that a damaged row is reported and does not abort the
//! audit. All checks read one snapshot, so the result is consistent while trading continues.

mod accounts;
mod bets;
mod payouts;
mod positions;
mod rows;
mod transfers;

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use foretell_ports::ledger::AuditReport;

use self::rows::DriftingMarkets;
use crate::connection::{Connection, on};
use crate::dialect::session::{allow_long_statements, sort_on_disk};
use crate::dialect::transaction::snapshot;
use crate::error::Failure;

/// Sum of all balances in two halves, the upper 32 bits and the lower, neither of which overflows.
const ACCOUNTS: &str = "SELECT COUNT(*) AS accounts,
    CAST(COALESCE(SUM(balance_minor >> 32), 0) AS BIGINT) AS upper_sum,
    CAST(COALESCE(SUM(balance_minor & 4294967295), 0) AS BIGINT) AS lower_sum,
    COUNT(CASE WHEN kind <> 'treasury' AND balance_minor < 0 THEN 1 END) AS below_floor
    FROM accounts";

/// Undecided markets whose pot is too small, and settled or deleted ones whose pot is not empty.
const POTS: &str = "SELECT
    COUNT(CASE WHEN market_states.phase IN ('open', 'closed')
        AND COALESCE(accounts.balance_minor, 0) - market_states.fees_minor < (
            SELECT MAX(outstanding_units) FROM market_options
            WHERE market_options.market_id = market_states.market_id) THEN 1 END) AS uncovered_markets,
    COUNT(CASE WHEN settlements.completed_at_us IS NOT NULL AND settlements.undo_cursor IS NULL
        AND COALESCE(accounts.balance_minor, 0) <> 0 THEN 1 END)
        + (SELECT COUNT(*) FROM accounts AS pots WHERE pots.kind = 'market'
            AND pots.balance_minor <> 0
            AND NOT EXISTS (SELECT 1 FROM market_states AS states WHERE states.market_id = pots.id)
        ) AS unsettled_remainders,
    COUNT(*) AS markets
    FROM market_states
    LEFT JOIN accounts ON accounts.id = market_states.market_id
    LEFT JOIN settlements ON settlements.market_id = market_states.market_id";

const COUNTS: &str = "SELECT (SELECT COUNT(*) FROM transfers) AS transfers,
    (SELECT COUNT(*) FROM bets) AS bets";

#[derive(QueryableByName)]
struct AccountsRow {
    #[diesel(sql_type = BigInt)]
    accounts: i64,
    #[diesel(sql_type = BigInt)]
    upper_sum: i64,
    #[diesel(sql_type = BigInt)]
    lower_sum: i64,
    #[diesel(sql_type = BigInt)]
    below_floor: i64,
}

#[derive(QueryableByName)]
struct PotsRow {
    #[diesel(sql_type = BigInt)]
    uncovered_markets: i64,
    #[diesel(sql_type = BigInt)]
    unsettled_remainders: i64,
    #[diesel(sql_type = BigInt)]
    markets: i64,
}

#[derive(QueryableByName)]
struct CountsRow {
    #[diesel(sql_type = BigInt)]
    transfers: i64,
    #[diesel(sql_type = BigInt)]
    bets: i64,
}

impl AccountsRow {
    fn sum_of_balances(&self) -> i128 {
        (i128::from(self.upper_sum) << 32) + i128::from(self.lower_sum)
    }
}

/// Returns the sum of all balances.
pub(crate) fn sum_balances(connection: &mut Connection<'_>) -> Result<i128, Failure> {
    snapshot(connection, |connection| {
        allow_long_statements(connection)?;
        let accounts: AccountsRow = on!(connection, |c| diesel::sql_query(ACCOUNTS).get_result(c))?;
        Ok(accounts.sum_of_balances())
    })
}

/// Checks every invariant, all in one snapshot.
pub(crate) fn audit(connection: &mut Connection<'_>) -> Result<AuditReport, Failure> {
    // Outside the transaction: SQLite rejects this setting inside one.
    sort_on_disk(connection, |connection| {
        snapshot(connection, |connection| {
            allow_long_statements(connection)?;
            audit_snapshot(connection)
        })
    })
}

fn audit_snapshot(connection: &mut Connection<'_>) -> Result<AuditReport, Failure> {
    let totals: AccountsRow = on!(connection, |c| diesel::sql_query(ACCOUNTS).get_result(c))?;
    let pots: PotsRow = on!(connection, |c| diesel::sql_query(POTS).get_result(c))?;
    let counts: CountsRow = on!(connection, |c| diesel::sql_query(COUNTS).get_result(c))?;
    let mut report = AuditReport {
        accounts: totals.accounts,
        transfers: counts.transfers,
        markets: pots.markets,
        bets: counts.bets,
        sum_of_balances: totals.sum_of_balances(),
        below_floor: totals.below_floor,
        uncovered_markets: pots.uncovered_markets,
        unsettled_remainders: pots.unsettled_remainders,
        ..AuditReport::default()
    };
    let mut markets = DriftingMarkets::default();
    accounts::check(connection, &mut report)?;
    transfers::check(connection, &mut report)?;
    bets::check(connection, &mut report, &mut markets)?;
    positions::check(connection, &mut report, &mut markets)?;
    payouts::check(connection, &mut report)?;
    report.market_drift = markets.count();
    Ok(report)
}
