//! Builder of a server: the choices that replace its defaults.

use std::sync::Arc;
use std::time::Duration;

use foretell_application::{ApplicationSettings, Semantic};
use foretell_cache::{RedisLink, RedisSettings, RedisVectorIndex};
use foretell_embedding::MemoryIndex;
use foretell_ports::cache::Cache;
use foretell_ports::health::Health;
use foretell_ports::job::JobQueries;
use foretell_ports::ledger::LedgerQueries;
use foretell_ports::mail::Mailer;
use foretell_ports::market::MarketQueries;
use foretell_ports::post::PostQueries;
use foretell_ports::rate_limit::RateLimiter;
use foretell_ports::search::TextSearch;
use foretell_ports::secret::{PasswordHasher, Tokens};
use foretell_ports::system::{Clock, IdSource};
use foretell_ports::unit::UnitOfWork;
use foretell_ports::user::UserQueries;
use foretell_ports::user_changes::UserChanges;
use foretell_ports::vector::{Embedder, VectorIndex, VectorQueries};
use foretell_ports::webhook::{WebhookBodies, WebhookQueries, WebhookSender};

use crate::storage::Chosen;

/// Batches that run at once on Postgres by default; the last lane is for heavy ones.
pub const POSTGRES_LANES: usize = 3;

/// Sizes and times of the default cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheSettings {
    /// Maximum number of entries in this process.
    pub entries: u64,
    /// Time after its last read for which an entry stays in this process.
    pub entry_idle: Duration,
    /// Lifetime of an entry in Redis, give or take a little.
    pub shared: Duration,
}

impl Default for CacheSettings {
    fn default() -> Self {
        let minutes = Duration::from_mins(5);
        Self { entries: 500, entry_idle: minutes, shared: minutes }
    }
}

/// Builder of a server.
///
/// Clones share the adapters that were given: two servers built of clones are two nodes of one
/// installation.
#[derive(Clone)]
#[must_use = "a builder does nothing until it is built"]
pub struct Builder {
    pub(crate) storage: Chosen,
    pub(crate) settings: Option<ApplicationSettings>,
    pub(crate) redis: Option<RedisSettings>,
    pub(crate) cache_settings: CacheSettings,
    pub(crate) search: SemanticSearch,
    pub(crate) replaced: ReplacedPorts,
}

/// Semantic search.
#[derive(Clone)]
pub(crate) enum SemanticSearch {
    Off,
    /// A model and the least similarity of what is found; the index follows from Redis.
    Model(Arc<dyn Embedder>, f64),
    /// A model with its index.
    Ready(Semantic),
}

impl SemanticSearch {
    /// Returns the model with its index; `None` without semantic search.
    pub(crate) async fn semantic(self, link: Option<&Arc<RedisLink>>) -> Option<Semantic> {
        let (embedder, least_similarity) = match self {
            Self::Off => return None,
            Self::Ready(semantic) => return Some(semantic),
            Self::Model(embedder, least_similarity) => (embedder, least_similarity),
        };
        let index: Arc<dyn VectorIndex> = match link {
            Some(link) if RedisVectorIndex::is_supported(link).await => {
                tracing::info!("the vector index is in Redis");
                Arc::new(RedisVectorIndex::new(Arc::clone(link), embedder.model()))
            }
            _ => Arc::new(MemoryIndex::default()),
        };
        Some(Semantic::new(embedder, index, least_similarity))
    }
}

impl Builder {
    pub(crate) fn new(storage: Chosen) -> Self {
        Self {
            storage,
            settings: None,
            redis: None,
            cache_settings: CacheSettings::default(),
            search: SemanticSearch::Off,
            replaced: ReplacedPorts::default(),
        }
    }

    /// Uses these settings as they are, except that a mailer implies emails. Default:
    /// [`ApplicationSettings::default`], with [`POSTGRES_LANES`] on Postgres.
    pub fn settings(mut self, settings: ApplicationSettings) -> Self {
        self.settings = Some(settings);
        self
    }

