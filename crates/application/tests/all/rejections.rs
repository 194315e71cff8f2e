//! Rejections by storage: a batch with a failing command is split until that command is alone, and
//! temporary errors change nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use foretell_application::AppError;
use foretell_domain::user::Role;
use foretell_ports::error::StoreError;
use foretell_testkit::MemoryStore;
use foretell_testkit::faults::{Fault, Insert};

use crate::support::{Fixture, GRANT, take_one};

/// Sends these many payments together, one of which storage rejects.
async fn check_poison(commands: usize, culprit: usize) {
    let fixture = Fixture::open().await;
    let (ann, ben) = (fixture.user().await, fixture.user().await);
    let poison = fixture.ids.client();
    fixture.faults.reject_inserts(
        move |row| matches!(row, Insert::Transfer(row) if row.client_id == Some(poison)),
    );
    let payments = (0..commands).map(|number| {
        let client_id = (number == culprit).then_some(poison);
        fixture.send(
            &ann,
            foretell_application::writer::Payment { client_id, ..Fixture::payment(&ann, &ben, 1) },
        )
    });
    let (answers, units) = fixture.together(payments).await;
    for (number, answer) in answers.iter().enumerate() {
        let is_internal = matches!(answer, Err(AppError::Internal(_)));
        let is_paid = answer.as_ref().is_ok_and(|receipt| receipt.result.is_ok());
        let expected = (number == culprit, number != culprit);
        assert_eq!((is_internal, is_paid), expected, "{number} of {commands}: {answer:?}");
    }
    let paid = i64::try_from(commands).unwrap() - 1;
    assert_eq!(fixture.balances([&ann, &ben]).await, [GRANT - paid, GRANT + paid]);
    // The whole, both halves of each part with the failing command, and the failing command once
    // more.
    let halvings = usize::try_from(commands.next_power_of_two().ilog2()).unwrap();
    assert!(units <= 2 + 2 * halvings, "{units} units for {commands} commands");
    fixture.audit().await;
}

#[tokio::test]
async fn rejected_batch_is_split_until_command_is_alone() {
    for culprit in [0, 1, 7, 20, 21, 42] {
        check_poison(43, culprit).await;
    }
    check_poison(256, 200).await;
    check_poison(2, 1).await;
    check_poison(1, 0).await;
}

#[tokio::test]
async fn panic_fails_only_its_command() {
    let fixture = Fixture::open().await;
    let (ann, ben) = (fixture.user().await, fixture.user().await);
    let spoiled = fixture.ids.client();
    let panics = move |row: Insert<'_>| match row {
        Insert::Transfer(row) => {
            assert_ne!(row.client_id, Some(spoiled), "ordered by a test");
            false
        }
        _ => false,
    };
    fixture.faults.reject_inserts(panics);
    let payments = [None, Some(spoiled), None].map(|client_id| {
        fixture.send(
            &ann,
            foretell_application::writer::Payment { client_id, ..Fixture::payment(&ann, &ben, 1) },
        )
    });
    let (answers, _) = fixture.together(payments).await;
    let is_internal: Vec<_> =
        answers.iter().map(|answer| matches!(answer, Err(AppError::Internal(_)))).collect();
    assert_eq!(is_internal, [false, true, false]);
    assert_eq!(fixture.balances([&ann, &ben]).await, [GRANT - 2, GRANT + 2]);
    fixture.pay(&ann, &ben, 1).await.unwrap();
    fixture.audit().await;
}

#[tokio::test]
async fn repeated_unit_has_one_effect() {
    let fixture = Fixture::open().await;
    let (ann, ben) = (fixture.user().await, fixture.user().await);
    let market = fixture.market(&ann, 1_000).await;
    let payments = (0..10).map(|number| fixture.bet(&ben, &market, number % 2, 100));
    let (answers, units) =
        fixture.together_after(|| fixture.faults.fail_next(Fault::Rerun), payments).await;
    assert_eq!(units, 1);
    for (sequence, answer) in (1..).zip(answers) {
        assert_eq!(answer.unwrap().bet.fill.sequence, sequence);
    }
    fixture.faults.fail_next(Fault::Rerun);
    fixture.user().await;
    assert_eq!(fixture.balance(ben.account_id).await, GRANT - 1_000);
    fixture.audit().await;
}

#[tokio::test]
async fn rejected_command_is_retried_once() {
    let fixture = Fixture::open().await;
    let (ann, ben) = (fixture.user().await, fixture.user().await);
    let left = Arc::new(AtomicUsize::new(1));
    let spoiled = Arc::clone(&left);
    fixture
        .faults
        .reject_inserts(move |row| matches!(row, Insert::Outcome(_)) && take_one(&spoiled));
    fixture.pay(&ann, &ben, 10).await.unwrap();
    left.store(2, Ordering::SeqCst);
    let failed = fixture.send(&ann, Fixture::payment(&ann, &ben, 100)).await;
    assert!(matches!(failed, Err(AppError::Internal(_))), "{failed:?}");
    assert_eq!(left.load(Ordering::SeqCst), 0);
    assert_eq!(fixture.balance(ben.account_id).await, GRANT + 10);
}

/// Checks that every command of a batch gets a temporary error, and nothing has changed.
async fn check_temporary(fault: Fault) {
    let fixture = Fixture::open().await;
    let (ann, ben) = (fixture.user().await, fixture.user().await);
    let before = fixture.audit().await;
    let key = fixture.key();
    let payments = (0..10).map(|number| {
        let key = if number == 0 { key.clone() } else { fixture.key() };
        fixture.app.ledger.pay(&ann, key, Fixture::payment(&ann, &ben, 1))
    });
    let (answers, units) =
        fixture.together_after(|| fixture.faults.fail_next(fault), payments).await;
    assert_eq!(units, 1, "the adapter has retried already");
    for answer in answers {
        let error = answer.unwrap_err();
        assert!(error.is_temporary(), "{fault:?}: {error:?}");
    }
    assert_eq!(fixture.audit().await, before);
    assert_eq!(fixture.balances([&ann, &ben]).await, [GRANT, GRANT]);
    let again = fixture.app.ledger.pay(&ann, key, Fixture::payment(&ann, &ben, 1)).await.unwrap();
    assert!(!again.is_replay, "the key is as good as new");
    again.result.unwrap();
}

#[tokio::test]
async fn contention_and_outage_are_temporary_errors() {
    check_temporary(Fault::Contention).await;
    check_temporary(Fault::Unavailable).await;
}

#[tokio::test]
async fn outage_is_not_stored_under_key() {
    let fixture = Fixture::open().await;
    let (ann, ben) = (fixture.user().await, fixture.user().await);
    let down: &MemoryStore = &fixture.memory;
    down.take_down();
    let failed = fixture.send(&ann, Fixture::payment(&ann, &ben, 10)).await;
    assert!(matches!(failed, Err(AppError::Store(StoreError::Unavailable(_)))), "{failed:?}");
    let registered = fixture.app.identity.register_user(fixture.registration(Role::User)).await;
    assert!(registered.is_err_and(|error| error.is_temporary()));
    assert!(fixture.app.operations.missing_migrations().await.is_err());
    down.bring_up();
    fixture.pay(&ann, &ben, 10).await.unwrap();
    fixture.audit().await;
}
