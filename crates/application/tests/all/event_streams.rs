//! Event streams of markets: every event once and in order, wherever a client disconnects and
//! whichever process commits.

use std::sync::Arc;
use std::time::Duration;

use foretell_application::writer::Decision;
use foretell_application::{
    Application, Caller, MarketEvent, MarketEventData, MarketEventId, StreamItem,
};
use foretell_domain::market::Phase;
use foretell_ports::market::MarketDetails;

use crate::support::{Fixture, settings};

/// Timeout of each expected event.
const PATIENCE: Duration = Duration::from_mins(1);

/// Event id before the first bet.
const BEGINNING: Option<MarketEventId> =
    Some(MarketEventId { sequence: 0, phase: Phase::Open, revision: 1 });

async fn next(
    app: &Arc<Application>,
    market: &MarketDetails,
    last_seen: Option<MarketEventId>,
) -> Vec<MarketEvent> {
    let mut stream = Arc::clone(&app.markets).stream_market_events(market.market.id(), last_seen);
    match stream.next(PATIENCE).await.unwrap() {
        StreamItem::Events(events) => events,
        other => panic!("{other:?}"),
    }
}

/// Describes an event: the number of a trade, or a phase.
fn shown(event: &MarketEvent) -> String {
    match &event.data {
        MarketEventData::Trade(bet) => bet.fill.sequence.to_string(),
        MarketEventData::Status(market) => market.market.record().phase.as_str().to_owned(),
        MarketEventData::Revised(market) => format!("revision {}", market.market.record().revision),
        MarketEventData::Gap { first, last } => format!("gap {first}-{last}"),
    }
}