    /// Shares cache, rate limits and changes of users with other nodes through this Redis, such as
    /// `redis://host:6379/0`.
    pub fn redis(self, url: impl Into<String>) -> Self {
        self.redis_settings(RedisSettings { url: url.into(), prefix: "foretell".to_owned() })
    }

    /// Does the same with another prefix of keys: installations that share a Redis need different
    /// ones.
    pub fn redis_settings(mut self, settings: RedisSettings) -> Self {
        self.redis = Some(settings);
        self
    }

    /// Sizes the default cache.
    pub fn cache_settings(mut self, settings: CacheSettings) -> Self {
        self.cache_settings = settings;
        self
    }

    /// Finds texts by their meaning: those whose cosine with the query is at least
    /// `least_similarity`. The index is in Redis if there is one that supports it, otherwise in
    /// this process.
    pub fn embedder(mut self, embedder: impl Embedder + 'static, least_similarity: f64) -> Self {
        self.search = SemanticSearch::Model(Arc::new(embedder), least_similarity);
        self
    }

    /// Finds texts by their meaning with a model and an index of the caller.
    pub fn semantic(mut self, semantic: Semantic) -> Self {
        self.search = SemanticSearch::Ready(semantic);
        self
    }
}

macro_rules! replaceable_ports {
    ($($(#[$doc:meta])* $name:ident: $port:ident,)+) => {
        /// The ports that were replaced.
        #[derive(Clone, Default)]
        pub(crate) struct ReplacedPorts {
            $(pub(crate) $name: Option<Arc<dyn $port>>,)+
        }

        /// One setter for each port.
        impl Builder {
            $(
                $(#[$doc])*
                pub fn $name(mut self, port: impl $port + 'static) -> Self {
                    self.replaced.$name = Some(Arc::new(port));
                    self
                }
            )+
        }
    };
}

replaceable_ports! {
    /// Runs units of work by this adapter instead of the storage's.
    units: UnitOfWork,
    /// Reads accounts and transfers from this adapter instead of the storage.
    ledger: LedgerQueries,
    /// Reads markets from this adapter instead of the storage.
    markets: MarketQueries,
    /// Reads users, sessions and API keys from this adapter instead of the storage.
    users: UserQueries,
    /// Reads posts, comments and tags from this adapter instead of the storage.
    posts: PostQueries,
    /// Searches texts by this adapter instead of the storage.
    search: TextSearch,
    /// Reads embeddings from this adapter instead of the storage.
    vectors: VectorQueries,
    /// Reads jobs from this adapter instead of the storage.
    jobs: JobQueries,
    /// Reads webhooks from this adapter instead of the storage.
    webhooks: WebhookQueries,
    /// Checks the health of storage by this adapter.
    health: Health,
    /// Caches in this adapter. Default: in this process, and in Redis if there is one.
    cache: Cache,
    /// Limits rates by this adapter. Default: Redis if there is one, otherwise this process.
    limiter: RateLimiter,
    /// Announces changed users to other nodes by this adapter. Default: Redis if there is one.
    user_changes: UserChanges,
    /// Sends emails by this adapter. Default: no emails are written.
    mailer: Mailer,
    /// Sends webhook messages by this adapter. Default: HTTPS, to public addresses only.
    webhook_sender: WebhookSender,
    /// Writes the bodies of webhook messages by this adapter. Default: JSON.
    webhook_bodies: WebhookBodies,
    /// Reads the time from this clock. Default: the system's.
    clock: Clock,
    /// Creates ids by this adapter. Default: version 7 UUIDs.
    ids: IdSource,
    /// Hashes passwords by this adapter. Default: argon2id, with a thread for each core.
    passwords: PasswordHasher,
    /// Creates tokens by this adapter. Default: 256 random bits.
    tokens: Tokens,
}
