//! Settings of the process, read in layers from files and the environment and checked before use.

mod accounts;
mod background;
mod error;
mod layer;
mod limits;
mod reader;
mod reference;
mod server;
mod setting;
mod suggestion;
mod telemetry;

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use foretell_application::{LoginLimits, RequestLimits, RetryPolicies, StreamLimits};
use foretell_cache::RedisSettings;
use foretell_domain::market::{MAX_FEE_BPS, MarketRules};
use foretell_domain::money::Currency;
use foretell_domain::quota::Quotas;
use foretell_domain::search::SearchLanguage;
use foretell_domain::text::Category;
use foretell_jobs::WorkerSettings;
use foretell_persistence::{DatabaseConfig, DatabaseUrl};
use foretell_webhooks::SenderSettings;

use accounts::{Accounts, read_accounts};
pub(crate) use background::{Mail, MetricsAccess, Model, Search, Transport};
use background::{read_jobs, read_mail, read_metrics, read_retries, read_search, read_webhooks};
pub(crate) use error::ConfigError;
use layer::{Layer, Variables};
use limits::{read_limits, read_quotas, read_streams};
use reader::Reader;
pub(crate) use reference::reference;
use server::{Server, read_server};
pub(crate) use setting::Setting;
use telemetry::read_telemetry;

const DEFAULT_TOML: &str = include_str!("../../../config/default.toml");
const DEVELOPMENT_TOML: &str = include_str!("../../../config/development.toml");
const PRODUCTION_TOML: &str = include_str!("../../../config/production.toml");

/// The `SQLite` file in the data folder, if no database is configured.
const SQLITE_FILE: &str = "foretell.db";

/// Settings that also have a widely used variable name.
const OWN_NAMES: [(&str, &str); 2] = [("database.url", "DATABASE_URL"), ("redis.url", "REDIS_URL")];

const MAX_EXTRA_CATEGORIES: usize = 100;
/// Maximum number of characters of the prefix of keys in Redis.
const MAX_PREFIX: usize = 40;

/// All settings.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// `true` for the settings of development, which protect little.
    pub(crate) is_development: bool,
    /// The HTTP server.
    pub(crate) server: Server,
    /// Folder of backups.
    pub(crate) backups: PathBuf,
    /// Database and its connections.
    pub(crate) database: DatabaseConfig,
    /// Redis shared by nodes, if any.
    pub(crate) redis: Option<RedisSettings>,
    /// Cache.
    pub(crate) cache: Cache,
    /// Rate limits of requests.
    pub(crate) limits: RequestLimits,
    /// Limits of open event streams.
    pub(crate) streams: StreamLimits,
    /// Limits per user.
    pub(crate) quotas: Quotas,
    /// Currency of the ledger.
    pub(crate) currency: Currency,
    /// New accounts.
    pub(crate) accounts: Accounts,
    /// New markets.
    pub(crate) markets: Markets,
    /// Signing in.
    pub(crate) auth: Auth,
    /// The money writer.
    pub(crate) writer: Writer,
    /// Idempotency keys.
    pub(crate) idempotency: Idempotency,
    /// Workers.
    pub(crate) jobs: WorkerSettings,
    /// Retry policies of jobs.
    pub(crate) retries: RetryPolicies,
    /// Emails to users.
    pub(crate) mail: Mail,
    /// Sending of webhook messages.
    pub(crate) webhooks: SenderSettings,
    /// Semantic search.
    pub(crate) search: Search,
    /// Access to metrics.
    pub(crate) metrics: MetricsAccess,
    /// Logs, whose filter is checked, traces and error reports.
    pub(crate) telemetry: foretell_telemetry::Settings,
}

/// Cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cache {
    /// Maximum number of entries in the process.
    pub(crate) entries: u64,
    /// Time after which an unread entry is evicted from the process.
    pub(crate) entry_idle: Duration,
    /// Lifetime of an entry in Redis.
    pub(crate) shared: Duration,
    /// Time for which an entry is used without checking its version.
    pub(crate) trust: Duration,
}

