//! Positions against the bets and sales that made them, and the stakes of each market.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable};
use foretell_domain::market::Difference;
use foretell_ports::ledger::AuditReport;

use super::rows::{DriftingMarkets, Listed, for_each_row};
use crate::connection::Connection;
use crate::error::Failure;
use crate::id::{DbId, Id};

/// Sums of bets and stored positions, by market, account and option; followed by the market's
/// stakes.
const HELD: &str = "SELECT market_id, 0 AS is_state, account_id, option_index, 1 AS is_bet,
        CASE side WHEN 'buy' THEN shares_units ELSE -shares_units END AS shares_units,
        CASE side WHEN 'buy' THEN cash_minor ELSE 0 END AS spent_minor,
        CASE side WHEN 'buy' THEN 0 ELSE cash_minor END AS received_minor FROM bets
    UNION ALL SELECT market_id, 0, account_id, option_index, 0, shares_units, spent_minor,
        received_minor FROM positions
    UNION ALL SELECT market_id, 1, NULL, 0, 0, 0, stakes_minor, 0 FROM market_states
    ORDER BY market_id, is_state, account_id, option_index";

#[derive(QueryableByName)]
struct HeldRow {
    #[diesel(sql_type = Id)]
    market_id: DbId,
    #[diesel(sql_type = Nullable<Id>)]
    account_id: Option<DbId>,
    #[diesel(sql_type = Integer)]
    option_index: i32,
    #[diesel(sql_type = Integer)]
    is_bet: i32,
    #[diesel(sql_type = BigInt)]
    shares_units: i64,
    #[diesel(sql_type = BigInt)]
    spent_minor: i64,
    #[diesel(sql_type = BigInt)]
    received_minor: i64,
}

/// Shares, money spent and money received.
type Sums = [i128; 3];

/// One position, and the sums of its bets.
#[derive(Default)]
struct Held {
    key: Option<(DbId, DbId, i32)>,
    stored: Sums,
    traded: Sums,
}

/// Positions of one market so far.
#[derive(Default)]
struct Stakes {
    sum: i128,
    /// The account being summed, and the money that it has paid minus the money received.
    account: Option<(DbId, DbId)>,
    net: i128,
}

/// Checks all positions and the stakes of all markets.
pub(super) fn check(
    connection: &mut Connection<'_>,
    report: &mut AuditReport,
    markets: &mut DriftingMarkets,
) -> Result<(), Failure> {
    let (mut held, mut stakes) = (Held::default(), Stakes::default());
    for_each_row(connection, HELD, |row: HeldRow| {
        // The row of the market's state is the last one of the market, see `ORDER BY`.
        let Some(account_id) = row.account_id else {
            std::mem::take(&mut held).end(report, markets);
            let stored = i128::from(row.spent_minor);
            let sum = std::mem::take(&mut stakes).end_of(row.market_id);
            if let Some(difference) = Difference::between("stakes_minor", stored, sum) {
                markets.add(row.market_id);
                report
                    .list(Listed { table: "market_states", id: row.market_id }.finding(difference));
            }
            return Ok(());
        };
        let key = (row.market_id, account_id, row.option_index);
        if held.key != Some(key) {
            let ended = std::mem::replace(&mut held, Held { key: Some(key), ..Held::default() });
            ended.end(report, markets);
        }
        let sums = [row.shares_units, row.spent_minor, row.received_minor].map(i128::from);
        let total = if row.is_bet == 1 { &mut held.traded } else { &mut held.stored };
        for (total, value) in total.iter_mut().zip(sums) {
            *total += value;
        }
        if row.is_bet == 0 {
            stakes.add(
                row.market_id,
                account_id,
                i128::from(row.spent_minor) - i128::from(row.received_minor),
            );
        }
        Ok(())
    })?;
    held.end(report, markets);
    Ok(())
}

impl Held {
    fn end(self, report: &mut AuditReport, markets: &mut DriftingMarkets) {
        let Some((market_id, account_id, option_index)) = self.key else { return };
        let columns = ["shares_units", "spent_minor", "received_minor"].into_iter();
        let values = columns.zip(self.stored.into_iter().zip(self.traded));
        let mut differences =
            values.filter_map(|(column, (s, t))| Difference::between(column, s, t)).peekable();
        if differences.peek().is_some() {
            report.position_drift += 1;
            markets.add(market_id);
        }
        let id = format!("{market_id}/{account_id}/{option_index}");
        for difference in differences {
            report.list(Listed { table: "positions", id: &id }.finding(difference));
        }
    }
}

impl Stakes {
    fn add(&mut self, market_id: DbId, account_id: DbId, net: i128) {
        if self.account.is_some_and(|(market, _)| market != market_id) {
            *self = Self::default();
        }
        if self.account != Some((market_id, account_id)) {
            // Whoever has taken out more than they paid has no stake: nobody else's becomes less by
            // it.
            self.sum += self.net.max(0);
            (self.account, self.net) = (Some((market_id, account_id)), 0);
        }
        self.net += net;
    }

    /// Returns the stakes of a market after all its positions.
    fn end_of(self, market_id: DbId) -> i128 {
        let is_its_own = self.account.is_some_and(|(market, _)| market == market_id);
        if is_its_own { self.sum + self.net.max(0) } else { 0 }
    }
}
