//! Prices after trades, before a time and within a window.

use foretell_domain::id::MarketId;
use foretell_domain::market::Bet;
use foretell_ports::market::{PricePoint, PriceWindow};

use super::Harness;
use super::fixture::{Fixture, Side, Trade, after};

/// A market with six trades: at 10, 20, 20, 20, 30 and 40 seconds; another one has trades in
/// between.
async fn history(fixture: &Fixture) -> (MarketId, Vec<Bet>) {
    let (market_id, other) = (
        fixture.market(|market| market).await.market.id(),
        fixture.market(|market| market).await.market.id(),
    );
    let account = fixture.funded(100_000).await;
    let mut bets = Vec::new();
    for (second, minor) in [(10, 100), (20, 50), (20, 60), (20, 70), (30, 80), (40, 90)] {
        let (option_index, side, at) = (0, Side::Buy(minor), after(second));
        fixture.trade(Trade { market_id: other, account, option_index: 1, side, at }).await;
        bets.push(fixture.trade(Trade { market_id, account, option_index, side, at }).await.0);
    }
    (market_id, bets)
}

/// The prices before a time are those after the last earlier trade, without trades at the time
/// itself.
pub async fn prices_before_time_follow_last_trade(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (market, bets) = history(&fixture).await;
    for (second, expected) in [
        (0, None),
        (10, None),
        (11, Some(0)),
        (20, Some(0)),
        (21, Some(3)),
        (30, Some(3)),
        (99, Some(5)),
    ] {
        let found = fixture.ports.markets.find_prices_before(market, after(second)).await.unwrap();
        let expected = expected.map(|number: usize| bets[number].fill.prices_after.clone());
        assert_eq!(found, expected, "before {second} s");
    }
    let unknown = fixture.make.ids().market();
    assert_eq!(fixture.ports.markets.find_prices_before(unknown, after(99)).await.unwrap(), None);
}

async fn check_window(
    fixture: &Fixture,
    (from, to): (i64, i64),
    (after_sequence, limit): (i64, u32),
    (market_id, expected): (MarketId, &[Bet]),
) {
    let window = PriceWindow { market_id, from: after(from), to: after(to) };
    let found = fixture.ports.markets.list_prices(window, after_sequence, limit).await.unwrap();
    let expected = expected.iter().map(|bet| {
        let prices = bet.fill.prices_after.clone();
        (bet.fill.sequence, PricePoint { at: bet.created_at, prices, volume: bet.fill.cash.into() })
    });
    let expected: Vec<_> = expected.collect();
    assert_eq!(found, expected, "{from} to {to} s, {limit} after {after_sequence}");
}

/// A window includes the trades at its start and excludes those at its end, in order.
pub async fn price_window_includes_its_start_only(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (market, bets) = history(&fixture).await;
    for (window, expected) in [
        ((0, 100), &bets[..]),
        ((10, 40), &bets[..5]),
        ((20, 30), &bets[1..4]),
        ((11, 20), &[]),
        ((20, 20), &[]),
        ((41, 100), &[]),
    ] {
        check_window(&fixture, window, (0, 100), (market, expected)).await;
    }
    check_window(&fixture, (0, 100), (0, 100), (fixture.make.ids().market(), &[])).await;
}

/// A window is read in parts, each starting after the last number of the previous one.
pub async fn price_window_is_read_in_parts(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (market, bets) = history(&fixture).await;
    for (part, expected) in [
        ((0, 2), &bets[..2]),
        ((2, 2), &bets[2..4]),
        ((4, 2), &bets[4..]),
        ((6, 2), &[]),
        ((2, 100), &bets[2..]),
    ] {
        check_window(&fixture, (0, 100), part, (market, expected)).await;
    }
    check_window(&fixture, (20, 40), (0, 2), (market, &bets[1..3])).await;
    check_window(&fixture, (20, 40), (3, 2), (market, &bets[3..5])).await;
}
