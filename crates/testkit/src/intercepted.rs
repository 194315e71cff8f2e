//! Decorator of a running unit of work: an interceptor sees locks and inserts before the unit does.
//!
//! Everything that wraps a unit in a test is an [`Interceptor`], so that a new method of a `Tx`
//! trait is passed on in this file only.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::ops::RangeInclusive;

use foretell_domain::account::Account;
use foretell_domain::comment::{Comment, CommentSubject};
use foretell_domain::id::{
    AccountId, ApiKeyId, BetId, ClientId, CommentId, InvitationId, JobId, MarketId, PostId,
    SessionId, TransferId, UserId, WebhookId,
};
use foretell_domain::market::{
    Bet, Dispute, Holding, Market, MarketRevision, MarketTexts, Resolution, Settlement, Stakes,
};
use foretell_domain::money::Currency;
use foretell_domain::post::Post;
use foretell_domain::quota::Quota;
use foretell_domain::registration::Invitation;
use foretell_domain::time::Timestamp;
use foretell_domain::transfer::Transfer;
use foretell_domain::user::User;
use foretell_ports::api_key::{ApiKey, ApiKeyTx};
use foretell_ports::error::StoreError;
use foretell_ports::grant::{EmailHash, GrantTx};
use foretell_ports::idempotency::{CommandKey, IdempotencyTx, StoredOutcome};
use foretell_ports::invitation::InvitationTx;
use foretell_ports::job::{Job, JobTx, Lease, LeaseRequest, LeasedJobs, NewJob};
use foretell_ports::known_network::{KnownNetwork, KnownNetworkTx};
use foretell_ports::ledger::LedgerTx;
use foretell_ports::market::{Debt, MarketDetails, MarketTx, NewMarket, PaidSet, WantedHolding};
use foretell_ports::post::{LockedSubject, PostTx};
use foretell_ports::quota::QuotaTx;
use foretell_ports::secret::{PasswordHash, SecretTx, TokenHash};
use foretell_ports::unit::{Locked, Tx};
use foretell_ports::user::{
    CredentialId, CredentialLock, CredentialState, Credentials, Session, UserTx,
};
use foretell_ports::vector::{StoredVector, VectorTx};
use foretell_ports::webhook::{MarketChange, Webhook, WebhookCursor, WebhookTx};

