//! Units of work: committed completely or not at all, whatever happens to them.

use std::slice::from_ref;
use std::sync::Arc;
use std::time::{Duration, Instant};

use foretell_domain::account::Account;
use foretell_domain::id::AccountId;
use foretell_domain::money::Currency;
use foretell_domain::transfer::{TransferKind, TransferOrder};
use foretell_domain::user::User;
use foretell_ports::error::StoreError;
use foretell_ports::idempotency::StoredOutcome;
use foretell_ports::market::NewMarket;
use foretell_ports::unit::{Tx, WorkError};

use super::Harness;
use super::fixture::{Fixture, after, move_money};
use super::overlap::{Latch, PATIENCE};
use crate::clock::START;

/// The result of the work is returned, and its changes are visible to queries and later units.
pub async fn result_is_returned_after_commit(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let account = fixture.make.account(fixture.user().await.id);
    let result =
        fixture.commit(move |tx| Ok((tx.insert_accounts_once(&[account], START)?, "result"))).await;
    assert_eq!(result, (1, "result"));
    assert_eq!(fixture.stored(account.id()).await.account, account);
    let again = fixture.commit(move |tx| tx.insert_accounts_once(&[account], START)).await;
    assert_eq!(again, 0, "the later unit sees the account");
}

/// Changes of every area that a unit makes before it fails, for a test to look for.
struct Traces {
    fixture: Fixture,
    account: Account,
    user: User,
    outcome: StoredOutcome,
    new: NewMarket,
    order: TransferOrder,
}

impl Traces {
    async fn of(harness: &dyn Harness) -> Self {
        let fixture = Fixture::open(harness).await;
        let account = fixture.funded(1_000).await;
        let user = fixture.make.user();
        let outcome = fixture.make.outcome(user.id, "key");
        let new = fixture.make.market(&account).build();
        let order = fixture.make.order(TransferKind::Payment, 5);
        Self { fixture, account, user, outcome, new, order }
    }

    fn pot(&self) -> AccountId {
        AccountId::of_market(self.new.market.id())
    }

    /// Returns the work that writes them all.
    fn write(&self) -> impl FnMut(&mut dyn Tx) -> Result<(), StoreError> + Send + use<> {
        let (user, password) = (self.user.clone(), self.fixture.make.password());
        let (outcome, new, order) = (self.outcome.clone(), self.new.clone(), self.order.clone());
        let (account, pot) = (self.account.id(), self.pot());
        move |tx| {
            tx.record_currency_once(&Currency::new("GONE", 2).expect("a currency"), START)?;
            tx.insert_user_once(&user, &password)?;
            tx.insert_outcomes(from_ref(&outcome))?;
            tx.insert_accounts_once(&[Account::pot(new.market.id())], START)?;
            tx.insert_markets(from_ref(&new))?;
            move_money(tx, [account, pot], &order).map(|_| ())
        }
    }

    async fn check_none_is_left(&self) {
        let ports = &self.fixture.ports;
        assert_eq!(ports.ledger.find_currency().await.unwrap(), None);
        assert_eq!(ports.users.find_credentials(&self.user.email).await.unwrap(), None);
        assert_eq!(ports.outcomes.find_outcome(&self.outcome.key).await.unwrap(), None);
        assert_eq!(ports.markets.find_market(self.new.market.id()).await.unwrap(), None);
        assert_eq!(ports.ledger.find_transfer(self.order.id, None).await.unwrap(), None);
        assert_eq!(ports.ledger.find_account(self.pot()).await.unwrap(), None);
        assert_eq!(self.fixture.stored(self.account.id()).await.account, self.account);
    }
}

/// An `Err` of the work is returned unchanged, and its earlier changes are rolled back.
pub async fn error_rolls_back_every_change(harness: &dyn Harness) {
    let traces = Traces::of(harness).await;
    let mut write = traces.write();
    let fails = move |tx: &mut dyn Tx| -> Result<(), StoreError> {
        write(tx)?;
        Err(StoreError::Rejected("by the work itself".into()))
    };
    let result = traces.fixture.ports.uow.run("fails", fails).await;
    assert!(
        matches!(
            &result,
            Err(StoreError::Rejected(cause)) if cause.to_string() == "by the work itself"
        ),
        "the work's own error, not {result:?}"
    );
    traces.check_none_is_left().await;
}

