//! Accounts and the currency: inserted once, locked in order, saved unchanged.

use std::collections::BTreeSet;

use foretell_domain::account::{Account, AccountRecord};
use foretell_domain::id::AccountId;
use foretell_domain::money::{Balance, Currency};

use super::Harness;
use super::fixture::{Fixture, after};
use crate::clock::START;

/// The first currency is kept, and a caller with another one gets the first.
pub async fn currency_is_recorded_once(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    assert_eq!(fixture.ports.ledger.find_currency().await.unwrap(), None);
    let [play, coin] =
        [("PLAY", 2), ("COIN", 8)].map(|(code, decimals)| Currency::new(code, decimals).unwrap());
    for brought in [&play, &coin, &play] {
        let brought = brought.clone();
        let stored = fixture.commit(move |tx| tx.record_currency_once(&brought, START)).await;
        assert_eq!(stored, play);
    }
    assert_eq!(fixture.ports.ledger.find_currency().await.unwrap(), Some(play));
}

/// Existing accounts are not changed and not counted, even twice in one call.
pub async fn accounts_are_inserted_once(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let first = fixture.funded(50).await;
    let (second, pot) =
        (fixture.make.account(first.owner().unwrap()), Account::pot(fixture.make.ids().market()));
    let empty = Account::user(first.id(), first.owner().unwrap());
    let batch = [empty, second, pot, second];
    assert_eq!(fixture.commit(move |tx| tx.insert_accounts_once(&batch, after(9))).await, 2);
    assert_eq!(fixture.commit(move |tx| tx.insert_accounts_once(&batch, after(9))).await, 0);
    assert_eq!(fixture.commit(|tx| tx.insert_accounts_once(&[], after(9))).await, 0);
    for (account, opened) in [(first, START), (second, after(9)), (pot, after(9))] {
        let stored = fixture.stored(account.id()).await;
        assert_eq!((stored.account, stored.created_at), (account, opened));
    }
    let unknown = fixture.make.ids().account();
    assert_eq!(fixture.ports.ledger.find_account(unknown).await.unwrap(), None);
}

/// Locked accounts have ascending ids, whatever the order of their creation, and absent ones are
/// left out.
pub async fn accounts_are_locked_in_ascending_order(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let owner = fixture.user().await.id;
    let numbers = [3_u128 << 120, 1, 2 << 64, u128::MAX, 1 << 127, 0x80 << 56];
    let accounts = numbers.map(|number| Account::user(AccountId::from_u128(number), owner));
    fixture.commit(move |tx| tx.insert_accounts_once(&accounts, START)).await;
    let mut ids: BTreeSet<_> = accounts.iter().map(Account::id).collect();
    let expected: Vec<_> = ids.iter().copied().collect();
    ids.extend([fixture.make.ids().account(), AccountId::from_u128(7)]);
    let locked = fixture.commit(move |tx| tx.lock_accounts(&ids)).await;
    assert_eq!(locked.iter().map(|account| account.id()).collect::<Vec<_>>(), expected);
    assert!(fixture.commit(|tx| tx.lock_accounts(&BTreeSet::new())).await.is_empty());
}

/// A save stores balance, version and status exactly, and changes nothing else.
pub async fn saved_accounts_keep_balance_version_and_status(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (account, other) = (fixture.account().await, fixture.account().await);
    fixture.store_account(Account::treasury()).await;
    for (id, minor) in [(account.id(), i64::MAX), (AccountId::TREASURY, i64::MIN)] {
        fixture
            .alter_account(id, move |account| {
                let balance = Balance::from_minor(minor);
                let record = AccountRecord { balance, version: i64::MAX, ..*account.record() };
                *account = Account::restore(record).expect("an account").close();
            })
            .await;
        let stored = fixture.stored(id).await;
        let record = *stored.account.record();
        assert_eq!((record.balance.minor(), record.version), (minor, i64::MAX));
        assert!(!stored.account.is_open() && stored.created_at == START, "{stored:?}");
    }
    assert_eq!(fixture.stored(account.id()).await.account.owner(), account.owner());
    assert_eq!(fixture.stored(other.id()).await.account, other);
}

/// A unit may lock and save as many accounts as a batch of the money writer.
pub async fn full_batch_of_accounts_is_saved(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let owner = fixture.user().await.id;
    let accounts: Vec<_> = (0..1_000).map(|_| fixture.make.account(owner)).collect();
    let ids: BTreeSet<_> = accounts.iter().map(Account::id).collect();
    assert_eq!(fixture.commit(move |tx| tx.insert_accounts_once(&accounts, START)).await, 1_000);
    let saved = ids.clone();
    fixture
        .commit(move |tx| {
            let mut locked = tx.lock_accounts(&saved)?;
            for account in &mut locked {
                **account = account.close();
            }
            tx.save_accounts(&locked.iter().collect::<Vec<_>>())
        })
        .await;
    let stored = fixture.commit(move |tx| tx.lock_accounts(&ids)).await;
    assert_eq!(stored.iter().filter(|account| !account.is_open()).count(), 1_000);
}

/// The accounts of a user are listed oldest first, without those of others.
pub async fn accounts_of_user_are_listed_oldest_first(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (owner, other) = (fixture.user().await.id, fixture.account().await);
    let accounts =
        [fixture.make.account(owner), fixture.make.account(owner), fixture.make.account(owner)];
    for (account, opened) in accounts.into_iter().zip([after(2), after(0), after(1)]) {
        fixture.commit(move |tx| tx.insert_accounts_once(&[account], opened)).await;
    }
    let listed = fixture.ports.ledger.list_accounts(owner).await.unwrap();
    let listed: Vec<_> = listed.iter().map(|row| (row.account, row.created_at)).collect();
    let [newest, oldest, middle] = accounts;
    assert_eq!(listed, [(oldest, after(0)), (middle, after(1)), (newest, after(2))]);
    assert_eq!(fixture.ports.ledger.list_accounts(other.owner().unwrap()).await.unwrap().len(), 1);
    assert!(
        fixture.ports.ledger.list_accounts(fixture.make.ids().user()).await.unwrap().is_empty()
    );
}

/// At most one hundred accounts are listed.
pub async fn at_most_hundred_accounts_are_listed(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let owner = fixture.user().await.id;
    let accounts: Vec<_> = (0..101).map(|_| fixture.make.account(owner)).collect();
    let first = accounts[0];
    fixture
        .commit(move |tx| {
            for (account, second) in accounts.iter().zip(0..) {
                tx.insert_accounts_once(&[*account], after(second))?;
            }
            Ok(())
        })
        .await;
    let listed = fixture.ports.ledger.list_accounts(owner).await.unwrap();
    assert_eq!((listed.len(), listed[0].account), (100, first));
}
