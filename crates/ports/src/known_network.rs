//! Storage of the networks from which users have signed in.

use std::net::IpAddr;

use async_trait::async_trait;
use foretell_domain::id::UserId;
use foretell_domain::text::Email;
use foretell_domain::time::Timestamp;

use crate::credentials::Credentials;
use crate::error::StoreError;
use crate::locked::Locked;

/// A network from which a user has signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownNetwork {
    /// An IPv4 address, or the first address of an IPv6 network of 64 bits.
    pub network: IpAddr,
    /// Time of the last recorded sign-in from it; further sign-ins within a day are not recorded.
    pub last_used_at: Timestamp,
}

/// Writes known networks within a unit of work.
pub trait KnownNetworkTx {
    /// Inserts a network of a user, or updates the time of its last use, and deletes the user's
    /// least recently used networks beyond `max`.
    fn record_known_network(
        &mut self,
        user: &Locked<Credentials>,
        known: KnownNetwork,
        max: u32,
    ) -> Result<(), StoreError>;

    /// Deletes all networks of a user except `kept`, if any, and returns their number.
    fn delete_known_networks_of(
        &mut self,
        user: UserId,
        kept: Option<IpAddr>,
    ) -> Result<usize, StoreError>;

    /// Deletes at most `limit` networks that were last used before a time, and returns their
    /// number.
    fn purge_known_networks(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;
}

/// Reads known networks.
#[async_trait]
pub trait KnownNetworkQueries: Send + Sync {
    /// Returns the time when the user with this email address last signed in from a network; `None`
    /// if they never did or no user has the address. An unreadable row counts as absent.
    async fn find_known_network(
        &self,
        email: &Email,
        network: IpAddr,
    ) -> Result<Option<Timestamp>, StoreError>;

    /// Returns all networks of a user, the most recently used first.
    async fn list_known_networks(&self, user: UserId) -> Result<Vec<KnownNetwork>, StoreError>;
}
