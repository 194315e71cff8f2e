//! The application: the ports and settings that all use cases share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use foretell_domain::id::UserId;
use foretell_domain::money::{Amount, Currency};
use foretell_domain::quota::Quotas;
use foretell_ports::cache::{Cache, Reach};
use foretell_ports::error::StoreError;
use foretell_ports::health::Health;
use foretell_ports::job::{JobCount, JobQueries};
use foretell_ports::ledger::LedgerQueries;
use foretell_ports::mail::Mailer;
use foretell_ports::market::MarketQueries;
use foretell_ports::post::{PostFilter, PostQueries};
use foretell_ports::rate_limit::RateLimiter;
use foretell_ports::search::TextSearch;
use foretell_ports::secret::{PasswordHasher, Tokens};
use foretell_ports::system::{Clock, IdSource};
use foretell_ports::unit::UnitOfWork;
use foretell_ports::user::UserQueries;
use foretell_ports::user_changes::UserChanges;
use foretell_ports::vector::VectorQueries;
use foretell_ports::webhook::{WebhookBodies, WebhookQueries, WebhookSender};
use tokio::sync::watch;

use crate::key_uses::KeyUses;
use crate::leaderboards::Leaderboards;
use crate::login_limits::{LoginGuard, LoginLimits};
use crate::market_feed::MarketFeed;
use crate::market_pages::MarketPages;
use crate::open_streams::{OpenStreams, StreamLimits};
use crate::request_limits::RequestLimits;
use crate::retry::RetryPolicies;
use crate::search_permits::SearchPermits;
use crate::search_steps::SearchSteps;
use crate::semantic::Semantic;
use crate::session_cache::SessionCache;
use crate::token_guard::TokenGuard;
use crate::totals::{CountedMarkets, Totals};
use crate::webhook_watch::WebhookWatch;
use crate::writer::{LaneDeps, MoneyWriter, WriterSettings};

/// The adapters that the application works with.
#[derive(Clone)]
pub struct Ports {
    /// Changes storage.
    pub units: Arc<dyn UnitOfWork>,
    /// Reads accounts and transfers.
    pub ledger: Arc<dyn LedgerQueries>,
    /// Reads markets.
    pub markets: Arc<dyn MarketQueries>,
    /// Reads users, sessions, known networks and API keys.
    pub users: Arc<dyn UserQueries>,
    /// Reads posts, comments and tags.
    pub posts: Arc<dyn PostQueries>,
    /// Remembers what was read.
    pub cache: Arc<dyn Cache>,
    /// Searches texts.
    pub search: Arc<dyn TextSearch>,
    /// Reads vectors of texts.
    pub vectors: Arc<dyn VectorQueries>,
    /// Finds texts by their meaning; nothing where there is no model.
    pub semantic: Option<Semantic>,
    /// Reads jobs.
    pub jobs: Arc<dyn JobQueries>,
    /// Reads webhooks.
    pub webhooks: Arc<dyn WebhookQueries>,
    /// Sends mail.
    pub mailer: Arc<dyn Mailer>,
    /// Sends messages to webhooks.
    pub webhook_sender: Arc<dyn WebhookSender>,
    /// Writes the bodies of these messages.
    pub webhook_bodies: Arc<dyn WebhookBodies>,
    /// Tells other nodes that a user has changed.
    pub user_changes: Arc<dyn UserChanges>,
    /// Counts requests.
    pub limiter: Arc<dyn RateLimiter>,
    /// Tells whether storage answers.
    pub health: Arc<dyn Health>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes ids.
    pub ids: Arc<dyn IdSource>,
    /// Hashes passwords.
    pub passwords: Arc<dyn PasswordHasher>,
    /// Makes session tokens and the secrets of API keys.
    pub tokens: Arc<dyn Tokens>,
}

/// What an operator decides.
#[derive(Debug, Clone)]
pub struct ApplicationSettings {
    /// The ledger's currency.
    pub currency: Currency,
    /// What a new user is given, if anything.
    pub signup_grant: Option<Amount>,
    /// The trading fee of new markets, in basis points.
    pub fee_bps: u16,
    /// The limits of each user.
    pub quotas: Quotas,
    /// The categories that markets may have.
    pub categories: Vec<String>,
    /// How long a session lasts.
    pub session_lifetime: Duration,
    /// How long a session that was looked up is trusted without looking again; zero is not at all. What this
    /// process changes of it counts at once.
    pub session_trust: Duration,
    /// Limits on wrong passwords.
    pub login_limits: LoginLimits,
    /// How long a market that was read is shown without looking again; zero is not at all. What this process
    /// changes of it counts at once.
    pub market_trust: Duration,
    /// How many requests are served.
    pub request_limits: RequestLimits,
    /// Limits of open event streams.
    pub stream_limits: StreamLimits,
    /// How long the outcome of a command answers for its idempotency key.
    pub keep_outcomes: Duration,
    /// How often jobs are tried.
    pub retries: RetryPolicies,
    /// How the money writer works.
    pub writer: WriterSettings,
}

