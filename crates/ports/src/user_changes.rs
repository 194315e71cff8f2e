//! Announcements between nodes that a user has changed.

use foretell_domain::id::UserId;

/// A listener for changes on other nodes. `None` means any user: announcements may have been missed.
pub type UserChangeListener = Box<dyn Fn(Option<UserId>) + Send + Sync>;

/// Tells the other nodes to look a user up again, because their role, status, sessions or API keys have changed.
///
/// Announcements may be late, lost or forged: a node that misses one trusts what it remembers for as long as the
/// operator allows, and one too many costs a look-up. So nothing but reads depends on them.
pub trait UserChanges: Send + Sync {
    /// Announces a change of this user, without waiting.
    fn announce(&self, user: UserId);

    /// Calls `listener` for every announcement of other nodes, and perhaps for those of this one. Called once.
    fn listen(&self, listener: UserChangeListener);
}

/// The announcements of a process that shares nothing with others: there are none.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoOtherNodes;

impl UserChanges for NoOtherNodes {
    fn announce(&self, _: UserId) {}

    fn listen(&self, _: UserChangeListener) {}
}
