//! Idempotency keys: one effect and one result for a command however often it is sent.

use std::sync::Arc;

use foretell_application::writer::{BatchMode, Payment, PaymentBatch, Receipt, WriterSettings};
use foretell_application::{AppError, ApplicationSettings, Caller};
use foretell_domain::error::Code;
use foretell_domain::text::Memo;
use foretell_domain::transfer::Transfer;
use foretell_domain::user::{Role, User};

use crate::support::{Fixture, GRANT, amount, settings};

type PaymentResult = Result<Receipt<Transfer>, AppError>;

/// Checks that one payment of 10 was made and that every result contains it.
async fn check_one_effect(
    fixture: &Fixture,
    [from, to]: [&Caller; 2],
    answers: Vec<PaymentResult>,
) {
    let receipts: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
    assert_eq!(receipts.len(), 50);
    assert_eq!(receipts.iter().filter(|receipt| !receipt.is_replay).count(), 1, "one is the first");
    let first = receipts[0].result.clone().unwrap();
    assert!(receipts.iter().all(|receipt| receipt.result.as_ref() == Ok(&first)), "{receipts:?}");
    assert_eq!(fixture.balances([from, to]).await, [GRANT - 10, GRANT + 10]);
    fixture.audit().await;
}

#[tokio::test]
async fn fifty_submissions_in_one_batch_have_one_effect() {
    let fixture = Fixture::open().await;
    let (ann, ben) = (fixture.user().await, fixture.user().await);
    let (key, payment) = (fixture.key(), Fixture::payment(&ann, &ben, 10));
    let payments = (0..50).map(|_| fixture.app.ledger.pay(&ann, key.clone(), payment.clone()));
    let (answers, units) = fixture.together(payments).await;
    assert_eq!(units, 1);
    check_one_effect(&fixture, [&ann, &ben], answers).await;
}

