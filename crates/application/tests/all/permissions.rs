//! Permissions: accounts of others are reported as not found, house accounts receive no payments,
//! and markets are managed by their creator, moderators and admins.

use foretell_application::writer::{BatchMode, Decision, Mint, Payment, PaymentBatch};
use foretell_application::{AppError, Caller};
use foretell_domain::error::{Code, DomainError};
use foretell_domain::id::AccountId;
use foretell_domain::policy::Denied;
use foretell_domain::transfer::TransferError;
use foretell_ports::page::NumberedPage;

use crate::support::{Fixture, GRANT, amount};

#[tokio::test]
async fn account_of_another_user_is_not_found() {
    let fixture = Fixture::open().await;
    let (ann, ben, admin) = (fixture.user().await, fixture.user().await, fixture.admin().await);
    let absent = fixture.ids.account();
    for (caller, from) in [(&ann, ben.account_id), (&ann, absent), (&admin, ben.account_id)] {
        let to = if from == ben.account_id { ann.account_id } else { ben.account_id };
        let payment = Payment { from, to, ..Fixture::payment(&ann, &ben, 10) };
        let missing = Err(DomainError::Transfer(TransferError::AccountNotFound(from)));
        assert_eq!(fixture.send(caller, payment.clone()).await.unwrap().result, missing);
        let batch = PaymentBatch::new(BatchMode::Independent, vec![payment]).unwrap();
        let results = fixture
            .app
            .ledger
            .pay_batch(caller, fixture.key(), batch)
            .await
            .unwrap()
            .result
            .unwrap();
        assert_eq!(results, [missing]);
    }
    assert_eq!(fixture.balances([&ann, &ben]).await, [GRANT, GRANT]);
}

#[tokio::test]
async fn account_is_visible_to_owner_and_admins() {
    let fixture = Fixture::open().await;
    let (ann, ben, cem) = (fixture.user().await, fixture.user().await, fixture.user().await);
    let (moderator, admin) = (fixture.moderator().await, fixture.admin().await);
    let transfer = fixture.pay(&ann, &ben, 10).await.unwrap();
    let page = NumberedPage::new(1, 10).unwrap();
    let (id, now) = (ann.account_id, fixture.app.now());
    for (caller, sees_account, sees_transfer) in [
        (&ann, true, true),
        (&ben, false, true),
        (&cem, false, false),
        (&moderator, false, false),
        (&admin, true, true),
    ] {
        let missing =
            |error: &AppError| matches!(error, AppError::Refused(e) if e.code() == Code::NotFound);
        let seen = [
            fixture.app.ledger.get_account(caller, id).await.map(drop),
            fixture.app.ledger.list_transfers(caller, id, page.into()).await.map(drop),
            fixture.app.ledger.get_balance_at(caller, id, now).await.map(drop),
        ];
        for seen in seen {
            assert_eq!(seen.is_ok(), sees_account, "{caller:?}");
            assert!(seen.as_ref().err().is_none_or(missing), "{seen:?}");
        }
        let seen = fixture.app.ledger.get_transfer(caller, transfer.id).await.map(drop);
        assert_eq!(seen.is_ok(), sees_transfer, "{caller:?}");
        assert!(seen.as_ref().err().is_none_or(missing), "{seen:?}");
        let own: Vec<_> = fixture.app.ledger.list_accounts(caller).await.unwrap();
        assert_eq!(
            own.iter().map(|found| found.account.id()).collect::<Vec<_>>(),
            [caller.account_id]
        );
    }
}

#[tokio::test]
async fn house_accounts_reject_payments() {
    let fixture = Fixture::open().await;
    let (ann, admin) = (fixture.user().await, fixture.admin().await);
    let market = fixture.market(&ann, 1_000).await;
    let before = fixture.audit().await;
    for house in [AccountId::of_market(market.market.id()), AccountId::TREASURY, AccountId::FEES] {
        let missing = Err(DomainError::Transfer(TransferError::AccountNotFound(house)));
        for caller in [&ann, &admin] {
            let into = Payment { to: house, ..Fixture::payment(caller, caller, 10) };
            assert_eq!(fixture.send(caller, into).await.unwrap().result, missing);
            let out_of = Payment { from: house, ..Fixture::payment(caller, caller, 10) };
            assert_eq!(fixture.send(caller, out_of).await.unwrap().result, missing);
        }
        let mint = Mint { to: house, amount: amount(10) };
        assert_eq!(
            fixture.app.ledger.mint(&admin, fixture.key(), mint).await.unwrap().result,
            missing
        );
    }
    assert_eq!(fixture.audit().await, before);
}