/// A row that a unit is about to insert.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Insert<'a> {
    /// A transfer.
    Transfer(&'a Transfer),
    /// A bet or sale.
    Bet(&'a Bet),
    /// The outcome of a command.
    Outcome(&'a StoredOutcome),
}

/// Reactions to the calls of a unit before they reach the inner one. An error is the result of the
/// call.
pub trait Interceptor {
    /// Called before accounts or markets are locked.
    ///
    /// # Errors
    /// Any [`StoreError`].
    fn before_lock(&mut self, _tx: &mut dyn Tx) -> Result<(), StoreError> {
        Ok(())
    }

    /// Called before this row is inserted.
    ///
    /// # Errors
    /// Any [`StoreError`].
    fn before_insert(&mut self, _row: Insert<'_>) -> Result<(), StoreError> {
        Ok(())
    }
}

/// A unit of work whose calls an interceptor sees first.
pub struct InterceptedTx<'a, I> {
    inner: &'a mut dyn Tx,
    interceptor: I,
}

impl<'a, I: Interceptor> InterceptedTx<'a, I> {
    /// Creates a wrapper around `inner`.
    pub fn new(inner: &'a mut dyn Tx, interceptor: I) -> Self {
        Self { inner, interceptor }
    }

    fn before_lock(&mut self) -> Result<(), StoreError> {
        self.interceptor.before_lock(self.inner)
    }

    fn before_inserts<'r, R: 'r>(
        &mut self,
        rows: &'r [R],
        insert: impl Fn(&'r R) -> Insert<'r>,
    ) -> Result<(), StoreError> {
        rows.iter().try_for_each(|row| self.interceptor.before_insert(insert(row)))
    }
}

/// Implements methods by calling those of the inner unit.
macro_rules! pass_on {
    ($(fn $method:ident(&mut self $(, $argument:ident: $kind:ty)*) -> $result:ty;)+) => {$(
        fn $method(&mut self $(, $argument: $kind)*) -> Result<$result, StoreError> {
            self.inner.$method($($argument),*)
        }
    )+};
}

impl<I: Interceptor> LedgerTx for InterceptedTx<'_, I> {
    fn lock_accounts(
        &mut self,
        ids: &BTreeSet<AccountId>,
    ) -> Result<Vec<Locked<Account>>, StoreError> {
        self.before_lock()?;
        self.inner.lock_accounts(ids)
    }

    fn lock_accounts_of(&mut self, owner: UserId) -> Result<Vec<Locked<Account>>, StoreError> {
        self.before_lock()?;
        self.inner.lock_accounts_of(owner)
    }

    fn insert_transfers(&mut self, transfers: &[Transfer]) -> Result<(), StoreError> {
        self.before_inserts(transfers, Insert::Transfer)?;
        self.inner.insert_transfers(transfers)
    }

    pass_on! {
        fn record_currency_once(&mut self, currency: &Currency, at: Timestamp) -> Currency;
        fn insert_accounts_once(&mut self, accounts: &[Account], at: Timestamp) -> usize;
        fn save_accounts(&mut self, accounts: &[&Locked<Account>]) -> ();
        fn find_paid_as(&mut self, names: &[(AccountId, ClientId)]) -> Vec<(AccountId, ClientId)>;
        fn find_transfers(&mut self, ids: &[TransferId]) -> Vec<Transfer>;
        fn find_transfers_from(
            &mut self, account: AccountId, versions: RangeInclusive<i64>
        ) -> Vec<Transfer>;
        fn find_reversed(&mut self, ids: &[TransferId]) -> Vec<TransferId>;
    }
}

impl<I: Interceptor> MarketTx for InterceptedTx<'_, I> {
    fn lock_markets(
        &mut self,
        ids: &BTreeSet<MarketId>,
    ) -> Result<Vec<Locked<Market>>, StoreError> {
        self.before_lock()?;
        self.inner.lock_markets(ids)
    }

    fn insert_bets(&mut self, bets: &[Bet]) -> Result<(), StoreError> {
        self.before_inserts(bets, Insert::Bet)?;
        self.inner.insert_bets(bets)
    }

    pass_on! {
        fn insert_markets(&mut self, markets: &[NewMarket]) -> ();
        fn save_markets(&mut self, markets: &[&Locked<Market>], at: Timestamp) -> ();
        fn get_details(&mut self, market: &Locked<Market>) -> MarketDetails;
        fn save_market_texts(&mut self, market: &Locked<Market>, texts: &MarketTexts) -> ();
        fn insert_revisions(&mut self, revisions: &[MarketRevision]) -> ();
        fn first_end_date(&mut self, market: &Locked<Market>) -> Timestamp;
        fn find_stakes(&mut self, market: &Locked<Market>, actor: UserId) -> Stakes;
        fn delete_markets(&mut self, markets: Vec<Locked<Market>>) -> ();
        fn find_holdings(&mut self, wanted: &[WantedHolding]) -> Vec<Holding>;
        fn save_positions(&mut self, positions: &[(&Holding, usize)]) -> ();
        fn list_holdings_after(
            &mut self,
            market: &Locked<Market>,
            after: Option<AccountId>,
            limit: usize
        ) -> Vec<Holding>;
        fn find_traded_as(&mut self, names: &[(AccountId, ClientId)]) -> Vec<(AccountId, ClientId)>;
        fn find_bets(&mut self, ids: &[BetId]) -> Vec<Bet>;
        fn insert_settlement(&mut self, settlement: &Settlement) -> ();
        fn lock_settlement(&mut self, market: &Locked<Market>) -> Option<Locked<Settlement>>;
        fn save_settlement(&mut self, settlement: &Locked<Settlement>) -> ();
        fn insert_payouts(&mut self, set: &PaidSet) -> ();
        fn list_payments_before(
            &mut self, market: &Locked<Market>, before: i64, limit: usize
        ) -> Vec<Transfer>;
        fn delete_payouts(&mut self, market: &Locked<Market>, accounts: &[AccountId]) -> ();
        fn delete_settlement(&mut self, settlement: Locked<Settlement>) -> ();
        fn insert_debts(&mut self, debts: &[Debt]) -> ();
        fn find_newest_resolution(&mut self, market: &Locked<Market>) -> Option<Resolution>;
        fn save_resolutions(&mut self, resolutions: &[&Resolution]) -> ();
        fn insert_dispute(&mut self, dispute: &Dispute) -> bool;
    }
}

