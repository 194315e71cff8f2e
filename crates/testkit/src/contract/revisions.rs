//! Revisions of markets, and who has a part in a market that is to be changed.

use std::slice::from_ref;

use foretell_domain::market::{MarketRevision, Stakes};
use foretell_domain::text::Clarification;
use foretell_ports::market::NewMarket;
use foretell_ports::page::{PageRequest, PageStart};
use foretell_ports::unit::Tx;

use super::Harness;
use super::fixture::{Fixture, Side, Trade, after, first, lock_market};

/// Returns the first revision of a market, and a clarification of it.
fn two_revisions(new: &NewMarket) -> [MarketRevision; 2] {
    let opened = new.revision();
    let clarified = MarketRevision {
        number: 2,
        clarification: Clarification::new("Rain is\nwhat the *gauge* counts.").ok(),
        ends_at: after(9),
        created_at: after(7),
        ..opened.clone()
    };
    [opened, clarified]
}

/// Stores these revisions of a market.
async fn insert(fixture: &Fixture, revisions: &[MarketRevision]) {
    let revisions = revisions.to_vec();
    let insert = move |tx: &mut dyn Tx| {
        lock_market(tx, revisions[0].market_id)?;
        tx.insert_revisions(&revisions)
    };
    fixture.commit(insert).await;
}

/// Revisions are listed with every field, newest first and page by page.
pub async fn revisions_are_returned_as_written(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (new, other) =
        (fixture.market(|market| market).await, fixture.market(|market| market).await);
    let [opened, clarified] = two_revisions(&new);
    insert(&fixture, &[opened.clone(), clarified.clone()]).await;
    insert(&fixture, &[other.revision()]).await;
    let list = async |page| {
        fixture.ports.markets.list_revisions(new.market.id(), page).await.expect("an answer")
    };
    assert_eq!(list(first(10)).await, [clarified.clone(), opened.clone()]);
    assert_eq!(list(first(1)).await, [clarified]);
    let after_second = PageRequest { start: PageStart::After(2), limit: 10 };
    assert_eq!(list(after_second).await, from_ref(&opened));
    let offset = PageRequest { start: PageStart::Offset(1), limit: 10 };
    assert_eq!(list(offset).await, [opened]);
}

/// A revision is immutable: its number is used once.
pub async fn existing_revision_number_is_rejected(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let new = fixture.market(|market| market).await;
    let [opened, _] = two_revisions(&new);
    insert(&fixture, from_ref(&opened)).await;
    let again = move |tx: &mut dyn Tx| {
        lock_market(tx, opened.market_id)?;
        tx.insert_revisions(from_ref(&opened))
    };
    fixture.check_rejected(again).await;
}

/// The first end date is the one of the opening, or the present one of a market that a program
/// without revisions has opened.
pub async fn first_end_date_is_of_opening(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let new = fixture.market(|market| market.ends_at(after(8))).await;
    let id = new.market.id();
    let first_end = async || {
        fixture
            .commit(move |tx| {
                let market = lock_market(tx, id)?;
                tx.first_end_date(&market)
            })
            .await
    };
    assert_eq!(first_end().await, after(8));
    let [opened, clarified] = two_revisions(&new);
    let opened = MarketRevision { ends_at: after(5), ..opened };
    insert(&fixture, &[opened, clarified]).await;
    assert_eq!(first_end().await, after(5));
}

/// The history of a market is deleted with it.
pub async fn deleted_market_has_no_revisions(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (new, kept) =
        (fixture.market(|market| market).await, fixture.market(|market| market).await);
    insert(&fixture, &two_revisions(&new)).await;
    insert(&fixture, &[kept.revision()]).await;
    let id = new.market.id();
    fixture
        .commit(move |tx| lock_market(tx, id).and_then(|market| tx.delete_markets(vec![market])))
        .await;
    let left = async |id| fixture.ports.markets.list_revisions(id, first(10)).await.unwrap().len();
    assert_eq!((left(id).await, left(kept.market.id()).await), (0, 1));
}

/// A user has a part in a market with any of their accounts, also after all shares are sold; the
/// creator's own shares are not those of others.
pub async fn stakes_count_sold_shares(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let creator = fixture.funded(1_000_000).await;
    let (new, other) =
        (fixture.make.market(&creator).build(), fixture.make.market(&creator).build());
    fixture.store_market(new.clone()).await;
    fixture.store_market(other.clone()).await;
    let (ann, market_id) = (fixture.funded(10_000).await, new.market.id());
    let owner = |account: &foretell_domain::account::Account| account.owner().expect("a user");
    let (ann_id, creator_id) = (owner(&ann), owner(&creator));
    let stakes = async |market, actor| {
        fixture
            .commit(move |tx| {
                let market = lock_market(tx, market)?;
                tx.find_stakes(&market, actor)
            })
            .await
    };
    let trade = |account, side| Trade { market_id, account, option_index: 0, side, at: after(1) };
    let check = async |expected: [Stakes; 2]| {
        let found = [stakes(market_id, creator_id).await, stakes(market_id, ann_id).await];
        assert_eq!(found, expected);
    };
    let part = |of_actor, of_others| Stakes { of_actor, of_others };
    check([part(false, false), part(false, false)]).await;
    fixture.trade(trade(creator, Side::Buy(100))).await;
    check([part(true, false), part(false, false)]).await;
    fixture.trade(trade(ann, Side::Buy(100))).await;
    check([part(true, true), part(true, true)]).await;
    fixture.trade(trade(ann, Side::SellAll)).await;
    check([part(true, true), part(true, true)]).await;
    let unrelated = stakes(other.market.id(), ann_id).await;
    assert_eq!(unrelated, part(false, false), "shares of another market");
}
