//! Webhooks, and their cursors in each market.

use std::collections::BTreeSet;

use foretell_domain::id::{MarketId, WebhookId};
use foretell_domain::market::Phase;
use foretell_domain::webhook::{WebhookEvents, WebhookStatus, WebhookUrl};
use foretell_ports::page::{PageRequest, PageStart};
use foretell_ports::webhook::{MarketChange, Webhook, WebhookCursor, WebhookSecret};

use super::Harness;
use super::fixture::{Fixture, after, lock_market};

const TRADES: WebhookEvents = WebhookEvents::TRADES;
const STATUSES: WebhookEvents = WebhookEvents::STATUSES;
const ALL: WebhookEvents = WebhookEvents::ALL;

const UNOPENED: WebhookCursor = WebhookCursor { sequence: 0, phase: None };
const THIRD: WebhookCursor = WebhookCursor { sequence: 3, phase: Some(Phase::Open) };

async fn store(fixture: &Fixture, webhook: Webhook) -> Webhook {
    let stored = webhook.clone();
    fixture.commit(move |tx| tx.insert_webhook(&webhook)).await;
    stored
}

async fn told(fixture: &Fixture, events: WebhookEvents) -> WebhookId {
    store(fixture, Webhook { events, ..fixture.make.webhook() }).await.id
}

async fn stored(fixture: &Fixture, id: WebhookId) -> Option<Webhook> {
    fixture.ports.webhooks.find_webhook(id).await.unwrap()
}

async fn cursor(fixture: &Fixture, webhook: WebhookId, market: MarketId) -> Option<WebhookCursor> {
    fixture.ports.webhooks.webhook_cursor(webhook, market).await.unwrap()
}

async fn market(fixture: &Fixture) -> MarketId {
    fixture.market(|market| market).await.market.id()
}

/// Adds cursors for events of a market, and returns the webhooks that got one.
async fn add_cursors(fixture: &Fixture, change: MarketChange) -> BTreeSet<WebhookId> {
    let made = fixture
        .commit(move |tx| {
            lock_market(tx, change.market_id)?;
            tx.add_webhook_cursors(&[change])
        })
        .await;
    assert!(made.iter().all(|(_, market)| *market == change.market_id), "{made:?}");
    made.into_iter().map(|(webhook, _)| webhook).collect()
}

/// A webhook is returned with every field.
pub async fn webhooks_are_returned_as_written(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    for events in [TRADES, STATUSES, ALL] {
        let webhook = store(&fixture, Webhook { events, ..fixture.make.webhook() }).await;
        assert_eq!(stored(&fixture, webhook.id).await, Some(webhook));
    }
    assert_eq!(stored(&fixture, fixture.make.webhook().id).await, None);
}

/// A saved webhook keeps every change, and loses removed values.
pub async fn saved_webhook_keeps_every_change(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let webhook = store(&fixture, fixture.make.webhook()).await;
    let changed = Webhook {
        url: WebhookUrl::new("https://example.net/other?hook").unwrap(),
        events: STATUSES,
        status: WebhookStatus::Disabled,
        secret: WebhookSecret([2; 32]),
        replaced: Some((webhook.secret, after(5))),
        failing: Some((after(6), "the receiver answered 500".to_owned())),
        ..webhook.clone()
    };
    for wanted in [changed, webhook] {
        let saved = wanted.clone();
        fixture
            .commit(move |tx| {
                let mut locked = tx.lock_webhook(saved.id)?.expect("the webhook is stored");
                *locked = saved.clone();
                tx.save_webhook(&locked)
            })
            .await;
        assert_eq!(stored(&fixture, wanted.id).await, Some(wanted));
    }
}

/// Webhooks are listed newest first, in pages, and counted.
pub async fn webhooks_are_listed_newest_first(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let mut all = Vec::new();
    for _ in 0..3 {
        all.insert(0, store(&fixture, fixture.make.webhook()).await);
    }
    let list = async |start, limit| {
        fixture.ports.webhooks.list_webhooks(PageRequest { start, limit }).await.unwrap()
    };
    assert_eq!(list(PageStart::Offset(0), 10).await, all);
    assert_eq!(list(PageStart::Offset(1), 1).await, all[1..2]);
    assert_eq!(list(PageStart::After(all[1].id), 10).await, all[2..]);
    assert_eq!(fixture.ports.webhooks.count_all_webhooks().await.unwrap(), 3);
    assert_eq!(fixture.commit(|tx| tx.lock_and_count_webhooks()).await, 3);
}

