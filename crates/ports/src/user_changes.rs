//! Announcements between nodes that a user has changed.

use foretell_domain::id::UserId;

/// A listener for changes on other nodes. `None` means any user: announcements may have been
/// missed.
pub type UserChangeListener = Box<dyn Fn(Option<UserId>) + Send + Sync>;

/// Announces changes of a user's role, status, sessions or API keys to the other nodes, which then
/// read the user again.
///
/// Announcements may be late, lost or forged: a node that misses one uses its cached user for as
/// long as the configuration allows, and an extra one costs a query. So only reads depend on them.
pub trait UserChanges: Send + Sync {
    /// Announces a change of this user, without waiting.
    fn announce(&self, user: UserId);

    /// Calls `listener` for every announcement of other nodes, and perhaps for those of this one.
    /// Must be called once.
    fn listen(&self, listener: UserChangeListener);
}

/// Implementation for a single node: it sends and receives no announcements.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoOtherNodes;

impl UserChanges for NoOtherNodes {
    fn announce(&self, _: UserId) {}

    fn listen(&self, _: UserChangeListener) {}
}
