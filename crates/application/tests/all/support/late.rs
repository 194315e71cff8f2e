//! Units of work that are committed only when the next one waits for its locks, as when the
//! connection is lost while the database still runs.

use std::collections::{BTreeSet, VecDeque};
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foretell_domain::account::Account;
use foretell_domain::comment::{Comment, CommentSubject};
use foretell_domain::id::{
    AccountId, ApiKeyId, BetId, ClientId, CommentId, JobId, MarketId, PostId, SessionId, TransferId, UserId,
    WebhookId,
};
use foretell_domain::market::{Bet, Holding, Market, MarketTexts, Settlement};
use foretell_domain::money::Currency;
use foretell_domain::post::Post;
use foretell_domain::quota::Quota;
use foretell_domain::time::Timestamp;
use foretell_domain::transfer::Transfer;
use foretell_domain::user::User;
use foretell_ports::api_key::{ApiKey, ApiKeyTx};
use foretell_ports::error::StoreError;
use foretell_ports::idempotency::{CommandKey, IdempotencyTx, StoredOutcome};
use foretell_ports::job::{Job, JobTx, Lease, LeaseRequest, LeasedJobs, NewJob};
use foretell_ports::known_network::{KnownNetwork, KnownNetworkTx};
use foretell_ports::ledger::LedgerTx;
use foretell_ports::market::{MarketDetails, MarketTx, NewMarket, PaidSet, WantedHolding};
use foretell_ports::post::{LockedSubject, PostTx};
use foretell_ports::quota::QuotaTx;
use foretell_ports::secret::{PasswordHash, SecretTx};
use foretell_ports::unit::{ErasedWork, Locked, Tx, UnitFuture, UnitOfWork};
use foretell_ports::user::{CredentialId, CredentialLock, CredentialState, Credentials, Session, UserTx};
use foretell_ports::vector::{StoredVector, VectorTx};
use foretell_ports::webhook::{MarketChange, Webhook, WebhookCursor, WebhookTx};

/// A store whose units are committed late on request; all clones share one state.
#[derive(Clone)]
pub(crate) struct LateStore {
    inner: Arc<dyn UnitOfWork>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// Next units, `true` for those that are late.
    orders: VecDeque<bool>,
    /// The late unit that is not committed yet.
    late: Option<ErasedWork>,
    /// `true` if the running unit has seen the late one end.
    has_ended: bool,
}

impl LateStore {
    pub(crate) fn new(inner: Arc<dyn UnitOfWork>) -> Self {
        Self { inner, state: Arc::default() }
    }

    /// Makes the next units late or not; their callers get an unknown commit.
    pub(crate) fn order(&self, is_late: impl IntoIterator<Item = bool>) {
        self.state().orders.extend(is_late);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Commits the late unit, as seen by a unit that has waited for its locks.
    fn end_late_unit(&self, tx: &mut dyn Tx) -> Result<(), StoreError> {
        let mut state = self.state();
        state.has_ended = true;
        state.late.as_mut().map_or(Ok(()), |work| work(tx))
    }
}

impl UnitOfWork for LateStore {
    fn run_erased<'a>(&'a self, name: &'static str, mut work: ErasedWork) -> UnitFuture<'a> {
        Box::pin(async move {
            if self.state().orders.pop_front() == Some(true) {
                let mut state = self.state();
                (state.late, state.has_ended) = (Some(work), false);
                return Err(StoreError::CommitUnknown("ordered by a test, before the commit's time".into()));
            }
            let store = self.clone();
            let waiting = move |tx: &mut dyn Tx| work(&mut LateTx { tx, store: Some(store.clone()) });
            self.inner.run_erased(name, Box::new(waiting)).await?;
            // A unit that fails rolls the late one's changes back with its own, so the late one
            // then runs again.
            let mut state = self.state();
            if state.has_ended {
                state.late = None;
            }
            Ok(())
        })
    }
}

/// A transaction whose first lock waits for the late unit.
struct LateTx<'a> {
    tx: &'a mut dyn Tx,
    store: Option<LateStore>,
}

