//! API keys: unique secrets, owners, and recorded uses.

use foretell_domain::account::Account;
use foretell_domain::id::UserId;
use foretell_domain::quota::Quota;
use foretell_domain::scope::{Scope, Scopes};
use foretell_domain::text::KeyName;
use foretell_ports::api_key::{ApiKey, ApiKeyDetails};
use foretell_ports::page::{PageRequest, PageStart};
use foretell_ports::secret::TokenHash;

use super::Harness;
use super::fixture::{Fixture, after};

async fn store(fixture: &Fixture, key: ApiKey) -> ApiKey {
    let stored = key.clone();
    fixture.commit(move |tx| tx.insert_api_key(&key)).await;
    stored
}

async fn stored(fixture: &Fixture, key: &ApiKey) -> Option<ApiKey> {
    fixture.ports.users.find_api_key(&key.secret_hash).await.unwrap().map(|details| details.key)
}

async fn somebody(fixture: &Fixture) -> UserId {
    fixture.account().await.owner().expect("an owner")
}

/// The key of a secret has every field, with its user and the user's oldest account.
pub async fn key_has_user_and_oldest_account(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let user = fixture.user().await;
    let accounts = [2, 0, 1]
        .map(|second| (Account::user(fixture.make.ids().account(), user.id), after(second)));
    for (account, opened) in accounts {
        fixture.commit(move |tx| tx.insert_accounts_once(&[account], opened)).await;
    }
    let plain = fixture.make.api_key(user.id);
    let rich = ApiKey {
        name: KeyName::new("Zoë's \"bot\"").unwrap(),
        created_at: after(-3),
        expires_at: Some(after(-1)),
        last_used_at: Some(after(-2)),
        ..fixture.make.api_key(user.id)
    };
    for key in [plain, rich] {
        let key = store(&fixture, key).await;
        let found = fixture.ports.users.find_api_key(&key.secret_hash).await.unwrap();
        let account_id = accounts[1].0.id();
        assert_eq!(found, Some(ApiKeyDetails { key, user: user.clone(), account_id }));
    }
    assert_eq!(fixture.ports.users.find_api_key(&TokenHash([0xff; 32])).await.unwrap(), None);
}

/// Every set of scopes is stored unchanged.
pub async fn every_set_of_scopes_is_stored(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let user = somebody(&fixture).await;
    for bits in 1..16_u32 {
        let chosen = Scope::ALL.into_iter().zip(0..).filter(|(_, bit)| bits & (1 << bit) != 0);
        let scopes = Scopes::new(chosen.map(|(scope, _)| scope)).expect("a scope");
        let key = store(&fixture, ApiKey { scopes, ..fixture.make.api_key(user) }).await;
        assert_eq!(stored(&fixture, &key).await.map(|key| key.scopes), Some(scopes));
    }
}

/// Two keys never have the same secret.
pub async fn existing_secret_is_rejected(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (user, other) = (somebody(&fixture).await, somebody(&fixture).await);
    let key = store(&fixture, fixture.make.api_key(user)).await;
    let copy = ApiKey { secret_hash: key.secret_hash, ..fixture.make.api_key(other) };
    fixture.check_rejected(move |tx| tx.insert_api_key(&copy)).await;
    assert_eq!(stored(&fixture, &key).await, Some(key));
}

/// A key is deleted by its own user, once, and no other key with it.
pub async fn key_is_deleted_by_its_user_only(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (user, other) = (somebody(&fixture).await, somebody(&fixture).await);
    let kept = store(&fixture, fixture.make.api_key(user)).await;
    let deleted = store(&fixture, fixture.make.api_key(user)).await;
    let id = deleted.id;
    for (by, expected) in [(other, false), (user, true), (user, false)] {
        assert_eq!(fixture.commit(move |tx| tx.delete_api_key(by, id)).await, expected, "{by:?}");
        assert_eq!(stored(&fixture, &deleted).await.is_some(), by == other, "{by:?}");
    }
    assert!(stored(&fixture, &kept).await.is_some());
}

/// All keys of a user are counted and deleted together, and no key of others.
pub async fn keys_of_user_are_deleted_together(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (user, other) = (somebody(&fixture).await, somebody(&fixture).await);
    for _ in 0..3 {
        store(&fixture, fixture.make.api_key(user)).await;
    }
    let kept = store(&fixture, fixture.make.api_key(other)).await;
    let count = async || {
        let count = move |tx: &mut dyn foretell_ports::unit::Tx| {
            tx.lock_user(user)?;
            tx.count_for_quota(user, Quota::ApiKeys)
        };
        fixture.commit(count).await
    };
    assert_eq!(count().await, 3);
    assert_eq!(fixture.commit(move |tx| tx.delete_api_keys_of(user)).await, 3);
    assert_eq!(count().await, 0);
    assert_eq!(fixture.ports.users.count_api_keys(other).await.unwrap(), 1);
    assert!(stored(&fixture, &kept).await.is_some());
}

/// The latest use is stored, whichever is recorded first, and the use of a deleted key is ignored.
pub async fn last_use_of_key_is_stored(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let user = somebody(&fixture).await;
    let key = store(&fixture, fixture.make.api_key(user)).await;
    let other = store(&fixture, fixture.make.api_key(user)).await;
    let id = key.id;
    for (used, expected) in [(5, 5), (9, 9), (7, 9)] {
        fixture.commit(move |tx| tx.record_api_key_use(id, after(used))).await;
        let last_used_at = Some(after(expected));
        assert_eq!(stored(&fixture, &key).await, Some(ApiKey { last_used_at, ..key.clone() }));
    }
    assert_eq!(stored(&fixture, &other).await, Some(other));
    let unknown = fixture.make.ids().api_key();
    fixture.commit(move |tx| tx.record_api_key_use(unknown, after(1))).await;
}

/// The keys of a user are listed newest first, by number or after one of them.
pub async fn keys_of_user_are_listed_newest_first(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (user, other) = (somebody(&fixture).await, somebody(&fixture).await);
    let mut keys = Vec::new();
    for whose in [user, user, other, user] {
        let key = store(&fixture, fixture.make.api_key(whose)).await;
        if whose == user {
            keys.insert(0, key);
        }
    }
    let list = async |start, limit| {
        fixture.ports.users.list_api_keys(user, PageRequest { start, limit }).await.unwrap()
    };
    assert_eq!(list(PageStart::Offset(0), 10).await, keys);
    assert_eq!(list(PageStart::Offset(1), 1).await, keys[1..2]);
    assert_eq!(list(PageStart::After(keys[0].id), 1).await, keys[1..2]);
    assert_eq!(list(PageStart::After(keys[2].id), 10).await, []);
    assert_eq!(fixture.ports.users.count_api_keys(user).await.unwrap(), 3);
}
