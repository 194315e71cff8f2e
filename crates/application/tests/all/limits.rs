//! Limits of the writer: full queues, long waits, draining, and callers who disconnect.

use std::sync::Arc;
use std::time::Duration;

use foretell_application::writer::{BatchMode, PaymentBatch, WriterSettings};
use foretell_application::{AppError, ApplicationSettings};
use futures::poll;

use crate::support::{Fixture, GRANT, eventually, settings};

#[tokio::test]
async fn user_with_full_share_is_rejected_alone() {
    let writer = WriterSettings { queue: 8, ..settings().writer };
    let fixture = Fixture::open_with(ApplicationSettings { writer, ..settings() }).await;
    let (ann, ben) = (fixture.user().await, fixture.user().await);
    let gate = fixture.faults.hold_next();
    let mut busy = Box::pin(fixture.send(&ann, Fixture::payment(&ann, &ben, 1)));
    assert!(poll!(&mut busy).is_pending());
    gate.arrived().await;
    let mut waiting: Vec<_> =
        (0..4).map(|_| Box::pin(fixture.send(&ann, Fixture::payment(&ann, &ben, 10)))).collect();
    for command in &mut waiting {
        assert!(poll!(command).is_pending());
    }
    // The storage is still held, so this result does not depend on it.
    let fifth = fixture.send(&ann, Fixture::payment(&ann, &ben, 100)).await;
    assert!(matches!(fifth, Err(AppError::Overloaded)), "{fifth:?}");
    let mut other = Box::pin(fixture.send(&ben, Fixture::payment(&ben, &ann, 2)));
    assert!(poll!(&mut other).is_pending(), "the other user has room");
    gate.release();
    for command in waiting {
        command.await.unwrap().result.unwrap();
    }
    busy.await.unwrap().result.unwrap();
    other.await.unwrap().result.unwrap();
    assert_eq!(fixture.balances([&ann, &ben]).await, [GRANT - 39, GRANT + 39]);
}

/// Settings with a maximum wait of a second, the default in production.
fn with_short_deadline() -> ApplicationSettings {
    ApplicationSettings { writer: WriterSettings::default(), ..settings() }
}

/// Checks if a command is rejected when it has waited so long before its turn.
async fn check_wait(waited: Duration, is_turned_away: bool) {
    let fixture = Fixture::open_with(with_short_deadline()).await;
    let (ann, ben) = (fixture.user().await, fixture.user().await);
    let gate = fixture.faults.hold_next();
    let mut busy = Box::pin(fixture.send(&ann, Fixture::payment(&ann, &ben, 1)));
    assert!(poll!(&mut busy).is_pending());
    gate.arrived().await;
    let (key, payment) = (fixture.key(), Fixture::payment(&ann, &ben, 10));
    let mut late = Box::pin(fixture.app.ledger.pay(&ann, key.clone(), payment.clone()));
    assert!(poll!(&mut late).is_pending());
    tokio::time::advance(waited).await;
    gate.release();
    busy.await.unwrap().result.unwrap();
    let answer = late.await;
    assert_eq!(
        matches!(answer, Err(AppError::Overloaded)),
        is_turned_away,
        "{waited:?}: {answer:?}"
    );
    if is_turned_away {
        assert_eq!(
            fixture.balance(ben.account_id).await,
            GRANT + 1,
            "a command turned away was not begun"
        );
    }
    // Its key was not used up, and the command is executed once in the end.
    assert_eq!(
        fixture.app.ledger.pay(&ann, key, payment).await.unwrap().is_replay,
        !is_turned_away
    );
    assert_eq!(fixture.balance(ben.account_id).await, GRANT + 11);
}

#[tokio::test(start_paused = true)]
async fn command_waiting_too_long_is_not_executed() {
    check_wait(Duration::from_millis(900), false).await;
    check_wait(Duration::from_millis(1_100), true).await;
    check_wait(Duration::from_hours(1), true).await;
}

#[tokio::test(start_paused = true)]
async fn command_behind_slow_unit_times_out() {
    let fixture = Fixture::open_with(with_short_deadline()).await;
    let (ann, ben) = (fixture.user().await, fixture.user().await);
    let batch = || {
        let payments = vec![Fixture::payment(&ann, &ben, 1); 1_000];
        let batch = PaymentBatch::new(BatchMode::Atomic, payments).unwrap();
        Box::pin(fixture.app.ledger.pay_batch(&ann, fixture.key(), batch))
    };
    let gate = fixture.faults.hold_next();
    // The lane takes both at once, but they are too heavy for one unit.
    let (mut first, mut second) = (batch(), batch());
    assert!(poll!(&mut first).is_pending() && poll!(&mut second).is_pending());
    gate.arrived().await;
    tokio::time::advance(Duration::from_secs(2)).await;
    gate.release();
    first.await.unwrap().result.unwrap();
    let answer = second.await;
    assert!(
        matches!(answer, Err(AppError::Overloaded)),
        "the second batch was begun after two seconds"
    );
    assert_eq!(fixture.balance(ben.account_id).await, GRANT + 1_000);
}

