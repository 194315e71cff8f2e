//! Batches of payments, atomic or independent; and client ids.

use foretell_application::writer::{BatchMode, Mint, Payment, PaymentBatch};
use foretell_application::{AppError, ApplicationSettings, Caller};
use foretell_domain::account::{Account, MAX_CIRCULATION_MINOR, MAX_MINTED_MINOR};
use foretell_domain::error::{Code, DomainError};
use foretell_domain::id::{BetId, TransferId};
use foretell_domain::transfer::{Transfer, TransferError};
use foretell_domain::user::Role;
use foretell_ports::ledger::LedgerQueries as _;

use crate::support::{Fixture, GRANT, amount, confirmation, settings};

type Results = Vec<Result<Transfer, DomainError>>;

/// Sends a batch of payments under a new key.
async fn send(
    fixture: &Fixture,
    caller: &Caller,
    mode: BatchMode,
    payments: &[Payment],
) -> Results {
    let batch = PaymentBatch::new(mode, payments.to_vec()).unwrap();
    fixture.app.ledger.pay_batch(caller, fixture.key(), batch).await.unwrap().result.unwrap()
}

fn codes(results: &Results) -> Vec<Result<(), Code>> {
    results.iter().map(|result| result.as_ref().map(drop).map_err(DomainError::code)).collect()
}

async fn accounts(fixture: &Fixture, users: [&Caller; 3]) -> Vec<Account> {
    let mut accounts = Vec::new();
    for user in users {
        accounts.push(fixture.memory.find_account(user.account_id).await.unwrap().unwrap().account);
    }
    accounts
}

#[tokio::test]
async fn an_atomic_batch_pays_all_in_order() {
    let fixture = Fixture::open().await;
    let (ann, ben) = (fixture.user().await, fixture.user().await);
    let payments = [1, 20, 300].map(|minor| Fixture::payment(&ann, &ben, minor));
    let results = send(&fixture, &ann, BatchMode::Atomic, &payments).await;
    let versions: Vec<_> =
        results.iter().map(|result| result.as_ref().unwrap().debit.version).collect();
    assert_eq!(versions, [2, 3, 4], "after the grant");
    assert_eq!(fixture.balances([&ann, &ben]).await, [GRANT - 321, GRANT + 321]);
    fixture.audit().await;
}

#[tokio::test]
async fn rejected_atomic_batch_changes_nothing() {
    let fixture = Fixture::open().await;
    let (ann, ben, cem) = (fixture.user().await, fixture.user().await, fixture.user().await);
    let before = (accounts(&fixture, [&ann, &ben, &cem]).await, fixture.audit().await);
    let chosen = fixture.ids.client();
    let payments = [
        Payment { client_id: Some(chosen), ..Fixture::payment(&ann, &ben, 10) },
        Fixture::payment(&ann, &cem, 20),
        Fixture::payment(&ann, &ben, GRANT),
        Fixture::payment(&ann, &ben, 1),
    ];
    let results = send(&fixture, &ann, BatchMode::Atomic, &payments).await;
    let aborted = Err(Code::BatchAborted);
    assert_eq!(codes(&results), [aborted, aborted, Err(Code::InsufficientFunds), aborted]);
    let after = (accounts(&fixture, [&ann, &ben, &cem]).await, fixture.audit().await);
    assert_eq!(before, after, "balances, versions and transfers are as they were");
    let again = send(&fixture, &ann, BatchMode::Atomic, &payments[..2]).await;
    assert_eq!(again[0].as_ref().unwrap().client_id, Some(chosen), "its id is free again");
    assert_eq!(again[0].as_ref().unwrap().debit.version, 2);
    fixture.audit().await;
}

