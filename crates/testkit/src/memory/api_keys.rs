//! API keys in memory.

use async_trait::async_trait;
use foretell_domain::id::{ApiKeyId, UserId};
use foretell_domain::time::Timestamp;
use foretell_ports::api_key::{ApiKey, ApiKeyDetails, ApiKeyQueries, ApiKeyTx};
use foretell_ports::error::StoreError;
use foretell_ports::page::PageRequest;
use foretell_ports::secret::TokenHash;

use super::tables::Tables;
use super::tx::MemoryTx;
use super::users::accounts_of;
use super::{MemoryStore, count, cut_page};

impl ApiKeyTx for MemoryTx<'_> {
    fn insert_api_key(&mut self, key: &ApiKey) -> Result<(), StoreError> {
        self.step(|tables, _| {
            tables.users.require(&key.user_id)?;
            tables.api_keys_by_secret.insert(key.secret_hash, key.id)?;
            tables.api_keys.insert(key.id, key.clone())
        })
    }

    fn delete_api_key(&mut self, user: UserId, key: ApiKeyId) -> Result<bool, StoreError> {
        self.step(|tables, _| {
            let is_theirs = ids_of(tables, user).contains(&key);
            if is_theirs {
                remove(tables, key)?;
            }
            Ok(is_theirs)
        })
    }

    fn delete_api_keys_of(&mut self, user: UserId) -> Result<usize, StoreError> {
        self.step(|tables, _| {
            let ids = ids_of(tables, user);
            ids.iter().try_for_each(|id| remove(tables, *id))?;
            Ok(ids.len())
        })
    }

    fn record_api_key_use(&mut self, key: ApiKeyId, at: Timestamp) -> Result<(), StoreError> {
        self.step(|tables, _| {
            let found = tables.api_keys.get(&key).cloned();
            if let Some(found) =
                found.filter(|found| found.last_used_at.is_none_or(|last| last < at))
            {
                tables.api_keys.put(key, ApiKey { last_used_at: Some(at), ..found });
            }
            Ok(())
        })
    }
}

/// Returns the keys of a user as the running unit sees them.
pub(super) fn ids_of(tables: &Tables, user: UserId) -> Vec<ApiKeyId> {
    let rows = tables.api_keys.range(..).filter(|(_, key)| key.user_id == user);
    rows.map(|(id, _)| *id).collect()
}

fn remove(tables: &mut Tables, id: ApiKeyId) -> Result<(), StoreError> {
    let secret = tables.api_keys.require(&id)?.secret_hash;
    tables.api_keys_by_secret.remove(secret);
    tables.api_keys.remove(id);
    Ok(())
}

/// Returns the keys of a user, newest first.
fn keys_of(tables: &Tables, user: UserId) -> impl Iterator<Item = &ApiKey> {
    tables.api_keys.committed().values().rev().filter(move |key| key.user_id == user)
}

fn key_details(tables: &Tables, secret: &TokenHash) -> Option<ApiKeyDetails> {
    let id = tables.api_keys_by_secret.committed().get(secret)?;
    let key = tables.api_keys.committed().get(id)?.clone();
    let user = tables.users.committed().get(&key.user_id)?.user.clone();
    let account_id = accounts_of(tables, user.id).next()?;
    Some(ApiKeyDetails { key, user, account_id })
}

#[async_trait]
impl ApiKeyQueries for MemoryStore {
    async fn find_api_key(&self, secret: &TokenHash) -> Result<Option<ApiKeyDetails>, StoreError> {
        Ok(key_details(&*self.read()?, secret))
    }

    async fn list_api_keys(
        &self,
        user: UserId,
        page: PageRequest<ApiKeyId>,
    ) -> Result<Vec<ApiKey>, StoreError> {
        let tables = self.read()?;
        Ok(cut_page(keys_of(&tables, user).cloned().collect(), page, |key, last| key.id < last))
    }

    async fn count_api_keys(&self, user: UserId) -> Result<i64, StoreError> {
        Ok(count(keys_of(&*self.read()?, user).count()))
    }
}