async fn bet_many(fixture: &Fixture, traders: &[Caller], market: &MarketDetails, rounds: usize) {
    for round in 0..rounds {
        let bets = traders.iter().map(|trader| fixture.bet(trader, market, round % 2, 10));
        for result in futures::future::join_all(bets).await {
            result.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn resumed_streams_have_every_event_once_in_order() {
    let fixture = Fixture::open().await;
    let creator = fixture.user().await;
    let market = fixture.market(&creator, 5_000).await;
    let mut traders = Vec::new();
    for _ in 0..8 {
        traders.push(fixture.user().await);
    }
    let trading = async {
        bet_many(&fixture, &traders, &market, 60).await;
        let closed =
            fixture.app.markets.close_market(&creator, fixture.key(), market.market.id()).await;
        closed.unwrap().result.unwrap();
    };
    let streaming = async {
        let (mut seen, mut last_seen) = (Vec::new(), BEGINNING);
        while seen.last().is_none_or(|last| last != "closed") {
            let events = next(&fixture.app, &market, last_seen).await;
            // Disconnected after some of the events of one read.
            let taken = 1 + seen.len() * 7 % events.len();
            seen.extend(events[..taken].iter().map(shown));
            last_seen = Some(events[taken - 1].id);
        }
        seen
    };
    let ((), seen) = tokio::join!(trading, streaming);
    let expected: Vec<_> =
        (1..=480).map(|number: i32| number.to_string()).chain(["closed".to_owned()]).collect();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn stream_starts_with_phase_and_ends_with_market() {
    let fixture = Fixture::open().await;
    let (creator, trader) = (fixture.user().await, fixture.user().await);
    let market = fixture.market(&creator, 5_000).await;
    fixture.bet(&trader, &market, 0, 10).await.unwrap();
    let mut stream =
        Arc::clone(&fixture.app.markets).stream_market_events(market.market.id(), None);
    let mut seen = Vec::new();
    let decide = async {
        let winner = Fixture::option(&market, 0);
        fixture.bet(&trader, &market, 1, 10).await.unwrap();
        fixture.decide(&creator, &market, Decision::Winner(winner)).await.unwrap().result.unwrap();
    };
    assert!(matches!(stream.next(PATIENCE).await.unwrap(), StreamItem::Events(events)
        if events.iter().map(shown).eq(["open"]) && events[0].id.sequence == 1));
    decide.await;
    loop {
        match stream.next(PATIENCE).await.unwrap() {
            StreamItem::Events(events) => seen.extend(events.iter().map(shown)),
            StreamItem::Idle => {}
            StreamItem::End => break,
        }
    }
    assert_eq!(seen, ["2", "resolved"]);
}

#[tokio::test]
async fn commits_of_other_processes_are_streamed() {
    let fixture = Fixture::open().await;
    let creator = fixture.user().await;
    let market = fixture.market(&creator, 5_000).await;
    let other = fixture.second_node(settings()).await;
    let mut stream = Arc::clone(&other.markets).stream_market_events(market.market.id(), BEGINNING);
    assert!(matches!(stream.next(Duration::ZERO).await.unwrap(), StreamItem::Idle));
    fixture.bet(&creator, &market, 0, 10).await.unwrap();
    assert!(matches!(stream.next(PATIENCE).await.unwrap(), StreamItem::Events(events)
        if events.iter().map(shown).eq(["1"])));
}

#[tokio::test]
async fn client_far_behind_gets_every_event() {
    let fixture = Fixture::open().await;
    let creator = fixture.user().await;
    let market = fixture.market(&creator, 5_000).await;
    // Another stream, so that only the newest bets are kept.
    let mut ahead =
        Arc::clone(&fixture.app.markets).stream_market_events(market.market.id(), BEGINNING);
    let traders = [creator.clone(), fixture.user().await];
    for _ in 0..10 {
        bet_many(&fixture, &traders, &market, 20).await;
        let StreamItem::Events(events) = ahead.next(PATIENCE).await.unwrap() else {
            panic!("there were bets")
        };
        assert!(!events.is_empty());
    }
    let (mut seen, mut last_seen) = (Vec::new(), BEGINNING);
    while seen.len() < 400 {
        let events = next(&fixture.app, &market, last_seen).await;
        last_seen = events.last().map(|event| event.id);
        seen.extend(events.iter().map(shown));
    }
    assert_eq!(seen, (1..=400).map(|number: i32| number.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn stream_too_far_behind_gets_a_gap() {
    let fixture = Fixture::open().await;
    let creator = fixture.user().await;
    let market = fixture.market(&creator, 5_000).await;
    let mut traders = vec![creator.clone()];
    for _ in 1..5 {
        traders.push(fixture.user().await);
    }
    bet_many(&fixture, &traders, &market, 402).await;
    let all = next(
        &fixture.app,
        &market,
        Some(MarketEventId { sequence: 10, phase: Phase::Open, revision: 1 }),
    )
    .await;
    assert_eq!(shown(&all[0]), "11", "2,000 are replayed");
    let gap = next(
        &fixture.app,
        &market,
        Some(MarketEventId { sequence: 9, phase: Phase::Open, revision: 1 }),
    )
    .await;
    let [MarketEvent { id, data: MarketEventData::Gap { first: 10, last: 10 } }] = gap[..] else {
        panic!("{gap:?}")
    };
    let rest = next(&fixture.app, &market, Some(id)).await;
    assert_eq!(shown(&rest[0]), "11");
    let gap = next(&fixture.app, &market, BEGINNING).await;
    assert!(
        matches!(gap[..], [MarketEvent { data: MarketEventData::Gap { first: 1, last: 10 }, .. }]),
        "{gap:?}"
    );
}

#[tokio::test]
async fn stream_ends_with_server_or_deleted_market() {
    let fixture = Fixture::open().await;
    let creator = fixture.user().await;
    let market = fixture.market(&creator, 5_000).await;
    let mut stream =
        Arc::clone(&fixture.app.markets).stream_market_events(market.market.id(), BEGINNING);
    let (seen, ()) =
        tokio::join!(stream.next(PATIENCE), async { fixture.app.markets.end_event_streams() });
    assert!(matches!(seen.unwrap(), StreamItem::End));
    let other = fixture.second_node(settings()).await;
    fixture.app.markets.delete_market(&creator, market.market.id()).await.unwrap();
    let mut stream = Arc::clone(&other.markets).stream_market_events(market.market.id(), BEGINNING);
    assert!(matches!(stream.next(PATIENCE).await.unwrap(), StreamItem::End));
}