/// Markets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Markets {
    /// Trading fee, in basis points.
    pub(crate) fee_bps: u16,
    /// Rules of all markets.
    pub(crate) rules: MarketRules,
    /// Additional categories; each is a [`Category`].
    pub(crate) extra_categories: Vec<String>,
}

/// Signing in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Auth {
    /// Lifetime of a session.
    pub(crate) session_lifetime: Duration,
    /// Time for which a cached session is used without a query.
    pub(crate) session_trust: Duration,
    /// `true` if the session cookie is sent over HTTPS only.
    pub(crate) secure_cookies: bool,
    /// Threads that hash passwords; `None` is one for each core.
    pub(crate) hashing_threads: Option<NonZeroUsize>,
    /// Limits of wrong passwords.
    pub(crate) login_limits: LoginLimits,
}

/// The money writer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Writer {
    /// Number of concurrent batches; `None` depends on the database.
    pub(crate) lanes: Option<NonZeroUsize>,
    /// Maximum number of transfers of one batch, unless a single command makes more.
    pub(crate) batch_size: usize,
    /// Maximum number of transfers that wait for a batch.
    pub(crate) queue: usize,
    /// Maximum time that a command may wait.
    pub(crate) max_wait: Duration,
}

/// Idempotency keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Idempotency {
    /// Time for which the outcome of a command is stored under its idempotency key.
    pub(crate) keep: Duration,
}

impl Settings {
    /// Reads all layers and checks every value: the environment variables, and the file on the
    /// command line, if any, which precedes the one in `FORETELL_CONFIG`.
    ///
    /// # Errors
    /// [`ConfigError::Environment`], [`ConfigError::Unreadable`], [`ConfigError::Malformed`],
    /// [`ConfigError::Twice`], and [`ConfigError::Invalid`] with all unknown keys and bad values at
    /// once.
    pub(crate) fn load(
        variables: impl IntoIterator<Item = (OsString, OsString)>,
        config_path: Option<&Path>,
    ) -> Result<Self, ConfigError> {
        Self::load_with_origins(variables, config_path).map(|(settings, _)| settings)
    }

    /// Reads all layers, and also returns each setting with its value and origin.
    ///
    /// # Errors
    /// The errors of [`Settings::load`].
    pub(crate) fn load_with_origins(
        variables: impl IntoIterator<Item = (OsString, OsString)>,
        config_path: Option<&Path>,
    ) -> Result<(Self, Vec<Setting>), ConfigError> {
        let variables = Variables::new(variables);
        let default = Layer::parse("config/default.toml", DEFAULT_TOML)?;
        let mut others = vec![match variables.get("FORETELL_ENV") {
            None | Some("development") => {
                Layer::parse("config/development.toml", DEVELOPMENT_TOML)?
            }
            Some("production") => Layer::parse("config/production.toml", PRODUCTION_TOML)?,
            Some(other) => return Err(ConfigError::Environment { found: other.to_owned() }),
        }];
        if let Some(path) = config_path.or(variables.get("FORETELL_CONFIG").map(Path::new)) {
            others.push(Layer::read(path)?);
        }
        others.push(Layer::of_variables(&variables, |key| default.has(key))?);
        for (key, name) in OWN_NAMES {
            others.push(Layer::of_variable(key, name, &variables)?);
        }

        let mut reader = Reader::new(default, others);
        let mut settings = read_settings(&mut reader);
        if let Some(settings) = &mut settings {
            settings.is_development = variables.get("FORETELL_ENV") != Some("production");
            settings.telemetry.log.color =
                std::io::stderr().is_terminal() && variables.get("NO_COLOR").is_none();
        }
        match (settings, reader.finish()) {
            (Some(settings), Ok(read)) => Ok((settings, read)),
            (_, Err(problems)) => Err(ConfigError::Invalid(problems)),
            (None, Ok(_)) => Err(ConfigError::Invalid(Vec::new())),
        }
    }
}

