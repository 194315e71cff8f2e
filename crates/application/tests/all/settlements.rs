//! Settlements: every holder is paid once, set by set, wherever a settlement is interrupted.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use foretell_application::writer::Decision;
use foretell_application::{ApplicationSettings, SettlementRunner};
use foretell_domain::error::{Code, DomainError};
use foretell_domain::id::AccountId;
use foretell_domain::market::{Evidence, MarketError, Phase};
use foretell_domain::transfer::TransferKind;
use foretell_testkit::faults::{Fault, Insert};

use crate::support::{Crowd, Fixture, GRANT, Trader, settings, take_one};

/// Returns the payout of a trader if the first option wins.
fn won(trader: &Trader) -> i64 {
    if trader.option == 0 { trader.shares } else { 0 }
}

/// Interrupts the settlement of a market with 1,203 holders after `sets` sets, and resumes it in
/// the background.
async fn check_stop_after(sets: usize) {
    let fixture = Fixture::open().await;
    let crowd = Crowd::gather(&fixture, 1_203).await;
    let winner = Fixture::option(&crowd.market, 0);
    fixture.fail_after(1 + sets, Fault::Unavailable);
    let decided =
        fixture.decide(&crowd.creator, &crowd.market, Decision::Winner(winner)).await.unwrap();
    decided.result.unwrap();
    let read = fixture.app.markets.get_market(crowd.id()).await.unwrap();
    assert_eq!(
        read.market.record().phase,
        Phase::Resolved,
        "resolved for reading, though not all are paid"
    );
    let (_, settlement) = fixture.app.markets.find_settlement(crowd.id()).await.unwrap();
    let settlement = settlement.expect("it is decided");
    assert_eq!(settlement.completed_at, None);
    let dealt_with = &crowd.traders[..500 * sets];
    let winners = dealt_with.iter().filter(|trader| trader.option == 0).count();
    assert_eq!(
        settlement.holders_paid,
        i64::try_from(winners).unwrap(),
        "stopped after {sets} sets"
    );
    assert_eq!(settlement.cursor, dealt_with.last().map(|trader| trader.caller.account_id));
    fixture.audit().await;

    let settlement_runner = SettlementRunner::start(Arc::clone(&fixture.app.markets));
    fixture.settled(crowd.id()).await;
    settlement_runner.stop().await;
    crowd.check_paid(&fixture, TransferKind::Payout, won).await;
}

#[tokio::test]
async fn interrupted_settlement_resumes_and_pays_everyone_once() {
    for sets in 0..3 {
        check_stop_after(sets).await;
    }
}

#[tokio::test]
async fn small_market_is_settled_within_request() {
    let fixture = Fixture::open().await;
    let crowd = Crowd::gather(&fixture, 1_203).await;
    let winner = Fixture::option(&crowd.market, 0);
    let before = fixture.batches();
    fixture
        .decide(&crowd.creator, &crowd.market, Decision::Winner(winner))
        .await
        .unwrap()
        .result
        .unwrap();
    assert_eq!(fixture.batches() - before, 4, "the decision and three sets of at most 500");
    crowd.check_paid(&fixture, TransferKind::Payout, won).await;
}

#[tokio::test]
async fn full_last_set_is_followed_by_empty() {
    let fixture = Fixture::open().await;
    let crowd = Crowd::gather(&fixture, 500).await;
    let winner = Fixture::option(&crowd.market, 0);
    let before = fixture.batches();
    fixture
        .decide(&crowd.creator, &crowd.market, Decision::Winner(winner))
        .await
        .unwrap()
        .result
        .unwrap();
    assert_eq!(fixture.batches() - before, 3);
    crowd.check_paid(&fixture, TransferKind::Payout, won).await;
}

