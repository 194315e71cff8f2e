//! The application: ports and settings shared by all use cases.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use foretell_domain::id::UserId;
use foretell_domain::money::{Amount, Currency};
use foretell_domain::quota::Quotas;
use foretell_ports::cache::{Cache, CacheMode};
use foretell_ports::error::StoreError;
use foretell_ports::health::Health;
use foretell_ports::job::{JobCount, JobQueries};
use foretell_ports::ledger::LedgerQueries;
use foretell_ports::mail::Mailer;
use foretell_ports::market::MarketQueries;
use foretell_ports::post::{PostFilter, PostQueries};
use foretell_ports::rate_limit::{Budget, RateLimiter};
use foretell_ports::search::TextSearch;
use foretell_ports::secret::{PasswordHasher, Tokens};
use foretell_ports::system::{Clock, IdSource};
use foretell_ports::unit::UnitOfWork;
use foretell_ports::user::UserQueries;
use foretell_ports::user_changes::UserChanges;
use foretell_ports::vector::VectorQueries;
use foretell_ports::webhook::{WebhookBodies, WebhookQueries, WebhookSender};
use thiserror::Error;
use tokio::sync::watch;

use crate::key_uses::KeyUses;
use crate::leaderboards::Leaderboards;
use crate::login_limits::{LoginGuard, LoginLimits};
use crate::market_cache::MarketCache;
use crate::market_feed::MarketFeed;
use crate::open_streams::{OpenStreams, StreamLimits};
use crate::request_limits::RequestLimits;
use crate::retry::RetryPolicies;
use crate::search_permits::SearchPermits;
use crate::search_steps::SearchSteps;
use crate::semantic::Semantic;
use crate::session_cache::SessionCache;
use crate::token_guard::TokenGuard;
use crate::totals::{CountedMarkets, Totals};
use crate::use_cases::initialize_ledger::initialize_ledger;
use crate::webhook_watch::WebhookWatch;
use crate::writer::{LaneDeps, MoneyWriter, WriterSettings};

/// Adapters used by the application.
#[derive(Clone)]
pub struct Ports {
    /// Runs units of work.
    pub units: Arc<dyn UnitOfWork>,
    /// Accounts and transfers.
    pub ledger: Arc<dyn LedgerQueries>,
    /// Markets.
    pub markets: Arc<dyn MarketQueries>,
    /// Users, sessions, known networks and API keys.
    pub users: Arc<dyn UserQueries>,
    /// Posts, comments and tags.
    pub posts: Arc<dyn PostQueries>,
    /// Cache.
    pub cache: Arc<dyn Cache>,
    /// Text search.
    pub search: Arc<dyn TextSearch>,
    /// Stored embeddings.
    pub vectors: Arc<dyn VectorQueries>,
    /// Semantic search; `None` if there is no model.
    pub semantic: Option<Semantic>,
    /// Jobs.
    pub jobs: Arc<dyn JobQueries>,
    /// Webhooks.
    pub webhooks: Arc<dyn WebhookQueries>,
    /// Mailer.
    pub mailer: Arc<dyn Mailer>,
    /// Sender of webhook messages.
    pub webhook_sender: Arc<dyn WebhookSender>,
    /// Builder of their bodies.
    pub webhook_bodies: Arc<dyn WebhookBodies>,
    /// Announcements of changed users to other nodes.
    pub user_changes: Arc<dyn UserChanges>,
    /// Rate limiter.
    pub limiter: Arc<dyn RateLimiter>,
    /// Health check of storage.
    pub health: Arc<dyn Health>,
    /// Clock.
    pub clock: Arc<dyn Clock>,
    /// Source of ids.
    pub ids: Arc<dyn IdSource>,
    /// Password hasher.
    pub passwords: Arc<dyn PasswordHasher>,
    /// Source of session tokens and API key secrets.
    pub tokens: Arc<dyn Tokens>,
}