impl<I: Interceptor> UserTx for InterceptedTx<'_, I> {
    pass_on! {
        fn find_credential_states(
            &mut self, credentials: &BTreeSet<CredentialId>, lock: CredentialLock
        ) -> Vec<CredentialState>;
        fn insert_user_once(&mut self, user: &User, password: &PasswordHash) -> bool;
        fn lock_user(&mut self, id: UserId) -> Option<Locked<Credentials>>;
        fn lock_user_and_admins(&mut self, id: UserId) -> Vec<Locked<Credentials>>;
        fn save_user(&mut self, user: &Locked<Credentials>, at: Timestamp) -> ();
        fn insert_session(&mut self, session: &Session) -> ();
        fn delete_session(&mut self, user: UserId, session: SessionId) -> bool;
        fn delete_sessions_of(&mut self, user: UserId, kept: Option<SessionId>) -> usize;
        fn end_oldest_sessions(
            &mut self,
            user: &Locked<Credentials>,
            ending_after: Timestamp,
            kept: u32
        ) -> usize;
        fn purge_sessions(&mut self, before: Timestamp, limit: u32) -> u64;
    }
}

impl<I: Interceptor> KnownNetworkTx for InterceptedTx<'_, I> {
    pass_on! {
        fn record_known_network(
            &mut self, user: &Locked<Credentials>, known: KnownNetwork, max: u32
        ) -> ();
        fn delete_known_networks_of(&mut self, user: UserId, kept: Option<IpAddr>) -> usize;
        fn purge_known_networks(&mut self, before: Timestamp, limit: u32) -> u64;
    }
}

impl<I: Interceptor> GrantTx for InterceptedTx<'_, I> {
    pass_on! {
        fn record_grant_once(&mut self, email: EmailHash, at: Timestamp) -> bool;
    }
}

impl<I: Interceptor> InvitationTx for InterceptedTx<'_, I> {
    pass_on! {
        fn insert_invitation(&mut self, invitation: &Invitation, code: TokenHash) -> ();
        fn lock_invitation(&mut self, id: InvitationId) -> Option<Locked<Invitation>>;
        fn save_invitation(&mut self, invitation: &Locked<Invitation>) -> ();
        fn delete_invitation(&mut self, id: InvitationId) -> bool;
    }
}

impl<I: Interceptor> ApiKeyTx for InterceptedTx<'_, I> {
    pass_on! {
        fn insert_api_key(&mut self, key: &ApiKey) -> ();
        fn delete_api_key(&mut self, user: UserId, key: ApiKeyId) -> bool;
        fn delete_api_keys_of(&mut self, user: UserId) -> usize;
        fn record_api_key_use(&mut self, key: ApiKeyId, at: Timestamp) -> ();
    }
}

