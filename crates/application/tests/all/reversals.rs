//! Reversals: the money of a transfer is returned once, and no balance falls below zero.

use foretell_application::Caller;
use foretell_application::writer::Mint;
use foretell_domain::error::{Code, DomainError};
use foretell_domain::id::{AccountId, TransferId};
use foretell_domain::transfer::{Transfer, TransferError, TransferKind};

use crate::support::{Fixture, GRANT, amount, confirmation};

/// Opens a fixture with an admin and two users.
async fn open() -> (Fixture, Caller, [Caller; 2]) {
    let fixture = Fixture::open().await;
    let (admin, ann, ben) = (fixture.admin().await, fixture.user().await, fixture.user().await);
    (fixture, admin, [ann, ben])
}

async fn reverse(
    fixture: &Fixture,
    admin: &Caller,
    of: TransferId,
    force: bool,
) -> Result<Transfer, DomainError> {
    fixture.app.ledger.reverse_transfer(admin, fixture.key(), of, force).await.unwrap().result
}

#[tokio::test]
async fn a_payment_is_reversed_once() {
    let (fixture, admin, [ann, ben]) = open().await;
    let paid = fixture.pay(&ann, &ben, 700).await.unwrap();
    let back = reverse(&fixture, &admin, paid.id, false).await.unwrap();
    assert_eq!(
        (back.kind, back.reversal_of, back.amount),
        (TransferKind::Reversal, Some(paid.id), paid.amount)
    );
    assert_eq!((back.debit.account_id, back.credit.account_id), (ben.account_id, ann.account_id));
    let already = Err(DomainError::Transfer(TransferError::AlreadyReversed(paid.id)));
    for force in [false, true] {
        assert_eq!(reverse(&fixture, &admin, paid.id, force).await, already);
    }
    assert_eq!(fixture.balances([&ann, &ben]).await, [GRANT, GRANT]);
    fixture.audit().await;
}

#[tokio::test]
async fn two_reversals_in_unit_reverse_once() {
    let (fixture, admin, [ann, ben]) = open().await;
    let paid = fixture.pay(&ann, &ben, 700).await.unwrap();
    let twice = [false, true].map(|force| reverse(&fixture, &admin, paid.id, force));
    let (answers, units) = fixture.together(twice).await;
    assert_eq!(units, 1);
    assert_eq!(answers[0].as_ref().unwrap().reversal_of, Some(paid.id));
    assert_eq!(answers[1], Err(DomainError::Transfer(TransferError::AlreadyReversed(paid.id))));
    assert_eq!(fixture.balances([&ann, &ben]).await, [GRANT, GRANT]);
    fixture.audit().await;
}

#[tokio::test]
async fn reversal_of_spent_money_is_rejected() {
    let (fixture, admin, [ann, ben]) = open().await;
    let paid = fixture.pay(&ann, &ben, 700).await.unwrap();
    fixture.pay(&ben, &ann, GRANT + 100).await.unwrap();
    let refused = reverse(&fixture, &admin, paid.id, false).await.unwrap_err();
    assert_eq!(refused.code(), Code::InsufficientFunds);
    assert_eq!(fixture.balances([&ann, &ben]).await, [2 * GRANT - 600, 600]);
    fixture.pay(&ann, &ben, 100).await.unwrap();
    reverse(&fixture, &admin, paid.id, false).await.unwrap();
    assert_eq!(fixture.balances([&ann, &ben]).await, [2 * GRANT, 0]);
    fixture.audit().await;
}

#[tokio::test]
async fn a_forced_reversal_is_covered_by_the_treasury() {
    let (fixture, admin, [ann, ben]) = open().await;
    let paid = fixture.pay(&ann, &ben, 700).await.unwrap();
    fixture.pay(&ben, &ann, GRANT + 100).await.unwrap();
    let treasury = fixture.balance(AccountId::TREASURY).await;
    reverse(&fixture, &admin, paid.id, true).await.unwrap();
    assert_eq!(fixture.balances([&ann, &ben]).await, [2 * GRANT + 100, 0]);
    assert_eq!(fixture.balance(AccountId::TREASURY).await, treasury - 100, "what Ben lacked");
    let kinds: Vec<_> =
        fixture.statement(ben.account_id).await.iter().map(|row| row.kind).take(2).collect();
    assert_eq!(kinds, [TransferKind::Reversal, TransferKind::Cover]);
    fixture.audit().await;
}