/// Settings of the operator.
#[derive(Debug, Clone)]
pub struct ApplicationSettings {
    /// Currency of the ledger.
    pub currency: Currency,
    /// Money that a new user receives, if any.
    pub signup_grant: Option<Amount>,
    /// Trading fee of new markets, in basis points.
    pub fee_bps: u16,
    /// Limits per user.
    pub quotas: Quotas,
    /// Categories that markets may have.
    pub categories: Vec<String>,
    /// Lifetime of a session.
    pub session_lifetime: Duration,
    /// Time for which a cached session is used without a query; zero disables the cache. Changes by
    /// this process apply immediately.
    pub session_trust: Duration,
    /// Limits of wrong passwords.
    pub login_limits: LoginLimits,
    /// Time for which a cached market is returned without a query; zero disables the cache. Changes
    /// by this process apply immediately.
    pub market_trust: Duration,
    /// Rate limits of requests.
    pub request_limits: RequestLimits,
    /// Limits of open event streams.
    pub stream_limits: StreamLimits,
    /// Time for which the outcome of a command is stored under its idempotency key.
    pub keep_outcomes: Duration,
    /// Retry policies of jobs.
    pub retries: RetryPolicies,
    /// Settings of the money writer.
    pub writer: WriterSettings,
}

impl Default for ApplicationSettings {
    /// Settings of an installation that configures nothing: play money with 2 decimals, a sign-up
    /// grant of 1,000.00, no fee, and no request limits except for invalid tokens.
    fn default() -> Self {
        let invalid_tokens = Budget { quota: 60, window: Duration::from_mins(1) };
        Self {
            currency: Currency::play(),
            signup_grant: Amount::new(100_000).ok(),
            fee_bps: 0,
            quotas: Quotas { min_subsidy: Amount::new(100).ok(), ..Quotas::default() },
            categories: STANDARD_CATEGORIES.map(str::to_owned).to_vec(),
            session_lifetime: Duration::from_hours(30 * 24),
            session_trust: Duration::from_secs(1),
            login_limits: LoginLimits::default(),
            market_trust: Duration::from_secs(1),
            request_limits: RequestLimits {
                invalid_tokens: Some(invalid_tokens),
                ..RequestLimits::default()
            },
            stream_limits: StreamLimits { per_user: Some(20), per_address: Some(100), total: Some(10_000) },
            keep_outcomes: Duration::from_hours(7 * 24),
            retries: RetryPolicies::default(),
            writer: WriterSettings::default(),
        }
    }
}

/// Reason why the application could not be started.
#[derive(Debug, Error)]
pub enum StartError {
    /// Storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The database was created with another currency, which cannot be changed.
    #[error(
        "the database was created with the currency {} with {} decimals, and the settings say {} with {}",
        stored.code(), stored.decimals(), configured.code(), configured.decimals()
    )]
    Currency {
        /// Currency of the database.
        stored: Currency,
        /// Currency of the settings.
        configured: Currency,
    },
}

/// Categories that every installation has.
pub const STANDARD_CATEGORIES: [&str; 4] = ["politics", "sports", "entertainment", "crypto"];

/// All use cases. Each is a method named by its verb, in a module with the same name.
pub struct Application {
    pub(crate) ports: Ports,
    pub(crate) settings: ApplicationSettings,
    pub(crate) writer: MoneyWriter,
    pub(crate) sessions: Arc<SessionCache>,
    pub(crate) market_feed: Arc<MarketFeed>,
    pub(crate) webhook_watch: Arc<WebhookWatch>,
    pub(crate) market_totals: Totals<CountedMarkets>,
    pub(crate) post_totals: Totals<PostFilter>,
    pub(crate) market_cache: MarketCache,
    pub(crate) leaderboards: Leaderboards,
    /// `true` if the server is about to stop.
    pub(crate) closing: watch::Sender<bool>,
    pub(crate) logins: LoginGuard,
    pub(crate) open_streams: OpenStreams,
    pub(crate) tokens: TokenGuard,
    pub(crate) key_uses: KeyUses,
    pub(crate) search_permits: SearchPermits,
    pub(crate) search_steps: SearchSteps,
    pub(crate) is_mail_failing: AtomicBool,
    is_ending: AtomicBool,
}

