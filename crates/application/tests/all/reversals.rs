//! Reversals: the money of a transfer is returned once, and no balance falls below zero.

use foretell_application::Caller;
use foretell_application::writer::Mint;
use foretell_domain::error::{Code, DomainError};
use foretell_domain::id::{AccountId, TransferId};
use foretell_domain::transfer::{Transfer, TransferError, TransferKind};

use crate::support::{Desk, GRANT, amount, confirmation};

/// Opens a desk with an admin and two users.
async fn open() -> (Desk, Caller, [Caller; 2]) {
    let desk = Desk::open().await;
    let (admin, ann, ben) = (desk.admin().await, desk.user().await, desk.user().await);
    (desk, admin, [ann, ben])
}

async fn reverse(desk: &Desk, admin: &Caller, of: TransferId, force: bool) -> Result<Transfer, DomainError> {
    desk.app.reverse_transfer(admin, desk.key(), of, force).await.unwrap().result
}

#[tokio::test]
async fn a_payment_is_reversed_once() {
    let (desk, admin, [ann, ben]) = open().await;
    let paid = desk.pay(&ann, &ben, 700).await.unwrap();
    let back = reverse(&desk, &admin, paid.id, false).await.unwrap();
    assert_eq!(
        (back.kind, back.reversal_of, back.amount),
        (TransferKind::Reversal, Some(paid.id), paid.amount)
    );
    assert_eq!((back.debit.account_id, back.credit.account_id), (ben.account_id, ann.account_id));
    let already = Err(DomainError::Transfer(TransferError::AlreadyReversed(paid.id)));
    for force in [false, true] {
        assert_eq!(reverse(&desk, &admin, paid.id, force).await, already);
    }
    assert_eq!(desk.balances([&ann, &ben]).await, [GRANT, GRANT]);
    desk.audit().await;
}

#[tokio::test]
async fn two_reversals_in_unit_reverse_once() {
    let (desk, admin, [ann, ben]) = open().await;
    let paid = desk.pay(&ann, &ben, 700).await.unwrap();
    let twice = [false, true].map(|force| reverse(&desk, &admin, paid.id, force));
    let (answers, units) = desk.together(twice).await;
    assert_eq!(units, 1);
    assert_eq!(answers[0].as_ref().unwrap().reversal_of, Some(paid.id));
    assert_eq!(answers[1], Err(DomainError::Transfer(TransferError::AlreadyReversed(paid.id))));
    assert_eq!(desk.balances([&ann, &ben]).await, [GRANT, GRANT]);
    desk.audit().await;
}

#[tokio::test]
async fn reversal_of_spent_money_is_rejected() {
    let (desk, admin, [ann, ben]) = open().await;
    let paid = desk.pay(&ann, &ben, 700).await.unwrap();
    desk.pay(&ben, &ann, GRANT + 100).await.unwrap();
    let refused = reverse(&desk, &admin, paid.id, false).await.unwrap_err();
    assert_eq!(refused.code(), Code::InsufficientFunds);
    assert_eq!(desk.balances([&ann, &ben]).await, [2 * GRANT - 600, 600]);
    desk.pay(&ann, &ben, 100).await.unwrap();
    reverse(&desk, &admin, paid.id, false).await.unwrap();
    assert_eq!(desk.balances([&ann, &ben]).await, [2 * GRANT, 0]);
    desk.audit().await;
}

#[tokio::test]
async fn a_forced_reversal_is_covered_by_the_treasury() {
    let (desk, admin, [ann, ben]) = open().await;
    let paid = desk.pay(&ann, &ben, 700).await.unwrap();
    desk.pay(&ben, &ann, GRANT + 100).await.unwrap();
    let treasury = desk.balance(AccountId::TREASURY).await;
    reverse(&desk, &admin, paid.id, true).await.unwrap();
    assert_eq!(desk.balances([&ann, &ben]).await, [2 * GRANT + 100, 0]);
    assert_eq!(desk.balance(AccountId::TREASURY).await, treasury - 100, "what Ben lacked");
    let kinds: Vec<_> = desk.statement(ben.account_id).await.iter().map(|row| row.kind).take(2).collect();
    assert_eq!(kinds, [TransferKind::Reversal, TransferKind::Cover]);
    desk.audit().await;
}

