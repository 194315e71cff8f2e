//! Bets and sales: immutable rows, numbered without gaps within their market.

use std::collections::BTreeSet;
use std::slice::from_ref;

use foretell_domain::id::{BetId, ClientId};
use foretell_domain::market::{Bet, TradeSide};
use foretell_ports::page::{PageRequest, PageStart};

use super::Harness;
use super::fixture::{Fixture, Side, Trade, after, page, renumbered};

/// Creates a market with bets a second apart, by one trader.
async fn bets(fixture: &Fixture, count: i64) -> Vec<Bet> {
    let market_id = fixture.market(|market| market.options(3).fee_bps(100)).await.market.id();
    let account = fixture.funded(1_000_000).await;
    let mut bets = Vec::new();
    for second in 1..=count {
        let (option_index, side) = (usize::from(second % 2 == 0), Side::Buy(100 + second));
        bets.push(
            fixture
                .trade(Trade { market_id, account, option_index, side, at: after(second) })
                .await
                .0,
        );
    }
    bets
}

/// Bets and sales are returned with every field, their prices exact to the last bit.
pub async fn bets_are_returned_as_written(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let market_id =
        fixture.market(|market| market.initial(&[0.15, 0.05, 0.8]).fee_bps(30)).await.market.id();
    let account = fixture.funded(5_000).await;
    for (side, second) in [(Side::Buy(4_321), 3), (Side::SellAll, 4)] {
        let (bet, _) = fixture
            .trade(Trade { market_id, account, option_index: 2, side, at: after(second) })
            .await;
        assert_eq!(bet.fill.side, if second == 3 { TradeSide::Buy } else { TradeSide::Sell });
        assert_eq!(fixture.ports.markets.find_bet(bet.id, None).await.unwrap(), Some(bet));
    }
    assert_eq!(fixture.ports.markets.find_bet(fixture.make.ids().bet(), None).await.unwrap(), None);
}

/// Accounts may trade under the same client id, once each, and each finds its own by it.
pub async fn client_ids_of_bets_are_per_trader(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let stored = bets(&fixture, 1).await.remove(0);
    let (trader, other) = (stored.account_id, fixture.account().await.id());
    let (chosen, unused) = (fixture.make.ids().client(), fixture.make.ids().client());
    let named = |account_id, sequence| Bet {
        client_id: Some(chosen),
        account_id,
        ..numbered(&fixture, &stored, sequence)
    };
    let (own, others) = (named(trader, 2), named(other, 3));
    let rows = [own.clone(), others.clone()];
    fixture.commit(move |tx| tx.insert_bets(&rows)).await;
    let by = |account| fixture.ports.markets.find_bet(BetId::from_u128(chosen.as_u128()), account);
    assert_eq!(by(Some(trader)).await.unwrap(), Some(own.clone()));
    assert_eq!(by(Some(other)).await.unwrap(), Some(others));
    assert_eq!(by(None).await.unwrap(), None);
    assert_eq!(fixture.ports.markets.find_bet(own.id, Some(other)).await.unwrap(), Some(own));
    // A bet stored before client ids existed may have one as its id.
    let of_before = ClientId::from_u128(stored.id.as_u128());
    let asked = [(trader, chosen), (trader, unused), (trader, of_before), (other, of_before)];
    let taken = fixture.commit(move |tx| tx.find_traded_as(&asked)).await;
    assert_eq!(BTreeSet::from_iter(taken), BTreeSet::from([(trader, chosen), (trader, of_before)]));
    let again = named(trader, 4);
    fixture.check_rejected(move |tx| tx.insert_bets(from_ref(&again))).await;
}

/// Ids of bets that do not exist are left out.
pub async fn absent_bets_are_left_out(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let stored = bets(&fixture, 2).await;
    let ids = [stored[1].id, fixture.make.ids().bet(), stored[0].id];
    let mut found = fixture.commit(move |tx| tx.find_bets(&ids)).await;
    found.sort_by_key(|bet| bet.id);
    assert_eq!(found, stored);
    assert!(fixture.commit(|tx| tx.find_bets(&[])).await.is_empty());
}

/// Returns a copy of a bet with a new id and this number.
fn numbered(fixture: &Fixture, bet: &Bet, sequence: i64) -> Bet {
    let fill = renumbered(&bet.fill, sequence);
    Bet { id: fixture.make.ids().bet(), fill, ..bet.clone() }
}

