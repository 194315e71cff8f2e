//! Markets: written with their options, locked in order, saved unchanged.

use std::collections::BTreeSet;
use std::slice::from_ref;

use foretell_domain::id::MarketId;
use foretell_domain::market::{Market, MarketRecord, OptionState, Phase};
use foretell_domain::money::Balance;
use foretell_domain::shares::Shares;
use foretell_domain::text::{MarketDescription, MarketName};
use foretell_ports::market::{MarketDetails, NewMarket};
use foretell_ports::unit::Locked;

use super::Harness;
use super::fixture::{Fixture, Side, Trade, after, lock_market};
use crate::clock::START;

/// A market is returned with every field, its options in order and its probabilities exact to the
/// last bit.
pub async fn markets_are_returned_as_written(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let creator = fixture.funded(1_000_000).await;
    let thirds = [1.0 / 3.0, 0.1 + 0.2, 1.0 - 1.0 / 3.0 - (0.1 + 0.2)];
    let plain = fixture.make.market(&creator).build();
    let rich = fixture
        .make
        .market(&creator)
        .initial(&thirds)
        .category("weather & \"science\"")
        .fee_bps(250);
    let rich = rich.subsidy(12_345).created_at(after(7)).ends_at(after(8)).build();
    for new in [plain, fixture.make.market(&creator).options(10).build(), rich] {
        fixture.store_market(new.clone()).await;
        let NewMarket { market, texts, created_at } = new;
        let (id, pot) = (market.id(), market.record().subsidy.into());
        let expected = MarketDetails { market, texts, pot, created_at, updated_at: created_at };
        assert_eq!(fixture.stored_market(id).await, expected);
        let locked = fixture.commit(move |tx| lock_market(tx, id)).await;
        assert_eq!(*locked, expected.market);
    }
    let unknown = fixture.make.ids().market();
    assert_eq!(fixture.ports.markets.find_market(unknown).await.unwrap(), None);
    assert_eq!(fixture.ports.markets.find_market_version(unknown).await.unwrap(), None);
}

/// A market is inserted once.
pub async fn existing_market_id_is_rejected(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let new = fixture.market(|market| market).await;
    let again = new.clone();
    fixture.check_rejected(move |tx| tx.insert_markets(from_ref(&again))).await;
    assert_eq!(fixture.stored_market(new.market.id()).await.market, new.market);
}

/// Several markets are inserted at once, each with its own options.
pub async fn markets_are_inserted_together(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let creator = fixture.funded(1).await;
    let batch: Vec<_> =
        (2..=10).map(|options| fixture.make.market(&creator).options(options).build()).collect();
    let stored = batch.clone();
    fixture.commit(move |tx| tx.insert_markets(&stored)).await;
    for new in batch {
        assert_eq!(fixture.stored_market(new.market.id()).await.market, new.market);
    }
}

/// Locked markets have ascending ids, and absent ones are left out.
pub async fn markets_are_locked_in_ascending_order(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let mut expected = Vec::new();
    for options in [3, 2, 4] {
        expected.push(fixture.market(|market| market.options(options)).await.market);
    }
    let ids: BTreeSet<_> =
        expected.iter().map(Market::id).chain([fixture.make.ids().market()]).collect();
    let locked = fixture.commit(move |tx| tx.lock_markets(&ids)).await;
    expected.sort_by_key(Market::id);
    assert_eq!(locked.into_iter().map(Locked::into_inner).collect::<Vec<_>>(), expected);
    assert!(fixture.commit(|tx| tx.lock_markets(&BTreeSet::new())).await.is_empty());
}

/// A save stores phase, outstanding shares, sums, counts, version and time; nothing else of this
/// market or of another one changes.
pub async fn saved_markets_keep_their_state(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (one, other) =
        (fixture.market(|market| market.options(3)).await, fixture.market(|market| market).await);
    let id = one.market.id();
    for phase in [Phase::Closed, Phase::Resolved, Phase::Cancelled, Phase::Open] {
        let market = changed(&one.market, phase);
        let saved = market.clone();
        fixture
            .commit(move |tx| {
                let mut locked = lock_market(tx, id)?;
                *locked = saved.clone();
                tx.save_markets(&[&locked], after(9))
            })
            .await;
        let stored = fixture.stored_market(id).await;
        assert_eq!(stored.market, market);
        assert_eq!((&stored.texts, stored.created_at), (&one.texts, one.created_at));
        assert_eq!(stored.updated_at, after(9));
    }
    let untouched = fixture.stored_market(other.market.id()).await;
    assert_eq!((&untouched.market, untouched.updated_at), (&other.market, START));
}