#[tokio::test]
async fn forced_reversal_without_shortfall_covers_nothing() {
    let (desk, admin, [ann, ben]) = open().await;
    let paid = desk.pay(&ann, &ben, 700).await.unwrap();
    let treasury = desk.balance(AccountId::TREASURY).await;
    reverse(&desk, &admin, paid.id, true).await.unwrap();
    assert_eq!(desk.balance(AccountId::TREASURY).await, treasury);
    assert_eq!(desk.balances([&ann, &ben]).await, [GRANT, GRANT]);
}

#[tokio::test]
async fn mint_and_grant_are_reversed_into_treasury() {
    let (desk, admin, [ann, ben]) = open().await;
    let mint = Mint { to: ann.account_id, amount: amount(500) };
    let minted = desk.app.mint(&admin, desk.key(), mint).await.unwrap().result.unwrap();
    let granted = desk.statement(ben.account_id).await.remove(0);
    let treasury = desk.balance(AccountId::TREASURY).await;
    reverse(&desk, &admin, minted.id, false).await.unwrap();
    assert_eq!(desk.balance(AccountId::TREASURY).await, treasury + 500);
    // The grant was spent; the treasury covers what it then takes back.
    desk.pay(&ben, &ann, GRANT - 1).await.unwrap();
    assert_eq!(reverse(&desk, &admin, granted.id, false).await.unwrap_err().code(), Code::InsufficientFunds);
    reverse(&desk, &admin, granted.id, true).await.unwrap();
    assert_eq!(desk.balances([&ann, &ben]).await, [2 * GRANT - 1, 0]);
    assert_eq!(desk.balance(AccountId::TREASURY).await, treasury + 500 + 1);
    desk.audit().await;
}

#[tokio::test]
async fn market_transfers_and_reversals_are_final() {
    let (desk, admin, [ann, ben]) = open().await;
    let market = desk.market(&ann, 1_000).await;
    let bet = desk.bet(&ben, &market, 0, 500).await.unwrap().bet.transfer_id;
    let sale = desk.sell_all(&ben, &market, 0).await.unwrap().bet.transfer_id;
    let subsidy = desk.statement(ann.account_id).await[0].id;
    let paid = desk.pay(&ann, &ben, 10).await.unwrap();
    desk.pay(&ben, &ann, desk.balance(ben.account_id).await).await.unwrap();
    let back = reverse(&desk, &admin, paid.id, true).await.unwrap();
    let cover = desk.statement(ben.account_id).await[1].id;
    let before = desk.audit().await;
    for of in [bet, sale, subsidy, back.id, cover] {
        for force in [false, true] {
            let refused = reverse(&desk, &admin, of, force).await.unwrap_err();
            assert!(
                matches!(refused, DomainError::Transfer(TransferError::NotReversible { .. })),
                "{refused:?}"
            );
        }
    }
    let absent = desk.ids.transfer();
    let missing = Err(DomainError::Transfer(TransferError::NotFound(absent)));
    assert_eq!(reverse(&desk, &admin, absent, true).await, missing);
    assert_eq!(desk.audit().await, before);
}

#[tokio::test]
async fn forced_reversal_into_closed_account_leaves_no_trace() {
    let (desk, admin, [ann, ben]) = open().await;
    let paid = desk.pay(&ann, &ben, 700).await.unwrap();
    desk.pay(&ben, &admin, GRANT + 700).await.unwrap();
    desk.app.erase_user(&ann, ann.user.id, confirmation()).await.unwrap();
    let (before, treasury) = (desk.audit().await, desk.balance(AccountId::TREASURY).await);
    let refused = reverse(&desk, &admin, paid.id, true).await.unwrap_err();
    assert_eq!(refused, DomainError::Transfer(TransferError::AccountClosed(ann.account_id)));
    assert_eq!(desk.balances([&ann, &ben]).await, [GRANT - 700, 0]);
    assert_eq!(desk.balance(AccountId::TREASURY).await, treasury, "the cover was taken back");
    assert_eq!(desk.audit().await, before);
}

#[tokio::test]
async fn reversal_takes_money_back_from_closed_account() {
    let (desk, admin, [ann, ben]) = open().await;
    let paid = desk.pay(&ann, &ben, 700).await.unwrap();
    desk.pay(&ben, &admin, GRANT + 300).await.unwrap();
    desk.app.erase_user(&ben, ben.user.id, confirmation()).await.unwrap();
    reverse(&desk, &admin, paid.id, true).await.unwrap();
    assert_eq!(desk.balances([&ann, &ben]).await, [GRANT, 0]);
    desk.audit().await;
}
