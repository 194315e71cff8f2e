//! Probe of Redis with the commands that the cache and the limits use.

use std::sync::LazyLock;
use std::time::Duration;

use deadpool_redis::redis::aio::MultiplexedConnection;
use deadpool_redis::redis::{Client, RedisResult, Script};
use thiserror::Error;
use tokio::time::timeout;

use crate::cause::RedisCause;
use crate::link::{RedisSettings, key_prefix};

/// Timeout of a check by an operator.
const CHECKED_WITHIN: Duration = Duration::from_secs(2);

/// Writes and publishes under two keys. A ping would succeed where scripts are not permitted, on a
/// replica, without memory, and in a cluster, which rejects two keys of different slots.
static PROBE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        redis.call('SET', KEYS[1], '1', 'PX', 1000)
        redis.call('GET', KEYS[2])
        redis.call('PUBLISH', KEYS[1], '')
        return 1
        ",
    )
});

/// Reason why a check of Redis failed.
#[derive(Debug, Error)]
pub enum RedisProblem {
    /// Redis responds, and rejects the commands.
    #[error("{0}")]
    Rejected(RedisCause),
    /// Redis does not respond within two seconds, or responds with an unknown error.
    #[error("redis does not respond: {0}")]
    Away(String),
}

impl RedisSettings {
    /// Connects, writes, publishes and subscribes as the server does.
    ///
    /// # Errors
    /// [`RedisProblem`].
    pub async fn probe(&self) -> Result<(), RedisProblem> {
        let checked = async {
            let (client, prefix) = (Client::open(self.url.as_str())?, key_prefix(self));
            run(&mut client.get_multiplexed_async_connection().await?, &prefix).await?;
            client.get_async_pubsub().await?.subscribe(format!("{prefix}probe")).await
        };
        match timeout(CHECKED_WITHIN, checked).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(match RedisCause::of(&error) {
                Some(cause) => RedisProblem::Rejected(cause),
                None => RedisProblem::Away(error.to_string()),
            }),
            Err(_) => Err(RedisProblem::Away("timed out".to_owned())),
        }
    }
}

/// Runs the probe over a connection.
pub(crate) async fn run(connection: &mut MultiplexedConnection, prefix: &str) -> RedisResult<()> {
    let mut script = PROBE.key(format!("{prefix}probe"));
    script.key(format!("{prefix}probe:other")).invoke_async(connection).await
}
