//! Connects the adapters to the ports and starts the application.

use std::num::NonZeroUsize;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use foretell_application::application::STANDARD_CATEGORIES;
use foretell_application::writer::WriterSettings;
use foretell_application::{Application, ApplicationSettings, Ports, Semantic, shared_secret};
use foretell_cache::{
    LocalRateLimiter, MokaCache, RedisCache, RedisLink, RedisRateLimiter, RedisUserChanges, RedisVectorIndex,
    TieredCache,
};
use foretell_embedding::{MemoryIndex, StaticEmbedder};
use foretell_mail::{NoMailer, OutboxMailer, SmtpMailer, Templates};
use foretell_persistence::{DatabaseUrl, Store, count_statements};
use foretell_ports::cache::Cache;
use foretell_ports::mail::Mailer;
use foretell_ports::rate_limit::RateLimiter;
use foretell_ports::system::Clock;
use foretell_ports::user_changes::{NoOtherNodes, UserChanges};
use foretell_ports::vector::{Embedder as _, VectorIndex};
use foretell_security::{Argon2Hasher, HashingCost, SessionTokens, SystemClock, UuidV7Ids};
use foretell_web::JsonBodies;
use foretell_webhooks::HttpWebhookSender;

use crate::backup;
use crate::cli::say;
use crate::config::{Mail, Model, Search, Settings, Transport};

/// Default number of lanes on Postgres; the last lane is for heavy commands.
const POSTGRES_LANES: usize = 3;

/// Opens the database, migrates it and starts the application.
pub(crate) async fn start(settings: &Settings) -> anyhow::Result<Arc<Application>> {
    let store = open(settings).await?;
    backup::before_migration(settings, &store).await?;
    let report = store.migrate().await.context("migrating the database failed")?;
    if !report.applied.is_empty() {
        tracing::info!(applied = report.applied.len(), "migrated the database");
    }
    let application =
        Application::start(ports(settings, &store).await?, application_settings(settings, &store));
    let (stored, configured) = (application.initialize_ledger().await?, &settings.currency);
    if stored != *configured {
        bail!(
            "the database was created with the currency {} with {} decimals, and the settings say {} with {}: \
             set currency.code and currency.decimals to what the database has",
            stored.code(),
            stored.decimals(),
            configured.code(),
            configured.decimals(),
        );
    }
    Ok(Arc::new(application))
}

/// Migrates the database and prints the applied migrations.
pub(crate) async fn migrate(settings: &Settings) -> anyhow::Result<ExitCode> {
    let store = open(settings).await?;
    backup::before_migration(settings, &store).await?;
    let report = store.migrate().await?;
    for name in &report.applied {
        say(format_args!("applied {name}"));
    }
    say(format_args!("{} is up to date", settings.database.url));
    Ok(ExitCode::SUCCESS)
}

async fn open(settings: &Settings) -> anyhow::Result<Store> {
    let url = &settings.database.url;
    if let DatabaseUrl::Sqlite(file) = url {
        create_folder(file.parent())?;
    }
    // For the log lines of requests.
    count_statements();
    let store = Store::connect(&settings.database).await;
    store.with_context(|| format!("opening the database {url} failed"))
}

/// Creates the data folder, unless it exists. The umask determines its mode.
pub(crate) fn create_folder(folder: Option<&Path>) -> anyhow::Result<()> {
    let Some(folder) = folder.filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    std::fs::create_dir_all(folder)
        .with_context(|| format!("creating the folder {} failed", folder.display()))
}

async fn ports(settings: &Settings, store: &Store) -> anyhow::Result<Ports> {
    let threads = settings.auth.hashing_threads.or_else(|| std::thread::available_parallelism().ok());
    let hasher = Argon2Hasher::new(HashingCost::default(), threads.unwrap_or(NonZeroUsize::MIN))?;
    let link = redis_link(settings, store).await?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (cache, limiter) = shared(settings, link.as_ref(), &clock);
    let sender = HttpWebhookSender::new(settings.webhooks)?;
    Ok(Ports {
        cache,
        limiter,
        user_changes: user_changes(link.as_ref()),
        units: Arc::new(store.clone()),
        ledger: Arc::new(store.clone()),
        markets: Arc::new(store.clone()),
        users: Arc::new(store.clone()),
        posts: Arc::new(store.clone()),
        search: Arc::new(store.clone()),
        vectors: Arc::new(store.clone()),
        semantic: semantic(&settings.search, link.as_ref()).await?,
        jobs: Arc::new(store.clone()),
        webhooks: Arc::new(store.clone()),
        mailer: mailer(&settings.mail)?,
        webhook_sender: Arc::new(sender),
        webhook_bodies: Arc::new(JsonBodies::new(settings.currency.clone())),
        health: Arc::new(store.clone()),
        clock,
        ids: Arc::new(UuidV7Ids),
        passwords: Arc::new(hasher),
        tokens: Arc::new(SessionTokens),
    })
}

