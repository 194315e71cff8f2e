//! The application: ports and settings shared by all use cases.

use std::sync::Arc;
use std::time::Duration;

use foretell_domain::money::{Amount, Currency};
use foretell_domain::quota::Quotas;
use foretell_domain::time::Timestamp;
use foretell_ports::cache::Cache;
use foretell_ports::error::StoreError;
use foretell_ports::health::Health;
use foretell_ports::job::JobQueries;
use foretell_ports::ledger::LedgerQueries;
use foretell_ports::mail::Mailer;
use foretell_ports::market::MarketQueries;
use foretell_ports::post::PostQueries;
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

use crate::content::Content;
use crate::context::Context;
use crate::identity::Identity;
use crate::identity::login_limits::LoginLimits;
use crate::identity::session_cache::SessionCache;
use crate::jobs::retry::RetryPolicies;
use crate::jobs::{JobServices, Jobs};
use crate::ledger::Ledger;
use crate::ledger::initialize_ledger::initialize_ledger;
use crate::limits::Limits;
use crate::limits::open_streams::StreamLimits;
use crate::limits::request_limits::RequestLimits;
use crate::markets::Markets;
use crate::markets::market_cache::MarketCache;
use crate::markets::market_feed::MarketFeed;
use crate::notifications::Notifications;
use crate::notifications::webhook_watch::WebhookWatch;
use crate::operations::Operations;
use crate::projector::Projector;
use crate::search::Search;
use crate::search::semantic::Semantic;
use crate::totals::Totals;
use crate::trading::Trading;
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
            stream_limits: StreamLimits {
                per_user: Some(20),
                per_address: Some(100),
                total: Some(10_000),
            },
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

/// Reads that need no use case: their results do not depend on the caller, and who may ask for them
/// is decided by the route. Everything else is a use case of a service.
pub struct Queries {
    /// Accounts and transfers.
    pub ledger: Arc<dyn LedgerQueries>,
    /// Markets.
    pub markets: Arc<dyn MarketQueries>,
    /// Users.
    pub users: Arc<dyn UserQueries>,
    /// Posts, comments and tags.
    pub posts: Arc<dyn PostQueries>,
    /// Jobs.
    pub jobs: Arc<dyn JobQueries>,
    /// Webhooks.
    pub webhooks: Arc<dyn WebhookQueries>,
}

/// The application: the use cases of each area are the methods of its service, one module for each
/// verb.
pub struct Application {
    /// Reads that need no use case.
    pub queries: Queries,
    /// Accounts and transfers.
    pub ledger: Ledger,
    /// Markets, from their opening to their settlement.
    pub markets: Arc<Markets>,
    /// Bets and sales, and what traders see of them.
    pub trading: Trading,
    /// Users, and how they prove who they are.
    pub identity: Identity,
    /// Posts, comments and tags.
    pub content: Content,
    /// Searches of markets and posts.
    pub search: Arc<Search>,
    /// Emails and webhooks.
    pub notifications: Arc<Notifications>,
    /// Jobs in the background.
    pub jobs: Jobs,
    /// Limits of requests and of open event streams.
    pub limits: Limits,
    /// Health, exports, shared secrets and the end of the server, for its operator.
    pub operations: Operations,
    settings: Arc<ApplicationSettings>,
    clock: Arc<dyn Clock>,
}

impl Application {
    /// Initializes the ledger of an empty database and starts the money writer; call it within a
    /// Tokio runtime. Every application has an initialized ledger, since nothing else creates one.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(ports: Ports, settings: ApplicationSettings) -> Result<Self, StartError> {
        initialize_ledger(&ports, &settings.currency).await?;
        let feed = Arc::new(MarketFeed::default());
        let webhook_watch = Arc::new(WebhookWatch::new(Arc::clone(&ports.webhooks)));
        let projector = Projector::new(
            Arc::clone(&ports.ids),
            settings.writer.sends_emails,
            ports.semantic.is_some(),
            Arc::clone(&webhook_watch),
        );
        let deps = LaneDeps { feed: Arc::clone(&feed), projector: projector.clone() };
        let writer = MoneyWriter::start(&ports, &settings.writer, &deps);
        let sessions = Arc::new(SessionCache::new(settings.session_trust));
        listen_to_user_changes(&ports, &sessions);
        let context = Arc::new(Context {
            units: Arc::clone(&ports.units),
            clock: Arc::clone(&ports.clock),
            ids: Arc::clone(&ports.ids),
            writer,
            sessions,
            user_changes: Arc::clone(&ports.user_changes),
            projector,
        });
        let settings = Arc::new(settings);
        let (cache, queries) = (Arc::clone(&ports.cache), Arc::clone(&ports.markets));
        let market_cache = Arc::new(MarketCache::new(cache, queries, settings.market_trust));
        let post_totals = Arc::new(Totals::new());
        let markets = Arc::new(Markets::new(&context, &ports, &settings, &market_cache, feed));
        let search = Arc::new(Search::new(&context, &ports));
        let retries = settings.retries.clone();
        let notifications = Arc::new(Notifications::new(&context, &ports, retries, webhook_watch));
        let services = JobServices {
            markets: Arc::clone(&markets),
            notifications: Arc::clone(&notifications),
            search: Arc::clone(&search),
        };
        Ok(Self {
            ledger: Ledger::new(&context, &ports),
            markets,
            trading: Trading::new(&context, &ports, &market_cache),
            identity: Identity::new(&context, &ports, &settings, &post_totals),
            content: Content::new(&context, &ports, settings.quotas, post_totals),
            search,
            notifications,
            jobs: Jobs::new(&context, &ports, &settings, services),
            limits: Limits::new(&ports, &settings),
            operations: Operations::new(&context, &ports),
            queries: Queries {
                ledger: ports.ledger,
                markets: ports.markets,
                users: ports.users,
                posts: ports.posts,
                jobs: ports.jobs,
                webhooks: ports.webhooks,
            },
            settings,
            clock: ports.clock,
        })
    }

    /// Returns the settings of the operator.
    pub fn settings(&self) -> &ApplicationSettings {
        &self.settings
    }

    /// Returns the current time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
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
