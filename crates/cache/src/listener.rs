//! Listener on a channel of other nodes, which resubscribes whenever the connection is lost.

use std::sync::Arc;
use std::time::Duration;

use deadpool_redis::redis::RedisResult;
use futures::StreamExt as _;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::cause::RedisCause;
use crate::link::RedisLink;

/// Pause before subscribing again.
const PAUSE: Duration = Duration::from_millis(500);
/// Time without a message after which the connection may be dead without notice.
const SILENCE: Duration = Duration::from_secs(20);
/// Timeout of connecting; no request waits for it.
const CONNECTING: Duration = Duration::from_secs(2);

/// Event of a listener.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ChannelEvent<'a> {
    /// Subscribed, possibly again; earlier messages may be lost.
    Subscribed,
    /// Message signed by a node of this database.
    Message(&'a str),
}

/// Listens until it is dropped.
#[derive(Debug)]
pub(crate) struct Listener(JoinHandle<()>);

impl Listener {
    /// Starts listening to a channel.
    pub(crate) fn start(
        link: &Arc<RedisLink>,
        channel: &'static str,
        on_event: impl Fn(ChannelEvent<'_>) + Send + Sync + 'static,
    ) -> Self {
        let task_link = Arc::clone(link);
        Self(link.runtime().spawn(async move {
            loop {
                if let Err(error) = listen(&task_link, channel, &on_event).await {
                    tracing::debug!(%error, "redis subscription failed");
                    if let Some(cause) = RedisCause::of(&error) {
                        task_link.note_cause(cause);
                    }
                }
                // Without the pause, a Redis that is down would be called in a tight loop.
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

/// Listens until the connection ends or has been silent for too long.
async fn listen(
    link: &RedisLink,
    channel: &str,
    on_event: &(impl Fn(ChannelEvent<'_>) + Send + Sync),
) -> RedisResult<()> {
    let subscribe = async {
        let mut connection = link.client().get_async_pubsub().await?;
        connection.subscribe(link.name(channel)).await?;
        RedisResult::Ok(connection)
    };
    let Ok(connection) = timeout(CONNECTING, subscribe).await else { return Ok(()) };
    let mut messages = connection?.into_on_message();
    on_event(ChannelEvent::Subscribed);
    // A half-open connection never reports an error, so silence ends it and a new subscription
    // starts.
    while let Ok(Some(message)) = timeout(SILENCE, messages.next()).await {
        match link.seal().open_message(channel, message.get_payload_bytes()) {
            Some(text) => on_event(ChannelEvent::Message(text)),
            None => link.note_cause(RedisCause::Forged),
        }
    }
    Ok(())
}
