//! Builder of a server: a default for every port, and the choices that replace them.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use foretell_application::{Application, ApplicationSettings, Ports, Semantic, shared_secret};
use foretell_cache::{
    LocalCache, LocalRateLimiter, RedisCache, RedisLink, RedisRateLimiter, RedisSettings,
    RedisUserChanges, RedisVectorIndex, TieredCache,
};
use foretell_embedding::MemoryIndex;
use foretell_mail::NoMailer;
use foretell_ports::cache::Cache;
use foretell_ports::rate_limit::RateLimiter;
use foretell_ports::system::Clock;
use foretell_ports::user_changes::{NoOtherNodes, UserChanges};
use foretell_ports::vector::{Embedder, VectorIndex};
use foretell_security::{Argon2Hasher, HashingCost, SessionTokens, SystemClock, UuidV7Ids};
use foretell_web::JsonBodies;
use foretell_webhooks::{HttpWebhookSender, SenderSettings};

use crate::error::BuildError;
use crate::open::Opened;
use crate::replaced::ReplacedPorts;
use crate::server::Foretell;
use crate::storage::{Chosen, Storage};

/// Batches that run at once on Postgres by default; the last lane is for heavy ones.
pub const POSTGRES_LANES: usize = 3;

/// Timeout of a webhook message by default.
const WEBHOOK_TIMEOUT: Duration = Duration::from_secs(15);

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
    storage: Chosen,
    settings: Option<ApplicationSettings>,
    redis: Option<RedisSettings>,
    cache_settings: CacheSettings,
    search: SemanticSearch,
    pub(crate) replaced: ReplacedPorts,
}

/// Semantic search.
#[derive(Clone)]
enum SemanticSearch {
    Off,
    /// A model and the least similarity of what is found; the index follows from Redis.
    Model(Arc<dyn Embedder>, f64),
    /// A model with its index.
    Ready(Semantic),
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

    /// Opens and migrates the database, initializes its ledger if it is empty, and starts the
    /// application; call it within a Tokio runtime.
    ///
    /// # Errors
    /// [`BuildError`].
    pub async fn build(mut self) -> Result<Foretell, BuildError> {
        let Opened { storage, is_postgres } = Opened::open(self.storage.clone()).await?;
        let mut settings = self.settings.take().unwrap_or_else(|| {
            let mut settings = ApplicationSettings::default();
            if is_postgres {
                settings.writer.lanes = POSTGRES_LANES;
            }
            settings
        });
        settings.writer.sends_emails |= self.replaced.mailer.is_some();
        let ports = self.ports(storage, &settings).await?;
        let application = Application::start(ports, settings).await?;
        Ok(Foretell::new(Arc::new(application)))
    }

    /// Returns the ports that were replaced, and the defaults of the others.
    async fn ports(
        self,
        storage: Arc<dyn Storage>,
        settings: &ApplicationSettings,
    ) -> Result<Ports, BuildError> {
        let replaced = self.replaced;
        let units = replaced.units.unwrap_or_else(|| storage.clone());
        let clock = replaced.clock.unwrap_or_else(|| Arc::new(SystemClock));
        let tokens = replaced.tokens.unwrap_or_else(|| Arc::new(SessionTokens));
        let link = match &self.redis {
            None => None,
            Some(redis) => {
                // Entries in Redis are signed with a key that only the database knows.
                let key = shared_secret(&*units, &*tokens, "redis").await?;
                Some(RedisLink::new(redis, &key)?)
            }
        };
        let link = link.as_ref();
        Ok(Ports {
            units,
            ledger: replaced.ledger.unwrap_or_else(|| storage.clone()),
            markets: replaced.markets.unwrap_or_else(|| storage.clone()),
            users: replaced.users.unwrap_or_else(|| storage.clone()),
            posts: replaced.posts.unwrap_or_else(|| storage.clone()),
            search: replaced.search.unwrap_or_else(|| storage.clone()),
            vectors: replaced.vectors.unwrap_or_else(|| storage.clone()),
            jobs: replaced.jobs.unwrap_or_else(|| storage.clone()),
            webhooks: replaced.webhooks.unwrap_or_else(|| storage.clone()),
            health: replaced.health.unwrap_or(storage),
            cache: replaced.cache.unwrap_or_else(|| cache(self.cache_settings, link, &clock)),
            limiter: replaced.limiter.unwrap_or_else(|| limiter(link)),
            user_changes: replaced.user_changes.unwrap_or_else(|| user_changes(link)),
            semantic: semantic(self.search, link).await,
            mailer: replaced.mailer.unwrap_or_else(|| Arc::new(NoMailer)),
            webhook_sender: match replaced.webhook_sender {
                Some(sender) => sender,
                None => Arc::new(webhook_sender()),
            },
            webhook_bodies: replaced
                .webhook_bodies
                .unwrap_or_else(|| Arc::new(JsonBodies::new(settings.currency.clone()))),
            clock,
            ids: replaced.ids.unwrap_or_else(|| Arc::new(UuidV7Ids)),
            passwords: match replaced.passwords {
                Some(hasher) => hasher,
                None => Arc::new(password_hasher()?),
            },
            tokens,
        })
    }
}