// Each of these functions reads all of its keys before it returns, so that every problem is found.

fn read_settings(reader: &mut Reader) -> Option<Settings> {
    let server = read_server(reader);
    let data_dir = reader.parsed("data.dir", parse_dir);
    let database = read_database(reader, data_dir.clone());
    let redis = read_redis(reader);
    let cache = read_cache(reader);
    let limits = read_limits(reader);
    let streams = read_streams(reader);
    let currency = read_currency(reader);
    let quotas = read_quotas(reader, currency.as_ref());
    let accounts = read_accounts(reader, currency.as_ref());
    let markets = read_markets(reader);
    let auth = read_auth(reader);
    let writer = read_writer(reader);
    let keep = reader.days("idempotency.keep_days");
    let jobs = read_jobs(reader);
    let retries = read_retries(reader);
    let mail = read_mail(reader, data_dir.clone());
    let webhooks = read_webhooks(reader);
    let search = read_search(reader);
    let metrics = read_metrics(reader);
    let telemetry = read_telemetry(reader);
    Some(Settings {
        is_development: false,
        server: server?,
        database: database?,
        backups: data_dir?.join("backups"),
        redis: redis?,
        cache: cache?,
        limits: limits?,
        streams: streams?,
        quotas: quotas?,
        currency: currency?,
        accounts: accounts?,
        markets: markets?,
        auth: auth?,
        writer: writer?,
        idempotency: Idempotency { keep: keep? },
        jobs: jobs?,
        retries: retries?,
        mail: mail?,
        webhooks: webhooks?,
        search: search?,
        metrics: metrics?,
        telemetry: telemetry?,
    })
}

fn read_database(reader: &mut Reader, data_dir: Option<PathBuf>) -> Option<DatabaseConfig> {
    // A bad folder was already recorded, so this path is never used.
    let sqlite_file = data_dir.unwrap_or_default().join(SQLITE_FILE);
    let url = reader.parsed_secret("database.url", |text| match text {
        "" => Ok(DatabaseUrl::Sqlite(sqlite_file.clone())),
        _ => text.parse::<DatabaseUrl>().map_err(|error| error.to_string()),
    });
    let read_connections = reader.number("database.read_connections", 0..=1_000);
    let write_connections = reader.number("database.write_connections", 0..=1_000);
    let wait_ms = reader.number("database.wait_ms", 1..=60_000);
    let searches = reader.number("limits.searches", 0..=64);
    let language = reader.parsed("search.language", |name| {
        let names = || SearchLanguage::names().collect::<Vec<_>>().join(", ");
        SearchLanguage::from_name(name).ok_or_else(|| format!("must be one of {}", names()))
    });
    let usual = DatabaseConfig::new(url?);
    let or_usual = |count: usize, usual: usize| if count == 0 { usual } else { count };
    Some(DatabaseConfig {
        read_connections: or_usual(read_connections?, usual.read_connections),
        write_connections: or_usual(write_connections?, usual.write_connections),
        search_connections: or_usual(searches?, usual_searches()),
        search_language: language?,
        wait: Duration::from_millis(wait_ms?),
        ..usual
    })
}

/// Returns half of the cores, so that the other half serves all other requests.
fn usual_searches() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| (cores.get() / 2).max(1))
}

#[expect(clippy::option_option, reason = "a bad setting is not the same as no Redis")]
fn read_redis(reader: &mut Reader) -> Option<Option<RedisSettings>> {
    let url = reader.parsed_secret("redis.url", |text| {
        // Checked whatever the prefix is.
        let settings = RedisSettings { url: text.to_owned(), prefix: String::new() };
        let checked = if text.is_empty() { Ok(()) } else { settings.check() };
        checked.map(|()| text.to_owned()).map_err(|error| error.to_string())
    });
    let prefix = reader.parsed("redis.prefix", |text| {
        let is_good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let is_prefix = (1..=MAX_PREFIX).contains(&text.len()) && text.bytes().all(is_good);
        is_prefix
            .then(|| text.to_owned())
            .ok_or_else(|| format!("must be 1 to {MAX_PREFIX} letters, digits and \"-\""))
    });
    let (url, prefix) = (url?, prefix?);
    Some((!url.is_empty()).then_some(RedisSettings { url, prefix }))
}

