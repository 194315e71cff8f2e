//! The writer's limits: a full queue, a wait that is too long, draining, and callers who leave.

use std::sync::Arc;
use std::time::Duration;

use foretell_application::writer::{BatchMode, PaymentBatch, WriterSettings};
use foretell_application::{AppError, ApplicationSettings};
use futures::poll;

use crate::support::{Desk, GRANT, eventually, settings};

#[tokio::test]
async fn user_with_full_share_is_rejected_alone() {
    let writer = WriterSettings { queue: 8, ..settings().writer };
    let desk = Desk::open_with(ApplicationSettings { writer, ..settings() }).await;
    let (ann, ben) = (desk.user().await, desk.user().await);
    let gate = desk.faults.hold_next();
    let mut busy = Box::pin(desk.send(&ann, Desk::payment(&ann, &ben, 1)));
    assert!(poll!(&mut busy).is_pending());
    gate.arrived().await;
    let mut waiting: Vec<_> =
        (0..4).map(|_| Box::pin(desk.send(&ann, Desk::payment(&ann, &ben, 10)))).collect();
    for command in &mut waiting {
        assert!(poll!(command).is_pending());
    }
    // The storage is still held, so this answer owes nothing to it.
    let fifth = desk.send(&ann, Desk::payment(&ann, &ben, 100)).await;
    assert!(matches!(fifth, Err(AppError::Overloaded)), "{fifth:?}");
    let mut other = Box::pin(desk.send(&ben, Desk::payment(&ben, &ann, 2)));
    assert!(poll!(&mut other).is_pending(), "the other user has room");
    gate.release();
    for command in waiting {
        command.await.unwrap().result.unwrap();
    }
    busy.await.unwrap().result.unwrap();
    other.await.unwrap().result.unwrap();
    assert_eq!(desk.balances([&ann, &ben]).await, [GRANT - 39, GRANT + 39]);
}

/// Settings by which a command waits for a second at most, as usual outside of tests.
fn impatient() -> ApplicationSettings {
    ApplicationSettings { writer: WriterSettings::default(), ..settings() }
}

/// Whether a command is turned away if it has waited so long when its turn comes.
async fn check_wait(waited: Duration, is_turned_away: bool) {
    let desk = Desk::open_with(impatient()).await;
    let (ann, ben) = (desk.user().await, desk.user().await);
    let gate = desk.faults.hold_next();
    let mut busy = Box::pin(desk.send(&ann, Desk::payment(&ann, &ben, 1)));
    assert!(poll!(&mut busy).is_pending());
    gate.arrived().await;
    let (key, payment) = (desk.key(), Desk::payment(&ann, &ben, 10));
    let mut late = Box::pin(desk.app.pay(&ann, key.clone(), payment.clone()));
    assert!(poll!(&mut late).is_pending());
    tokio::time::advance(waited).await;
    gate.release();
    busy.await.unwrap().result.unwrap();
    let answer = late.await;
    assert_eq!(matches!(answer, Err(AppError::Overloaded)), is_turned_away, "{waited:?}: {answer:?}");
    if is_turned_away {
        assert_eq!(desk.balance(ben.account_id).await, GRANT + 1, "a command turned away was not begun");
    }
    // Its key is as good as new, and the command happens once in the end.
    assert_eq!(desk.app.pay(&ann, key, payment).await.unwrap().is_replay, !is_turned_away);
    assert_eq!(desk.balance(ben.account_id).await, GRANT + 11);
}

#[tokio::test(start_paused = true)]
async fn a_command_that_waited_too_long_is_turned_away_and_not_begun() {
    check_wait(Duration::from_millis(900), false).await;
    check_wait(Duration::from_millis(1_100), true).await;
    check_wait(Duration::from_hours(1), true).await;
}

#[tokio::test(start_paused = true)]
async fn a_command_behind_a_slow_unit_of_the_same_turn_is_turned_away_too() {
    let desk = Desk::open_with(impatient()).await;
    let (ann, ben) = (desk.user().await, desk.user().await);
    let batch = || {
        let payments = vec![Desk::payment(&ann, &ben, 1); 1_000];
        let batch = PaymentBatch { mode: BatchMode::Atomic, payments };
        Box::pin(desk.app.pay_batch(&ann, desk.key(), batch))
    };
    let gate = desk.faults.hold_next();
    // The lane takes both at once, but they are too heavy for one unit.
    let (mut first, mut second) = (batch(), batch());
    assert!(poll!(&mut first).is_pending() && poll!(&mut second).is_pending());
    gate.arrived().await;
    tokio::time::advance(Duration::from_secs(2)).await;
    gate.release();
    first.await.unwrap().result.unwrap();
    let answer = second.await;
    assert!(matches!(answer, Err(AppError::Overloaded)), "the second batch was begun after two seconds");
    assert_eq!(desk.balance(ben.account_id).await, GRANT + 1_000);
}

