//! Listens to a channel that other nodes publish on, and goes on listening whatever becomes of the connection.

use std::sync::Arc;
use std::time::Duration;

use deadpool_redis::redis::RedisResult;
use futures::StreamExt as _;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::cause::RedisCause;
use crate::link::RedisLink;

/// How long to wait before listening anew.
const PAUSE: Duration = Duration::from_millis(500);
/// After how long without a word the connection may be dead, which nobody else would tell.
const SILENCE: Duration = Duration::from_secs(20);
/// How long connecting may take; nobody waits for it.
const CONNECTING: Duration = Duration::from_secs(2);

/// What a listener hears.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Heard<'a> {
    /// It is subscribed from now on, perhaps again; messages from before may be lost.
    Subscribed,
    /// A message that a node of this database has signed.
    Message(&'a str),
}

/// Listens until it is dropped.
#[derive(Debug)]
pub(crate) struct Listener(JoinHandle<()>);

impl Listener {
    /// Begins to listen to a channel by this link.
    pub(crate) fn start(
        link: &Arc<RedisLink>,
        channel: &'static str,
        heard: impl Fn(Heard<'_>) + Send + Sync + 'static,
    ) -> Self {
        let task_link = Arc::clone(link);
        Self(link.runtime().spawn(async move {
            loop {
                if let Err(error) = listen(&task_link, channel, &heard).await {
                    tracing::debug!(%error, "redis subscription failed");
                    if let Some(cause) = RedisCause::of(&error) {
                        task_link.note_cause(cause);
                    }
                }
                sleep(PAUSE).await;
            }
        }))
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Listens until the connection ends or has been silent for long.
async fn listen(
    link: &RedisLink,
    channel: &str,
    heard: &(impl Fn(Heard<'_>) + Send + Sync),
) -> RedisResult<()> {
    let subscribe = async {
        let mut connection = link.client().get_async_pubsub().await?;
        connection.subscribe(link.name(channel)).await?;
        RedisResult::Ok(connection)
    };
    let Ok(connection) = timeout(CONNECTING, subscribe).await else { return Ok(()) };
    let mut messages = connection?.into_on_message();
    heard(Heard::Subscribed);
    while let Ok(Some(message)) = timeout(SILENCE, messages.next()).await {
        match link.seal().open_message(channel, message.get_payload_bytes()) {
            Some(text) => heard(Heard::Message(text)),
            None => link.note_cause(RedisCause::Forged),
        }
    }
    Ok(())
}
