//! Announcements of changed users between applications of one process, for tests.

use std::sync::{Arc, Mutex, PoisonError};

use foretell_domain::id::UserId;
use foretell_ports::user_changes::{UserChangeListener, UserChanges};

/// Announcements that reach every listener immediately while they are enabled; all clones share one
/// channel.
#[derive(Clone, Default)]
pub struct Announcements(Arc<Mutex<Channel>>);

#[derive(Default)]
struct Channel {
    listeners: Vec<UserChangeListener>,
    is_on: bool,
}

impl Announcements {
    /// Enables announcements, and notifies the listeners that earlier ones were lost.
    pub fn switch_on(&self) {
        let mut channel = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        channel.is_on = true;
        channel.listeners.iter().for_each(|listener| listener(None));
    }
}

impl UserChanges for Announcements {
    fn announce(&self, user: UserId) {
        let channel = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let listeners = channel.listeners.iter().filter(|_| channel.is_on);
        listeners.for_each(|listener| listener(Some(user)));
    }

    fn listen(&self, listener: UserChangeListener) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).listeners.push(listener);
    }
}