#[tokio::test]
async fn rolled_back_money_is_available_in_unit() {
    let fixture = Fixture::open().await;
    let (ann, ben, cem) = (fixture.user().await, fixture.user().await, fixture.user().await);
    let chosen = fixture.ids.client();
    let failing = [
        Payment { client_id: Some(chosen), ..Fixture::payment(&ann, &ben, GRANT - 5) },
        Fixture::payment(&ann, &ben, 1),
    ];
    let batch = PaymentBatch::new(BatchMode::Atomic, failing.to_vec()).unwrap();
    let single = Payment { client_id: Some(chosen), ..Fixture::payment(&ann, &cem, GRANT - 5) };
    let commands: [futures::future::BoxFuture<'_, Results>; 3] = [
        Box::pin(async { vec![fixture.pay(&ann, &ben, 5).await] }),
        Box::pin(async {
            fixture.app.ledger.pay_batch(&ann, fixture.key(), batch).await.unwrap().result.unwrap()
        }),
        Box::pin(async { vec![fixture.send(&ann, single).await.unwrap().result] }),
    ];
    let (answers, units) = fixture.together(commands).await;
    assert_eq!(units, 1);
    assert_eq!(codes(&answers[0]), [Ok(())]);
    assert_eq!(codes(&answers[1]), [Err(Code::BatchAborted), Err(Code::InsufficientFunds)]);
    assert_eq!(codes(&answers[2]), [Ok(())], "neither the money nor the id is gone");
    assert_eq!(fixture.balances([&ann, &ben, &cem]).await, [0, GRANT + 5, 2 * GRANT - 5]);
    fixture.audit().await;
}

#[tokio::test]
async fn independent_batch_continues_after_rejection() {
    let fixture = Fixture::open().await;
    let (ann, ben) = (fixture.user().await, fixture.user().await);
    let payments = [10, GRANT, 20, GRANT - 30].map(|minor| Fixture::payment(&ann, &ben, minor));
    let results = send(&fixture, &ann, BatchMode::Independent, &payments).await;
    assert_eq!(codes(&results), [Ok(()), Err(Code::InsufficientFunds), Ok(()), Ok(())]);
    assert_eq!(fixture.balances([&ann, &ben]).await, [0, 2 * GRANT]);
    fixture.audit().await;
}

#[tokio::test]
async fn client_id_is_unique_per_paying_account() {
    let fixture = Fixture::open().await;
    let (ann, ben) = (fixture.user().await, fixture.user().await);
    let chosen = fixture.ids.client();
    let payment = Payment { client_id: Some(chosen), ..Fixture::payment(&ann, &ben, 10) };
    let taken = DomainError::Transfer(TransferError::Duplicate(chosen));
    // Twice in one batch command, which makes an atomic one fail.
    let twice = [payment.clone(), payment.clone()];
    let results = send(&fixture, &ann, BatchMode::Atomic, &twice).await;
    assert_eq!(codes(&results), [Err(Code::BatchAborted), Err(Code::Duplicate)]);
    let results = send(&fixture, &ann, BatchMode::Independent, &twice).await;
    assert_eq!((results[0].as_ref().unwrap().client_id, &results[1]), (Some(chosen), &Err(taken)));
    // By another command of the same unit, and by one of a later unit; another user may use it too.
    let theirs = Payment { client_id: Some(chosen), ..Fixture::payment(&ben, &ann, 3) };
    let other = fixture.ids.client();
    let fresh = Payment { client_id: Some(other), ..payment.clone() };
    let commands = [(&ann, &fresh), (&ann, &fresh), (&ben, &theirs)];
    let (answers, units) = fixture
        .together(commands.map(|(caller, payment)| fixture.send(caller, payment.clone())))
        .await;
    let results: Results = answers.into_iter().map(|answer| answer.unwrap().result).collect();
    assert_eq!((units, codes(&results)), (1, vec![Ok(()), Err(Code::Duplicate), Ok(())]));
    assert_eq!(fixture.send(&ann, payment).await.unwrap().result, Err(taken));
    assert_eq!(fixture.balances([&ann, &ben]).await, [GRANT - 17, GRANT + 17]);
    let named = TransferId::from_u128(chosen.as_u128());
    for (caller, minor) in [(&ann, 10), (&ben, 3)] {
        assert_eq!(
            fixture.app.ledger.get_transfer(caller, named).await.unwrap().transfer.amount,
            amount(minor)
        );
    }
    fixture.audit().await;
}