#[tokio::test]
async fn second_run_pays_nothing() {
    let fixture = Fixture::open().await;
    let crowd = Crowd::gather(&fixture, 12).await;
    let winner = Fixture::option(&crowd.market, 0);
    let (key, decision) = (fixture.key(), Decision::Winner(winner));
    let first = fixture
        .app
        .markets
        .decide_market(
            &crowd.creator,
            key.clone(),
            crowd.id(),
            decision.clone(),
            Evidence::default(),
        )
        .await
        .unwrap();
    let before = (fixture.audit().await, fixture.settlement(crowd.id()).await);
    let again = fixture
        .app
        .markets
        .decide_market(&crowd.creator, key, crowd.id(), decision, Evidence::default())
        .await
        .unwrap();
    assert_eq!((again.is_replay, &again.result), (true, &first.result));
    for decision in [Decision::Winner(winner), Decision::Cancel] {
        let refused = fixture.decide(&crowd.creator, &crowd.market, decision).await.unwrap().result;
        let already = MarketError::AlreadyDecided { phase: Phase::Resolved };
        assert_eq!(refused.unwrap_err(), DomainError::Market(already));
    }
    let settlement_runner = SettlementRunner::start(Arc::clone(&fixture.app.markets));
    settlement_runner.stop().await;
    assert_eq!((fixture.audit().await, fixture.settlement(crowd.id()).await), before);
    crowd.check_paid(&fixture, TransferKind::Payout, won).await;
}

#[tokio::test]
async fn settlement_runners_of_two_nodes_pay_once() {
    let fixture = Fixture::open().await;
    let crowd = Crowd::gather(&fixture, 1_203).await;
    let winner = Fixture::option(&crowd.market, 0);
    fixture.fail_after(1, Fault::Unavailable);
    fixture
        .decide(&crowd.creator, &crowd.market, Decision::Winner(winner))
        .await
        .unwrap()
        .result
        .unwrap();
    let nodes = [
        Arc::clone(&fixture.app),
        fixture.second_node(settings()).await,
        fixture.second_node(settings()).await,
    ];
    let settlement_runners = nodes.map(|node| SettlementRunner::start(Arc::clone(&node.markets)));
    fixture.settled(crowd.id()).await;
    for settlement_runner in settlement_runners {
        settlement_runner.stop().await;
    }
    crowd.check_paid(&fixture, TransferKind::Payout, won).await;
}

#[tokio::test]
async fn two_steps_in_one_unit_pay_one_set() {
    let fixture = Fixture::open().await;
    let crowd = Crowd::gather(&fixture, 600).await;
    let winner = Fixture::option(&crowd.market, 0);
    fixture.fail_after(1, Fault::Unavailable);
    fixture
        .decide(&crowd.creator, &crowd.market, Decision::Winner(winner))
        .await
        .unwrap()
        .result
        .unwrap();
    // Both find the market unsettled and request a step while the lane is busy.
    let mut settlement_runners = Vec::new();
    let begin = async {
        settlement_runners = [&fixture.app, &fixture.app]
            .map(|app| SettlementRunner::start(Arc::clone(&app.markets)))
            .into();
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    };
    let before = fixture.batches();
    fixture.while_busy(begin).await;
    fixture.settled(crowd.id()).await;
    for settlement_runner in settlement_runners {
        settlement_runner.stop().await;
    }
    // The unit that kept the lane busy, both first steps in one unit, and each second one. Had both
    // paid the same set, storage would have rejected their unit, and there would be more.
    assert!(fixture.batches() - before <= 4, "{} units", fixture.batches() - before);
    crowd.check_paid(&fixture, TransferKind::Payout, won).await;
}

#[tokio::test]
async fn failing_settlement_does_not_block_others() {
    let fixture = Fixture::open().await;
    let (first, second) = (Crowd::gather(&fixture, 5).await, Crowd::gather(&fixture, 5).await);
    for crowd in [&first, &second] {
        fixture.fail_after(1, Fault::Unavailable);
        let winner = Fixture::option(&crowd.market, 0);
        fixture
            .decide(&crowd.creator, &crowd.market, Decision::Winner(winner))
            .await
            .unwrap()
            .result
            .unwrap();
    }
    // Twice, since a rejected command is retried once.
    let spoiled = AccountId::of_market(first.id());
    let left = AtomicUsize::new(2);
    fixture.faults.reject_inserts(move |row| {
        matches!(row, Insert::Transfer(row) if row.debit.account_id == spoiled) && take_one(&left)
    });
    let settlement_runner = SettlementRunner::start(Arc::clone(&fixture.app.markets));
    fixture.settled(second.id()).await;
    fixture.settled(first.id()).await;
    settlement_runner.stop().await;
    second.check_paid(&fixture, TransferKind::Payout, won).await;
    first.check_paid(&fixture, TransferKind::Payout, won).await;
}