/// The categories that every installation has.
pub const STANDARD_CATEGORIES: [&str; 4] = ["politics", "sports", "entertainment", "crypto"];

/// All use cases. Each is a method named by its verb, in a module of that name.
pub struct Application {
    pub(crate) ports: Ports,
    pub(crate) settings: ApplicationSettings,
    pub(crate) writer: MoneyWriter,
    pub(crate) sessions: Arc<SessionCache>,
    pub(crate) market_feed: Arc<MarketFeed>,
    pub(crate) webhook_watch: Arc<WebhookWatch>,
    pub(crate) market_totals: Totals<CountedMarkets>,
    pub(crate) post_totals: Totals<PostFilter>,
    pub(crate) market_pages: MarketPages,
    pub(crate) leaderboards: Leaderboards,
    /// Whether the server is about to stop.
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
    /// Starts the money writer; call it within a Tokio runtime.
    pub fn start(ports: Ports, settings: ApplicationSettings) -> Self {
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
        let market_pages = MarketPages::new(cache, markets, settings.market_trust);
        let search_permits = SearchPermits::new(ports.search.capacity());
        Self {
            ports,
            settings,
            writer,
            sessions,
            market_feed,
            webhook_watch,
            market_totals: Totals::new(),
            post_totals: Totals::new(),
            market_pages,
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
        }
    }

    /// What the operator decided.
    pub const fn settings(&self) -> &ApplicationSettings {
        &self.settings
    }

    /// The time now.
    pub fn now(&self) -> foretell_domain::time::Timestamp {
        self.ports.clock.now()
    }

    /// How many migrations storage lacks; an error if it does not answer.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn missing_migrations(&self) -> Result<usize, StoreError> {
        self.ports.health.missing_migrations().await
    }

    /// Whether the last letter that this process has tried to send has left, or none was tried.
    pub fn is_mail_well(&self) -> bool {
        !self.is_mail_failing.load(Ordering::Relaxed)
    }

    /// Says that the process will end soon, before anything changes: whoever asks whether it is ready hears of it.
    pub fn announce_end(&self) {
        self.is_ending.store(true, Ordering::Release);
    }

    /// Whether the process will end soon.
    pub fn is_ending(&self) -> bool {
        self.is_ending.load(Ordering::Acquire)
    }

    /// Whether the money writer takes commands.
    pub fn is_writer_alive(&self) -> bool {
        self.writer.is_alive()
    }

    /// The sum of all balances in minor units, which is 0; anybody who runs the server may know it.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn sum_balances(&self) -> Result<i128, StoreError> {
        self.ports.ledger.sum_balances().await
    }

    /// How many jobs there are that are not done.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn count_unfinished_jobs(&self) -> Result<Vec<JobCount>, StoreError> {
        self.ports.jobs.count_unfinished_jobs().await
    }

    /// How far the cache reaches just now.
    pub fn cache_reach(&self) -> Reach {
        self.ports.cache.reach()
    }

    /// Finishes the commands that were accepted, and accepts no more.
    pub async fn drain(&self) {
        self.writer.drain().await;
    }

    /// Forgets what is remembered of a user's sessions and keys, here and on other nodes. Call it once a change is
    /// stored, and also if the commit failed: it may be done although its answer was lost.
    pub(crate) fn forget_user(&self, user: UserId) {
        self.sessions.forget_user(user, self.now());
        self.ports.user_changes.announce(user);
    }

    pub(crate) fn next_user_id(&self) -> UserId {
        UserId::from_u128(self.ports.ids.next_id())
    }
}

/// Forgets users whom other nodes have changed, by the time at which this node is told.
fn listen_to_user_changes(ports: &Ports, sessions: &Arc<SessionCache>) {
    let (sessions, clock) = (Arc::clone(sessions), Arc::clone(&ports.clock));
    ports.user_changes.listen(Box::new(move |user| match user {
        Some(user) => sessions.forget_user(user, clock.now()),
        None => sessions.forget_all(clock.now()),
    }));
}