impl<I: Interceptor> PostTx for InterceptedTx<'_, I> {
    pass_on! {
        fn insert_post(&mut self, post: &Post) -> ();
        fn lock_post(&mut self, id: PostId) -> Option<Locked<Post>>;
        fn save_post(&mut self, post: &Locked<Post>) -> ();
        fn delete_post(&mut self, post: Locked<Post>) -> ();
        fn lock_subject(&mut self, subject: CommentSubject) -> Option<LockedSubject>;
        fn insert_comment(&mut self, comment: &Comment) -> ();
        fn lock_comment(&mut self, id: CommentId) -> Option<Locked<Comment>>;
        fn save_comment(&mut self, comment: &Locked<Comment>) -> ();
        fn delete_comment(&mut self, comment: Locked<Comment>) -> ();
        fn delete_content_of(&mut self, user: UserId) -> ();
    }
}

impl<I: Interceptor> QuotaTx for InterceptedTx<'_, I> {
    pass_on! {
        fn count_for_quota(&mut self, user: UserId, quota: Quota) -> u32;
    }
}

impl<I: Interceptor> SecretTx for InterceptedTx<'_, I> {
    pass_on! {
        fn insert_secret_if_absent(&mut self, name: &'static str, candidate: [u8; 32]) -> [u8; 32];
    }
}

impl<I: Interceptor> WebhookTx for InterceptedTx<'_, I> {
    pass_on! {
        fn lock_and_count_webhooks(&mut self) -> u32;
        fn insert_webhook(&mut self, webhook: &Webhook) -> ();
        fn lock_webhook(&mut self, id: WebhookId) -> Option<Locked<Webhook>>;
        fn save_webhook(&mut self, webhook: &Locked<Webhook>) -> ();
        fn delete_webhook(&mut self, id: WebhookId) -> bool;
        fn add_webhook_cursors(&mut self, changes: &[MarketChange]) -> Vec<(WebhookId, MarketId)>;
        fn find_webhook_cursor(
            &mut self, webhook: WebhookId, market: &Locked<Market>
        ) -> Option<WebhookCursor>;
        fn move_webhook_cursor(
            &mut self, webhook: WebhookId, market: MarketId, cursor: WebhookCursor
        ) -> ();
        fn delete_webhook_cursor(&mut self, webhook: WebhookId, market: MarketId) -> ();
        fn delete_webhook_cursors(&mut self, webhook: &Locked<Webhook>) -> ();
    }
}

impl<I: Interceptor> VectorTx for InterceptedTx<'_, I> {
    pass_on! {
        fn save_vectors(&mut self, model: &str, vectors: &[StoredVector]) -> ();
    }
}

impl<I: Interceptor> JobTx for InterceptedTx<'_, I> {
    pass_on! {
        fn add_jobs(&mut self, jobs: &[NewJob]) -> usize;
        fn schedule_job(&mut self, job: &NewJob) -> ();
        fn delete_named_jobs(&mut self, names: &[String]) -> usize;
        fn lease_jobs(&mut self, request: &LeaseRequest) -> LeasedJobs;
        fn extend_lease(&mut self, lease: Lease, until: Timestamp) -> bool;
        fn finish_job(&mut self, lease: Lease, at: Timestamp) -> bool;
        fn reschedule_job(
            &mut self, lease: Lease, run_at: Timestamp, failure: Option<&str>
        ) -> bool;
        fn dead_letter_job(&mut self, lease: Lease, at: Timestamp, failure: &str) -> bool;
        fn lock_job(&mut self, id: JobId) -> Option<Locked<Job>>;
        fn revive_job(&mut self, job: &Locked<Job>, run_at: Timestamp) -> ();
        fn delete_job(&mut self, job: Locked<Job>) -> ();
        fn purge_jobs(&mut self, before: Timestamp, limit: u32) -> u64;
    }
}

impl<I: Interceptor> IdempotencyTx for InterceptedTx<'_, I> {
    fn insert_outcomes(&mut self, outcomes: &[StoredOutcome]) -> Result<(), StoreError> {
        self.before_inserts(outcomes, Insert::Outcome)?;
        self.inner.insert_outcomes(outcomes)
    }

    pass_on! {
        fn find_outcomes(&mut self, keys: &[CommandKey]) -> Vec<StoredOutcome>;
        fn purge_outcomes(&mut self, before: Timestamp, limit: u32) -> u64;
    }
}