/// Returns the connection to Redis, if configured. Its data is signed with a key stored in the
/// database only.
async fn redis_link(settings: &Settings, store: &Store) -> anyhow::Result<Option<Arc<RedisLink>>> {
    let Some(redis) = &settings.redis else { return Ok(None) };
    let key = shared_secret(store, &SessionTokens, "redis").await?;
    Ok(Some(RedisLink::new(redis, &key).context("redis.url")?))
}

/// Returns the semantic search, if configured.
async fn semantic(search: &Search, link: Option<&Arc<RedisLink>>) -> anyhow::Result<Option<Semantic>> {
    let embedder = match &search.model {
        Model::None => return Ok(None),
        Model::Standard => StaticEmbedder::standard(),
        Model::Folder(folder) => StaticEmbedder::open(folder),
    };
    let embedder = embedder.context("search.model")?;
    let index: Arc<dyn VectorIndex> = match link {
        Some(link) if RedisVectorIndex::is_supported(link).await => {
            tracing::info!("the vector index is in Redis");
            Arc::new(RedisVectorIndex::new(Arc::clone(link), embedder.model()))
        }
        _ => Arc::new(MemoryIndex::default()),
    };
    Ok(Some(Semantic::new(Arc::new(embedder), index, search.least_similarity)))
}

/// Returns the mailer. If emails are disabled it is never called.
fn mailer(mail: &Mail) -> anyhow::Result<Arc<dyn Mailer>> {
    let templates =
        Templates::load(&mail.from, &mail.site, mail.templates.as_deref()).context("mail.templates")?;
    Ok(match &mail.transport {
        Transport::None => Arc::new(NoMailer),
        Transport::Outbox { folder, keep } => Arc::new(OutboxMailer::new(folder.clone(), *keep, templates)),
        Transport::Smtp(smtp) => Arc::new(SmtpMailer::new(smtp, templates).context("mail.smtp_host")?),
    })
}

/// Returns the announcements of changed users, if nodes share a Redis.
fn user_changes(link: Option<&Arc<RedisLink>>) -> Arc<dyn UserChanges> {
    match link {
        Some(link) => Arc::new(RedisUserChanges::new(Arc::clone(link))),
        None => Arc::new(NoOtherNodes),
    }
}

/// Returns the cache and the rate limiter: shared by Redis if configured, and otherwise local.
fn shared(
    settings: &Settings,
    link: Option<&Arc<RedisLink>>,
    clock: &Arc<dyn Clock>,
) -> (Arc<dyn Cache>, Arc<dyn RateLimiter>) {
    let near = MokaCache::new(settings.cache.entries, settings.cache.entry_idle);
    let Some(link) = link else {
        return (Arc::new(near), Arc::new(LocalRateLimiter::new()));
    };
    let far = RedisCache::new(Arc::clone(link), Arc::clone(clock), settings.cache.shared);
    let cache = TieredCache::new(near, far);
    (Arc::new(cache), Arc::new(RedisRateLimiter::new(Arc::clone(link))))
}

fn application_settings(settings: &Settings, store: &Store) -> ApplicationSettings {
    let standard = STANDARD_CATEGORIES.iter().map(|name| (*name).to_owned());
    let extra = settings.markets.extra_categories.iter();
    let automatic_lanes = if store.is_postgres() { POSTGRES_LANES } else { 1 };
    ApplicationSettings {
        currency: settings.currency.clone(),
        signup_grant: settings.accounts.signup_grant,
        fee_bps: settings.markets.fee_bps,
        quotas: settings.quotas,
        categories: standard.chain(extra.cloned()).collect(),
        session_lifetime: settings.auth.session_lifetime,
        session_trust: settings.auth.session_trust,
        login_limits: settings.auth.login_limits,
        market_trust: settings.cache.trust,
        request_limits: settings.limits,
        stream_limits: settings.streams,
        keep_outcomes: settings.idempotency.keep,
        retries: settings.retries.clone(),
        writer: WriterSettings {
            lanes: settings.writer.lanes.map_or(automatic_lanes, NonZeroUsize::get),
            batch_size: settings.writer.batch_size,
            queue: settings.writer.queue,
            max_wait: settings.writer.max_wait,
            sends_emails: !matches!(settings.mail.transport, Transport::None),
        },
    }
}