/// An enabled webhook is noticed.
pub async fn enabled_webhook_is_noticed(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let has_enabled = async || fixture.ports.webhooks.has_enabled_webhook().await.unwrap();
    assert!(!has_enabled().await);
    store(&fixture, Webhook { status: WebhookStatus::Disabled, ..fixture.make.webhook() }).await;
    assert!(!has_enabled().await);
    store(&fixture, fixture.make.webhook()).await;
    assert!(has_enabled().await);
}

/// Events add a cursor for the enabled webhooks that receive them, and for no other.
pub async fn change_creates_cursor_where_wanted(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let trades = told(&fixture, TRADES).await;
    let statuses = told(&fixture, STATUSES).await;
    let all = told(&fixture, ALL).await;
    store(&fixture, Webhook { status: WebhookStatus::Disabled, ..fixture.make.webhook() }).await;
    for (events, expected) in [
        (TRADES, BTreeSet::from([trades, all])),
        (STATUSES, BTreeSet::from([statuses, all])),
        (ALL, BTreeSet::from([trades, statuses, all])),
    ] {
        let change = MarketChange { market_id: market(&fixture).await, before: UNOPENED, events };
        assert_eq!(add_cursors(&fixture, change).await, expected, "{events:?}");
        assert_eq!(cursor(&fixture, all, change.market_id).await, Some(UNOPENED));
    }
}

/// An existing cursor stays, whatever happens after it.
pub async fn a_place_is_made_once(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let webhook = told(&fixture, ALL).await;
    let first = MarketChange { market_id: market(&fixture).await, before: UNOPENED, events: ALL };
    assert_eq!(add_cursors(&fixture, first).await, BTreeSet::from([webhook]));
    let second = MarketChange { before: THIRD, ..first };
    assert_eq!(add_cursors(&fixture, second).await, BTreeSet::new());
    assert_eq!(cursor(&fixture, webhook, first.market_id).await, Some(UNOPENED));
    let elsewhere = MarketChange { market_id: market(&fixture).await, ..second };
    assert_eq!(add_cursors(&fixture, elsewhere).await, BTreeSet::from([webhook]));
    assert_eq!(cursor(&fixture, webhook, elsewhere.market_id).await, Some(THIRD));
}

/// A cursor is moved and deleted; neither creates an absent one.
pub async fn a_place_moves_and_goes(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let webhook = told(&fixture, ALL).await;
    let market = market(&fixture).await;
    let end = WebhookCursor { sequence: 3, phase: Some(Phase::Cancelled) };
    fixture.commit(move |tx| tx.move_webhook_cursor(webhook, market, THIRD)).await;
    assert_eq!(cursor(&fixture, webhook, market).await, None);
    add_cursors(&fixture, MarketChange { market_id: market, before: UNOPENED, events: ALL }).await;
    for moved in [THIRD, end] {
        fixture.commit(move |tx| tx.move_webhook_cursor(webhook, market, moved)).await;
        assert_eq!(cursor(&fixture, webhook, market).await, Some(moved));
    }
    let locked = fixture
        .commit(move |tx| {
            let locked = lock_market(tx, market)?;
            let found = tx.find_webhook_cursor(webhook, &locked)?;
            tx.delete_webhook_cursor(webhook, market)?;
            Ok((found, tx.find_webhook_cursor(webhook, &locked)?))
        })
        .await;
    assert_eq!(locked, (Some(end), None));
    assert_eq!(cursor(&fixture, webhook, market).await, None);
}

/// Deleting a webhook deletes its cursors, and not those of others.
pub async fn cursors_go_with_their_webhook(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (deleted, emptied, kept) =
        (told(&fixture, ALL).await, told(&fixture, ALL).await, told(&fixture, ALL).await);
    let market = market(&fixture).await;
    add_cursors(&fixture, MarketChange { market_id: market, before: THIRD, events: ALL }).await;
    assert!(fixture.commit(move |tx| tx.delete_webhook(deleted)).await);
    assert!(!fixture.commit(move |tx| tx.delete_webhook(deleted)).await);
    fixture
        .commit(move |tx| {
            let locked = tx.lock_webhook(emptied)?.expect("the webhook is stored");
            tx.delete_webhook_cursors(&locked)
        })
        .await;
    assert_eq!(stored(&fixture, deleted).await, None);
    assert!(stored(&fixture, emptied).await.is_some());
    for (webhook, expected) in [(deleted, None), (emptied, None), (kept, Some(THIRD))] {
        assert_eq!(cursor(&fixture, webhook, market).await, expected);
    }
}
