//! Tests of the queries about traders: bets and positions are sorted by indexes, and a leaderboard
//! reads only its period.

use foretell_domain::id::{AccountId, BetId, MarketId, UserId};
use foretell_ports::page::{PageRequest, PageStart};
use foretell_ports::portfolio::{BetKey, HeldKey};
use foretell_testkit::clock::START;

use super::databases::Kind;
use super::{Observed, plan, reads_all, sorts};
use crate::connection::Connection;
use crate::error::Failure;
use crate::ledger::profits;
use crate::market::{portfolio, settlements};

/// Runs every query about one trader.
pub(super) fn queries(
    c: &mut Connection<'_>,
    account: AccountId,
    market: MarketId,
) -> Result<(), Failure> {
    let user = UserId::from_u128(1);
    portfolio::count_bets(c, user)?;
    portfolio::count_positions(c, account)?;
    let last = BetKey { created_at: START, id: BetId::from_u128(1) };
    for start in [PageStart::Offset(20), PageStart::After(last)] {
        portfolio::list_bets(c, user, PageRequest { start, limit: 20 })?;
    }
    let last = HeldKey { market_id: market, option_index: 1 };
    for start in [PageStart::Offset(20), PageStart::After(last)] {
        portfolio::list_positions(c, account, PageRequest { start, limit: 20 })?;
    }
    settlements::find_all(c, &[market.into()])?;
    Ok(())
}

async fn check_portfolios_are_not_sorted(kind: Kind) {
    let mut observed = Observed::new(kind).await;
    observed.forbid_bitmaps();
    observed.run(|c| queries(c, AccountId::from_u128(1), MarketId::from_u128(1)));
    for list in observed.sent().iter().filter(|sql| sql.contains("ORDER BY")) {
        let plan = plan(&mut observed.connection, list);
        assert!(!sorts(&plan) && !reads_all(&plan), "{kind:?} sorts {list}\n{plan}");
    }
}

#[tokio::test]
async fn portfolios_are_sorted_by_index_on_sqlite() {
    check_portfolios_are_not_sorted(Kind::Sqlite).await;
}

#[tokio::test]
async fn portfolios_are_sorted_by_index_on_postgres() {
    check_portfolios_are_not_sorted(Kind::Postgres).await;
}

/// A leaderboard reads only the transfers of its period.
async fn check_leaderboards_read_their_period(kind: Kind) {
    let mut observed = Observed::new(kind).await;
    observed.run(|c| profits::rank(c, Some(START), 10));
    let sent = observed.sent();
    let sums = sent.iter().find(|sql| sql.contains("FROM transfers")).expect("transfers are read");
    let plan = plan(&mut observed.connection, sums);
    let by_key =
        ["SEARCH transfers USING INDEX sqlite_autoindex_transfers_1 (id>?)", "transfers_pkey"];
    assert!(by_key.iter().any(|part| plan.contains(part)), "{kind:?}\n{plan}");
}

#[tokio::test]
async fn leaderboards_read_their_period_on_sqlite() {
    check_leaderboards_read_their_period(Kind::Sqlite).await;
}

#[tokio::test]
async fn leaderboards_read_their_period_on_postgres() {
    check_leaderboards_read_their_period(Kind::Postgres).await;
}
