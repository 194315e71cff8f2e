//! Connection to Redis, with a short timeout, and a circuit breaker while it does not respond.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use deadpool_redis::redis::aio::MultiplexedConnection;
use deadpool_redis::redis::{
    AsyncConnectionConfig, Client, FromRedisValue, IntoConnectionInfo as _, ScriptInvocation,
};
use deadpool_redis::{Connection, Manager, Pool};
use thiserror::Error;
use tokio::runtime::Handle;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::breaker::Breaker;
use crate::cause::{CauseLog, RedisCause};
use crate::probe;
use crate::seal::Seal;

/// Timeout of connecting and the response together.
pub(crate) const BUDGET: Duration = Duration::from_millis(50);
/// Interval of probes.
const PROBED_EVERY: Duration = Duration::from_secs(1);

/// Address of a Redis, and the prefix of all keys in it.
#[derive(Clone)]
pub struct RedisSettings {
    /// `redis://user:password@host:port/number`.
    pub url: String,
    /// Prefix of all keys and channels: installations that share a Redis need different ones.
    pub prefix: String,
}

impl fmt::Debug for RedisSettings {
    /// Hides the address, which may contain a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisSettings").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

/// Reason why a Redis can never be used; one that does not respond is not an error.
#[derive(Debug, Error)]
pub enum RedisError {
    /// The address is not valid.
    #[error("must be an address such as \"redis://host:6379/0\"")]
    Address,
    /// The connections cannot be set up.
    #[error("connections to Redis cannot be set up")]
    Setup(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl RedisSettings {
    /// Checks the address.
    ///
    /// # Errors
    /// [`RedisError::Address`].
    pub fn check(&self) -> Result<(), RedisError> {
        self.url.as_str().into_connection_info().map(drop).map_err(|_| RedisError::Address)
    }
}

/// Format of keys and messages: nodes of different formats do not see each other's.
const FORMAT: u8 = 2;

/// Connection to Redis that the cache and the limits share.
pub struct RedisLink {
    pool: Pool,
    client: Client,
    prefix: String,
    /// Runtime on which all connections live, whichever runtime uses them.
    runtime: Handle,
    /// Current connection. Requests are multiplexed over it, so that one is enough and costs no
    /// further round trip.
    current: Mutex<Option<MultiplexedConnection>>,
    connecting: tokio::sync::Mutex<()>,
    breaker: Breaker,
    seal: Seal,
    causes: CauseLog,
}

impl RedisLink {
    /// Creates a link, which connects and probes in the background; call it within a Tokio runtime.
    /// Data that is not signed with `key`, which all nodes share, counts as absent.
    ///
    /// # Errors
    /// [`RedisError`]; a Redis that does not respond is not an error.
    pub fn new(settings: &RedisSettings, key: &[u8; 32]) -> Result<Arc<Self>, RedisError> {
        settings.check()?;
        let limits = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(BUDGET))
            .set_response_timeout(Some(BUDGET));
        let manager = Manager::new_with_config(settings.url.as_str(), limits);
        let manager = manager.map_err(|error| RedisError::Setup(error.into()))?;
        let client =
            Client::open(settings.url.as_str()).map_err(|error| RedisError::Setup(error.into()))?;
        let pool =
            Pool::builder(manager).build().map_err(|error| RedisError::Setup(error.into()))?;
        let link = Arc::new(Self {
            pool,
            client,
            prefix: key_prefix(settings),
            runtime: Handle::current(),
            current: Mutex::default(),
            connecting: tokio::sync::Mutex::default(),
            breaker: Breaker::default(),
            seal: Seal::new(key),
            causes: CauseLog::default(),
        });
        link.keep_probing();
        Ok(link)
    }

    /// Returns the name of a key or channel in Redis, with the prefix and the format version.
    pub(crate) fn name(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    /// Returns the client, which opens connections of its own.
    pub(crate) const fn client(&self) -> &Client {
        &self.client
    }

    /// Returns the signer of entries and messages.
    pub(crate) const fn seal(&self) -> &Seal {
        &self.seal
    }

    /// Logs a cause that an operator must fix, at most once a minute.
    pub(crate) fn note_cause(&self, cause: RedisCause) {
        self.causes.warn(cause);
    }

    /// Returns the runtime of background tasks.
    pub(crate) const fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// Returns `true` if Redis responded recently.
    pub(crate) fn is_up(&self) -> bool {
        self.breaker.is_closed()
    }

    /// Runs a script in one round trip. Returns `None` if Redis does not respond in time or
    /// responds with an error; returns it immediately while the breaker is open.
    pub(crate) async fn run<T: FromRedisValue>(&self, script: &ScriptInvocation<'_>) -> Option<T> {
        if !self.is_up() {
            return None;
        }
        let attempt = async {
            let mut connection = self.connection().await?;
            script.invoke_async(&mut connection).await.map_err(Into::into)
        };
        // The timeout covers connecting as well: a request never waits longer than this for Redis.
        let answer = timeout(BUDGET, attempt).await.map_err(Into::into).and_then(|answer| answer);
        match answer {
            Ok(answer) => {
                self.breaker.note_success();
                Some(answer)
            }
            Err(error) => {
                self.note_failure(&error);
                None
            }
        }
    }

    fn note_failure(&self, error: &Failure) {
        tracing::debug!(%error, "redis request failed");
        let cause = RedisCause::of(&**error);
        if let Some(cause) = cause {
            self.note_cause(cause);
        }
        if self.breaker.note_failure() {
            self.disconnect();
            if cause.is_none() {
                tracing::warn!(%error, "redis does not respond, continuing without it");
            }
        }
    }

    /// Returns the shared connection, and opens it if there is none.
    pub(crate) async fn connection(&self) -> Result<MultiplexedConnection, Failure> {
        if let Some(connection) = self.connected() {
            return Ok(connection);
        }
        // One caller connects and the others wait for its connection: otherwise every request would
        // open one when Redis comes back.
        let _one_at_a_time = self.connecting.lock().await;
        if let Some(connection) = self.connected() {
            return Ok(connection);
        }
        let pool = self.pool.clone();
        // The task that reads from the connection must survive when the caller's thread is busy, or
        // its request is dropped.
        let connect = self.runtime.spawn(async move { pool.get().await.map(Connection::take) });
        let connection = connect.await??;
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some(connection.clone());
        Ok(connection)
    }

    fn connected(&self) -> Option<MultiplexedConnection> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn disconnect(&self) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Probes Redis every second, so that no request has to detect that it is back.
    fn keep_probing(self: &Arc<Self>) {
        // A weak reference, so that this task does not keep the link alive.
        let link = Arc::downgrade(self);
        self.runtime.spawn(async move {
            let mut ticks = interval(PROBED_EVERY);
            // After a pause of the process one probe is enough; the missed ones would follow at
            // once.
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                let Some(link) = link.upgrade() else { return };
                link.probe().await;
            }
        });
    }

    async fn probe(&self) {
        let probe = async {
            let mut connection = self.connection().await?;
            probe::run(&mut connection, &self.prefix).await.map_err(Failure::from)
        };
        let answer = timeout(BUDGET, probe).await.map_err(Failure::from).and_then(|answer| answer);
        let cause = answer.as_ref().err().and_then(|error| RedisCause::of(&**error));
        // The connection may be dead although it is open; the next request opens a new one.
        if answer.is_err() {
            self.disconnect();
        }
        if let Some(cause) = cause {
            self.note_cause(cause);
        }
        match (self.breaker.note_probe(answer.is_ok()), answer) {
            (true, Ok(())) => tracing::info!("redis responds again"),
            (true, Err(error)) if cause.is_none() => {
                tracing::warn!(%error, "redis does not respond, continuing without it");
            }
            _ => {}
        }
    }
}

/// Returns the prefix of all keys and channels of an installation.
pub(crate) fn key_prefix(settings: &RedisSettings) -> String {
    format!("{}:{FORMAT}:", settings.prefix)
}

type Failure = Box<dyn std::error::Error + Send + Sync>;
