//! Unknown commits: exactly one effect and the correct result, whether they succeeded or not.

use std::sync::Arc;

use foretell_application::writer::{Decision, MarketOpened, Mint};
use foretell_application::{AppError, Registration, SettlementRunner};
use foretell_domain::transfer::TransferKind;
use foretell_domain::user::Role;

use crate::support::{ADDRESS, Crowd, Fixture, GRANT, Loss, Trader, amount};

#[tokio::test(start_paused = true)]
async fn payment_with_unknown_commit_happens_once() {
    for loss in Loss::ALL {
        let fixture = Fixture::open().await;
        let (ann, ben) = (fixture.user().await, fixture.user().await);
        let key = fixture.key();
        fixture.lose(loss, &[0]);
        let receipt = fixture
            .app
            .ledger
            .pay(&ann, key.clone(), Fixture::payment(&ann, &ben, 10))
            .await
            .unwrap();
        assert_eq!(receipt.is_replay, loss != Loss::Dropped, "{loss:?}");
        let transfer = receipt.result.unwrap();
        assert_eq!(fixture.balances([&ann, &ben]).await, [GRANT - 10, GRANT + 10], "{loss:?}");
        assert_eq!(fixture.statement(ann.account_id).await[0], transfer, "{loss:?}");
        let again =
            fixture.app.ledger.pay(&ann, key, Fixture::payment(&ann, &ben, 10)).await.unwrap();
        assert_eq!((again.is_replay, again.result.unwrap()), (true, transfer), "{loss:?}");
        fixture.audit().await;
    }
}

#[tokio::test(start_paused = true)]
async fn batch_with_unknown_commit_happens_once() {
    for loss in Loss::ALL {
        let fixture = Fixture::open().await;
        let (ann, ben) = (fixture.user().await, fixture.user().await);
        let market = fixture.market(&ann, 1_000).await;
        let bets = (0..20).map(|number| fixture.bet(&ben, &market, number % 2, 100));
        let (answers, units) = fixture.together_after(|| fixture.lose(loss, &[0]), bets).await;
        assert_eq!(units, 2, "{loss:?}");
        for (number, answer) in (1..).zip(answers) {
            assert_eq!(answer.unwrap().bet.fill.sequence, number, "{loss:?}");
        }
        assert_eq!(fixture.balance(ben.account_id).await, GRANT - 2_000, "{loss:?}");
        fixture.audit().await;
    }
}

