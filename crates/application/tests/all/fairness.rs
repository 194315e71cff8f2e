//! Fairness of the money writer: commands of one user do not delay the others.

use std::pin::Pin;
use std::time::Duration;

use foretell_application::writer::{BatchMode, MAX_BATCH_TRANSFERS, PaymentBatch, WriterSettings};
use foretell_application::{AppError, ApplicationSettings, Caller};
use futures::future::{BoxFuture, join_all};
use futures::{FutureExt as _, poll};

use crate::support::{Fixture, GRANT, settings};

/// As many heavy batches as connections of an attacker.
const BATCHES: usize = 32;

/// Sends a batch of the maximum number of payments.
fn heavy<'a>(
    fixture: &'a Fixture,
    from: &'a Caller,
    to: &Caller,
) -> BoxFuture<'a, Result<(), AppError>> {
    let payments = vec![Fixture::payment(from, to, 1); MAX_BATCH_TRANSFERS];
    let batch = PaymentBatch::new(BatchMode::Independent, payments).unwrap();
    let paid = fixture.app.ledger.pay_batch(from, fixture.key(), batch);
    paid.map(|answer| answer.map(drop)).boxed()
}

/// Starts every command, so that all of them wait for the lane.
async fn start<T>(commands: &mut [Pin<Box<dyn Future<Output = T> + Send + '_>>]) {
    for command in commands {
        assert!(poll!(command).is_pending(), "the command is not answered while the lane is busy");
    }
}

#[tokio::test]
async fn payment_behind_heavy_batches_is_in_the_next_unit() {
    let fixture = Fixture::open().await;
    let (ann, ben, eve) = (fixture.user().await, fixture.user().await, fixture.user().await);
    let mut batches: Vec<_> = (0..BATCHES).map(|_| heavy(&fixture, &eve, &ben)).collect();
    let units_before = fixture.batches();
    let gate = fixture.faults.hold_next();
    start(&mut batches).await;
    gate.arrived().await;
    assert_eq!(fixture.batches() - units_before, 1, "one batch is under way and the others wait");
    let second = fixture.faults.hold_nth(2);
    let mut payment = Box::pin(fixture.send(&ann, Fixture::payment(&ann, &ben, 5)));
    assert!(poll!(&mut payment).is_pending());
    gate.release();
    // The unit after the payment's is held, so only the payment can be done by now.
    second.arrived().await;
    payment.await.unwrap().result.unwrap();
    assert_eq!(fixture.balance(ann.account_id).await, GRANT - 5);
    second.release();
    join_all(batches).await.into_iter().for_each(Result::unwrap);
}

#[tokio::test]
async fn light_user_waits_for_one_batch_of_many_users() {
    let fixture = Fixture::open().await;
    let (ann, ben) = (fixture.user().await, fixture.user().await);
    let mut attackers = Vec::new();
    for _ in 0..8 {
        attackers.push(fixture.user().await);
    }
    let mut batches: Vec<_> =
        attackers.iter().flat_map(|eve| (0..2).map(|_| heavy(&fixture, eve, &ben))).collect();
    let mut gate = fixture.faults.hold_next();
    start(&mut batches).await;
    for paid in 1..=5 {
        gate.arrived().await;
        // The payment arrives while a batch is running, and the unit after its own is a batch
        // again.
        let next_batch = fixture.faults.hold_nth(2);
        let mut payment = Box::pin(fixture.send(&ann, Fixture::payment(&ann, &ben, 1)));
        assert!(poll!(&mut payment).is_pending());
        gate.release();
        next_batch.arrived().await;
        payment.await.unwrap().result.unwrap();
        assert_eq!(fixture.balance(ann.account_id).await, GRANT - paid);
        gate = next_batch;
    }
    gate.release();
    join_all(batches).await.into_iter().for_each(Result::unwrap);
}

#[tokio::test(start_paused = true)]
async fn light_user_is_accepted_while_heavy_one_is_rejected() {
    let writer = WriterSettings::default();
    let fixture = Fixture::open_with(ApplicationSettings { writer, ..settings() }).await;
    let (ann, ben, eve) = (fixture.user().await, fixture.user().await, fixture.user().await);
    // A batch that takes 200 ms trains the lane's estimate of the next ones.
    let gate = fixture.faults.hold_next();
    let mut first = heavy(&fixture, &eve, &ben);
    assert!(poll!(&mut first).is_pending());
    gate.arrived().await;
    tokio::time::advance(Duration::from_millis(200)).await;
    gate.release();
    first.await.unwrap();
    let gate = fixture.faults.hold_next();
    let mut batches: Vec<_> = (0..BATCHES).map(|_| heavy(&fixture, &eve, &ben)).collect();
    let mut rejected = 0;
    for batch in &mut batches {
        rejected +=
            usize::from(matches!(poll!(batch), std::task::Poll::Ready(Err(AppError::Overloaded))));
        tokio::task::yield_now().await;
    }
    assert!((1..BATCHES).contains(&rejected), "{rejected} batches were rejected");
    let mut payment = Box::pin(fixture.send(&ann, Fixture::payment(&ann, &ben, 5)));
    assert!(
        poll!(&mut payment).is_pending(),
        "a wait that others cause is no reason to reject a payment"
    );
    gate.release();
    payment.await.unwrap().result.unwrap();
}

#[tokio::test]
async fn heavy_commands_have_a_lane_of_their_own() {
    let writer = WriterSettings { lanes: 2, ..settings().writer };
    let fixture = Fixture::open_with(ApplicationSettings { writer, ..settings() }).await;
    let (ann, ben, eve) = (fixture.user().await, fixture.user().await, fixture.user().await);
    let gate = fixture.faults.hold_next();
    let mut batch = heavy(&fixture, &eve, &ben);
    assert!(poll!(&mut batch).is_pending());
    gate.arrived().await;
    fixture.send(&ann, Fixture::payment(&ann, &ben, 5)).await.unwrap().result.unwrap();
    assert_eq!(fixture.balance(ben.account_id).await, GRANT + 5, "the batch is still held");
    gate.release();
    batch.await.unwrap();
}
