//! Undone settlements: all money goes back, once, wherever the undoing is interrupted.

use std::sync::Arc;

use foretell_application::SettlementRunner;
use foretell_application::writer::{Burn, Decision, Receipt};
use foretell_domain::error::DomainError;
use foretell_domain::id::{AccountId, MarketId};
use foretell_domain::market::{MarketError, Phase, Resolution, ResolutionStatus};
use foretell_domain::text::{Memo, Reason};
use foretell_domain::transfer::TransferKind;
use foretell_ports::market::MarketQueries as _;
use foretell_ports::page::{PageRequest, PageStart};
use foretell_testkit::faults::Fault;

use crate::support::{Crowd, Fixture, GRANT, amount, eventually, settings};
use foretell_application::{ApplicationSettings, Caller};

async fn undo(fixture: &Fixture, by: &Caller, market: MarketId) -> Result<Resolution, DomainError> {
    let reason = Reason::new("It did not rain.").unwrap();
    let undone = fixture.app.markets.undo_settlement(by, fixture.key(), market, reason).await;
    let Receipt { result, .. } = undone.unwrap();
    result
}

async fn phase(fixture: &Fixture, market: MarketId) -> Phase {
    fixture.app.markets.get_market(market).await.unwrap().market.record().phase
}

/// Returns the balances of a market's pot, its creator, the fees account and all traders.
async fn balances(fixture: &Fixture, crowd: &Crowd) -> Vec<i64> {
    let mut balances = vec![
        fixture.pot(crowd.id()).await,
        fixture.balance(crowd.creator.account_id).await,
        fixture.balance(AccountId::FEES).await,
    ];
    for trader in &crowd.traders {
        balances.push(fixture.balance(trader.caller.account_id).await);
    }
    balances
}

#[tokio::test]
async fn undone_market_is_decided_again() {
    let fixture = Fixture::open_with(ApplicationSettings { fee_bps: 250, ..settings() }).await;
    let (crowd, admin) = (Crowd::gather(&fixture, 700).await, fixture.admin().await);
    let before = balances(&fixture, &crowd).await;
    for (option, decision) in [
        (0, Decision::Winner(Fixture::option(&crowd.market, 0))),
        (1, Decision::Cancel),
        (2, Decision::Winner(Fixture::option(&crowd.market, 1))),
    ] {
        let decided = fixture.decide(&crowd.creator, &crowd.market, decision).await.unwrap();
        decided.result.unwrap();
        assert_ne!(balances(&fixture, &crowd).await, before, "{option}");
        let undone = undo(&fixture, &admin, crowd.id()).await.unwrap();
        assert_eq!((undone.number, undone.status), (option + 1, ResolutionStatus::Undone));
        assert_eq!(balances(&fixture, &crowd).await, before, "{option}");
        assert_eq!(phase(&fixture, crowd.id()).await, Phase::Closed);
        let again = undo(&fixture, &admin, crowd.id()).await;
        assert_eq!(again, Err(MarketError::NotDecided { phase: Phase::Closed }.into()));
        fixture.audit().await;
    }
    let rows = fixture.resolutions(crowd.id()).await;
    assert!(rows.iter().all(|row| row.undo.as_ref().unwrap().completed_at.is_some()));
}

#[tokio::test]
async fn interrupted_undo_resumes_and_takes_back_once() {
    for sets in 0..3 {
        let fixture = Fixture::open().await;
        let (crowd, admin) = (Crowd::gather(&fixture, 1_800).await, fixture.admin().await);
        let before = balances(&fixture, &crowd).await;
        let winner = Decision::Winner(Fixture::option(&crowd.market, 0));
        let decided = fixture.decide(&crowd.creator, &crowd.market, winner.clone()).await.unwrap();
        decided.result.unwrap();
        fixture.fail_after(1 + sets, Fault::Unavailable);
        undo(&fixture, &admin, crowd.id()).await.unwrap();
        assert_eq!(phase(&fixture, crowd.id()).await, Phase::Resolved, "{sets}");
        let already = undo(&fixture, &admin, crowd.id()).await;
        assert_eq!(already, Err(MarketError::BeingUndone.into()), "{sets}");
        fixture.audit().await;

        let runner = SettlementRunner::start(Arc::clone(&fixture.app.markets));
        eventually(async || phase(&fixture, crowd.id()).await == Phase::Closed).await;
        runner.stop().await;
        assert_eq!(balances(&fixture, &crowd).await, before, "{sets}");
        fixture.audit().await;
    }
}