#[tokio::test]
async fn split_pays_parts_and_remainder_to_creator() {
    let fixture = Fixture::open().await;
    let crowd = Crowd::gather(&fixture, 30).await;
    let parts = vec![
        (Fixture::option(&crowd.market, 1), 3_333),
        (Fixture::option(&crowd.market, 0), 6_667),
    ];
    let pot = fixture.pot(crowd.id()).await;
    let before = fixture.balance(crowd.creator.account_id).await;
    let decided =
        fixture.decide(&crowd.creator, &crowd.market, Decision::Split(parts)).await.unwrap();
    decided.result.unwrap();
    let mut paid = 0;
    for trader in &crowd.traders {
        let entitlement = trader.shares * if trader.option == 0 { 6_667 } else { 3_333 };
        let received = fixture.balance(trader.caller.account_id).await - (GRANT - trader.stake);
        assert_eq!(received, entitlement / 10_000, "each holder is rounded down");
        paid += received;
    }
    assert_eq!(fixture.pot(crowd.id()).await, 0);
    assert_eq!(fixture.balance(crowd.creator.account_id).await, before + pot - paid);
    fixture.audit().await;
}

#[tokio::test]
async fn invalid_split_is_rejected() {
    let fixture = Fixture::open().await;
    let crowd = Crowd::gather(&fixture, 3).await;
    let other = fixture.market(&crowd.creator, 100).await;
    let (a, b) = (Fixture::option(&crowd.market, 0), Fixture::option(&crowd.market, 1));
    for (parts, code) in [
        (vec![], Code::ValidationError),
        (vec![(a, 9_999)], Code::ValidationError),
        (vec![(a, 5_000), (b, 5_001)], Code::ValidationError),
        (vec![(a, 5_000), (a, 5_000)], Code::ValidationError),
        (vec![(a, 5_000), (Fixture::option(&other, 0), 5_000)], Code::NotFound),
    ] {
        let refused = fixture
            .decide(&crowd.creator, &crowd.market, Decision::Split(parts.clone()))
            .await
            .unwrap();
        assert_eq!(refused.result.unwrap_err().code(), code, "{parts:?}");
    }
    let whole = Decision::Split(vec![(a, 10_000)]);
    fixture.decide(&crowd.creator, &crowd.market, whole).await.unwrap().result.unwrap();
    crowd.check_paid(&fixture, TransferKind::Payout, won).await;
}

#[tokio::test]
async fn covered_cancellation_refunds_all_stakes() {
    let fixture = Fixture::open_with(ApplicationSettings { fee_bps: 250, ..settings() }).await;
    let crowd = Crowd::gather(&fixture, 700).await;
    fixture.decide(&crowd.creator, &crowd.market, Decision::Cancel).await.unwrap().result.unwrap();
    crowd.check_paid(&fixture, TransferKind::Refund, |trader| trader.stake).await;
    assert_eq!(fixture.balance(crowd.creator.account_id).await, GRANT, "the subsidy is back");
    assert_eq!(fixture.balance(AccountId::FEES).await, 0, "fees are part of the stakes");
    let read = fixture.app.markets.get_market(crowd.id()).await.unwrap();
    assert_eq!(read.market.record().phase, Phase::Cancelled);
}

#[tokio::test]
async fn uncovered_cancellation_refunds_stakes_pro_rata() {
    let fixture = Fixture::open().await;
    let creator = fixture.user().await;
    let market = fixture.market(&creator, 200).await;
    let mut profit = 0;
    let mut late = Vec::new();
    // For each option, one trader bets early, and sells after others have moved the price.
    for (option, stakes) in [(0, [2_500, 1_501]), (1, [3_000, 2_000])] {
        let early = fixture.user().await;
        fixture.bet(&early, &market, option, 100).await.unwrap();
        for stake in stakes {
            let trader = fixture.user().await;
            fixture.bet(&trader, &market, option, stake).await.unwrap();
            late.push((trader, stake));
        }
        profit += fixture.sell_all(&early, &market, option).await.unwrap().balance.minor() - GRANT;
    }
    let stakes: i64 = late.iter().map(|(_, stake)| stake).sum();
    let pot = fixture.pot(market.market.id()).await;
    assert!(profit > 200, "profit beyond the subsidy: {profit}");
    assert_eq!(pot, 200 + stakes - profit);
    fixture.decide(&creator, &market, Decision::Cancel).await.unwrap().result.unwrap();
    let mut paid = 0;
    for (trader, stake) in &late {
        let received = fixture.balance(trader.account_id).await - (GRANT - stake);
        let exact = stake * pot / stakes;
        assert!((exact..=exact + 1).contains(&received), "{received} of {stake}");
        paid += received;
    }
    assert_eq!(
        fixture.settlement(market.market.id()).await.holders_paid,
        4,
        "who took profit gets no more"
    );
    assert_eq!(fixture.pot(market.market.id()).await, 0);
    assert_eq!(fixture.balance(creator.account_id).await, GRANT - 200 + pot - paid);
    fixture.audit().await;
}

