//! Markets that are edited or deleted, also while others wait for them.

use std::collections::BTreeSet;

use foretell_domain::id::AccountId;
use foretell_domain::market::{MarketEdit, Settlement, SettlementTerms};
use foretell_domain::text::MarketName;
use foretell_ports::market::MarketFilter;
use foretell_ports::unit::Tx;

use super::Harness;
use super::overlap::{Meeting, overlap};
use super::scene::{Scene, after, lock_market};
use crate::clock::START;

/// Who waits for a market sees it as the unit before has left it, its end date too.
pub async fn a_market_is_locked_as_the_unit_before_has_left_it(harness: &dyn Harness) {
    let scene = Scene::open(harness).await;
    let new = scene.market(|market| market.ends_at(after(100))).await;
    let (id, listing) = (new.market.id(), new.listing);
    let edit = move |tx: &mut dyn Tx, meeting: &Meeting| {
        let (mut market, mut listing) = (lock_market(tx, id)?, listing.clone());
        let ends_at = Some(after(50));
        let edit = MarketEdit { name: MarketName::new("Edited").ok(), description: None, ends_at };
        market.edit(&mut listing, edit, START).expect("the market is open");
        tx.save_markets(&[&market], START)?;
        tx.save_listing(&market, &listing)?;
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
    let [edited, seen] = overlap(&scene, edit, read).await.map(|result| result.expect("a committed unit"));
    assert_eq!((edited.market.record().ends_at, edited.market.record().version), (after(50), 2));
    assert_eq!(seen, edited);
}

/// A deleted market is gone with its options and the comments on it; its accounts, its transfers and all else stay.
pub async fn a_deleted_market_is_gone_with_the_comments_on_it(harness: &dyn Harness) {
    let scene = Scene::open(harness).await;
    let (one, other) = (scene.market(|market| market).await, scene.market(|market| market).await);
    let (id, kept) = (one.market.id(), other.market.id());
    let (gone, left) = (scene.comment(id).await, scene.comment(kept).await);
    scene.commit(move |tx| lock_market(tx, id).and_then(|market| tx.delete_markets(vec![market]))).await;
    assert_eq!(scene.ports.markets.find_market(id).await.unwrap(), None);
    let none = scene.commit(move |tx| tx.lock_markets(&BTreeSet::from([id]))).await;
    assert!(none.is_empty(), "{none:?}");
    assert_eq!(scene.ports.markets.count_markets(&MarketFilter::default()).await.unwrap(), 1);
    assert_eq!(scene.ports.posts.find_comment(gone.id).await.unwrap(), None);
    assert_eq!(scene.stored_market(kept).await.market, other.market);
    assert!(scene.ports.posts.find_comment(left.id).await.unwrap().is_some());
    let pot = scene.stored(AccountId::of_market(id)).await.account;
    assert_eq!((pot.balance().minor(), pot.version()), (10_000, 1));
    assert!(!scene.commit(move |tx| Ok(tx.hold_subject(id.into())?.is_some())).await);
    scene.commit(|tx| tx.delete_markets(Vec::new())).await;
}

/// What is settled is not deleted.
pub async fn a_market_with_a_settlement_is_not_deleted(harness: &dyn Harness) {
    let scene = Scene::open(harness).await;
    let market = scene.market(|market| market).await.market;
    let id = market.id();
    let terms = SettlementTerms::Payouts { basis_points: vec![10_000, 0] };
    let settlement = Settlement::begin(id, terms, market.record().creator_id, START);
    scene
        .commit(move |tx| {
            lock_market(tx, id)?;
            tx.insert_settlement(&settlement)
        })
        .await;
    scene
        .check_rejected(move |tx| lock_market(tx, id).and_then(|market| tx.delete_markets(vec![market])))
        .await;
    assert_eq!(scene.stored_market(id).await.market, market);
}

/// A market that is deleted while somebody waits for its lock is not there for them.
pub async fn who_waits_for_a_market_that_is_deleted_finds_none(harness: &dyn Harness) {
    let scene = Scene::open(harness).await;
    let id = scene.market(|market| market).await.market.id();
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
    let found = overlap(&scene, delete, wait).await.map(|result| result.expect("a committed unit"));
    assert_eq!(found, [0, 0]);
}

/// Who comments on a market while it is deleted comes first or too late, but never in between.
pub async fn a_market_is_not_deleted_while_a_comment_is_written(harness: &dyn Harness) {
    let scene = Scene::open(harness).await;
    let id = scene.market(|market| market).await.market.id();
    let comment = scene.make.comment(scene.user().await.id, id);
    let write = move |tx: &mut dyn Tx, meeting: &Meeting| {
        let held = tx.hold_subject(comment.subject)?;
        meeting.arrive();
        held.map_or(Ok(()), |_| tx.insert_comment(&comment))
    };
    let delete = move |tx: &mut dyn Tx, meeting: &Meeting| {
        let market = lock_market(tx, id)?;
        tx.delete_markets(vec![market])?;
        meeting.arrive();
        Ok(())
    };
    for result in overlap(&scene, write, delete).await {
        result.expect("both units are committed");
    }
    assert_eq!(scene.ports.posts.count_comments(id.into()).await.unwrap(), 0);
}
