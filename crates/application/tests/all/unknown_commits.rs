//! Unknown commits: exactly one effect and the correct result, whether they succeeded or not.

use std::sync::Arc;

use foretell_application::writer::{Decision, MarketOpened, Mint};
use foretell_application::{AppError, Registration, SettlementRunner};
use foretell_domain::transfer::TransferKind;
use foretell_domain::user::Role;

use crate::support::{ADDRESS, Crowd, Desk, GRANT, Loss, Trader, amount};

#[tokio::test(start_paused = true)]
async fn payment_with_unknown_commit_happens_once() {
    for loss in Loss::ALL {
        let desk = Desk::open().await;
        let (ann, ben) = (desk.user().await, desk.user().await);
        let key = desk.key();
        desk.lose(loss, &[0]);
        let receipt = desk.app.pay(&ann, key.clone(), Desk::payment(&ann, &ben, 10)).await.unwrap();
        assert_eq!(receipt.is_replay, loss != Loss::Dropped, "{loss:?}");
        let transfer = receipt.result.unwrap();
        assert_eq!(desk.balances([&ann, &ben]).await, [GRANT - 10, GRANT + 10], "{loss:?}");
        assert_eq!(desk.statement(ann.account_id).await[0], transfer, "{loss:?}");
        let again = desk.app.pay(&ann, key, Desk::payment(&ann, &ben, 10)).await.unwrap();
        assert_eq!((again.is_replay, again.result.unwrap()), (true, transfer), "{loss:?}");
        desk.audit().await;
    }
}

#[tokio::test(start_paused = true)]
async fn batch_with_unknown_commit_happens_once() {
    for loss in Loss::ALL {
        let desk = Desk::open().await;
        let (ann, ben) = (desk.user().await, desk.user().await);
        let market = desk.market(&ann, 1_000).await;
        let bets = (0..20).map(|number| desk.bet(&ben, &market, number % 2, 100));
        let (answers, units) = desk.together_after(|| desk.lose(loss, &[0]), bets).await;
        assert_eq!(units, 2, "{loss:?}");
        for (number, answer) in (1..).zip(answers) {
            assert_eq!(answer.unwrap().bet.fill.sequence, number, "{loss:?}");
        }
        assert_eq!(desk.balance(ben.account_id).await, GRANT - 2_000, "{loss:?}");
        desk.audit().await;
    }
}

#[tokio::test(start_paused = true)]
async fn rejection_with_unknown_commit_is_replayed() {
    for loss in Loss::ALL {
        let desk = Desk::open().await;
        let (ann, ben) = (desk.user().await, desk.user().await);
        let key = desk.key();
        desk.lose(loss, &[0]);
        let payment = Desk::payment(&ann, &ben, GRANT + 1);
        let refused = desk.app.pay(&ann, key.clone(), payment.clone()).await.unwrap().result.unwrap_err();
        desk.pay(&ben, &ann, 1).await.unwrap();
        let again = desk.app.pay(&ann, key, payment).await.unwrap();
        assert_eq!((again.is_replay, again.result), (true, Err(refused)), "{loss:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn permanently_unknown_commit_is_temporary_error() {
    for loss in Loss::ALL {
        let desk = Desk::open().await;
        let (ann, ben) = (desk.user().await, desk.user().await);
        let key = desk.key();
        let before = desk.batches();
        desk.lose(loss, &[0, 1, 2, 3, 4]);
        let failed = desk.app.pay(&ann, key.clone(), Desk::payment(&ann, &ben, 10)).await.unwrap_err();
        assert!(failed.is_temporary(), "{loss:?}: {failed:?}");
        assert_eq!(desk.batches() - before, 5, "it was asked four times more");
        let again = desk.app.pay(&ann, key, Desk::payment(&ann, &ben, 10)).await.unwrap();
        assert_eq!(again.is_replay, loss != Loss::Dropped, "{loss:?}");
        assert_eq!(desk.balance(ben.account_id).await, GRANT + 10, "{loss:?}");
        desk.audit().await;
    }
}

#[tokio::test(start_paused = true)]
async fn registration_with_unknown_commit_happens_once() {
    for loss in Loss::ALL {
        let desk = Desk::open().await;
        let ann: Registration = desk.registration(Role::User);
        desk.lose(loss, &[0]);
        let (user, registered) = desk.app.register_user(ann.clone()).await.unwrap();
        assert_eq!((registered.user_id, registered.balance.minor()), (user.id, GRANT), "{loss:?}");
        assert_eq!(desk.statement(registered.account_id).await.len(), 1, "{loss:?}");
        desk.app.log_in(ADDRESS, &ann.email, ann.password.clone().into_secret()).await.unwrap();
        let taken = desk.app.register_user(ann).await;
        assert!(matches!(taken, Err(AppError::Refused(_))), "{loss:?}: {taken:?}");
        assert_eq!(desk.audit().await, 1, "{loss:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn opening_with_unknown_commit_happens_once() {
    for loss in Loss::ALL {
        let desk = Desk::open().await;
        let ann = desk.user().await;
        desk.lose(loss, &[0]);
        let receipt = desk.app.open_market(&ann, desk.key(), desk.opening(1_000)).await.unwrap();
        let opened: MarketOpened = receipt.result.unwrap();
        assert_eq!(desk.pot(opened.record.id).await, 1_000, "{loss:?}");
        assert_eq!(desk.balance(ann.account_id).await, GRANT - 1_000, "{loss:?}");
        let report = desk.app.audit_as_operator().await.unwrap();
        assert_eq!((report.markets, report.is_sound()), (1, true), "{loss:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn mint_and_reversal_survive_unknown_commits() {
    for loss in Loss::ALL {
        let desk = Desk::open().await;
        let (admin, ann) = (desk.admin().await, desk.user().await);
        desk.lose(loss, &[0]);
        let mint = Mint { to: ann.account_id, amount: amount(500) };
        let minted = desk.app.mint(&admin, desk.key(), mint).await.unwrap().result.unwrap();
        assert_eq!(desk.balance(ann.account_id).await, GRANT + 500, "{loss:?}");
        desk.lose(loss, &[0]);
        let reversed = desk.app.reverse_transfer(&admin, desk.key(), minted.id, false).await.unwrap();
        assert_eq!(reversed.result.unwrap().reversal_of, Some(minted.id), "{loss:?}");
        assert_eq!(desk.balance(ann.account_id).await, GRANT, "{loss:?}");
        desk.audit().await;
    }
}

#[tokio::test(start_paused = true)]
async fn settlement_with_unknown_commits_pays_once() {
    for loss in Loss::ALL {
        let desk = Desk::open().await;
        let crowd = Crowd::gather(&desk, 520).await;
        let winner = Desk::option(&crowd.market, 0);
        // The decision, the first step and the second step, each with a lost response.
        desk.lose(loss, &[0, 2, 4]);
        let decided = desk.decide(&crowd.creator, &crowd.market, Decision::Winner(winner)).await.unwrap();
        decided.result.unwrap();
        // After a decision that is replayed, the settlement runner makes the steps.
        let settlement_runner = SettlementRunner::start(Arc::clone(&desk.app));
        desk.settled(crowd.id()).await;
        settlement_runner.stop().await;
        let owed = |trader: &Trader| if trader.option == 0 { trader.shares } else { 0 };
        crowd.check_paid(&desk, TransferKind::Payout, owed).await;
    }
}