#[tokio::test]
async fn client_id_is_unique_per_trading_account() {
    let fixture = Fixture::open().await;
    let (ann, ben) = (fixture.user().await, fixture.user().await);
    let market = fixture.market(&ann, 1_000).await;
    let target = foretell_application::TradeTarget {
        client_id: Some(fixture.ids.client()),
        ..Fixture::target(&market)
    };
    let order = Fixture::order(&market, 0, 100);
    let bet = || fixture.app.trading.place_bet(&ben, fixture.key(), target, order);
    let (answers, units) = fixture.together([bet(), bet()]).await;
    let results: Vec<_> = answers.into_iter().map(|answer| answer.unwrap().result).collect();
    assert_eq!(units, 1);
    assert_eq!(results[0].as_ref().unwrap().bet.client_id, target.client_id);
    assert_eq!(results[1].as_ref().unwrap_err().code(), Code::Duplicate);
    let option_id = Fixture::option(&market, 0);
    let quantity = foretell_domain::market::Quantity::All;
    let sale = foretell_domain::market::SellOrder { option_id, quantity, min_proceeds: None };
    let sold = fixture.app.trading.sell_shares(&ben, fixture.key(), target, sale).await.unwrap();
    assert_eq!(sold.result.unwrap_err().code(), Code::Duplicate, "bets and sales share their ids");
    assert_eq!(fixture.balance(ben.account_id).await, GRANT - 100);
    let named = BetId::from_u128(target.client_id.unwrap().as_u128());
    let stored = fixture.app.markets.find_bet(Some(&ben), named).await.unwrap();
    assert_eq!(stored.as_ref(), results[0].as_ref().ok().map(|receipt| &receipt.bet));
    for other in [None, Some(&ann)] {
        assert_eq!(
            fixture.app.markets.find_bet(other, named).await.unwrap(),
            None,
            "another's looks like none"
        );
    }
    let own = fixture
        .app
        .trading
        .place_bet(&ann, fixture.key(), target, order)
        .await
        .unwrap()
        .result
        .unwrap()
        .bet;
    assert_eq!(fixture.app.markets.find_bet(Some(&ann), named).await.unwrap(), Some(own));
}

#[tokio::test]
async fn closed_account_takes_no_part_in_payments() {
    let fixture = Fixture::open().await;
    let (ann, ben, admin) = (fixture.user().await, fixture.user().await, fixture.admin().await);
    fixture.app.identity.erase_user(&ann, ann.user.id, confirmation()).await.unwrap();
    let closed = DomainError::Transfer(TransferError::AccountClosed(ann.account_id));
    assert_eq!(fixture.pay(&ben, &ann, 1).await, Err(closed));
    let mint = Mint { to: ann.account_id, amount: amount(1) };
    assert_eq!(
        fixture.app.ledger.mint(&admin, fixture.key(), mint).await.unwrap().result,
        Err(closed)
    );
    assert_eq!(fixture.balances([&ann, &ben]).await, [GRANT, GRANT]);
    fixture.audit().await;
}

#[tokio::test]
async fn mints_leave_room_for_grants() {
    let fixture = Fixture::open().await;
    let (ann, admin) = (fixture.user().await, fixture.admin().await);
    let mint = async |minor: i64| {
        let mint = Mint { to: ann.account_id, amount: amount(minor) };
        fixture.app.ledger.mint(&admin, fixture.key(), mint).await.unwrap().result
    };
    let limit = Err(DomainError::Transfer(TransferError::CirculationLimit));
    for minor in [i64::MAX, 9_223_372_036_854_000_000, MAX_MINTED_MINOR] {
        assert_eq!(mint(minor).await, limit, "{minor}");
    }
    mint(MAX_MINTED_MINOR - 2 * GRANT).await.unwrap();
    assert_eq!(mint(1).await, limit);
    let ben = fixture.user().await;
    assert_eq!(fixture.balance(ben.account_id).await, GRANT);
    fixture.audit().await;
}

#[tokio::test]
async fn registration_beyond_grant_limit_is_rejected() {
    let greedy =
        ApplicationSettings { signup_grant: Some(amount(MAX_CIRCULATION_MINOR)), ..settings() };
    let fixture = Fixture::open_with(greedy).await;
    fixture.user().await;
    let refused = fixture.app.identity.register_user(fixture.registration(Role::User)).await;
    let limit = DomainError::Transfer(TransferError::CirculationLimit);
    assert!(matches!(refused, Err(AppError::Refused(refusal)) if refusal == limit), "{refused:?}");
    fixture.audit().await;
}