#[tokio::test]
async fn incomplete_settlement_is_undone_too() {
    let fixture = Fixture::open().await;
    let (crowd, admin) = (Crowd::gather(&fixture, 1_203).await, fixture.admin().await);
    let before = balances(&fixture, &crowd).await;
    fixture.fail_after(2, Fault::Unavailable);
    let winner = Decision::Winner(Fixture::option(&crowd.market, 0));
    let decided = fixture.decide(&crowd.creator, &crowd.market, winner).await.unwrap();
    decided.result.unwrap();
    assert_eq!(fixture.settlement(crowd.id()).await.completed_at, None);
    undo(&fixture, &admin, crowd.id()).await.unwrap();
    assert_eq!(phase(&fixture, crowd.id()).await, Phase::Closed);
    assert_eq!(balances(&fixture, &crowd).await, before);
    fixture.audit().await;
}

#[tokio::test]
async fn spent_payouts_are_covered_and_owed() {
    let fixture = Fixture::open().await;
    let (crowd, admin) = (Crowd::gather(&fixture, 4).await, fixture.admin().await);
    let winner = Decision::Winner(Fixture::option(&crowd.market, 0));
    let decided = fixture.decide(&crowd.creator, &crowd.market, winner).await.unwrap();
    decided.result.unwrap();
    // One winner gives everything away.
    let spender = crowd.traders.iter().find(|trader| trader.option == 0).unwrap();
    let (from, payout) = (spender.caller.account_id, spender.shares);
    let everything = fixture.balance(from).await;
    fixture.pay(&spender.caller, &admin, everything).await.unwrap();
    let pot = GRANT * 5 - 5_000;
    undo(&fixture, &admin, crowd.id()).await.unwrap();
    assert_eq!(fixture.balance(from).await, 0, "no balance falls below zero ({pot})");
    let page = PageRequest { start: PageStart::First, limit: 10 };
    let debts = fixture.memory.list_debts(page).await.unwrap();
    let [debt] = debts.as_slice() else { panic!("one debt: {debts:?}") };
    assert_eq!((debt.account_id, debt.amount.minor()), (from, payout));
    let statement = fixture.statement(from).await;
    assert_eq!(statement[0].kind, TransferKind::Reversal);
    assert_eq!((statement[1].kind, statement[1].id), (TransferKind::Cover, debt.transfer_id));
    let rows = fixture.resolutions(crowd.id()).await;
    assert_eq!(rows[0].undo.as_ref().unwrap().covered.minor(), payout);
    fixture.audit().await;
}

#[tokio::test]
async fn burned_money_leaves_circulation() {
    let fixture = Fixture::open().await;
    let (user, admin) = (fixture.user().await, fixture.admin().await);
    let reason = Memo::new("granted by mistake").unwrap();
    let burn =
        |minor| Burn { from: user.account_id, amount: amount(minor), reason: reason.clone() };
    let made = fixture.app.ledger.burn(&admin, fixture.key(), burn(GRANT)).await.unwrap();
    let made = made.result.unwrap();
    assert_eq!((made.kind, made.memo.clone()), (TransferKind::Burn, Some(reason.clone())));
    assert_eq!(fixture.balance(user.account_id).await, 0);
    assert!(fixture.app.ledger.burn(&admin, fixture.key(), burn(1)).await.unwrap().result.is_err());
    let reversed =
        fixture.app.ledger.reverse_transfer(&admin, fixture.key(), made.id, false).await.unwrap();
    reversed.result.unwrap();
    assert_eq!(fixture.balance(user.account_id).await, GRANT);
    fixture.audit().await;
}