#[tokio::test]
async fn fees_and_remainder_leave_the_pot() {
    let fixture = Fixture::open_with(ApplicationSettings { fee_bps: 250, ..settings() }).await;
    let crowd = Crowd::gather(&fixture, 40).await;
    let fees =
        fixture.app.markets.get_market(crowd.id()).await.unwrap().market.record().fees.minor();
    let pot = fixture.pot(crowd.id()).await;
    let winner = Fixture::option(&crowd.market, 1);
    fixture
        .decide(&crowd.creator, &crowd.market, Decision::Winner(winner))
        .await
        .unwrap()
        .result
        .unwrap();
    let owed = |trader: &Trader| if trader.option == 1 { trader.shares } else { 0 };
    crowd.check_paid(&fixture, TransferKind::Payout, owed).await;
    let paid: i64 = crowd.traders.iter().map(owed).sum();
    assert!(fees >= 40 * 3, "each stake of at least 100 pays at least 2.5, rounded up: {fees}");
    assert_eq!(fixture.balance(AccountId::FEES).await, fees);
    assert_eq!(fixture.balance(crowd.creator.account_id).await, GRANT - 5_000 + pot - paid - fees);
    let last: Vec<_> = fixture.statement(AccountId::of_market(crowd.id())).await;
    let kinds: Vec<_> = last.iter().take(2).map(|row| row.kind).collect();
    assert_eq!(kinds, [TransferKind::Remainder, TransferKind::Fee]);
}

#[tokio::test]
async fn market_without_bets_refunds_its_subsidy() {
    let fixture = Fixture::open().await;
    let creator = fixture.user().await;
    for decision in [true, false] {
        let market = fixture.market(&creator, 3_000).await;
        let winner = Decision::Winner(Fixture::option(&market, 0));
        let decision = if decision { winner } else { Decision::Cancel };
        fixture.decide(&creator, &market, decision).await.unwrap().result.unwrap();
        assert_eq!(fixture.balance(creator.account_id).await, GRANT);
    }
    fixture.audit().await;
}

#[tokio::test]
async fn betting_creator_gets_payout_and_remainder() {
    let fixture = Fixture::open().await;
    let (creator, moderator) = (fixture.user().await, fixture.moderator().await);
    let market = fixture.market(&creator, 1_000).await;
    fixture.bet(&creator, &market, 0, 700).await.unwrap();
    fixture
        .decide(&moderator, &market, Decision::Winner(Fixture::option(&market, 0)))
        .await
        .unwrap()
        .result
        .unwrap();
    assert_eq!(
        fixture.balance(creator.account_id).await,
        GRANT,
        "alone with the market, nothing is lost"
    );
    fixture.audit().await;
}

#[tokio::test]
async fn decided_or_ended_market_rejects_trades() {
    let fixture = Fixture::open().await;
    let crowd = Crowd::gather(&fixture, 3).await;
    let trader = &crowd.traders[0];
    let (ended, closed) =
        (fixture.market(&crowd.creator, 100).await, fixture.market(&crowd.creator, 100).await);
    fixture
        .app
        .markets
        .close_market(&crowd.creator, fixture.key(), closed.market.id())
        .await
        .unwrap()
        .result
        .unwrap();
    fixture.decide(&crowd.creator, &crowd.market, Decision::Cancel).await.unwrap().result.unwrap();
    fixture.clock.advance_seconds(86_400);
    for market in [&crowd.market, &closed, &ended] {
        let bet = fixture.bet(&trader.caller, market, 0, 10).await;
        assert_eq!(bet.unwrap_err(), DomainError::Market(MarketError::TradingEnded));
    }
    let sold = fixture.sell_all(&trader.caller, &crowd.market, trader.option).await;
    assert_eq!(sold.unwrap_err(), DomainError::Market(MarketError::TradingEnded));
    fixture.audit().await;
}