/// An existing id is rejected, in a later unit and twice in one call, and its unit is rolled back.
pub async fn existing_bet_id_is_rejected(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let stored = bets(&fixture, 1).await.remove(0);
    let fresh = numbered(&fixture, &stored, 2);
    for id in [stored.id, fresh.id] {
        let copy = Bet { id, ..numbered(&fixture, &stored, 3) };
        let batch = [fresh.clone(), copy];
        fixture.check_rejected(move |tx| tx.insert_bets(&batch)).await;
    }
    assert_eq!(fixture.ports.markets.find_bet(fresh.id, None).await.unwrap(), None);
    fixture.commit(move |tx| tx.insert_bets(from_ref(&fresh))).await;
}

/// A number used by another bet of the market is rejected; another market has its own numbers.
pub async fn existing_sequence_number_is_rejected(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let first = bets(&fixture, 2).await.remove(0);
    let same = numbered(&fixture, &first, 2);
    fixture.check_rejected(move |tx| tx.insert_bets(from_ref(&same))).await;
    let elsewhere = bets(&fixture, 2).await;
    assert_eq!(elsewhere[1].fill.sequence, 2);
}

/// The bets of a market are listed newest first, with their number, on pages down to the last.
pub async fn bets_of_market_are_listed_newest_first(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    bets(&fixture, 2).await;
    let mut stored = bets(&fixture, 13).await;
    stored.reverse();
    let market = stored[0].market_id;
    for (number, expected) in
        [(1, &stored[..5]), (2, &stored[5..10]), (3, &stored[10..]), (4, &[]), (u32::MAX, &[])]
    {
        let found = fixture.ports.markets.page_bets(market, page(number, 5).into()).await.unwrap();
        assert_eq!(found.total, 13, "page {number}");
        assert_eq!(found.rows, expected, "page {number}");
    }
    for (number, expected) in
        [(14, &stored[..5]), (99, &stored[..5]), (9, &stored[5..10]), (2, &stored[12..]), (1, &[])]
    {
        let page = PageRequest { start: PageStart::After(number), limit: 5 };
        let found = fixture.ports.markets.page_bets(market, page).await.unwrap();
        assert_eq!(found.rows, expected, "after number {number}");
    }
}

/// The newest bets of several markets are returned at once, market by market; duplicate markets,
/// and those without bets or that do not exist, are harmless.
pub async fn newest_bets_of_several_markets_are_returned(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (one, other) = (bets(&fixture, 5).await, bets(&fixture, 2).await);
    let untouched = fixture.market(|market| market).await.market.id();
    let wanted = [
        other[0].market_id,
        untouched,
        one[0].market_id,
        fixture.make.ids().market(),
        one[0].market_id,
    ];
    let mut expected = Vec::new();
    for stored in [one, other] {
        expected.extend(stored.into_iter().rev().take(3));
    }
    expected.sort_by_key(|bet| bet.market_id);
    assert_eq!(fixture.ports.markets.list_newest_bets(&wanted, 3).await.unwrap(), expected);
    assert_eq!(fixture.ports.markets.list_newest_bets(&[], 3).await.unwrap(), []);
}

/// Markets without bets, and those that do not exist, have an empty list.
pub async fn untouched_market_has_no_bets(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    bets(&fixture, 1).await;
    let untouched = fixture.market(|market| market).await.market.id();
    for market in [untouched, fixture.make.ids().market()] {
        let found = fixture.ports.markets.page_bets(market, page(1, 10).into()).await.unwrap();
        assert_eq!((found.rows.len(), found.total), (0, 0));
    }
}

/// As many bets as in a batch of the money writer are written and found in one call.
pub async fn full_batch_of_bets_is_written(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let first = bets(&fixture, 1).await.remove(0);
    let batch: Vec<_> = (2..=1_001).map(|sequence| numbered(&fixture, &first, sequence)).collect();
    let ids: Vec<_> = batch.iter().map(|bet| bet.id).collect();
    let last = batch.last().cloned().expect("a bet");
    fixture.commit(move |tx| tx.insert_bets(&batch)).await;
    assert_eq!(fixture.commit(move |tx| tx.find_bets(&ids)).await.len(), 1_000);
    assert_eq!(fixture.ports.markets.find_bet(last.id, None).await.unwrap(), Some(last));
}
