//! Tests of rules stricter than the contract: everything that some database would reject is
//! rejected.

use foretell_domain::account::Account;
use foretell_domain::post::PostStatus;
use foretell_domain::transfer::{TransferKind, transfer};
use foretell_ports::ledger::LedgerQueries as _;
use foretell_ports::unit::{Locked, Tx};

use super::*;
use crate::Factory;
use crate::clock::START;

async fn run<T: Send + 'static>(
    store: &MemoryStore,
    work: impl FnMut(&mut dyn Tx) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let store: &dyn UnitOfWork = store;
    store.run("memory", work).await
}

async fn check_rejected<T: Send + 'static>(
    store: &MemoryStore,
    work: impl FnMut(&mut dyn Tx) -> Result<T, StoreError> + Send + 'static,
) {
    assert!(matches!(run(store, work).await, Err(StoreError::Rejected(_))));
}

#[tokio::test]
async fn saving_rows_requires_their_lock() {
    let (store, make) = (MemoryStore::new(), Factory::new(1));
    let creator = make.account(make.user().id);
    let market = make.market(&creator).build().market;
    run(&store, |tx| tx.insert_accounts_once(&[Account::treasury()], START)).await.unwrap();
    check_rejected(&store, |tx| tx.save_accounts(&[&Locked::assume(Account::treasury())])).await;
    let locked = Locked::assume(market);
    check_rejected(&store, move |tx| tx.save_markets(&[&locked], START)).await;
    let post = make.post(make.user().id, PostStatus::Draft, &[]);
    let comment = Locked::assume(make.comment(post.author_id, post.id));
    check_rejected(&store, move |tx| tx.save_post(&Locked::assume(post.clone()))).await;
    check_rejected(&store, move |tx| tx.save_comment(&comment)).await;
    let saved = run(&store, |tx| {
        let locked = tx.lock_accounts(&[Account::treasury().id()].into())?;
        tx.save_accounts(&locked.iter().collect::<Vec<_>>())
    });
    saved.await.unwrap();
}

#[tokio::test]
async fn references_to_absent_rows_are_rejected() {
    let (store, make) = (MemoryStore::new(), Factory::new(1));
    let (nobody, mut account) = (make.user().id, make.account(make.user().id));
    check_rejected(&store, move |tx| tx.insert_accounts_once(&[account], START)).await;
    let session = make.session(nobody);
    check_rejected(&store, move |tx| tx.insert_session(&session)).await;
    let transfer =
        transfer(&mut Account::treasury(), &mut account, make.order(TransferKind::Mint, 1));
    let transfer = transfer.unwrap();
    check_rejected(&store, move |tx| tx.insert_transfers(std::slice::from_ref(&transfer))).await;
}

#[tokio::test]
async fn unit_with_rejection_is_not_committed() {
    let (store, make) = (MemoryStore::new(), Factory::new(1));
    let account = make.account(make.user().id);
    check_rejected(&store, move |tx| {
        tx.insert_accounts_once(&[Account::treasury()], START)?;
        let refused = tx.insert_accounts_once(&[account], START);
        assert!(refused.is_err() && tx.find_transfers(&[]).is_err());
        Ok(())
    })
    .await;
    assert_eq!(store.find_account(Account::treasury().id()).await.unwrap(), None);
}

#[tokio::test]
async fn store_keeps_data_during_outage() {
    let store = MemoryStore::new();
    run(&store, |tx| tx.insert_accounts_once(&[Account::treasury()], START)).await.unwrap();
    store.take_down();
    assert!(matches!(store.ping().await, Err(StoreError::Unavailable(_))));
    assert!(matches!(run(&store, |_| Ok(())).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(store.audit().await, Err(StoreError::Unavailable(_))));
    store.bring_up();
    store.ping().await.unwrap();
    assert_eq!(store.audit().await.unwrap().accounts, 1);
}
