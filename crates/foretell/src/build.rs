//! Builds a server: the default of each port that was not replaced, and the start.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use foretell_application::{Application, ApplicationSettings, Ports, shared_secret};
use foretell_cache::{
    LocalCache, LocalRateLimiter, RedisCache, RedisLink, RedisRateLimiter, RedisUserChanges,
    TieredCache,
};
use foretell_mail::NoMailer;
use foretell_ports::cache::Cache;
use foretell_ports::rate_limit::RateLimiter;
use foretell_ports::system::Clock;
use foretell_ports::user_changes::{NoOtherNodes, UserChanges};
use foretell_security::{Argon2Hasher, HashingCost, SessionTokens, SystemClock, UuidV7Ids};
use foretell_web::JsonBodies;
use foretell_webhooks::{HttpWebhookSender, SenderSettings};

use crate::builder::{Builder, CacheSettings, POSTGRES_LANES};
use crate::error::BuildError;
use crate::open::Opened;
use crate::server::Foretell;
use crate::storage::Storage;

/// Timeout of a webhook message by default.
const WEBHOOK_TIMEOUT: Duration = Duration::from_secs(15);

impl Builder {
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
            semantic: self.search.semantic(link).await,
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
