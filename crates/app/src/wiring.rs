//! Connects the adapters to the ports and starts the application.

use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use foretell::{BuildError, Builder, CacheSettings, Foretell, POSTGRES_LANES};
use foretell_application::writer::WriterSettings;
use foretell_application::{Application, ApplicationSettings, STANDARD_CATEGORIES, StartError};
use foretell_embedding::StaticEmbedder;
use foretell_mail::{OutboxMailer, SmtpMailer, Templates};
use foretell_persistence::{DatabaseUrl, Store, count_statements};
use foretell_security::{Argon2Hasher, HashingCost};
use foretell_webhooks::HttpWebhookSender;

use crate::backup;
use crate::cli::say;
use crate::config::{Mail, Model, Search, Settings, Transport};
use crate::folders;

/// Builds the server and returns its use cases, for the subcommands that need no more.
pub(crate) async fn start(settings: &Settings) -> anyhow::Result<Arc<Application>> {
    Ok(Arc::clone(build(settings).await?.application()))
}

/// Opens the database, backs it up if it is about to be migrated, and builds the server on it.
pub(crate) async fn build(settings: &Settings) -> anyhow::Result<Foretell> {
    let store = open(settings).await?;
    backup::before_migration(settings, &store).await?;
    let lanes = if store.is_postgres() { POSTGRES_LANES } else { 1 };
    let cache = &settings.cache;
    let mut builder = Foretell::builder()
        .store(store)
        .settings(application_settings(settings, lanes))
        .cache_settings(CacheSettings {
            entries: cache.entries,
            entry_idle: cache.entry_idle,
            shared: cache.shared,
        })
        .webhook_sender(HttpWebhookSender::new(settings.webhooks));
    if let Some(redis) = &settings.redis {
        builder = builder.redis_settings(redis.clone());
    }
    if let Some(threads) = settings.auth.hashing_threads {
        builder = builder.passwords(Argon2Hasher::new(HashingCost::default(), threads)?);
    }
    builder = with_embedder(builder, &settings.search)?;
    builder = with_mailer(builder, &settings.mail)?;
    builder.build().await.map_err(explained)
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
        folders::create(file.parent())?;
    }
    // For the log lines of requests.
    count_statements();
    let store = Store::connect(&settings.database).await;
    store.with_context(|| format!("opening the database {url} failed"))
}

/// Adds the model of semantic search, if there is one.
fn with_embedder(builder: Builder, search: &Search) -> anyhow::Result<Builder> {
    let embedder = match &search.model {
        Model::None => return Ok(builder),
        Model::Standard => StaticEmbedder::standard(),
        Model::Folder(folder) => StaticEmbedder::open(folder),
    };
    Ok(builder.embedder(embedder.context("search.model")?, search.least_similarity))
}

/// Adds the mailer, if there is one. Templates are checked in any case.
fn with_mailer(builder: Builder, mail: &Mail) -> anyhow::Result<Builder> {
    let templates = Templates::load(&mail.from, &mail.site, mail.templates.as_deref())
        .context("mail.templates")?;
    Ok(match &mail.transport {
        Transport::None => builder,
        Transport::Outbox { folder, keep } => {
            builder.mailer(OutboxMailer::new(folder.clone(), *keep, templates))
        }
        Transport::Smtp(smtp) => {
            builder.mailer(SmtpMailer::new(smtp, templates).context("mail.smtp_host")?)
        }
    })
}

/// The error with the setting to change.
fn explained(error: BuildError) -> anyhow::Error {
    match error {
        BuildError::Start(error @ StartError::Currency { .. }) => {
            anyhow!("{error}: set currency.code and currency.decimals to what the database has")
        }
        BuildError::Migrate(error) => {
            anyhow::Error::new(error).context("migrating the database failed")
        }
        BuildError::Redis(error) => anyhow::Error::new(error).context("redis.url"),
        error => error.into(),
    }
}

fn application_settings(settings: &Settings, automatic_lanes: usize) -> ApplicationSettings {
    let standard = STANDARD_CATEGORIES.iter().map(|name| (*name).to_owned());
    let extra = settings.markets.extra_categories.iter();
    ApplicationSettings {
        currency: settings.currency.clone(),
        signup_grant: settings.accounts.signup_grant,
        registration: settings.accounts.registration.clone(),
        fee_bps: settings.markets.fee_bps,
        market_rules: settings.markets.rules,
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
            // The mailer decides.
            sends_emails: false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_configuration_equals_default_settings() {
        let settings = Settings::load([], None).unwrap();
        let configured = application_settings(&settings, 1);
        assert_eq!(format!("{configured:?}"), format!("{:?}", ApplicationSettings::default()));
    }
}
