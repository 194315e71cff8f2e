//! Profits of users, summed from the transfers of markets.

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use foretell_domain::id::TransferId;
use foretell_domain::time::Timestamp;
use foretell_ports::portfolio::Profit;

use crate::connection::{Connection, on};
use crate::dialect::session::allow_long_statements;
use crate::dialect::transaction::snapshot;
use crate::error::Failure;
use crate::id::{DbId, Id};
use crate::prepared::prepared;

/// Maximum time by which the id of a transfer precedes its time, in microseconds: it is created
/// while its batch runs, by a clock that may differ a little.
const SLACK_US: i64 = 60_000_000;

/// The ids of transfers start with the time, so those of a period are neighbours in the primary
/// key. The stored times decide; payments, whose ids clients choose, are not read.
// Suspended users are left out, and with them erased ones, who are stored as suspended (ADR 0015).
const RANK: &str =
    "SELECT accounts.owner_id AS user_id, CAST(SUM(flows.change_minor) AS BIGINT) AS profit_minor
    FROM (
        SELECT account_id, SUM(change_minor) AS change_minor FROM (
            SELECT CASE WHEN kind IN ('bet', 'reversal') THEN debit_account_id
                ELSE credit_account_id END AS account_id,
                CASE WHEN kind IN ('bet', 'reversal') THEN -amount_minor
                ELSE amount_minor END AS change_minor
            FROM transfers
            WHERE kind IN ('bet', 'sale', 'payout', 'refund', 'reversal')
                AND (kind <> 'reversal' OR EXISTS (SELECT 1 FROM transfers AS originals
                    WHERE originals.id = transfers.reversal_of
                    AND originals.kind IN ('payout', 'refund')))
                AND id >= ? AND created_at_us >= ?
        ) AS sides GROUP BY account_id
    ) AS flows
    JOIN accounts ON accounts.id = flows.account_id
    JOIN users ON users.id = accounts.owner_id
    WHERE users.status = 'active'
    GROUP BY accounts.owner_id ORDER BY profit_minor DESC, user_id LIMIT ?";

#[derive(QueryableByName)]
struct ProfitRow {
    #[diesel(sql_type = Id)]
    user_id: DbId,
    #[diesel(sql_type = BigInt)]
    profit_minor: i64,
}

/// Returns the highest profits of active users from the transfers of markets since a moment.
pub(crate) fn rank(
    connection: &mut Connection<'_>,
    since: Option<Timestamp>,
    limit: u32,
) -> Result<Vec<Profit>, Failure> {
    let since_us = since.map_or(i64::MIN, Timestamp::micros);
    let rows: Vec<ProfitRow> = snapshot(connection, |connection| {
        // It may read all transfers of the period, which takes longer than other queries.
        allow_long_statements(connection)?;
        let rows = on!(connection, |c| {
            prepared(RANK)
                .bind::<Id, _>(first_id(since_us))
                .bind::<BigInt, _>(since_us)
                .bind::<BigInt, _>(i64::from(limit))
                .load(c)
        })?;
        Ok::<_, Failure>(rows)
    })?;
    let profit =
        |row: ProfitRow| Profit { user_id: row.user_id.into(), profit_minor: row.profit_minor };
    Ok(rows.into_iter().map(profit).collect())
}

/// Returns the lowest `UUIDv7` of this time: its first 48 bits are milliseconds.
fn first_id(since_us: i64) -> DbId {
    let millis = since_us.saturating_sub(SLACK_US).max(0).div_euclid(1_000);
    DbId::from(TransferId::from_u128(u128::from(millis.unsigned_abs()) << 80))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_period_start_one_minute_earlier() {
        let check = |since_us, expected: u128| {
            assert_eq!(
                first_id(since_us),
                DbId::from(TransferId::from_u128(expected << 80)),
                "{since_us}"
            );
        };
        check(i64::MIN, 0);
        check(59_999_999, 0);
        check(60_002_999, 2);
        check(1_767_268_800_000_000, 1_767_268_740_000);
    }
}
