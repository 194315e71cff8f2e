//! The application: the services of all areas, put together.

use std::sync::Arc;

use foretell_domain::time::Timestamp;
use foretell_ports::job::JobQueries;
use foretell_ports::ledger::LedgerQueries;
use foretell_ports::market::MarketQueries;
use foretell_ports::post::PostQueries;
use foretell_ports::system::Clock;
use foretell_ports::user::UserQueries;
use foretell_ports::webhook::WebhookQueries;

use crate::content::Content;
use crate::context::Context;
use crate::error::StartError;
use crate::identity::Identity;
use crate::identity::email_hasher::{self, EmailHasher};
use crate::identity::session_cache::SessionCache;
use crate::jobs::{JobServices, Jobs};
use crate::ledger::Ledger;
use crate::ledger::initialize_ledger::initialize_ledger;
use crate::limits::Limits;
use crate::markets::Markets;
use crate::markets::market_cache::MarketCache;
use crate::markets::market_feed::MarketFeed;
use crate::notifications::Notifications;
use crate::notifications::webhook_watch::WebhookWatch;
use crate::operations::Operations;
use crate::operations::shared_secrets::shared_secret;
use crate::ports::Ports;
use crate::projector::Projector;
use crate::search::Search;
use crate::settings::ApplicationSettings;
use crate::totals::Totals;
use crate::trading::Trading;
use crate::writer::{LaneDeps, MoneyWriter};

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
        let key = shared_secret(&*ports.units, &*ports.tokens, email_hasher::KEY_NAME).await?;
        let email_hasher = EmailHasher::new(&key);
        let feed = Arc::new(MarketFeed::default());
        let webhook_watch = Arc::new(WebhookWatch::new(Arc::clone(&ports.webhooks)));
        let projector = Projector::new(
            Arc::clone(&ports.ids),
            settings.writer.sends_emails,
            ports.semantic.is_some(),
            Arc::clone(&webhook_watch),
        );
        let deps = LaneDeps {
            feed: Arc::clone(&feed),
            projector: projector.clone(),
            rules: settings.market_rules,
        };
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
            identity: Identity::new(&context, &ports, &settings, &post_totals, email_hasher),
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
