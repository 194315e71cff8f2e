//! Batches of the writer: many commands in one unit of work, each with its own result.

use foretell_application::AppError;
use foretell_application::writer::{BatchMode, PaymentBatch, WriterSettings};
use foretell_domain::error::Code;
use foretell_domain::user::Role;
use futures::FutureExt as _;

use crate::support::{Fixture, GRANT, settings};

#[tokio::test]
async fn waiting_commands_run_as_one_unit() {
    let fixture = Fixture::open().await;
    let (ann, ben) = (fixture.user().await, fixture.user().await);
    let payments = (1..=100).map(|minor| fixture.send(&ann, Fixture::payment(&ann, &ben, minor)));
    let (answers, units) = fixture.together(payments).await;
    assert_eq!(units, 1);
    for (minor, answer) in (1..).zip(answers) {
        let transfer = answer.unwrap().result.unwrap();
        assert_eq!((transfer.amount.minor(), transfer.debit.account_id), (minor, ann.account_id));
    }
    assert_eq!(fixture.balances([&ann, &ben]).await, [GRANT - 5_050, GRANT + 5_050]);
    fixture.audit().await;
}

#[tokio::test]
async fn commands_of_every_kind_share_a_unit() {
    let fixture = Fixture::open().await;
    let (admin, ann, ben) = (fixture.admin().await, fixture.user().await, fixture.user().await);
    let (traded, other) = (fixture.market(&ann, 1_000).await, fixture.market(&ann, 1_000).await);
    let granted = fixture.statement(ben.account_id).await.remove(0);
    let commands = [
        fixture
            .send(&ann, Fixture::payment(&ann, &ben, 5))
            .map(|answer| answer.unwrap().result.map(drop))
            .boxed(),
        fixture.bet(&ben, &traded, 0, 300).map(|answer| answer.map(drop)).boxed(),
        fixture.bet(&ann, &traded, 1, 300).map(|answer| answer.map(drop)).boxed(),
        fixture.sell_all(&ben, &traded, 0).map(|answer| answer.map(drop)).boxed(),
        async {
            fixture
                .app
                .markets
                .close_market(&ann, fixture.key(), other.market.id())
                .await
                .unwrap()
                .result
                .map(drop)
        }
        .boxed(),
        async {
            let reversed =
                fixture.app.ledger.reverse_transfer(&admin, fixture.key(), granted.id, true);
            reversed.await.unwrap().result.map(drop)
        }
        .boxed(),
        async {
            fixture
                .app
                .markets
                .open_market(&ann, fixture.key(), fixture.opening(50))
                .await
                .unwrap()
                .result
                .map(drop)
        }
        .boxed(),
        async {
            fixture
                .app
                .identity
                .register_user(fixture.registration(Role::User))
                .await
                .map(drop)
                .map_err(refusal)
        }
        .boxed(),
    ];
    let (answers, units) = fixture.together(commands).await;
    assert_eq!(units, 1);
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    fixture.audit().await;
}

fn refusal(error: AppError) -> foretell_domain::error::DomainError {
    match error {
        AppError::Refused(refusal) => refusal,
        error => panic!("not a refusal: {error:?}"),
    }
}

#[tokio::test]
async fn rejected_command_does_not_affect_its_batch() {
    let fixture = Fixture::open().await;
    let (ann, ben, poor) = (fixture.user().await, fixture.user().await, fixture.user().await);
    fixture.pay(&poor, &ben, GRANT).await.unwrap();
    let senders = [(&ann, 10), (&poor, 1), (&ann, 20), (&ann, GRANT), (&ben, 7), (&poor, 3)];
    let payments =
        senders.map(|(from, minor)| fixture.send(from, Fixture::payment(from, &ben, minor)));
    let (answers, units) = fixture.together(payments).await;
    let codes: Vec<_> = answers
        .into_iter()
        .map(|answer| answer.unwrap().result.map(drop).map_err(|e| e.code()))
        .collect();
    let lacking = Err(Code::InsufficientFunds);
    // Ben pays himself, which is rejected as well.
    assert_eq!(codes, [Ok(()), lacking, Ok(()), lacking, Err(Code::ValidationError), lacking]);
    assert_eq!(units, 1);
    assert_eq!(fixture.balances([&ann, &ben, &poor]).await, [GRANT - 30, 2 * GRANT + 30, 0]);
    fixture.audit().await;
}

#[tokio::test]
async fn later_commands_see_earlier_changes_of_batch() {
    let fixture = Fixture::open().await;
    let (ann, ben, cem) = (fixture.user().await, fixture.user().await, fixture.user().await);
    // Ben can pay Cem only from Ann's payment, and Cem can pay Ann only from Ben's.
    let chain = [(&ann, &ben, GRANT), (&ben, &cem, 2 * GRANT), (&cem, &ann, 3 * GRANT)];
    let payments =
        chain.map(|(from, to, minor)| fixture.send(from, Fixture::payment(from, to, minor)));
    let (answers, units) = fixture.together(payments).await;
    assert_eq!(units, 1);
    assert!(answers.iter().all(|answer| answer.as_ref().unwrap().result.is_ok()), "{answers:?}");
    assert_eq!(fixture.balances([&ann, &ben, &cem]).await, [3 * GRANT, 0, 0]);
    fixture.audit().await;
}

#[tokio::test]
async fn unit_size_is_limited_by_settings() {
    let writer = WriterSettings { batch_size: 40, ..settings().writer };
    let fixture =
        Fixture::open_with(foretell_application::ApplicationSettings { writer, ..settings() })
            .await;
    let (ann, ben) = (fixture.user().await, fixture.user().await);
    let payments = (0..100).map(|_| fixture.send(&ann, Fixture::payment(&ann, &ben, 1)));
    let (answers, units) = fixture.together(payments).await;
    assert_eq!((answers.len(), units), (100, 3));
    assert_eq!(fixture.balance(ben.account_id).await, GRANT + 100);
}

/// Checks the number of units of batches with so many payments each that wait together.
async fn check_units(payments: &[usize], expected: usize) {
    let fixture = Fixture::open().await;
    let (ann, ben) = (fixture.user().await, fixture.user().await);
    let batch = |count: &usize| {
        let payments = vec![Fixture::payment(&ann, &ben, 1); *count];
        fixture.app.ledger.pay_batch(
            &ann,
            fixture.key(),
            PaymentBatch::new(BatchMode::Independent, payments).unwrap(),
        )
    };
    let (answers, units) = fixture.together(payments.iter().map(batch)).await;
    assert_eq!(units, expected, "{payments:?}");
    for (answer, count) in answers.into_iter().zip(payments) {
        let results = answer.unwrap().result.unwrap();
        assert_eq!(results.len(), *count);
        assert!(results.iter().all(Result::is_ok));
    }
    let paid = i64::try_from(payments.iter().sum::<usize>()).unwrap();
    assert_eq!(fixture.balance(ben.account_id).await, GRANT + paid);
}

#[tokio::test]
async fn heavy_batches_are_divided() {
    check_units(&[128, 128], 1).await;
    check_units(&[200, 56], 1).await;
    check_units(&[200, 57], 2).await;
    check_units(&[1_000, 1_000, 1_000], 3).await;
    check_units(&[1, 1_000, 1], 3).await;
}