#[tokio::test(start_paused = true)]
async fn command_behind_hanging_unit_gets_response() {
    let fixture = Fixture::open_with(with_short_deadline()).await;
    let (ann, ben) = (fixture.user().await, fixture.user().await);
    let gate = fixture.faults.hold_next();
    let mut busy = Box::pin(fixture.send(&ann, Fixture::payment(&ann, &ben, 1)));
    assert!(poll!(&mut busy).is_pending());
    gate.arrived().await;
    let behind = fixture.send(&ann, Fixture::payment(&ann, &ben, 10));
    let behind = tokio::time::timeout(Duration::from_mins(1), behind).await.unwrap();
    assert!(matches!(behind, Err(AppError::Overloaded)), "{behind:?}");
    gate.release();
    busy.await.unwrap().result.unwrap();
    fixture.app.operations.drain().await;
    assert_eq!(
        fixture.balance(ben.account_id).await,
        GRANT + 1,
        "a command withdrawn was not begun"
    );
}

#[tokio::test]
async fn draining_finishes_accepted_and_rejects_later_commands() {
    let fixture = Fixture::open().await;
    let (ann, ben) = (fixture.user().await, fixture.user().await);
    let gate = fixture.faults.hold_next();
    let mut accepted: Vec<_> =
        (0..5).map(|_| Box::pin(fixture.send(&ann, Fixture::payment(&ann, &ben, 10)))).collect();
    for command in &mut accepted {
        assert!(poll!(command).is_pending());
    }
    gate.arrived().await;
    let mut draining = Box::pin(fixture.app.operations.drain());
    assert!(poll!(&mut draining).is_pending(), "draining waits for what was accepted");
    let later = fixture.send(&ann, Fixture::payment(&ann, &ben, 100));
    let mut later = Box::pin(later);
    let answer = poll!(&mut later);
    assert!(matches!(answer, std::task::Poll::Ready(Err(AppError::Overloaded))), "{answer:?}");
    gate.release();
    draining.await;
    for command in accepted {
        command.await.unwrap().result.unwrap();
    }
    let after = fixture.send(&ann, Fixture::payment(&ann, &ben, 100)).await;
    assert!(matches!(after, Err(AppError::Overloaded)), "{after:?}");
    fixture.app.operations.drain().await;
    assert_eq!(fixture.balance(ben.account_id).await, GRANT + 50);
}

#[tokio::test]
async fn dropped_caller_leaves_all_or_nothing() {
    let fixture = Fixture::open().await;
    let (ann, ben) = (fixture.user().await, fixture.user().await);
    let payment = Fixture::payment(&ann, &ben, 10);
    let mut done = 0;
    // Disconnects before the command is sent, while it waits, while its unit is held, and after
    // some more polls.
    for polls in 0..6 {
        let (key, gate) = (fixture.key(), fixture.faults.hold_next());
        let mut leaving = Box::pin(fixture.app.ledger.pay(&ann, key.clone(), payment.clone()));
        for _ in 0..polls {
            assert!(poll!(&mut leaving).is_pending());
            tokio::task::yield_now().await;
        }
        drop(leaving);
        gate.release();
        let again = fixture.app.ledger.pay(&ann, key, payment.clone()).await.unwrap();
        assert_eq!(again.is_replay, polls > 0, "after {polls} polls");
        again.result.unwrap();
        done += 1;
        assert_eq!(fixture.balance(ben.account_id).await, GRANT + 10 * done);
    }
    fixture.audit().await;
}

#[tokio::test]
async fn dropped_callers_do_not_delay_others() {
    let fixture = Fixture::open().await;
    let (ann, ben) = (fixture.user().await, fixture.user().await);
    let gate = fixture.faults.hold_next();
    let mut commands: Vec<_> =
        (0..20).map(|_| Box::pin(fixture.send(&ann, Fixture::payment(&ann, &ben, 1)))).collect();
    for command in &mut commands {
        assert!(poll!(command).is_pending());
    }
    let staying: Vec<_> =
        commands.into_iter().enumerate().filter_map(|(i, c)| (i % 2 == 0).then_some(c)).collect();
    gate.release();
    for command in staying {
        command.await.unwrap().result.unwrap();
    }
    assert_eq!(
        fixture.balance(ben.account_id).await,
        GRANT + 20,
        "those who left were served as well"
    );
}

#[tokio::test]
async fn dropped_writer_finishes_accepted_commands() {
    let fixture = Fixture::open().await;
    let (ann, ben) = (fixture.user().await, fixture.user().await);
    let node = fixture.second_node(settings()).await;
    let gate = fixture.faults.hold_next();
    let (sender, payment) = (ann.clone(), Fixture::payment(&ann, &ben, 10));
    let leaving = Arc::clone(&node);
    let sent =
        tokio::spawn(async move { leaving.ledger.pay(&sender, "key".to_owned(), payment).await });
    gate.arrived().await;
    drop(node);
    sent.abort();
    gate.release();
    // The aborted task owned the last handle; its command was accepted and continues without it.
    eventually(async || fixture.balance(ben.account_id).await == GRANT + 10).await;
    let repeat =
        fixture.app.ledger.pay(&ann, "key".to_owned(), Fixture::payment(&ann, &ben, 10)).await;
    assert!(repeat.unwrap().is_replay);
}
