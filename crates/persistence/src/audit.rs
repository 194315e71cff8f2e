//! The audit: every invariant of the ledger and its markets, checked against the rows in SQL.
//!
//! Each check reads whole tables, but only counts leave the database. All of them see one moment, so the
//! answer is true while trading goes on. No two tables are joined from both sides at once: SQLite does that
//! by comparing each row of one with each row of the other.

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use foretell_ports::ledger::AuditReport;

use crate::connection::{Connection, on};
use crate::dialect::session::allow_long_statements;
use crate::dialect::transaction::snapshot;
use crate::error::Failure;

/// The sum of all balances in two halves, the upper 32 bits and the lower, neither of which overflows.
const ACCOUNTS: &str = "SELECT COUNT(*) AS accounts,
    CAST(COALESCE(SUM(balance_minor >> 32), 0) AS BIGINT) AS upper_sum,
    CAST(COALESCE(SUM(balance_minor & 4294967295), 0) AS BIGINT) AS lower_sum,
    COUNT(CASE WHEN kind <> 'treasury' AND balance_minor < 0 THEN 1 END) AS below_floor
    FROM accounts";

/// The sides of all transfers, each account's in the order of its versions, compared with what they should
/// be (versions from 1, each balance following from the one before) and with the account itself. A transfer
/// of an account that does not exist shows as drift of that account.
const CHAINS: &str = "WITH sides AS (
        SELECT credit_account_id AS account_id, credit_version AS version,
            credit_balance_minor AS balance_minor, amount_minor AS change_minor FROM transfers
        UNION ALL
        SELECT debit_account_id, debit_version, debit_balance_minor, -amount_minor FROM transfers
    ), chain AS (
        SELECT account_id, version, balance_minor, change_minor,
            ROW_NUMBER() OVER by_version AS expected_version,
            LAG(balance_minor) OVER by_version AS balance_before_minor,
            LEAD(version) OVER by_version AS next_version
        FROM sides WINDOW by_version AS (PARTITION BY account_id ORDER BY version)
    ), ends AS (
        SELECT account_id, SUM(change_minor) AS sum_minor,
            MAX(CASE WHEN next_version IS NULL THEN version END) AS version,
            MAX(CASE WHEN next_version IS NULL THEN balance_minor END) AS balance_minor,
            COUNT(CASE WHEN version <> expected_version
                OR balance_minor - change_minor <> COALESCE(balance_before_minor, 0) THEN 1 END) AS breaks
        FROM chain GROUP BY account_id
    ), compared AS (
        SELECT accounts.id, accounts.balance_minor, accounts.version, ends.sum_minor,
            ends.version AS last_version, ends.balance_minor AS last_balance_minor, ends.breaks
        FROM accounts LEFT JOIN ends ON ends.account_id = accounts.id
        UNION ALL
        SELECT NULL, NULL, NULL, sum_minor, version, balance_minor, breaks FROM ends
        WHERE NOT EXISTS (SELECT 1 FROM accounts WHERE accounts.id = ends.account_id)
    )
    SELECT COUNT(CASE WHEN COALESCE(balance_minor, 0) <> COALESCE(sum_minor, 0) THEN 1 END) AS balance_drift,
        COUNT(CASE WHEN id IS NULL OR balance_minor <> COALESCE(last_balance_minor, 0)
            OR version <> COALESCE(last_version, 0) THEN 1 END) AS last_row_drift,
        COUNT(CASE WHEN breaks > 0 THEN 1 END) AS broken_chains
    FROM compared";

