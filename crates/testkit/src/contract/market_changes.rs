//! Edited and deleted markets, also while other units wait for them.

use std::collections::BTreeSet;

use foretell_domain::id::AccountId;
use foretell_domain::market::{EditRight, MarketEdit, Settlement, SettlementTerms};
use foretell_domain::text::MarketName;
use foretell_ports::market::MarketFilter;
use foretell_ports::unit::Tx;

use super::Harness;
use super::fixture::{Fixture, after, lock_market};
use super::overlap::{Meeting, overlap};
use crate::clock::START;

/// A unit that waits for a market sees the changes of the previous unit, also the end date.
pub async fn locked_market_has_previous_changes(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let new = fixture.market(|market| market.ends_at(after(100))).await;
    let (id, texts) = (new.market.id(), new.texts);
    let edit = move |tx: &mut dyn Tx, meeting: &Meeting| {
        let (mut market, mut texts) = (lock_market(tx, id)?, texts.clone());
        let ends_at = Some(after(50));
        let edit = MarketEdit { name: MarketName::new("Edited").ok(), description: None, ends_at };
        market.edit(&mut texts, edit, EditRight::Full, START).expect("the market is open");
        tx.save_markets(&[&market], START)?;
        tx.save_market_texts(&market, &texts)?;
        meeting.arrive();
        tx.get_details(&market)
    };
    let read = move |tx: &mut dyn Tx, meeting: &Meeting| {
        let market = lock_market(tx, id)?;
        meeting.arrive();
        let details = tx.get_details(&market)?;
        assert_eq!(details.market, *market);
        Ok(details)
    };
    let [edited, seen] =
        overlap(&fixture, edit, read).await.map(|result| result.expect("a committed unit"));
    assert_eq!((edited.market.record().ends_at, edited.market.record().version), (after(50), 2));
    assert_eq!(seen, edited);
}

/// A deleted market is deleted with its options and comments; its accounts, its transfers and
/// everything else stay.
pub async fn deleted_market_deletes_its_comments(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (one, other) =
        (fixture.market(|market| market).await, fixture.market(|market| market).await);
    let (id, kept) = (one.market.id(), other.market.id());
    let (gone, left) = (fixture.comment(id).await, fixture.comment(kept).await);
    fixture
        .commit(move |tx| lock_market(tx, id).and_then(|market| tx.delete_markets(vec![market])))
        .await;
    assert_eq!(fixture.ports.markets.find_market(id).await.unwrap(), None);
    let none = fixture.commit(move |tx| tx.lock_markets(&BTreeSet::from([id]))).await;
    assert!(none.is_empty(), "{none:?}");
    assert_eq!(fixture.ports.markets.count_markets(&MarketFilter::default()).await.unwrap(), 1);
    assert_eq!(fixture.ports.posts.find_comment(gone.id).await.unwrap(), None);
    assert_eq!(fixture.stored_market(kept).await.market, other.market);
    assert!(fixture.ports.posts.find_comment(left.id).await.unwrap().is_some());
    let pot = fixture.stored(AccountId::of_market(id)).await.account;
    assert_eq!((pot.balance().minor(), pot.version()), (10_000, 1));
    assert!(!fixture.commit(move |tx| Ok(tx.lock_subject(id.into())?.is_some())).await);
    fixture.commit(|tx| tx.delete_markets(Vec::new())).await;
}

/// A market with a settlement is not deleted.
pub async fn market_with_settlement_is_not_deleted(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let market = fixture.market(|market| market).await.market;
    let id = market.id();
    let terms = SettlementTerms::Payouts { basis_points: vec![10_000, 0] };
    let settlement = Settlement::begin(id, terms, market.record().creator_id, START);
    fixture
        .commit(move |tx| {
            lock_market(tx, id)?;
            tx.insert_settlement(&settlement)
        })
        .await;
    fixture
        .check_rejected(move |tx| {
            lock_market(tx, id).and_then(|market| tx.delete_markets(vec![market]))
        })
        .await;
    assert_eq!(fixture.stored_market(id).await.market, market);
}

/// A market deleted while a unit waits for its lock is not found by that unit.
pub async fn waiting_unit_does_not_find_deleted_market(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let id = fixture.market(|market| market).await.market.id();
    let delete = move |tx: &mut dyn Tx, meeting: &Meeting| {
        let market = lock_market(tx, id)?;
        tx.delete_markets(vec![market])?;
        meeting.arrive();
        Ok(0)
    };
    let wait = move |tx: &mut dyn Tx, meeting: &Meeting| {
        let found = tx.lock_markets(&BTreeSet::from([id]))?;
        meeting.arrive();
        Ok(found.len())
    };
    let found =
        overlap(&fixture, delete, wait).await.map(|result| result.expect("a committed unit"));
    assert_eq!(found, [0, 0]);
}

/// A comment on a market that is being deleted comes either before or too late.
pub async fn market_is_not_deleted_during_comment(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let id = fixture.market(|market| market).await.market.id();
    let comment = fixture.make.comment(fixture.user().await.id, id);
    let write = move |tx: &mut dyn Tx, meeting: &Meeting| {
        let held = tx.lock_subject(comment.subject)?;
        meeting.arrive();
        held.map_or(Ok(()), |_| tx.insert_comment(&comment))
    };
    let delete = move |tx: &mut dyn Tx, meeting: &Meeting| {
        let market = lock_market(tx, id)?;
        tx.delete_markets(vec![market])?;
        meeting.arrive();
        Ok(())
    };
    for result in overlap(&fixture, write, delete).await {
        result.expect("both units are committed");
    }
    assert_eq!(fixture.ports.posts.count_comments(id.into()).await.unwrap(), 0);
}
