//! Networks that users have signed in from: writing and reading them.

use std::net::IpAddr;

use async_trait::async_trait;
use foretell_domain::id::UserId;
use foretell_domain::text::Email;
use foretell_domain::time::Timestamp;

use crate::error::StoreError;
use crate::unit::Locked;
use crate::user::Credentials;

/// A network that a user has signed in from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownNetwork {
    /// An IPv4 address, or the first address of an IPv6 network of 64 bits.
    pub network: IpAddr,
    /// When the user last signed in from it, as far as that was recorded: sign-ins within a day are not.
    pub last_used_at: Timestamp,
}

/// Writes known networks within a unit of work.
pub trait KnownNetworkTx {
    /// Inserts a network of a user, or replaces the time of its last use, and deletes the user's longest unused
    /// networks beyond `max`.
    fn record_known_network(
        &mut self,
        user: &Locked<Credentials>,
        known: KnownNetwork,
        max: u32,
    ) -> Result<(), StoreError>;

    /// Deletes all networks of a user but for the one to keep, if any, and says how many there were.
    fn delete_known_networks_of(&mut self, user: UserId, kept: Option<IpAddr>) -> Result<usize, StoreError>;

    /// Deletes at most `limit` networks that were last used before a time, and says how many.
    fn purge_known_networks(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;
}

/// Reads known networks.
#[async_trait]
pub trait KnownNetworkQueries: Send + Sync {
    /// When the user with this email address last signed in from a network; `None` if they never did or nobody has
    /// the address. A row that cannot be read counts as absent.
    async fn find_known_network(
        &self,
        email: &Email,
        network: IpAddr,
    ) -> Result<Option<Timestamp>, StoreError>;

    /// All networks of a user, the last used first.
    async fn list_known_networks(&self, user: UserId) -> Result<Vec<KnownNetwork>, StoreError>;
}