fn read_cache(reader: &mut Reader) -> Option<Cache> {
    let entries = reader.number("cache.entries", 1..=1_000_000);
    let entry_idle_s = reader.number("cache.entry_idle_s", 1..=86_400);
    let shared_s = reader.number("cache.shared_s", 1..=86_400);
    let trust_ms = reader.number("cache.trust_ms", 0..=60_000);
    Some(Cache {
        entries: entries?,
        entry_idle: Duration::from_secs(entry_idle_s?),
        shared: Duration::from_secs(shared_s?),
        trust: Duration::from_millis(trust_ms?),
    })
}

fn read_currency(reader: &mut Reader) -> Option<Currency> {
    let decimals = reader.number("currency.decimals", 0..=8);
    // Checked with some decimals even if the configured ones are bad.
    let currency = reader.parsed("currency.code", |code| {
        Currency::new(code, decimals.unwrap_or_default()).map_err(|error| error.to_string())
    });
    decimals.and(currency)
}

fn read_markets(reader: &mut Reader) -> Option<Markets> {
    let fee_bps = reader.number("markets.fee_bps", 0..=MAX_FEE_BPS.into());
    let extra_categories = reader.list("markets.extra_categories", MAX_EXTRA_CATEGORIES, |text| {
        Category::new(text).map(String::from).map_err(|error| error.to_string())
    });
    let challenge_hours: Option<u64> = reader.number("markets.challenge_hours", 1..=8_760);
    let always_propose = reader.flag("markets.always_propose");
    let creator_may_trade = reader.flag("markets.creator_may_trade");
    Some(Markets {
        fee_bps: fee_bps?,
        rules: MarketRules {
            challenge: Duration::from_hours(challenge_hours?),
            always_propose: always_propose?,
            creator_may_trade: creator_may_trade?,
        },
        extra_categories: extra_categories?,
    })
}

fn read_auth(reader: &mut Reader) -> Option<Auth> {
    let session_lifetime = reader.days("auth.session_days");
    let session_trust_ms = reader.number("auth.session_trust_ms", 0..=60_000);
    let secure_cookies = reader.flag("auth.secure_cookies");
    let hashing_threads = reader.number("auth.hashing_threads", 0..=256);
    let per_account = reader.number("auth.login_attempts_per_account", 1..=1_000_000);
    let per_address = reader.number("auth.login_attempts_per_address", 1..=1_000_000);
    let login_window_s = reader.number("auth.login_window_s", 1..=86_400);
    Some(Auth {
        session_lifetime: session_lifetime?,
        session_trust: Duration::from_millis(session_trust_ms?),
        secure_cookies: secure_cookies?,
        hashing_threads: NonZeroUsize::new(hashing_threads?),
        login_limits: LoginLimits {
            per_account: per_account?,
            per_address: per_address?,
            window: Duration::from_secs(login_window_s?),
        },
    })
}

fn read_writer(reader: &mut Reader) -> Option<Writer> {
    let lanes = reader.number("writer.lanes", 0..=64);
    let batch_size = reader.number("writer.batch_size", 1..=4_096);
    let queue = reader.number("writer.queue", 1..=1_000_000);
    let max_wait_ms = reader.number("writer.max_wait_ms", 1..=60_000);
    Some(Writer {
        lanes: NonZeroUsize::new(lanes?),
        batch_size: batch_size?,
        queue: queue?,
        max_wait: Duration::from_millis(max_wait_ms?),
    })
}

fn parse_dir(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() || text.contains('\0') {
        return Err("must be the path of a folder".to_owned());
    }
    Ok(PathBuf::from(text))
}

#[cfg(test)]
mod tests;
