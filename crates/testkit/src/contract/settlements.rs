//! Settlements: one per market, saved with its progress, and no holder paid twice.

use foretell_domain::id::{AccountId, MarketId};
use foretell_domain::market::{Payout, Settlement, SettlementTerms};
use foretell_domain::money::Balance;
use foretell_ports::market::PaidSet;

use super::Harness;
use super::fixture::{Fixture, after, lock_market};
use crate::builders::amount;

async fn decided(fixture: &Fixture, terms: SettlementTerms) -> Settlement {
    let market_id = fixture.market(|market| market).await.market.id();
    let settlement = Settlement::begin(market_id, terms, fixture.user().await.id, after(60));
    insert(fixture, settlement.clone()).await;
    settlement
}

async fn insert(fixture: &Fixture, settlement: Settlement) {
    fixture
        .commit(move |tx| {
            lock_market(tx, settlement.market_id)?;
            tx.insert_settlement(&settlement)
        })
        .await;
}

/// Stores a settlement changed by `change`.
async fn save(
    fixture: &Fixture,
    market: MarketId,
    change: impl Fn(&mut Settlement) + Send + 'static,
) {
    fixture
        .commit(move |tx| {
            let market = lock_market(tx, market)?;
            let mut settlement = tx.lock_settlement(&market)?.expect("a settlement");
            change(&mut settlement);
            tx.save_settlement(&settlement)
        })
        .await;
}

fn split() -> SettlementTerms {
    SettlementTerms::Payouts { basis_points: vec![2_500, 7_500] }
}

/// Settlements are returned with every field, whatever their terms, to units and to queries.
pub async fn settlements_are_returned_as_written(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (available, stakes) = (Balance::from_minor(i64::MAX), Balance::from_minor(0));
    for terms in [split(), SettlementTerms::Refunds { available, stakes }] {
        let settlement = decided(&fixture, terms).await;
        let market = settlement.market_id;
        assert_eq!(
            fixture.ports.markets.find_settlement(market).await.unwrap().as_ref(),
            Some(&settlement)
        );
        let locked = fixture.commit(move |tx| {
            let market = lock_market(tx, market)?;
            tx.lock_settlement(&market)
        });
        assert_eq!(locked.await.as_deref(), Some(&settlement));
    }
}

/// An undecided market has no settlement.
pub async fn undecided_market_has_no_settlement(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    decided(&fixture, split()).await;
    let undecided = fixture.market(|market| market).await.market.id();
    for market in [undecided, fixture.make.ids().market()] {
        assert_eq!(fixture.ports.markets.find_settlement(market).await.unwrap(), None);
    }
    let locked = fixture.commit(move |tx| {
        let market = lock_market(tx, undecided)?;
        tx.lock_settlement(&market)
    });
    assert!(locked.await.is_none());
}

/// A market is decided once.
pub async fn second_settlement_is_rejected(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let first = decided(&fixture, split()).await;
    let other = SettlementTerms::Payouts { basis_points: vec![0, 10_000] };
    let second = Settlement { terms: other, ..first.clone() };
    fixture
        .check_rejected(move |tx| {
            lock_market(tx, second.market_id)?;
            tx.insert_settlement(&second)
        })
        .await;
    assert_eq!(fixture.ports.markets.find_settlement(first.market_id).await.unwrap(), Some(first));
}

/// A save stores cursor, sums and completion of this settlement only.
pub async fn saved_settlements_keep_their_progress(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (mut expected, other) =
        (decided(&fixture, split()).await, decided(&fixture, split()).await);
    let market = expected.market_id;
    let cursor = Some(fixture.make.ids().account());
    let progress =
        Settlement { cursor, holders_paid: 500, paid: Balance::from_minor(77), ..expected.clone() };
    let complete = Settlement { completed_at: Some(after(61)), ..progress.clone() };
    for next in [progress, complete] {
        expected = next.clone();
        save(&fixture, market, move |settlement| *settlement = next.clone()).await;
        assert_eq!(
            fixture.ports.markets.find_settlement(market).await.unwrap().as_ref(),
            Some(&expected)
        );
    }
    assert_eq!(fixture.ports.markets.find_settlement(other.market_id).await.unwrap(), Some(other));
}

fn paid_set(market_id: MarketId, accounts: &[AccountId]) -> PaidSet {
    let payouts =
        accounts.iter().map(|account_id| Payout { account_id: *account_id, amount: amount(1) });
    PaidSet { market_id, payouts: payouts.collect(), at: after(62) }
}

/// No account is paid twice for one market, in any set; another market pays it again.
pub async fn second_claim_is_rejected(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (one, two) =
        (decided(&fixture, split()).await.market_id, decided(&fixture, split()).await.market_id);
    let (a, b) = (fixture.account().await.id(), fixture.account().await.id());
    let pay = |set: PaidSet| {
        move |tx: &mut dyn foretell_ports::unit::Tx| {
            lock_market(tx, set.market_id)?;
            tx.insert_payouts(&set)
        }
    };
    fixture.commit(pay(paid_set(one, &[a]))).await;
    fixture.check_rejected(pay(paid_set(one, &[b, a]))).await;
    fixture.check_rejected(pay(paid_set(two, &[a, b, a]))).await;
    fixture.commit(pay(paid_set(one, &[b]))).await;
    fixture.commit(pay(paid_set(two, &[a, b]))).await;
    fixture.commit(pay(paid_set(two, &[]))).await;
}

/// The markets whose settlement is not complete are listed by ascending id, up to the limit.
pub async fn unsettled_markets_are_listed(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    fixture.market(|market| market).await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(decided(&fixture, split()).await.market_id);
    }
    save(&fixture, ids[2], |settlement| settlement.completed_at = Some(after(61))).await;
    save(&fixture, ids[3], |settlement| settlement.holders_paid = 1).await;
    let unsettled = [ids[0], ids[1], ids[3], ids[4]];
    for (after, limit, expected) in [
        (None, 100, &unsettled[..]),
        (None, 2, &unsettled[..2]),
        (Some(ids[1]), 2, &unsettled[2..]),
        (Some(ids[2]), 1, &unsettled[2..3]),
        (Some(ids[4]), 100, &[]),
    ] {
        let found = fixture.ports.markets.list_unsettled(after, limit).await.unwrap();
        assert_eq!(found, expected, "{limit} after {after:?}");
    }
}