/// A saved listing has the new name, description and end date; nothing else of this market or of
/// another one changes.
pub async fn saved_listings_keep_edited_fields(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (one, other) =
        (fixture.market(|market| market.options(3)).await, fixture.market(|market| market).await);
    let (id, mut texts) = (one.market.id(), one.texts.clone());
    texts.name = MarketName::new("Edited").expect("a name");
    texts.description = MarketDescription::new("As \"edited\".").expect("a description");
    let altered = Market::restore(MarketRecord {
        ends_at: after(77),
        ..changed(&one.market, Phase::Closed).record().clone()
    });
    let (saved, altered) = (texts.clone(), altered.expect("a market"));
    fixture
        .commit(move |tx| {
            let mut locked = lock_market(tx, id)?;
            *locked = altered.clone();
            tx.save_market_texts(&locked, &saved)
        })
        .await;
    let stored = fixture.stored_market(id).await;
    let expected = MarketRecord { ends_at: after(77), ..one.market.record().clone() };
    assert_eq!((stored.market.record(), &stored.texts), (&expected, &texts));
    let untouched = fixture.stored_market(other.market.id()).await;
    assert_eq!((&untouched.market, &untouched.texts), (&other.market, &other.texts));
    let details = fixture
        .commit(move |tx| lock_market(tx, id).and_then(|market| tx.get_details(&market)))
        .await;
    assert_eq!(details, stored);
}

/// Returns the market with every number changed that a save stores.
fn changed(market: &Market, phase: Phase) -> Market {
    let record = market.record().clone();
    let options = record.options.iter().zip([7, 0, i64::MAX]);
    let outstanding = |units| Shares::new(units).expect("shares");
    Market::restore(MarketRecord {
        phase,
        options: options
            .map(|(old, units)| OptionState { outstanding: outstanding(units), ..*old })
            .collect(),
        fees: Balance::from_minor(1),
        volume: Balance::from_minor(i64::MAX),
        stakes: Balance::from_minor(3),
        bet_count: 4,
        version: 5,
        ..record
    })
    .expect("a market")
}

/// Several markets are saved at once, each with its own state.
pub async fn markets_are_saved_together(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let mut ids = BTreeSet::new();
    for _ in 0..3 {
        ids.insert(fixture.market(|market| market).await.market.id());
    }
    let saved = ids.clone();
    fixture
        .commit(move |tx| {
            let mut markets = tx.lock_markets(&saved)?;
            for (market, version) in markets.iter_mut().zip(10..) {
                let record = market.record().clone();
                **market = Market::restore(MarketRecord { version, ..record }).expect("a market");
            }
            tx.save_markets(&markets.iter().collect::<Vec<_>>(), START)
        })
        .await;
    for (id, version) in ids.into_iter().zip(10..) {
        assert_eq!(fixture.stored_market(id).await.market.record().version, version);
    }
}

/// The details of a market have its state after the last trade, including its pot.
pub async fn market_details_follow_last_trade(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let new = fixture.market(|market| market.fee_bps(100)).await;
    let (market_id, account) = (new.market.id(), fixture.funded(1_000).await);
    let trade =
        |side, second| Trade { market_id, account, option_index: 1, side, at: after(second) };
    let (bought, _) = fixture.trade(trade(Side::Buy(1_000), 3)).await;
    check_market(&fixture, market_id, (11_000, 1, 2)).await;
    let (sold, _) = fixture.trade(trade(Side::SellAll, 4)).await;
    check_market(&fixture, market_id, (11_000 - sold.fill.cash.minor(), 2, 3)).await;
    let stored = fixture.stored_market(market_id).await;
    assert_eq!(stored.updated_at, after(4));
    assert_eq!(stored.market.probabilities(), sold.fill.prices_after);
    let volume = bought.fill.cash.minor() + sold.fill.cash.minor();
    assert_eq!(stored.market.record().volume.minor(), volume);
}

async fn check_market(fixture: &Fixture, id: MarketId, (pot, bets, version): (i64, i64, i64)) {
    let stored = fixture.stored_market(id).await;
    let record = stored.market.record();
    assert_eq!((stored.pot.minor(), record.bet_count, record.version), (pot, bets, version));
}