impl LateTx<'_> {
    fn wait_for_locks(&mut self) -> Result<(), StoreError> {
        self.store.take().map_or(Ok(()), |store| store.end_late_unit(self.tx))
    }
}

macro_rules! pass_on {
    ($($method:ident($($argument:ident: $kind:ty),*) -> $result:ty;)+) => {$(
        fn $method(&mut self, $($argument: $kind),*) -> Result<$result, StoreError> {
            self.tx.$method($($argument),*)
        }
    )+};
}

impl LedgerTx for LateTx<'_> {
    fn lock_accounts(&mut self, ids: &BTreeSet<AccountId>) -> Result<Vec<Locked<Account>>, StoreError> {
        self.wait_for_locks()?;
        self.tx.lock_accounts(ids)
    }

    fn lock_accounts_of(&mut self, owner: UserId) -> Result<Vec<Locked<Account>>, StoreError> {
        self.wait_for_locks()?;
        self.tx.lock_accounts_of(owner)
    }

    pass_on! {
        record_currency_once(currency: &Currency, at: Timestamp) -> Currency;
        insert_accounts_once(accounts: &[Account], at: Timestamp) -> usize;
        save_accounts(accounts: &[&Locked<Account>]) -> ();
        find_paid_as(names: &[(AccountId, ClientId)]) -> Vec<(AccountId, ClientId)>;
        find_transfers(ids: &[TransferId]) -> Vec<Transfer>;
        find_transfers_from(account: AccountId, versions: RangeInclusive<i64>) -> Vec<Transfer>;
        find_reversed(ids: &[TransferId]) -> Vec<TransferId>;
        insert_transfers(transfers: &[Transfer]) -> ();
    }
}

impl MarketTx for LateTx<'_> {
    fn lock_markets(&mut self, ids: &BTreeSet<MarketId>) -> Result<Vec<Locked<Market>>, StoreError> {
        self.wait_for_locks()?;
        self.tx.lock_markets(ids)
    }

    pass_on! {
        insert_markets(markets: &[NewMarket]) -> ();
        save_markets(markets: &[&Locked<Market>], at: Timestamp) -> ();
        get_details(market: &Locked<Market>) -> MarketDetails;
        save_market_texts(market: &Locked<Market>, texts: &MarketTexts) -> ();
        delete_markets(markets: Vec<Locked<Market>>) -> ();
        find_holdings(wanted: &[WantedHolding]) -> Vec<Holding>;
        save_positions(positions: &[(&Holding, usize)]) -> ();
        list_holdings_after(
            market: &Locked<Market>, after: Option<AccountId>, limit: usize
        ) -> Vec<Holding>;
        find_traded_as(names: &[(AccountId, ClientId)]) -> Vec<(AccountId, ClientId)>;
        find_bets(ids: &[BetId]) -> Vec<Bet>;
        insert_bets(bets: &[Bet]) -> ();
        insert_settlement(settlement: &Settlement) -> ();
        lock_settlement(market: &Locked<Market>) -> Option<Locked<Settlement>>;
        save_settlement(settlement: &Locked<Settlement>) -> ();
        insert_payouts(set: &PaidSet) -> ();
    }
}

impl UserTx for LateTx<'_> {
    pass_on! {
        find_credential_states(
            credentials: &BTreeSet<CredentialId>, lock: CredentialLock
        ) -> Vec<CredentialState>;
        insert_user_once(user: &User, password: &PasswordHash) -> bool;
        lock_user(id: UserId) -> Option<Locked<Credentials>>;
        lock_user_and_admins(id: UserId) -> Vec<Locked<Credentials>>;
        save_user(user: &Locked<Credentials>, at: Timestamp) -> ();
        insert_session(session: &Session) -> ();
        delete_session(user: UserId, session: SessionId) -> bool;
        delete_sessions_of(user: UserId, kept: Option<SessionId>) -> usize;
        end_oldest_sessions(
            user: &Locked<Credentials>, ending_after: Timestamp, kept: u32
        ) -> usize;
        purge_sessions(before: Timestamp, limit: u32) -> u64;
    }
}