fn cache(
    settings: CacheSettings,
    link: Option<&Arc<RedisLink>>,
    clock: &Arc<dyn Clock>,
) -> Arc<dyn Cache> {
    let near = LocalCache::new(settings.entries, settings.entry_idle);
    match link {
        None => Arc::new(near),
        Some(link) => {
            let far = RedisCache::new(Arc::clone(link), Arc::clone(clock), settings.shared);
            Arc::new(TieredCache::new(near, far))
        }
    }
}

fn limiter(link: Option<&Arc<RedisLink>>) -> Arc<dyn RateLimiter> {
    match link {
        None => Arc::new(LocalRateLimiter::new()),
        Some(link) => Arc::new(RedisRateLimiter::new(Arc::clone(link))),
    }
}

fn user_changes(link: Option<&Arc<RedisLink>>) -> Arc<dyn UserChanges> {
    match link {
        None => Arc::new(NoOtherNodes),
        Some(link) => Arc::new(RedisUserChanges::new(Arc::clone(link))),
    }
}

async fn semantic(search: SemanticSearch, link: Option<&Arc<RedisLink>>) -> Option<Semantic> {
    let (embedder, least_similarity) = match search {
        SemanticSearch::Off => return None,
        SemanticSearch::Ready(semantic) => return Some(semantic),
        SemanticSearch::Model(embedder, least_similarity) => (embedder, least_similarity),
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

fn webhook_sender() -> HttpWebhookSender {
    HttpWebhookSender::new(SenderSettings { allow_private: false, timeout: WEBHOOK_TIMEOUT })
}

fn password_hasher() -> Result<Argon2Hasher, BuildError> {
    let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    Ok(Argon2Hasher::new(HashingCost::default(), threads)?)
}

#[cfg(all(test, feature = "memory"))]
mod tests {
    use foretell_application::StartError;
    use foretell_domain::money::Currency;
    use foretell_persistence::ConnectError;
    use foretell_testkit::{MemoryMailer, MemoryStore};

    use super::*;

    #[tokio::test]
    async fn database_with_another_currency_is_rejected() {
        let builder = Foretell::builder().storage(MemoryStore::new()).fakes(1);
        builder.clone().build().await.unwrap();
        let currency = Currency::new("GOLD", 0).unwrap();
        let settings = ApplicationSettings { currency, ..ApplicationSettings::default() };
        let Err(error) = builder.settings(settings).build().await else {
            panic!("the currency was changed");
        };
        assert!(matches!(error, BuildError::Start(StartError::Currency { .. })), "{error:?}");
    }

    #[tokio::test]
    async fn mailer_enables_emails() {
        let builder = Foretell::builder().in_memory().fakes(1);
        let silent = builder.clone().build().await.unwrap();
        assert!(!silent.application().settings().writer.sends_emails);
        let writing = builder.mailer(MemoryMailer::default()).build().await.unwrap();
        assert!(writing.application().settings().writer.sends_emails);
    }

    #[tokio::test]
    async fn path_as_postgres_url_is_rejected() {
        let Err(error) = Foretell::builder().postgres("./foretell.db").build().await else {
            panic!("a file was opened");
        };
        assert!(matches!(error, BuildError::Connect(ConnectError::Url(_))), "{error:?}");
    }
}