/// What positions and bets come to, compared with what their markets say.
const MARKET_DRIFT: &str = "WITH held AS (
        SELECT market_id, option_index, SUM(shares_units) AS shares_units
        FROM positions GROUP BY market_id, option_index
    ), option_sides AS (
        SELECT market_id, option_index, outstanding_units, 0 AS shares_units, 1 AS is_there FROM market_options
        UNION ALL SELECT market_id, option_index, 0, shares_units, 0 FROM held
    ), compared AS (
        SELECT market_id, CASE WHEN SUM(is_there) = 0 OR SUM(outstanding_units) <> SUM(shares_units)
            THEN 1 END AS drift
        FROM option_sides GROUP BY market_id, option_index
    ), options AS (
        SELECT market_id, COUNT(drift) AS drifts FROM compared GROUP BY market_id
    ), holders AS (
        SELECT market_id, SUM(spent_minor - received_minor) AS net_minor
        FROM positions GROUP BY market_id, account_id
    ), stakes AS (
        SELECT market_id, SUM(CASE WHEN net_minor > 0 THEN net_minor ELSE 0 END) AS stakes_minor
        FROM holders GROUP BY market_id
    ), trades AS (
        SELECT market_id, COUNT(*) AS bet_count, MAX(sequence) AS sequence FROM bets GROUP BY market_id
    )
    SELECT (SELECT COUNT(*) FROM market_states
            LEFT JOIN options ON options.market_id = market_states.market_id
            LEFT JOIN stakes ON stakes.market_id = market_states.market_id
            LEFT JOIN trades ON trades.market_id = market_states.market_id
        WHERE COALESCE(options.drifts, 1) > 0
            OR market_states.stakes_minor <> COALESCE(stakes.stakes_minor, 0)
            OR market_states.bet_count <> COALESCE(trades.bet_count, 0)
            OR market_states.bet_count <> COALESCE(trades.sequence, 0))
        + (SELECT COUNT(*) FROM options WHERE NOT EXISTS (
            SELECT 1 FROM market_states WHERE market_states.market_id = options.market_id)) AS drifting";

/// Undecided markets whose pot is short, and settled or deleted ones whose pot is not empty.
const POTS: &str = "SELECT
    COUNT(CASE WHEN market_states.phase IN ('open', 'closed')
        AND COALESCE(accounts.balance_minor, 0) - market_states.fees_minor < (
            SELECT MAX(outstanding_units) FROM market_options
            WHERE market_options.market_id = market_states.market_id) THEN 1 END) AS uncovered_markets,
    COUNT(CASE WHEN settlements.completed_at_us IS NOT NULL
        AND COALESCE(accounts.balance_minor, 0) <> 0 THEN 1 END)
        + (SELECT COUNT(*) FROM accounts AS pots WHERE pots.kind = 'market' AND pots.balance_minor <> 0
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
struct ChainsRow {
    #[diesel(sql_type = BigInt)]
    balance_drift: i64,
    #[diesel(sql_type = BigInt)]
    last_row_drift: i64,
    #[diesel(sql_type = BigInt)]
    broken_chains: i64,
}

#[derive(QueryableByName)]
struct DriftRow {
    #[diesel(sql_type = BigInt)]
    drifting: i64,
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

/// The sum of all balances.
pub(crate) fn sum_balances(connection: &mut Connection<'_>) -> Result<i128, Failure> {
    snapshot(connection, |connection| {
        allow_long_statements(connection)?;
        let accounts: AccountsRow = on!(connection, |c| diesel::sql_query(ACCOUNTS).get_result(c))?;
        Ok(accounts.sum_of_balances())
    })
}

/// Checks every invariant, all at one moment.
pub(crate) fn audit(connection: &mut Connection<'_>) -> Result<AuditReport, Failure> {
    snapshot(connection, |connection| {
        allow_long_statements(connection)?;
        let accounts: AccountsRow = on!(connection, |c| diesel::sql_query(ACCOUNTS).get_result(c))?;
        let chains: ChainsRow = on!(connection, |c| diesel::sql_query(CHAINS).get_result(c))?;
        let drift: DriftRow = on!(connection, |c| diesel::sql_query(MARKET_DRIFT).get_result(c))?;
        let pots: PotsRow = on!(connection, |c| diesel::sql_query(POTS).get_result(c))?;
        let counts: CountsRow = on!(connection, |c| diesel::sql_query(COUNTS).get_result(c))?;
        Ok(AuditReport {
            accounts: accounts.accounts,
            transfers: counts.transfers,
            markets: pots.markets,
            bets: counts.bets,
            sum_of_balances: accounts.sum_of_balances(),
            balance_drift: chains.balance_drift,
            last_row_drift: chains.last_row_drift,
            broken_chains: chains.broken_chains,
            below_floor: accounts.below_floor,
            uncovered_markets: pots.uncovered_markets,
            market_drift: drift.drifting,
            unsettled_remainders: pots.unsettled_remainders,
        })
    })
}
