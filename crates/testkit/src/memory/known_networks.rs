//! Known networks in memory.

use std::cmp::Reverse;
use std::net::IpAddr;

use async_trait::async_trait;
use foretell_domain::id::UserId;
use foretell_domain::text::Email;
use foretell_domain::time::Timestamp;
use foretell_ports::error::StoreError;
use foretell_ports::known_network::{KnownNetwork, KnownNetworkQueries, KnownNetworkTx};
use foretell_ports::unit::Locked;
use foretell_ports::user::Credentials;

use super::MemoryStore;
use super::tables::Tables;
use super::tx::MemoryTx;

impl KnownNetworkTx for MemoryTx<'_> {
    fn record_known_network(
        &mut self,
        user: &Locked<Credentials>,
        known: KnownNetwork,
        max: u32,
    ) -> Result<(), StoreError> {
        self.step(|tables, locked| {
            let user = user.user.id;
            locked.check_user(user)?;
            tables.known_networks.put((user, known.network), known.last_used_at);
            let mut all = networks_of(tables, user);
            all.sort_by_key(last_used_first);
            for known in all.iter().skip(max as usize) {
                tables.known_networks.remove((user, known.network));
            }
            Ok(())
        })
    }

    fn delete_known_networks_of(
        &mut self,
        user: UserId,
        kept: Option<IpAddr>,
    ) -> Result<usize, StoreError> {
        self.step(|tables, _| {
            let mut gone = networks_of(tables, user);
            gone.retain(|known| Some(known.network) != kept);
            for known in &gone {
                tables.known_networks.remove((user, known.network));
            }
            Ok(gone.len())
        })
    }

    fn purge_known_networks(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.step(|tables, _| {
            let rows = tables.known_networks.range(..).map(|(key, at)| (*at, *key));
            let mut old: Vec<_> = rows.filter(|(at, _)| *at < before).collect();
            old.sort_unstable();
            old.truncate(limit as usize);
            for (_, key) in &old {
                tables.known_networks.remove(*key);
            }
            Ok(old.len() as u64)
        })
    }
}

/// Returns the networks of a user as the running unit sees them.
fn networks_of(tables: &Tables, user: UserId) -> Vec<KnownNetwork> {
    let rows = tables.known_networks.range(..).filter(|((owner, _), _)| *owner == user);
    rows.map(|((_, network), at)| KnownNetwork { network: *network, last_used_at: *at }).collect()
}

fn last_used_first(known: &KnownNetwork) -> (Reverse<Timestamp>, String) {
    (Reverse(known.last_used_at), known.network.to_string())
}

#[async_trait]
impl KnownNetworkQueries for MemoryStore {
    async fn find_known_network(
        &self,
        email: &Email,
        network: IpAddr,
    ) -> Result<Option<Timestamp>, StoreError> {
        let tables = self.read()?;
        let user = tables.users_by_email.committed().get(email);
        Ok(user.and_then(|user| tables.known_networks.committed().get(&(*user, network))).copied())
    }

    async fn list_known_networks(&self, user: UserId) -> Result<Vec<KnownNetwork>, StoreError> {
        let tables = self.read()?;
        let rows =
            tables.known_networks.committed().iter().filter(|((owner, _), _)| *owner == user);
        let mut found: Vec<_> = rows
            .map(|((_, network), at)| KnownNetwork { network: *network, last_used_at: *at })
            .collect();
        found.sort_by_key(last_used_first);
        Ok(found)
    }
}
