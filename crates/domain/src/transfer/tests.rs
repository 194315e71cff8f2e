//! Tests of transfers between accounts, allowed and rejected.

use super::*;
use crate::account::{AccountRecord, AccountStatus};
use crate::id::UserId;

fn account(id: u128, minor: i64) -> Account {
    let fresh = Account::user(AccountId::from_u128(id), UserId::from_u128(id));
    Account::restore(AccountRecord { balance: Balance::from_minor(minor), ..*fresh.record() })
        .unwrap()
}

fn order(kind: TransferKind, minor: i64) -> TransferOrder {
    let (id, at) = (TransferId::from_u128(9), Timestamp::from_micros(0));
    TransferOrder::new(id, kind, Amount::new(minor).unwrap(), at)
}

fn check(
    debit: Account,
    credit: Account,
    order: TransferOrder,
    expected: Result<(i64, i64), TransferError>,
) {
    let (mut from, mut to) = (debit, credit);
    let result = transfer(&mut from, &mut to, order);
    if result.is_err() {
        assert_eq!((from, to), (debit, credit), "a refused transfer changes nothing");
    }
    let balances =
        result.map(|row| (row.debit.balance_after.minor(), row.credit.balance_after.minor()));
    assert_eq!(balances, expected);
}

#[test]
fn money_moves_between_two_open_accounts() {
    check(account(1, 100), account(2, 0), order(TransferKind::Payment, 100), Ok((0, 100)));
    check(Account::treasury(), account(2, 5), order(TransferKind::Mint, 7), Ok((-7, 12)));
}

#[test]
fn forbidden_transfer_is_rejected() {
    let needed = Amount::new(101).unwrap();
    let available = Balance::from_minor(100);
    let overdraft = TransferError::InsufficientFunds { available, needed };
    check(account(1, 100), account(2, 0), order(TransferKind::Payment, 101), Err(overdraft));
    check(
        account(1, 100),
        account(1, 100),
        order(TransferKind::Payment, 1),
        Err(TransferError::SelfTransfer),
    );
    let full = account(2, i64::MAX);
    check(
        account(1, 100),
        full,
        order(TransferKind::Payment, 1),
        Err(TransferError::BalanceOutOfRange),
    );
}

#[test]
fn money_in_circulation_is_limited() {
    let treasury = |minor| {
        let record = *Account::treasury().record();
        Account::restore(AccountRecord { balance: Balance::from_minor(minor), ..record }).unwrap()
    };
    for (kind, limit) in [
        (TransferKind::Mint, MAX_MINTED_MINOR),
        (TransferKind::Grant, MAX_CIRCULATION_MINOR),
        (TransferKind::Cover, MAX_CIRCULATION_MINOR),
    ] {
        check(treasury(1 - limit), account(2, 0), order(kind, 1), Ok((-limit, 1)));
        for balance in [1 - limit, -limit, i64::MIN] {
            let refused = Err(TransferError::CirculationLimit);
            check(treasury(balance), account(2, 0), order(kind, 2), refused);
        }
        let refused = Err(TransferError::CirculationLimit);
        check(treasury(0), account(2, 0), order(kind, i64::MAX), refused);
    }
}

#[test]
fn closed_account_receives_only_what_is_owed() {
    let (open, closed) = (account(1, 100), account(2, 100).close());
    assert_eq!(closed.record().status, AccountStatus::Closed);
    let refused = Err(TransferError::AccountClosed(closed.id()));
    check(open, closed, order(TransferKind::Payment, 1), refused);
    check(closed, open, order(TransferKind::Payment, 1), refused);
    check(open, closed, order(TransferKind::Reversal, 1), refused);
    for kind in
        [TransferKind::Payout, TransferKind::Refund, TransferKind::Remainder, TransferKind::Cover]
    {
        check(open, closed, order(kind, 1), Ok((99, 101)));
    }
}

