//! Connection pools, and running a closure on one of their connections.

use std::time::Duration;

use deadpool_diesel::{
    ManagerConfig, PoolConfig, RecyclingMethod, Runtime, Timeouts, postgres, sqlite,
};
use foretell_ports::error::{Cause, StoreError};
use thiserror::Error;

use super::session::{Purpose, set_up_postgres, set_up_sqlite};
use crate::config::DatabaseUrl;
use crate::connection::Connection;

/// Maximum time to open a connection, or to check an idle one.
const OPEN_TIMEOUT: Duration = Duration::from_secs(5);

/// Size of a pool, and maximum wait of its callers.
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

/// A connection borrowed from a pool.
pub(crate) enum PooledConnection {
    Sqlite(sqlite::Object),
    Postgres(postgres::Object),
}

/// An earlier closure on the connection panicked. Its pool discards it.
#[derive(Debug, Error)]
#[error("earlier work on the connection panicked")]
pub(crate) struct Panicked;

/// Next state of a borrowed connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recycle {
    /// Returned to its pool.
    Keep,
    /// Closed: it may be broken, or inside a transaction.
    Close,
}

/// Builds a pool of either kind; both have the same code and unrelated types.
macro_rules! build_pool {
    ($kind:ident, $url:expr, $limits:expr, $purpose:expr, $set_up:expr) => {{
        // No check before each use: the first statement detects a lost connection, and is retried.
        let recycling_method = RecyclingMethod::CustomFunction(Box::new(|_| Ok(())));
        let manager =
            $kind::Manager::from_config($url, Runtime::Tokio1, ManagerConfig { recycling_method });
        let timeouts = Timeouts {
            wait: Some($limits.wait),
            create: Some(OPEN_TIMEOUT),
            recycle: Some(OPEN_TIMEOUT),
        };
        let mut config = PoolConfig::new($limits.connections);
        config.timeouts = timeouts;
        let hook = $kind::Hook::async_fn(move |connection, _| {
            Box::pin(async move {
                let result = connection.interact(move |c| $set_up(c, $purpose)).await;
                let result =
                    result.map_err(|error| $kind::HookError::message(error.to_string()))?;
                result.map_err(|error| $kind::HookError::Backend(error.into()))
            })
        });
        $kind::Pool::builder(manager)
            .config(config)
            .runtime(Runtime::Tokio1)
            .post_create(hook)
            .build()
    }};
}

impl Pool {
    /// Creates a pool for one purpose; no connection is opened yet.
    pub(crate) fn new(
        url: &DatabaseUrl,
        limits: PoolLimits,
        purpose: Purpose,
    ) -> Result<Self, Cause> {
        Ok(match url {
            DatabaseUrl::Sqlite(path) => {
                let name = path.to_str().ok_or("the path is not UTF-8")?;
                Self::Sqlite(build_pool!(sqlite, name, limits, purpose, set_up_sqlite)?)
            }
            DatabaseUrl::Postgres(url) => Self::Postgres(build_pool!(
                postgres,
                url.as_str(),
                limits,
                purpose,
                set_up_postgres
            )?),
        })
    }

    /// Borrows a connection; fails if none becomes free in time.
    pub(crate) async fn acquire(&self) -> Result<PooledConnection, StoreError> {
        let connection = match self {
            Self::Sqlite(pool) => pool.get().await.map(PooledConnection::Sqlite),
            Self::Postgres(pool) => pool.get().await.map(PooledConnection::Postgres),
        };
        connection.map_err(|error| StoreError::Unavailable(Box::new(error)))
    }

    /// Closes all idle connections: if one was lost, the others probably are too.
    pub(crate) fn close_idle(&self) {
        match self {
            Self::Sqlite(pool) => drop(pool.retain(|_, _| false)),
            Self::Postgres(pool) => drop(pool.retain(|_, _| false)),
        }
    }
}

/// Runs `work` on a borrowed connection; both kinds have the same code and unrelated types.
macro_rules! run_on {
    ($object:ident, $kind:ident, $variant:ident, $work:expr) => {{
        let (value, recycle) = {
            let mut connection = $object.lock().map_err(|_| Panicked)?;
            $work(&mut Connection::$variant(&mut connection))
        };
        if recycle == Recycle::Close {
            // `take` removes the connection from its pool, which can then open another one.
            drop($kind::Object::take($object));
        }
        Ok(value)
    }};
}

impl PooledConnection {
    /// Runs `work` on the connection, and then returns it to its pool or closes it. It blocks: call
    /// it on a thread that may block.
    pub(crate) fn run<T>(
        self,
        work: impl FnOnce(&mut Connection<'_>) -> (T, Recycle),
    ) -> Result<T, Panicked> {
        match self {
            Self::Sqlite(object) => run_on!(object, sqlite, Sqlite, work),
            Self::Postgres(object) => run_on!(object, postgres, Postgres, work),
        }
    }
}