#[tokio::test]
async fn fifty_submissions_across_batches_have_one_effect() {
    let writer = WriterSettings { batch_size: 7, ..settings().writer };
    let fixture = Fixture::open_with(ApplicationSettings { writer, ..settings() }).await;
    let (ann, ben) = (fixture.user().await, fixture.user().await);
    let (key, payment) = (fixture.key(), Fixture::payment(&ann, &ben, 10));
    let payments = (0..50).map(|_| fixture.app.ledger.pay(&ann, key.clone(), payment.clone()));
    let (answers, units) = fixture.together(payments).await;
    assert_eq!(units, 8);
    check_one_effect(&fixture, [&ann, &ben], answers).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_concurrent_submissions_have_one_effect() {
    let writer = WriterSettings { lanes: 4, ..settings().writer };
    let settings = ApplicationSettings { writer, ..settings() };
    let fixture = Fixture::open_with(settings.clone()).await;
    let (ann, ben) = (fixture.user().await, fixture.user().await);
    let nodes = [Arc::clone(&fixture.app), fixture.second_node(settings).await];
    let (key, payment) = (fixture.key(), Fixture::payment(&ann, &ben, 10));
    let send = |number: usize| {
        let (node, ann) = (Arc::clone(&nodes[number % 2]), ann.clone());
        let (key, payment) = (key.clone(), payment.clone());
        tokio::spawn(async move { node.ledger.pay(&ann, key, payment).await })
    };
    let tasks: Vec<_> = (0..50).map(send).collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    check_one_effect(&fixture, [&ann, &ben], answers).await;
}

#[tokio::test]
async fn key_with_another_command_is_rejected() {
    let fixture = Fixture::open().await;
    let (ann, ben) = (fixture.user().await, fixture.user().await);
    let (key, first) = (fixture.key(), Fixture::payment(&ann, &ben, 10));
    let memo = Memo::new("for lunch").unwrap();
    let others = [
        Payment { amount: amount(11), ..first.clone() },
        Payment { memo: Some(memo), ..first.clone() },
        Payment { client_id: Some(fixture.ids.client()), ..first.clone() },
        Payment { to: ann.account_id, from: ben.account_id, ..first.clone() },
    ];
    let all = [std::slice::from_ref(&first), &others].concat();
    let (answers, units) = fixture
        .together(
            all.iter().map(|payment| fixture.app.ledger.pay(&ann, key.clone(), payment.clone())),
        )
        .await;
    assert_eq!(units, 1);
    answers[0].as_ref().unwrap().result.as_ref().unwrap();
    assert!(
        answers[1..].iter().all(|answer| matches!(answer, Err(AppError::KeyReused))),
        "{answers:?}"
    );
    for other in others {
        let answer = fixture.app.ledger.pay(&ann, key.clone(), other).await;
        assert!(matches!(answer, Err(AppError::KeyReused)), "{answer:?}");
    }
    let batch = PaymentBatch::new(BatchMode::Atomic, vec![first.clone()]).unwrap();
    let answer = fixture.app.ledger.pay_batch(&ann, key.clone(), batch).await;
    assert!(matches!(answer, Err(AppError::KeyReused)), "{answer:?}");
    assert!(
        fixture.app.ledger.pay(&ann, key, first).await.unwrap().is_replay,
        "the first command keeps its key"
    );
    assert_eq!(fixture.balance(ben.account_id).await, GRANT + 10);
}

#[tokio::test]
async fn a_key_belongs_to_its_user() {
    let fixture = Fixture::open().await;
    let (ann, ben) = (fixture.user().await, fixture.user().await);
    let (key, to_ben, to_ann) =
        (fixture.key(), Fixture::payment(&ann, &ben, 10), Fixture::payment(&ben, &ann, 3));
    assert!(!fixture.app.ledger.pay(&ann, key.clone(), to_ben).await.unwrap().is_replay);
    assert!(!fixture.app.ledger.pay(&ben, key, to_ann).await.unwrap().is_replay);
    assert_eq!(fixture.balances([&ann, &ben]).await, [GRANT - 7, GRANT + 7]);
}

#[tokio::test]
async fn rejections_are_replayed() {
    let fixture = Fixture::open().await;
    let (ann, ben) = (fixture.user().await, fixture.user().await);
    let (key, payment) = (fixture.key(), Fixture::payment(&ann, &ben, GRANT + 1));
    let refused = fixture.app.ledger.pay(&ann, key.clone(), payment.clone()).await.unwrap();
    assert_eq!(refused.result.as_ref().unwrap_err().code(), Code::InsufficientFunds);
    fixture.pay(&ben, &ann, 100).await.unwrap();
    let again = fixture.app.ledger.pay(&ann, key, payment.clone()).await.unwrap();
    assert_eq!(again, Receipt { is_replay: true, ..refused });
    let fresh = fixture.send(&ann, payment).await.unwrap();
    assert!(!fresh.is_replay && fresh.result.is_ok(), "under another key it is another command");
}

#[tokio::test]
async fn generated_ids_are_not_part_of_hash() {
    let fixture = Fixture::open().await;
    let ann = fixture.user().await;
    let (key, opening) = (fixture.key(), fixture.opening(1_000));
    let first = fixture.app.markets.open_market(&ann, key.clone(), opening.clone()).await.unwrap();
    let again = fixture.app.markets.open_market(&ann, key, opening).await.unwrap();
    assert_eq!(again, Receipt { is_replay: true, ..first });
    assert_eq!(fixture.balance(ann.account_id).await, GRANT - 1_000);
}

#[tokio::test]
async fn repeated_bet_returns_first_receipt_exactly() {
    let fixture = Fixture::open().await;
    let (ann, ben) = (fixture.user().await, fixture.user().await);
    let market = fixture.market(&ann, 1_000).await;
    let (key, order) = (fixture.key(), Fixture::order(&market, 0, 100));
    let first = fixture
        .app
        .trading
        .place_bet(&ben, key.clone(), Fixture::target(&market), order)
        .await
        .unwrap();
    let again =
        fixture.app.trading.place_bet(&ben, key, Fixture::target(&market), order).await.unwrap();
    assert_eq!(again, Receipt { is_replay: true, ..first });
    assert_eq!(fixture.balance(ben.account_id).await, GRANT - 100);
}

#[tokio::test]
async fn role_and_fee_are_not_part_of_hash() {
    let fixture = Fixture::open().await;
    let (ann, ben) = (fixture.user().await, fixture.user().await);
    let (key, payment) = (fixture.key(), Fixture::payment(&ann, &ben, 10));
    let first = fixture.app.ledger.pay(&ann, key.clone(), payment.clone()).await.unwrap();
    let promoted = Caller { user: User { role: Role::Admin, ..ann.user.clone() }, ..ann.clone() };
    let again = fixture.app.ledger.pay(&promoted, key, payment).await.unwrap();
    assert_eq!(again, Receipt { is_replay: true, ..first });
    let (key, opening) = (fixture.key(), fixture.opening(1_000));
    let first = fixture.app.markets.open_market(&ann, key.clone(), opening.clone()).await.unwrap();
    let dearer = fixture.second_node(ApplicationSettings { fee_bps: 100, ..settings() }).await;
    let again = dearer.markets.open_market(&ann, key, opening).await.unwrap();
    assert_eq!(again, Receipt { is_replay: true, ..first });
}

#[tokio::test]
async fn equal_amounts_have_equal_hashes() {
    let fixture = Fixture::open().await;
    let (ann, ben) = (fixture.user().await, fixture.user().await);
    let (key, currency) = (fixture.key(), &fixture.app.settings().currency);
    let mut replays = Vec::new();
    for text in ["12.5", "12.50", "012.50"] {
        let amount = currency.parse_amount(text).unwrap();
        let payment = Payment { amount, ..Fixture::payment(&ann, &ben, 1) };
        replays.push(fixture.app.ledger.pay(&ann, key.clone(), payment).await.unwrap().is_replay);
    }
    assert_eq!(replays, [false, true, true]);
    assert_eq!(fixture.balance(ben.account_id).await, GRANT + 1_250);
}

#[tokio::test]
async fn repetition_after_restart_returns_first_result() {
    let fixture = Fixture::open().await;
    let (ann, ben) = (fixture.user().await, fixture.user().await);
    let (key, payment) = (fixture.key(), Fixture::payment(&ann, &ben, 10));
    let first = fixture.app.ledger.pay(&ann, key.clone(), payment.clone()).await.unwrap();
    fixture.app.operations.drain().await;
    fixture.clock.advance_seconds(86_400);
    let again = fixture.second_node(settings()).await.ledger.pay(&ann, key, payment).await.unwrap();
    assert_eq!(again, Receipt { is_replay: true, ..first });
}

#[tokio::test]
async fn key_is_reusable_after_outcome_is_purged() {
    let fixture = Fixture::open().await;
    let (ann, ben) = (fixture.user().await, fixture.user().await);
    let (old, recent) = (fixture.key(), fixture.key());
    let payment = Fixture::payment(&ann, &ben, 10);
    fixture.app.ledger.pay(&ann, old.clone(), payment.clone()).await.unwrap().result.unwrap();
    fixture.clock.advance_seconds(7 * 86_400);
    fixture.app.ledger.pay(&ann, recent.clone(), payment.clone()).await.unwrap().result.unwrap();
    fixture.clock.advance_seconds(1);
    assert!(
        fixture.app.ledger.pay(&ann, old.clone(), payment.clone()).await.unwrap().is_replay,
        "not purged yet"
    );
    fixture.app.jobs.add_scheduled_jobs(None).await.unwrap();
    assert!(fixture.work().await.is_empty());
    let replays = [recent, old].map(|key| fixture.app.ledger.pay(&ann, key, payment.clone()));
    let replays = futures::future::join_all(replays)
        .await
        .into_iter()
        .map(|answer| answer.unwrap().is_replay);
    assert_eq!(replays.collect::<Vec<_>>(), [true, false]);
}

/// Clients can choose any key: registrations are stored under keys that are not valid for clients.
#[tokio::test]
async fn clients_may_choose_any_valid_key() {
    let fixture = Fixture::open().await;
    let (ann, ben) = (fixture.user().await, fixture.user().await);
    for key in ["registration", "Registration", " ", "é", &"k".repeat(255)] {
        let receipt =
            fixture.app.ledger.pay(&ann, key.to_owned(), Fixture::payment(&ann, &ben, 10)).await;
        assert!(receipt.is_ok_and(|receipt| !receipt.is_replay), "{key}");
    }
    assert_eq!(fixture.balance(ben.account_id).await, GRANT + 50);
}