impl Application {
    /// Initializes the ledger of an empty database and starts the money writer; call it within a
    /// Tokio runtime. Every application has an initialized ledger, since nothing else creates one.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(ports: Ports, settings: ApplicationSettings) -> Result<Self, StartError> {
        initialize_ledger(&ports, &settings.currency).await?;
        let market_feed = Arc::new(MarketFeed::default());
        let webhook_watch = Arc::new(WebhookWatch::new(Arc::clone(&ports.webhooks)));
        let deps = LaneDeps { feed: Arc::clone(&market_feed), webhooks: Arc::clone(&webhook_watch) };
        let writer = MoneyWriter::start(&ports, &settings.writer, &deps);
        let sessions = Arc::new(SessionCache::new(settings.session_trust));
        listen_to_user_changes(&ports, &sessions);
        let logins =
            LoginGuard::new(settings.login_limits, Arc::clone(&ports.limiter), Arc::clone(&ports.users));
        let invalid_tokens = settings.request_limits.invalid_tokens;
        let tokens = TokenGuard::new(Arc::clone(&ports.limiter), invalid_tokens);
        let open_streams = OpenStreams::new(settings.stream_limits);
        let (cache, markets) = (Arc::clone(&ports.cache), Arc::clone(&ports.markets));
        let market_cache = MarketCache::new(cache, markets, settings.market_trust);
        let search_permits = SearchPermits::new(ports.search.capacity());
        Ok(Self {
            ports,
            settings,
            writer,
            sessions,
            market_feed,
            webhook_watch,
            market_totals: Totals::new(),
            post_totals: Totals::new(),
            market_cache,
            leaderboards: Leaderboards::new(),
            closing: watch::Sender::new(false),
            logins,
            open_streams,
            tokens,
            key_uses: KeyUses::new(),
            search_permits,
            search_steps: SearchSteps::default(),
            is_mail_failing: AtomicBool::new(false),
            is_ending: AtomicBool::new(false),
        })
    }

    /// Returns the settings of the operator.
    pub const fn settings(&self) -> &ApplicationSettings {
        &self.settings
    }

    /// Returns the current time.
    pub fn now(&self) -> foretell_domain::time::Timestamp {
        self.ports.clock.now()
    }

    /// Returns the number of migrations that the database lacks; an error if storage does not
    /// respond.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn missing_migrations(&self) -> Result<usize, StoreError> {
        self.ports.health.missing_migrations().await
    }

    /// Returns `true` if the last email that this process tried to send was sent, or none was
    /// tried.
    pub fn is_mail_well(&self) -> bool {
        !self.is_mail_failing.load(Ordering::Relaxed)
    }

    /// Announces that the process will stop soon, before anything else changes: readiness checks
    /// fail from now on.
    pub fn announce_end(&self) {
        self.is_ending.store(true, Ordering::Release);
    }

    /// Returns `true` if the process will stop soon.
    pub fn is_ending(&self) -> bool {
        self.is_ending.load(Ordering::Acquire)
    }

    /// Returns `true` if the money writer accepts commands.
    pub fn is_writer_alive(&self) -> bool {
        self.writer.is_alive()
    }

    /// Returns the sum of all balances in minor units, which must be 0. It needs no permission.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn sum_balances(&self) -> Result<i128, StoreError> {
        self.ports.ledger.sum_balances().await
    }

    /// Returns the number of unfinished jobs by kind and state.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn count_unfinished_jobs(&self) -> Result<Vec<JobCount>, StoreError> {
        self.ports.jobs.count_unfinished_jobs().await
    }

    /// Returns the current scope of the cache.
    pub fn cache_mode(&self) -> CacheMode {
        self.ports.cache.mode()
    }

    /// Stops accepting commands, and waits until the accepted ones are done.
    pub async fn drain(&self) {
        self.writer.drain().await;
    }

    /// Removes a user's sessions and keys from the cache, here and on other nodes. Call it after a
    /// change is stored, and also if the commit failed: it may have succeeded although the response
    /// was lost.
    pub(crate) fn forget_user(&self, user: UserId) {
        self.sessions.forget_user(user, self.now());
        self.ports.user_changes.announce(user);
    }

    pub(crate) fn next_user_id(&self) -> UserId {
        UserId::from_u128(self.ports.ids.next_id())
    }
}

/// Removes users changed by other nodes from the cache, when the announcement arrives.
fn listen_to_user_changes(ports: &Ports, sessions: &Arc<SessionCache>) {
    let (sessions, clock) = (Arc::clone(sessions), Arc::clone(&ports.clock));
    ports.user_changes.listen(Box::new(move |user| match user {
        Some(user) => sessions.forget_user(user, clock.now()),
        None => sessions.forget_all(clock.now()),
    }));
}