/// Error of a unit that refuses.
#[derive(Debug)]
enum Refusal {
    Store(StoreError),
    Refused,
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl WorkError for Refusal {
    fn into_store_error(self) -> Result<StoreError, Self> {
        match self {
            Self::Store(error) => Ok(error),
            Self::Refused => Err(self),
        }
    }
}

/// A refusal by the work is returned unchanged, and its earlier changes are rolled back.
pub async fn refusal_rolls_back_every_change(harness: &dyn Harness) {
    let traces = Traces::of(harness).await;
    let mut write = traces.write();
    let refuses = move |tx: &mut dyn Tx| -> Result<(), Refusal> {
        write(tx)?;
        Err(Refusal::Refused)
    };
    let result = traces.fixture.ports.uow.try_run("refuses", refuses).await;
    assert!(matches!(result, Err(Refusal::Refused)), "{result:?}");
    traces.check_none_is_left().await;
}

/// A panic of the work is a rejection, and its earlier changes are rolled back.
pub async fn panic_rolls_back_every_change(harness: &dyn Harness) {
    let traces = Traces::of(harness).await;
    let mut write = traces.write();
    let panics = move |tx: &mut dyn Tx| -> Result<(), StoreError> {
        write(tx)?;
        panic!("as the test wants it")
    };
    traces.fixture.check_rejected(panics).await;
    traces.check_none_is_left().await;
}

/// Units and queries work after units have panicked, as many as there may be connections.
pub async fn store_is_usable_after_panic(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    for _ in 0..20 {
        fixture
            .check_rejected(|_| -> Result<(), StoreError> { panic!("as the test wants it") })
            .await;
    }
    let account = fixture.account().await;
    assert_eq!(fixture.stored(account.id()).await.account, account);
}

/// Changes of a unit are visible to its own later steps.
pub async fn unit_sees_its_own_changes(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (from, to) = (fixture.funded(100).await, fixture.account().await);
    let outcome = fixture.make.outcome(fixture.user().await.id, "key");
    let (first, second) = (
        fixture.make.order(TransferKind::Payment, 30),
        fixture.make.order(TransferKind::Payment, 5),
    );
    let versions = fixture.commit(move |tx| {
        let first = move_money(tx, [from.id(), to.id()], &first)?;
        assert_eq!(tx.find_transfers(&[first.id])?, from_ref(&first));
        tx.insert_outcomes(from_ref(&outcome))?;
        assert_eq!(tx.find_outcomes(from_ref(&outcome.key))?, from_ref(&outcome));
        let second = move_money(tx, [to.id(), from.id()], &second)?;
        Ok([first.debit.version, first.credit.version, second.credit.version, second.debit.version])
    });
    assert_eq!(versions.await, [2, 1, 3, 2]);
    assert_eq!(fixture.stored(to.id()).await.account.balance().minor(), 25);
}

/// Queries read committed data while a unit is running.
pub async fn queries_do_not_see_running_unit(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let account = fixture.make.account(fixture.user().await.id);
    let (written, looked) = (Latch::default(), Latch::default());
    let store = Arc::clone(&fixture.ports.uow);
    let (has_written, has_looked) = (written.clone(), looked.clone());
    let unit = tokio::spawn(async move {
        let work = move |tx: &mut dyn Tx| {
            tx.insert_accounts_once(&[account], START)?;
            has_written.open();
            has_looked.wait(PATIENCE);
            Ok(())
        };
        store.run("waits", work).await
    });
    written.opened().await;
    let seen = fixture.ports.ledger.find_account(account.id()).await;
    looked.open();
    unit.await.unwrap().expect("the unit is committed");
    assert_eq!(seen.unwrap(), None, "before the commit");
    assert_eq!(fixture.stored(account.id()).await.account, account, "after the commit");
}

/// Dropping the caller while the unit is running changes nothing: it is committed completely.
pub async fn unit_of_dropped_future_is_committed(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let user = fixture.user().await;
    let (early, late) = (fixture.make.account(user.id), fixture.make.account(user.id));
    let (begun, dropped) = (Latch::default(), Latch::default());
    let store = Arc::clone(&fixture.ports.uow);
    let (has_begun, is_dropped) = (begun.clone(), dropped.clone());
    let caller = tokio::spawn(async move {
        let work = move |tx: &mut dyn Tx| {
            tx.insert_accounts_once(&[early], START)?;
            has_begun.open();
            is_dropped.wait(PATIENCE);
            tx.insert_accounts_once(&[late], after(1))?;
            Ok(())
        };
        store.run("is dropped", work).await
    });
    begun.opened().await;
    caller.abort();
    // Returns only after the future was dropped.
    let _cancelled = caller.await;
    dropped.open();
    let since = Instant::now();
    while fixture.ports.ledger.list_accounts(user.id).await.unwrap().is_empty() {
        assert!(since.elapsed() < PATIENCE, "the unit is committed although nobody waits for it");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let accounts = fixture.ports.ledger.list_accounts(user.id).await.unwrap();
    assert_eq!(accounts.iter().map(|row| row.account).collect::<Vec<_>>(), [early, late]);
}

/// A usable store responds to a ping.
pub async fn storage_responds_to_ping(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    fixture.ports.health.ping().await.expect("storage answers");
    assert_eq!(fixture.ports.health.missing_migrations().await.unwrap(), 0);
}