#[tokio::test(start_paused = true)]
async fn rejection_with_unknown_commit_is_replayed() {
    for loss in Loss::ALL {
        let fixture = Fixture::open().await;
        let (ann, ben) = (fixture.user().await, fixture.user().await);
        let key = fixture.key();
        fixture.lose(loss, &[0]);
        let payment = Fixture::payment(&ann, &ben, GRANT + 1);
        let refused = fixture
            .app
            .ledger
            .pay(&ann, key.clone(), payment.clone())
            .await
            .unwrap()
            .result
            .unwrap_err();
        fixture.pay(&ben, &ann, 1).await.unwrap();
        let again = fixture.app.ledger.pay(&ann, key, payment).await.unwrap();
        assert_eq!((again.is_replay, again.result), (true, Err(refused)), "{loss:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn permanently_unknown_commit_is_temporary_error() {
    for loss in Loss::ALL {
        let fixture = Fixture::open().await;
        let (ann, ben) = (fixture.user().await, fixture.user().await);
        let key = fixture.key();
        let before = fixture.batches();
        fixture.lose(loss, &[0, 1, 2, 3, 4]);
        let failed = fixture
            .app
            .ledger
            .pay(&ann, key.clone(), Fixture::payment(&ann, &ben, 10))
            .await
            .unwrap_err();
        assert!(failed.is_temporary(), "{loss:?}: {failed:?}");
        assert_eq!(fixture.batches() - before, 5, "it was asked four times more");
        let again =
            fixture.app.ledger.pay(&ann, key, Fixture::payment(&ann, &ben, 10)).await.unwrap();
        assert_eq!(again.is_replay, loss != Loss::Dropped, "{loss:?}");
        assert_eq!(fixture.balance(ben.account_id).await, GRANT + 10, "{loss:?}");
        fixture.audit().await;
    }
}

#[tokio::test(start_paused = true)]
async fn registration_with_unknown_commit_happens_once() {
    for loss in Loss::ALL {
        let fixture = Fixture::open().await;
        let ann: Registration = fixture.registration(Role::User);
        fixture.lose(loss, &[0]);
        let (user, registered) = fixture.app.identity.register_user(ann.clone()).await.unwrap();
        assert_eq!((registered.user_id, registered.balance.minor()), (user.id, GRANT), "{loss:?}");
        assert_eq!(fixture.statement(registered.account_id).await.len(), 1, "{loss:?}");
        fixture
            .app
            .identity
            .log_in(ADDRESS, &ann.email, ann.password.clone().into_secret())
            .await
            .unwrap();
        let taken = fixture.app.identity.register_user(ann).await;
        assert!(matches!(taken, Err(AppError::Refused(_))), "{loss:?}: {taken:?}");
        assert_eq!(fixture.audit().await, 1, "{loss:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn opening_with_unknown_commit_happens_once() {
    for loss in Loss::ALL {
        let fixture = Fixture::open().await;
        let ann = fixture.user().await;
        fixture.lose(loss, &[0]);
        let receipt = fixture
            .app
            .markets
            .open_market(&ann, fixture.key(), fixture.opening(1_000))
            .await
            .unwrap();
        let opened: MarketOpened = receipt.result.unwrap();
        assert_eq!(fixture.pot(opened.record.id).await, 1_000, "{loss:?}");
        assert_eq!(fixture.balance(ann.account_id).await, GRANT - 1_000, "{loss:?}");
        let report = fixture.app.queries.ledger.audit().await.unwrap();
        assert_eq!((report.markets, report.is_sound()), (1, true), "{loss:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn mint_and_reversal_survive_unknown_commits() {
    for loss in Loss::ALL {
        let fixture = Fixture::open().await;
        let (admin, ann) = (fixture.admin().await, fixture.user().await);
        fixture.lose(loss, &[0]);
        let mint = Mint { to: ann.account_id, amount: amount(500) };
        let minted =
            fixture.app.ledger.mint(&admin, fixture.key(), mint).await.unwrap().result.unwrap();
        assert_eq!(fixture.balance(ann.account_id).await, GRANT + 500, "{loss:?}");
        fixture.lose(loss, &[0]);
        let reversed = fixture
            .app
            .ledger
            .reverse_transfer(&admin, fixture.key(), minted.id, false)
            .await
            .unwrap();
        assert_eq!(reversed.result.unwrap().reversal_of, Some(minted.id), "{loss:?}");
        assert_eq!(fixture.balance(ann.account_id).await, GRANT, "{loss:?}");
        fixture.audit().await;
    }
}

#[tokio::test(start_paused = true)]
async fn settlement_with_unknown_commits_pays_once() {
    for loss in Loss::ALL {
        let fixture = Fixture::open().await;
        let crowd = Crowd::gather(&fixture, 520).await;
        let winner = Fixture::option(&crowd.market, 0);
        // The decision, the first step and the second step, each with a lost response.
        fixture.lose(loss, &[0, 2, 4]);
        let decided =
            fixture.decide(&crowd.creator, &crowd.market, Decision::Winner(winner)).await.unwrap();
        decided.result.unwrap();
        // After a decision that is replayed, the settlement runner makes the steps.
        let settlement_runner = SettlementRunner::start(Arc::clone(&fixture.app.markets));
        fixture.settled(crowd.id()).await;
        settlement_runner.stop().await;
        let owed = |trader: &Trader| if trader.option == 0 { trader.shares } else { 0 };
        crowd.check_paid(&fixture, TransferKind::Payout, owed).await;
    }
}
