//! Announcements that a user has changed, on a channel of Redis.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use deadpool_redis::redis::Script;
use foretell_domain::id::UserId;
use foretell_ports::user_changes::{UserChangeListener, UserChanges};

use crate::link::RedisLink;
use crate::listener::{ChannelEvent, Listener};

/// Channel of user ids.
const CHANNEL: &str = "users";

static ANNOUNCE: LazyLock<Script> =
    LazyLock::new(|| Script::new("return redis.call('PUBLISH', ARGV[1], ARGV[2])"));

/// Announcements over Redis. One that cannot be published is dropped.
pub struct RedisUserChanges {
    link: Arc<RedisLink>,
    listener: Mutex<Option<Listener>>,
}

impl RedisUserChanges {
    /// Creates announcements over this connection.
    #[must_use]
    pub fn new(link: Arc<RedisLink>) -> Self {
        Self { link, listener: Mutex::default() }
    }
}

impl UserChanges for RedisUserChanges {
    fn announce(&self, user: UserId) {
        let link = Arc::clone(&self.link);
        self.link.runtime().spawn(async move {
            let mut script = ANNOUNCE.prepare_invoke();
            let message = link.seal().seal_message(CHANNEL, &user.to_string());
            let _: Option<i64> = link.run(script.arg(link.name(CHANNEL)).arg(message)).await;
        });
    }

    fn listen(&self, listener: UserChangeListener) {
        let started = Listener::start(&self.link, CHANNEL, move |event| match event {
            // Announcements before the subscription are lost, so any user may have changed.
            ChannelEvent::Subscribed => listener(None),
            ChannelEvent::Message(text) => {
                if let Ok(user) = text.parse() {
                    listener(Some(user));
                }
            }
        });
        *self.listener.lock().unwrap_or_else(PoisonError::into_inner) = Some(started);
    }
}