#[tokio::test]
async fn mint_reverse_and_audit_require_admin() {
    let fixture = Fixture::open().await;
    let (ann, ben) = (fixture.user().await, fixture.user().await);
    let (moderator, admin) = (fixture.moderator().await, fixture.admin().await);
    let transfer = fixture.pay(&ann, &ben, 10).await.unwrap();
    let mint = Mint { to: ann.account_id, amount: amount(10) };
    let denied = DomainError::Denied(Denied::AdminsOnly);
    let before = fixture.audit().await;
    for caller in [&ann, &ben, &moderator] {
        let minted = fixture.app.ledger.mint(caller, fixture.key(), mint).await.unwrap();
        assert_eq!(minted.result, Err(denied));
        for force in [false, true] {
            let reversed = fixture
                .app
                .ledger
                .reverse_transfer(caller, fixture.key(), transfer.id, force)
                .await
                .unwrap();
            assert_eq!(reversed.result, Err(denied));
        }
        let audited = fixture.app.ledger.audit_ledger(caller).await;
        assert!(matches!(audited, Err(AppError::Refused(refusal)) if refusal == denied));
    }
    assert_eq!(fixture.audit().await, before);
    fixture.app.ledger.mint(&admin, fixture.key(), mint).await.unwrap().result.unwrap();
    fixture
        .app
        .ledger
        .reverse_transfer(&admin, fixture.key(), transfer.id, false)
        .await
        .unwrap()
        .result
        .unwrap();
    assert!(fixture.app.ledger.audit_ledger(&admin).await.unwrap().is_sound());
}

/// Checks how a market is managed by its creator, by moderators and admins, and by another user.
async fn check_management(fixture: &Fixture, creator: &Caller, caller: &Caller, is_allowed: bool) {
    let refusal = DomainError::Denied(Denied::NotTheCreator);
    let market = fixture.market(creator, 100).await;
    let closed =
        fixture.app.markets.close_market(caller, fixture.key(), market.market.id()).await.unwrap();
    assert_eq!(closed.result.map(drop), if is_allowed { Ok(()) } else { Err(refusal) });
    let (first, second) = (Fixture::option(&market, 0), Fixture::option(&market, 1));
    let decisions = [
        Decision::Winner(first),
        Decision::Split(vec![(first, 4_000), (second, 6_000)]),
        Decision::Cancel,
    ];
    for decision in decisions {
        let market = fixture.market(creator, 100).await;
        let decision = match decision {
            Decision::Winner(_) => Decision::Winner(Fixture::option(&market, 0)),
            Decision::Split(_) => Decision::Split(vec![
                (Fixture::option(&market, 0), 4_000),
                (Fixture::option(&market, 1), 6_000),
            ]),
            Decision::Cancel => Decision::Cancel,
        };
        let decided = fixture.decide(caller, &market, decision).await.unwrap();
        assert_eq!(decided.result.map(drop), if is_allowed { Ok(()) } else { Err(refusal) });
    }
}

#[tokio::test]
async fn market_management_requires_creator_moderator_or_admin() {
    let fixture = Fixture::open().await;
    let (creator, other) = (fixture.user().await, fixture.user().await);
    let (moderator, admin) = (fixture.moderator().await, fixture.admin().await);
    check_management(&fixture, &creator, &creator, true).await;
    check_management(&fixture, &creator, &moderator, true).await;
    check_management(&fixture, &creator, &admin, true).await;
    check_management(&fixture, &creator, &other, false).await;
    fixture.audit().await;
}

#[tokio::test]
async fn shares_of_another_user_cannot_be_sold() {
    let fixture = Fixture::open().await;
    let (ann, ben, admin) = (fixture.user().await, fixture.user().await, fixture.admin().await);
    let market = fixture.market(&ann, 1_000).await;
    fixture.bet(&ann, &market, 0, 500).await.unwrap();
    for caller in [&ben, &admin] {
        let sold = fixture.sell_all(caller, &market, 0).await;
        assert_eq!(sold.unwrap_err().code(), Code::InsufficientShares);
        // A user who names another's account gets "not found".
        let thief = Caller { account_id: ann.account_id, ..caller.clone() };
        assert_eq!(fixture.sell_all(&thief, &market, 0).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(fixture.bet(&thief, &market, 0, 10).await.unwrap_err().code(), Code::NotFound);
    }
    fixture.sell_all(&ann, &market, 0).await.unwrap();
    fixture.audit().await;
}
