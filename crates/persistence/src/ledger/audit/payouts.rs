//! Payouts and refunds against their transfers, and settlements against their payouts.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable};
use foretell_domain::market::Difference;
use foretell_ports::ledger::AuditReport;

use super::rows::{Listed, for_each_row};
use crate::connection::Connection;
use crate::error::Failure;
use crate::id::{DbId, Id};

/// Claims and the transfers that pay them and were not undone, by market and account; after them the
/// settlement.
const PAID: &str = "SELECT market_id, 0 AS is_settlement, account_id, 0 AS is_transfer,
        amount_minor, 0 AS holders FROM payouts
    UNION ALL SELECT debit_account_id, 0, credit_account_id, 1, amount_minor, 0
        FROM transfers WHERE kind IN ('payout', 'refund') AND NOT EXISTS (
            SELECT 1 FROM transfers AS reversals WHERE reversals.reversal_of = transfers.id)
    UNION ALL SELECT market_id, 1, NULL, 0, paid_minor, holders_paid FROM settlements
    ORDER BY market_id, is_settlement, account_id";

#[derive(QueryableByName)]
struct PaidRow {
    #[diesel(sql_type = Id)]
    market_id: DbId,
    #[diesel(sql_type = Nullable<Id>)]
    account_id: Option<DbId>,
    #[diesel(sql_type = Integer)]
    is_transfer: i32,
    #[diesel(sql_type = BigInt)]
    amount_minor: i64,
    #[diesel(sql_type = BigInt)]
    holders: i64,
}

/// Payment of one market to one account.
#[derive(Default)]
struct Paid {
    key: Option<(DbId, DbId)>,
    claimed: i128,
    transferred: i128,
}

/// Claims of one market so far.
#[derive(Default)]
struct Claims {
    market_id: Option<DbId>,
    sum: i128,
    holders: i64,
}

/// Checks all payouts and settlements.
pub(super) fn check(
    connection: &mut Connection<'_>,
    report: &mut AuditReport,
) -> Result<(), Failure> {
    let (mut paid, mut claims) = (Paid::default(), Claims::default());
    for_each_row(connection, PAID, |row: PaidRow| {
        if claims.market_id != Some(row.market_id) {
            claims = Claims { market_id: Some(row.market_id), ..Claims::default() };
        }
        let amount = i128::from(row.amount_minor);
        // The settlement is the last row of its market, see `ORDER BY`.
        let Some(account_id) = row.account_id else {
            std::mem::take(&mut paid).end(report);
            let sum = Difference::between("paid_minor", amount, claims.sum);
            let holders = Difference::between("holders_paid", row.holders, claims.holders);
            report.payout_drift += i64::from(sum.is_some() || holders.is_some());
            for difference in sum.into_iter().chain(holders) {
                report.list(Listed { table: "settlements", id: row.market_id }.finding(difference));
            }
            return Ok(());
        };
        let key = (row.market_id, account_id);
        if paid.key != Some(key) {
            std::mem::replace(&mut paid, Paid { key: Some(key), ..Paid::default() }).end(report);
        }
        if row.is_transfer == 1 {
            paid.transferred += amount;
        } else {
            paid.claimed += amount;
            claims.sum += amount;
            claims.holders += 1;
        }
        Ok(())
    })?;
    paid.end(report);
    Ok(())
}

impl Paid {
    fn end(self, report: &mut AuditReport) {
        let Some((market_id, account_id)) = self.key else { return };
        if let Some(difference) =
            Difference::between("amount_minor", self.claimed, self.transferred)
        {
            report.payout_drift += 1;
            let id = format!("{market_id}/{account_id}");
            report.list(Listed { table: "payouts", id }.finding(difference));
        }
    }
}
