//! Event streams of markets: every event once and in order, wherever a follower disconnects and
//! whichever process commits.

use std::sync::Arc;
use std::time::Duration;

use foretell_application::writer::Decision;
use foretell_application::{Application, Caller, MarketEvent, MarketNews, MarketPosition, Told};
use foretell_domain::market::Phase;
use foretell_ports::market::MarketDetails;

use crate::support::{Desk, settings};

/// Timeout of each expected event.
const PATIENCE: Duration = Duration::from_mins(1);

/// Position before the first bet.
const BEGINNING: Option<MarketPosition> = Some(MarketPosition { sequence: 0, phase: Phase::Open });

async fn next(
    app: &Arc<Application>,
    market: &MarketDetails,
    position: Option<MarketPosition>,
) -> Vec<MarketEvent> {
    let mut follower = Arc::clone(app).follow_market(market.market.id(), position);
    match follower.next(PATIENCE).await.unwrap() {
        Told::Events(events) => events,
        other => panic!("{other:?}"),
    }
}

/// Describes an event: the number of a trade, or a phase.
fn shown(event: &MarketEvent) -> String {
    match &event.news {
        MarketNews::Trade(bet) => bet.fill.sequence.to_string(),
        MarketNews::Status(market) => market.market.record().phase.as_str().to_owned(),
        MarketNews::Gap { first, last } => format!("gap {first}-{last}"),
    }
}

async fn bet_many(desk: &Desk, traders: &[Caller], market: &MarketDetails, rounds: usize) {
    for round in 0..rounds {
        let bets = traders.iter().map(|trader| desk.bet(trader, market, round % 2, 10));
        for result in futures::future::join_all(bets).await {
            result.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn resumed_streams_have_every_event_once_in_order() {
    let desk = Desk::open().await;
    let creator = desk.user().await;
    let market = desk.market(&creator, 5_000).await;
    let mut traders = Vec::new();
    for _ in 0..8 {
        traders.push(desk.user().await);
    }
    let trading = async {
        bet_many(&desk, &traders, &market, 60).await;
        let closed = desk.app.close_market(&creator, desk.key(), market.market.id()).await;
        closed.unwrap().result.unwrap();
    };
    let following = async {
        let (mut told, mut position) = (Vec::new(), BEGINNING);
        while told.last().is_none_or(|last| last != "closed") {
            let events = next(&desk.app, &market, position).await;
            // Disconnected after some of the events of one read.
            let taken = 1 + told.len() * 7 % events.len();
            told.extend(events[..taken].iter().map(shown));
            position = Some(events[taken - 1].position);
        }
        told
    };
    let ((), told) = tokio::join!(trading, following);
    let expected: Vec<_> =
        (1..=480).map(|number: i32| number.to_string()).chain(["closed".to_owned()]).collect();
    assert_eq!(told, expected);
}

#[tokio::test]
async fn stream_starts_with_phase_and_ends_with_market() {
    let desk = Desk::open().await;
    let creator = desk.user().await;
    let market = desk.market(&creator, 5_000).await;
    desk.bet(&creator, &market, 0, 10).await.unwrap();
    let mut follower = Arc::clone(&desk.app).follow_market(market.market.id(), None);
    let mut told = Vec::new();
    let decide = async {
        let winner = Desk::option(&market, 0);
        desk.bet(&creator, &market, 1, 10).await.unwrap();
        desk.decide(&creator, &market, Decision::Winner(winner)).await.unwrap().result.unwrap();
    };
    assert!(matches!(follower.next(PATIENCE).await.unwrap(), Told::Events(events)
        if events.iter().map(shown).eq(["open"]) && events[0].position.sequence == 1));
    decide.await;
    loop {
        match follower.next(PATIENCE).await.unwrap() {
            Told::Events(events) => told.extend(events.iter().map(shown)),
            Told::Nothing => {}
            Told::End => break,
        }
    }
    assert_eq!(told, ["2", "resolved"]);
}

#[tokio::test]
async fn commits_of_other_processes_are_streamed() {
    let desk = Desk::open().await;
    let creator = desk.user().await;
    let market = desk.market(&creator, 5_000).await;
    let other = desk.second_node(settings()).await;
    let mut follower = Arc::clone(&other).follow_market(market.market.id(), BEGINNING);
    assert!(matches!(follower.next(Duration::ZERO).await.unwrap(), Told::Nothing));
    desk.bet(&creator, &market, 0, 10).await.unwrap();
    assert!(matches!(follower.next(PATIENCE).await.unwrap(), Told::Events(events)
        if events.iter().map(shown).eq(["1"])));
}

#[tokio::test]
async fn follower_far_behind_gets_every_event() {
    let desk = Desk::open().await;
    let creator = desk.user().await;
    let market = desk.market(&creator, 5_000).await;
    // Another follower, so that only the newest bets are kept.
    let mut ahead = Arc::clone(&desk.app).follow_market(market.market.id(), BEGINNING);
    let traders = [creator.clone(), desk.user().await];
    for _ in 0..10 {
        bet_many(&desk, &traders, &market, 20).await;
        let Told::Events(events) = ahead.next(PATIENCE).await.unwrap() else { panic!("there were bets") };
        assert!(!events.is_empty());
    }
    let (mut told, mut position) = (Vec::new(), BEGINNING);
    while told.len() < 400 {
        let events = next(&desk.app, &market, position).await;
        position = events.last().map(|event| event.position);
        told.extend(events.iter().map(shown));
    }
    assert_eq!(told, (1..=400).map(|number: i32| number.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn follower_too_far_behind_gets_a_gap() {
    let desk = Desk::open().await;
    let creator = desk.user().await;
    let market = desk.market(&creator, 5_000).await;
    let mut traders = vec![creator.clone()];
    for _ in 1..5 {
        traders.push(desk.user().await);
    }
    bet_many(&desk, &traders, &market, 402).await;
    let all = next(&desk.app, &market, Some(MarketPosition { sequence: 10, phase: Phase::Open })).await;
    assert_eq!(shown(&all[0]), "11", "2,000 are replayed");
    let gap = next(&desk.app, &market, Some(MarketPosition { sequence: 9, phase: Phase::Open })).await;
    let [MarketEvent { position, news: MarketNews::Gap { first: 10, last: 10 } }] = gap[..] else {
        panic!("{gap:?}")
    };
    let rest = next(&desk.app, &market, Some(position)).await;
    assert_eq!(shown(&rest[0]), "11");
    let gap = next(&desk.app, &market, BEGINNING).await;
    assert!(matches!(gap[..], [MarketEvent { news: MarketNews::Gap { first: 1, last: 10 }, .. }]), "{gap:?}");
}

#[tokio::test]
async fn stream_ends_with_server_or_deleted_market() {
    let desk = Desk::open().await;
    let creator = desk.user().await;
    let market = desk.market(&creator, 5_000).await;
    let mut follower = Arc::clone(&desk.app).follow_market(market.market.id(), BEGINNING);
    let (told, ()) = tokio::join!(follower.next(PATIENCE), async { desk.app.end_following() });
    assert!(matches!(told.unwrap(), Told::End));
    let other = desk.second_node(settings()).await;
    desk.app.delete_market(&creator, market.market.id()).await.unwrap();
    let mut follower = other.follow_market(market.market.id(), BEGINNING);
    assert!(matches!(follower.next(PATIENCE).await.unwrap(), Told::End));
}