#[tokio::test(start_paused = true)]
async fn a_command_behind_a_unit_that_hangs_is_answered_all_the_same() {
    let desk = Desk::open_with(impatient()).await;
    let (ann, ben) = (desk.user().await, desk.user().await);
    let gate = desk.faults.hold_next();
    let mut busy = Box::pin(desk.send(&ann, Desk::payment(&ann, &ben, 1)));
    assert!(poll!(&mut busy).is_pending());
    gate.arrived().await;
    let behind = desk.send(&ann, Desk::payment(&ann, &ben, 10));
    let behind = tokio::time::timeout(Duration::from_mins(1), behind).await.unwrap();
    assert!(matches!(behind, Err(AppError::Overloaded)), "{behind:?}");
    gate.release();
    busy.await.unwrap().result.unwrap();
    desk.app.drain().await;
    assert_eq!(desk.balance(ben.account_id).await, GRANT + 1, "a command withdrawn was not begun");
}

#[tokio::test]
async fn draining_answers_what_was_accepted_and_turns_later_commands_away() {
    let desk = Desk::open().await;
    let (ann, ben) = (desk.user().await, desk.user().await);
    let gate = desk.faults.hold_next();
    let mut accepted: Vec<_> =
        (0..5).map(|_| Box::pin(desk.send(&ann, Desk::payment(&ann, &ben, 10)))).collect();
    for command in &mut accepted {
        assert!(poll!(command).is_pending());
    }
    gate.arrived().await;
    let mut draining = Box::pin(desk.app.drain());
    assert!(poll!(&mut draining).is_pending(), "draining waits for what was accepted");
    let later = desk.send(&ann, Desk::payment(&ann, &ben, 100));
    let mut later = Box::pin(later);
    let answer = poll!(&mut later);
    assert!(matches!(answer, std::task::Poll::Ready(Err(AppError::Overloaded))), "{answer:?}");
    gate.release();
    draining.await;
    for command in accepted {
        command.await.unwrap().result.unwrap();
    }
    let after = desk.send(&ann, Desk::payment(&ann, &ben, 100)).await;
    assert!(matches!(after, Err(AppError::Overloaded)), "{after:?}");
    desk.app.drain().await;
    assert_eq!(desk.balance(ben.account_id).await, GRANT + 50);
}

#[tokio::test]
async fn a_caller_who_leaves_at_any_point_leaves_all_or_nothing() {
    let desk = Desk::open().await;
    let (ann, ben) = (desk.user().await, desk.user().await);
    let payment = Desk::payment(&ann, &ben, 10);
    let mut done = 0;
    // Leaves before the command is sent, while it waits, while its unit is held, and after a few polls more.
    for polls in 0..6 {
        let (key, gate) = (desk.key(), desk.faults.hold_next());
        let mut leaving = Box::pin(desk.app.pay(&ann, key.clone(), payment.clone()));
        for _ in 0..polls {
            assert!(poll!(&mut leaving).is_pending());
            tokio::task::yield_now().await;
        }
        drop(leaving);
        gate.release();
        let again = desk.app.pay(&ann, key, payment.clone()).await.unwrap();
        assert_eq!(again.is_replay, polls > 0, "after {polls} polls");
        again.result.unwrap();
        done += 1;
        assert_eq!(desk.balance(ben.account_id).await, GRANT + 10 * done);
    }
    desk.audit().await;
}

#[tokio::test]
async fn callers_who_leave_do_not_hold_up_the_others() {
    let desk = Desk::open().await;
    let (ann, ben) = (desk.user().await, desk.user().await);
    let gate = desk.faults.hold_next();
    let mut commands: Vec<_> =
        (0..20).map(|_| Box::pin(desk.send(&ann, Desk::payment(&ann, &ben, 1)))).collect();
    for command in &mut commands {
        assert!(poll!(command).is_pending());
    }
    let staying: Vec<_> =
        commands.into_iter().enumerate().filter_map(|(i, c)| (i % 2 == 0).then_some(c)).collect();
    gate.release();
    for command in staying {
        command.await.unwrap().result.unwrap();
    }
    assert_eq!(desk.balance(ben.account_id).await, GRANT + 20, "those who left were served as well");
}

#[tokio::test]
async fn a_writer_that_is_dropped_answers_what_it_accepted() {
    let desk = Desk::open().await;
    let (ann, ben) = (desk.user().await, desk.user().await);
    let node = desk.second_node(settings());
    let gate = desk.faults.hold_next();
    let (sender, payment) = (ann.clone(), Desk::payment(&ann, &ben, 10));
    let leaving = Arc::clone(&node);
    let sent = tokio::spawn(async move { leaving.pay(&sender, "key".to_owned(), payment).await });
    gate.arrived().await;
    drop(node);
    sent.abort();
    gate.release();
    // The aborted task owned the last handle; its command was accepted and goes on without it.
    eventually(async || desk.balance(ben.account_id).await == GRANT + 10).await;
    let repeat = desk.app.pay(&ann, "key".to_owned(), Desk::payment(&ann, &ben, 10)).await;
    assert!(repeat.unwrap().is_replay);
}