#[test]
fn admin_takes_money_out_of_closed_account() {
    let (closed, open) = (account(1, 100).close(), account(2, 100));
    for kind in [TransferKind::Reversal, TransferKind::Burn] {
        check(closed, open, order(kind, 1), Ok((99, 101)));
    }
}

#[test]
fn versions_count_the_transfers_of_each_account() {
    let (mut a, mut b, mut c) = (account(1, 10), account(2, 0), account(3, 0));
    let first = transfer(&mut a, &mut b, order(TransferKind::Payment, 4)).unwrap();
    let second = transfer(&mut b, &mut c, order(TransferKind::Payment, 1)).unwrap();
    assert_eq!((first.debit.version, first.credit.version), (1, 1));
    assert_eq!((second.debit.version, second.credit.version), (2, 1));
}

#[test]
fn market_transfers_are_not_reversible() {
    let at = Timestamp::from_micros(5);
    for kind in TransferKind::ALL {
        let (mut from, mut to) = (account(1, 10), account(2, 0));
        let row = transfer(&mut from, &mut to, order(kind, 4)).unwrap();
        let is_reversible = reversal(&row, TransferId::from_u128(10), at).is_ok();
        let expected = matches!(
            kind,
            TransferKind::Mint | TransferKind::Grant | TransferKind::Payment | TransferKind::Burn
        );
        assert_eq!(is_reversible, expected, "{kind:?}");
    }
}

#[test]
fn settlement_payments_return_to_pot() {
    let at = Timestamp::from_micros(5);
    let market = MarketId::from_u128(7);
    for kind in TransferKind::ALL {
        let (mut from, mut to) = (account(1, 10), account(2, 0));
        let paid = transfer(&mut from, &mut to, order(kind, 4).about(market)).unwrap();
        let back = reversal_of_payment(&paid, TransferId::from_u128(10), at);
        let expected = matches!(
            kind,
            TransferKind::Payout
                | TransferKind::Refund
                | TransferKind::Fee
                | TransferKind::Remainder
        );
        assert_eq!(back.is_some(), expected, "{kind:?}");
        let Some(back) = back else { continue };
        let row = transfer(&mut to, &mut from, back).unwrap();
        assert_eq!((row.kind, row.reversal_of), (TransferKind::Reversal, Some(paid.id)));
        assert_eq!((row.amount, row.market_id), (paid.amount, Some(market)));
    }
}

#[test]
fn shortfall_is_amount_missing_to_pay() {
    let amount = Amount::new(30).unwrap();
    assert_eq!(shortfall(&account(1, 10), amount).map(Amount::minor), Some(20));
    assert_eq!(shortfall(&account(1, 30), amount), None);
    assert_eq!(shortfall(&Account::treasury(), amount), None);
}

#[test]
fn kinds_have_distinct_names() {
    for kind in TransferKind::ALL {
        assert_eq!(TransferKind::from_name(kind.as_str()), Some(kind));
    }
}

/// Checks whether a changed transfer can be restored, and deserialized.
fn check_stored(change: impl FnOnce(&mut TransferRecord), expected: Option<TransferRecordError>) {
    let (mut debit, mut credit) = (account(1, 100), account(2, 0));
    let made = transfer(&mut debit, &mut credit, order(TransferKind::Payment, 1)).unwrap();
    let mut record = made.into_record();
    change(&mut record);
    assert_eq!(Transfer::restore(record.clone()).err(), expected);
    #[cfg(feature = "serde")]
    {
        let json = serde_json::to_string(&record).unwrap();
        assert_eq!(serde_json::from_str::<Transfer>(&json).is_err(), expected.is_some(), "{json}");
    }
}

#[test]
fn stored_transfers_are_checked() {
    check_stored(|_| (), None);
    let same = |record: &mut TransferRecord| record.credit.account_id = record.debit.account_id;
    check_stored(same, Some(TransferRecordError::SelfTransfer));
    check_stored(|record| record.debit.version = 0, Some(TransferRecordError::DebitVersion));
    check_stored(|record| record.credit.version = 0, Some(TransferRecordError::CreditVersion));
}