impl KnownNetworkTx for LateTx<'_> {
    pass_on! {
        record_known_network(user: &Locked<Credentials>, known: KnownNetwork, max: u32) -> ();
        delete_known_networks_of(user: UserId, kept: Option<IpAddr>) -> usize;
        purge_known_networks(before: Timestamp, limit: u32) -> u64;
    }
}

impl ApiKeyTx for LateTx<'_> {
    pass_on! {
        insert_api_key(key: &ApiKey) -> ();
        delete_api_key(user: UserId, key: ApiKeyId) -> bool;
        delete_api_keys_of(user: UserId) -> usize;
        record_api_key_use(key: ApiKeyId, at: Timestamp) -> ();
    }
}

impl PostTx for LateTx<'_> {
    pass_on! {
        insert_post(post: &Post) -> ();
        lock_post(id: PostId) -> Option<Locked<Post>>;
        save_post(post: &Locked<Post>) -> ();
        delete_post(post: Locked<Post>) -> ();
        lock_subject(subject: CommentSubject) -> Option<LockedSubject>;
        insert_comment(comment: &Comment) -> ();
        lock_comment(id: CommentId) -> Option<Locked<Comment>>;
        save_comment(comment: &Locked<Comment>) -> ();
        delete_comment(comment: Locked<Comment>) -> ();
        delete_content_of(user: UserId) -> ();
    }
}

impl QuotaTx for LateTx<'_> {
    pass_on! {
        count_for_quota(user: UserId, quota: Quota) -> u32;
    }
}

impl SecretTx for LateTx<'_> {
    pass_on! {
        insert_secret_if_absent(name: &'static str, candidate: [u8; 32]) -> [u8; 32];
    }
}

impl WebhookTx for LateTx<'_> {
    pass_on! {
        lock_and_count_webhooks() -> u32;
        insert_webhook(webhook: &Webhook) -> ();
        lock_webhook(id: WebhookId) -> Option<Locked<Webhook>>;
        save_webhook(webhook: &Locked<Webhook>) -> ();
        delete_webhook(id: WebhookId) -> bool;
        add_webhook_cursors(changes: &[MarketChange]) -> Vec<(WebhookId, MarketId)>;
        find_webhook_cursor(webhook: WebhookId, market: &Locked<Market>) -> Option<WebhookCursor>;
        move_webhook_cursor(webhook: WebhookId, market: MarketId, cursor: WebhookCursor) -> ();
        delete_webhook_cursor(webhook: WebhookId, market: MarketId) -> ();
        delete_webhook_cursors(webhook: &Locked<Webhook>) -> ();
    }
}

impl VectorTx for LateTx<'_> {
    pass_on! {
        save_vectors(model: &str, vectors: &[StoredVector]) -> ();
    }
}

impl JobTx for LateTx<'_> {
    pass_on! {
        add_jobs(jobs: &[NewJob]) -> usize;
        schedule_job(job: &NewJob) -> ();
        delete_named_jobs(names: &[String]) -> usize;
        lease_jobs(request: &LeaseRequest) -> LeasedJobs;
        extend_lease(lease: Lease, until: Timestamp) -> bool;
        finish_job(lease: Lease, at: Timestamp) -> bool;
        reschedule_job(lease: Lease, run_at: Timestamp, failure: Option<&str>) -> bool;
        dead_letter_job(lease: Lease, at: Timestamp, failure: &str) -> bool;
        lock_job(id: JobId) -> Option<Locked<Job>>;
        revive_job(job: &Locked<Job>, run_at: Timestamp) -> ();
        delete_job(job: Locked<Job>) -> ();
        purge_jobs(before: Timestamp, limit: u32) -> u64;
    }
}

impl IdempotencyTx for LateTx<'_> {
    pass_on! {
        find_outcomes(keys: &[CommandKey]) -> Vec<StoredOutcome>;
        insert_outcomes(outcomes: &[StoredOutcome]) -> ();
        purge_outcomes(before: Timestamp, limit: u32) -> u64;
    }
}
