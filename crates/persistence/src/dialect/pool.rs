//! Pools of connections, and how a closure runs on one of them.

use std::time::Duration;

use deadpool_diesel::{ManagerConfig, PoolConfig, RecyclingMethod, Runtime, Timeouts, postgres, sqlite};
use foretell_ports::error::{Cause, StoreError};
use thiserror::Error;

use super::session::{Purpose, set_up_postgres, set_up_sqlite};
use crate::config::DatabaseUrl;
use crate::connection::Connection;

/// The longest that opening a connection, or looking at an idle one, may take.
const OPEN_TIMEOUT: Duration = Duration::from_secs(5);

/// How large a pool is and how long it makes callers wait.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PoolLimits {
    pub(crate) connections: usize,
    pub(crate) wait: Duration,
}

/// A pool of connections for one purpose.
#[derive(Clone)]
pub(crate) enum Pool {
    Sqlite(sqlite::Pool),
    Postgres(postgres::Pool),
}

/// A connection on loan from a pool.
pub(crate) enum Loan {
    Sqlite(sqlite::Object),
    Postgres(postgres::Object),
}

/// The connection's last work panicked. Its pool throws it away.
#[derive(Debug, Error)]
#[error("earlier work on the connection panicked")]
pub(crate) struct Panicked;

/// What is to become of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It goes back to its pool.
    Keep,
    /// It is closed: it may be broken, or inside a transaction.
    Close,
}

/// Builds a pool of either kind: the same text for two unrelated types.
macro_rules! build_pool {
    ($kind:ident, $url:expr, $limits:expr, $purpose:expr, $set_up:expr) => {{
        // A statement that fails tells more about a connection than a question before each one would.
        let recycling_method = RecyclingMethod::CustomFunction(Box::new(|_| Ok(())));
        let manager = $kind::Manager::from_config($url, Runtime::Tokio1, ManagerConfig { recycling_method });
        let timeouts =
            Timeouts { wait: Some($limits.wait), create: Some(OPEN_TIMEOUT), recycle: Some(OPEN_TIMEOUT) };
        let mut config = PoolConfig::new($limits.connections);
        config.timeouts = timeouts;
        let hook = $kind::Hook::async_fn(move |connection, _| {
            Box::pin(async move {
                let result = connection.interact(move |c| $set_up(c, $purpose)).await;
                let result = result.map_err(|error| $kind::HookError::message(error.to_string()))?;
                result.map_err(|error| $kind::HookError::Backend(error.into()))
            })
        });
        $kind::Pool::builder(manager).config(config).runtime(Runtime::Tokio1).post_create(hook).build()
    }};
}

impl Pool {
    /// A pool for one purpose; no connection is opened yet.
    pub(crate) fn new(url: &DatabaseUrl, limits: PoolLimits, purpose: Purpose) -> Result<Self, Cause> {
        Ok(match url {
            DatabaseUrl::Sqlite(path) => {
                let name = path.to_str().ok_or("the path is not UTF-8")?;
                Self::Sqlite(build_pool!(sqlite, name, limits, purpose, set_up_sqlite)?)
            }
            DatabaseUrl::Postgres(url) => {
                Self::Postgres(build_pool!(postgres, url.as_str(), limits, purpose, set_up_postgres)?)
            }
        })
    }

    /// A connection once one is free, unless that takes too long.
    pub(crate) async fn borrow(&self) -> Result<Loan, StoreError> {
        let loan = match self {
            Self::Sqlite(pool) => pool.get().await.map(Loan::Sqlite),
            Self::Postgres(pool) => pool.get().await.map(Loan::Postgres),
        };
        loan.map_err(|error| StoreError::Unavailable(Box::new(error)))
    }

    /// Closes the connections that are idle: when one is found lost, the others most likely are too.
    pub(crate) fn close_idle(&self) {
        match self {
            Self::Sqlite(pool) => drop(pool.retain(|_, _| false)),
            Self::Postgres(pool) => drop(pool.retain(|_, _| false)),
        }
    }
}

/// Runs `work` on the connection of a loan: the same text for two unrelated types.
macro_rules! run_on {
    ($object:ident, $kind:ident, $variant:ident, $work:expr) => {{
        let (value, fate) = {
            let mut connection = $object.lock().map_err(|_| Panicked)?;
            $work(&mut Connection::$variant(&mut connection))
        };
        if fate == Fate::Close {
            drop($kind::Object::take($object));
        }
        Ok(value)
    }};
}

impl Loan {
    /// Runs `work` on the connection, which then goes back to its pool or is closed. It blocks: call it on a
    /// thread that may.
    pub(crate) fn run<T>(self, work: impl FnOnce(&mut Connection<'_>) -> (T, Fate)) -> Result<T, Panicked> {
        match self {
            Self::Sqlite(object) => run_on!(object, sqlite, Sqlite, work),
            Self::Postgres(object) => run_on!(object, postgres, Postgres, work),
        }
    }
}