#[tokio::test]
async fn forced_reversal_without_shortfall_covers_nothing() {
    let (fixture, admin, [ann, ben]) = open().await;
    let paid = fixture.pay(&ann, &ben, 700).await.unwrap();
    let treasury = fixture.balance(AccountId::TREASURY).await;
    reverse(&fixture, &admin, paid.id, true).await.unwrap();
    assert_eq!(fixture.balance(AccountId::TREASURY).await, treasury);
    assert_eq!(fixture.balances([&ann, &ben]).await, [GRANT, GRANT]);
}

#[tokio::test]
async fn mint_and_grant_are_reversed_into_treasury() {
    let (fixture, admin, [ann, ben]) = open().await;
    let mint = Mint { to: ann.account_id, amount: amount(500) };
    let minted =
        fixture.app.ledger.mint(&admin, fixture.key(), mint).await.unwrap().result.unwrap();
    let granted = fixture.statement(ben.account_id).await.remove(0);
    let treasury = fixture.balance(AccountId::TREASURY).await;
    reverse(&fixture, &admin, minted.id, false).await.unwrap();
    assert_eq!(fixture.balance(AccountId::TREASURY).await, treasury + 500);
    // The grant was spent; the treasury covers what it then takes back.
    fixture.pay(&ben, &ann, GRANT - 1).await.unwrap();
    assert_eq!(
        reverse(&fixture, &admin, granted.id, false).await.unwrap_err().code(),
        Code::InsufficientFunds
    );
    reverse(&fixture, &admin, granted.id, true).await.unwrap();
    assert_eq!(fixture.balances([&ann, &ben]).await, [2 * GRANT - 1, 0]);
    assert_eq!(fixture.balance(AccountId::TREASURY).await, treasury + 500 + 1);
    fixture.audit().await;
}

#[tokio::test]
async fn market_transfers_and_reversals_are_final() {
    let (fixture, admin, [ann, ben]) = open().await;
    let market = fixture.market(&ann, 1_000).await;
    let bet = fixture.bet(&ben, &market, 0, 500).await.unwrap().bet.transfer_id;
    let sale = fixture.sell_all(&ben, &market, 0).await.unwrap().bet.transfer_id;
    let subsidy = fixture.statement(ann.account_id).await[0].id;
    let paid = fixture.pay(&ann, &ben, 10).await.unwrap();
    fixture.pay(&ben, &ann, fixture.balance(ben.account_id).await).await.unwrap();
    let back = reverse(&fixture, &admin, paid.id, true).await.unwrap();
    let cover = fixture.statement(ben.account_id).await[1].id;
    let before = fixture.audit().await;
    for of in [bet, sale, subsidy, back.id, cover] {
        for force in [false, true] {
            let refused = reverse(&fixture, &admin, of, force).await.unwrap_err();
            assert!(
                matches!(refused, DomainError::Transfer(TransferError::NotReversible { .. })),
                "{refused:?}"
            );
        }
    }
    let absent = fixture.ids.transfer();
    let missing = Err(DomainError::Transfer(TransferError::NotFound(absent)));
    assert_eq!(reverse(&fixture, &admin, absent, true).await, missing);
    assert_eq!(fixture.audit().await, before);
}

#[tokio::test]
async fn forced_reversal_into_closed_account_leaves_no_trace() {
    let (fixture, admin, [ann, ben]) = open().await;
    let paid = fixture.pay(&ann, &ben, 700).await.unwrap();
    fixture.pay(&ben, &admin, GRANT + 700).await.unwrap();
    fixture.app.identity.erase_user(&ann, ann.user.id, confirmation()).await.unwrap();
    let (before, treasury) = (fixture.audit().await, fixture.balance(AccountId::TREASURY).await);
    let refused = reverse(&fixture, &admin, paid.id, true).await.unwrap_err();
    assert_eq!(refused, DomainError::Transfer(TransferError::AccountClosed(ann.account_id)));
    assert_eq!(fixture.balances([&ann, &ben]).await, [GRANT - 700, 0]);
    assert_eq!(fixture.balance(AccountId::TREASURY).await, treasury, "the cover was taken back");
    assert_eq!(fixture.audit().await, before);
}

#[tokio::test]
async fn reversal_takes_money_back_from_closed_account() {
    let (fixture, admin, [ann, ben]) = open().await;
    let paid = fixture.pay(&ann, &ben, 700).await.unwrap();
    fixture.pay(&ben, &admin, GRANT + 300).await.unwrap();
    fixture.app.identity.erase_user(&ben, ben.user.id, confirmation()).await.unwrap();
    reverse(&fixture, &admin, paid.id, true).await.unwrap();
    assert_eq!(fixture.balances([&ann, &ben]).await, [GRANT, 0]);
    fixture.audit().await;
}
