//! Users, sessions, known networks, sign-up grants, invitations and API keys: the ports, and their statements in the modules
//! below.

pub(crate) mod api_keys;
pub(crate) mod credential_states;
pub(crate) mod invitations;
pub(crate) mod known_networks;
pub(crate) mod sessions;
pub(crate) mod signup_grants;
pub(crate) mod user_rows;
pub(crate) mod users;

use std::collections::BTreeSet;
use std::net::IpAddr;

use async_trait::async_trait;
use foretell_domain::id::{ApiKeyId, InvitationId, SessionId, UserId};
use foretell_domain::registration::Invitation;
use foretell_domain::text::Email;
use foretell_domain::time::Timestamp;
use foretell_domain::user::User;
use foretell_ports::api_key::{ApiKey, ApiKeyDetails, ApiKeyQueries, ApiKeyTx};
use foretell_ports::error::StoreError;
use foretell_ports::grant::{EmailHash, GrantTx};
use foretell_ports::invitation::{InvitationQueries, InvitationTx};
use foretell_ports::known_network::{KnownNetwork, KnownNetworkQueries, KnownNetworkTx};
use foretell_ports::page::PageRequest;
use foretell_ports::secret::{PasswordHash, TokenHash};
use foretell_ports::unit::Locked;
use foretell_ports::user::{
    CredentialId, CredentialLock, CredentialState, Credentials, Session, SessionDetails,
    UserQueries, UserTx,
};

use crate::dialect::look_up::Others;
use crate::store::Store;
use crate::tx::UnitTx;

impl UserTx for UnitTx<'_, '_> {
    fn find_credential_states(
        &mut self,
        credentials: &BTreeSet<CredentialId>,
        lock: CredentialLock,
    ) -> Result<Vec<CredentialState>, StoreError> {
        self.step(|c| credential_states::find(c, credentials, lock))
    }

    fn insert_user_once(
        &mut self,
        user: &User,
        password: &PasswordHash,
    ) -> Result<bool, StoreError> {
        self.step(|c| users::insert_once(c, user, password))
    }

    fn lock_user(&mut self, id: UserId) -> Result<Option<Locked<Credentials>>, StoreError> {
        self.step(|c| Ok(users::lock(c, id, Others::None)?.pop()))
    }

    fn lock_user_and_admins(&mut self, id: UserId) -> Result<Vec<Locked<Credentials>>, StoreError> {
        self.step(|c| users::lock(c, id, Others::ActiveAdmins))
    }

    fn save_user(&mut self, user: &Locked<Credentials>, at: Timestamp) -> Result<(), StoreError> {
        self.step(|c| users::save(c, user, at))
    }

    fn insert_session(&mut self, session: &Session) -> Result<(), StoreError> {
        self.step(|c| sessions::insert(c, session))
    }

    fn delete_session(&mut self, user: UserId, session: SessionId) -> Result<bool, StoreError> {
        self.step(|c| sessions::delete(c, user, session))
    }

    fn delete_sessions_of(
        &mut self,
        user: UserId,
        kept: Option<SessionId>,
    ) -> Result<usize, StoreError> {
        self.step(|c| sessions::delete_all_of(c, user, kept))
    }

    fn end_oldest_sessions(
        &mut self,
        user: &Locked<Credentials>,
        ending_after: Timestamp,
        kept: u32,
    ) -> Result<usize, StoreError> {
        self.step(|c| sessions::end_oldest(c, user.user.id, ending_after, kept))
    }

    fn purge_sessions(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.step(|c| sessions::purge(c, before, limit))
    }
}

impl KnownNetworkTx for UnitTx<'_, '_> {
    fn record_known_network(
        &mut self,
        user: &Locked<Credentials>,
        known: KnownNetwork,
        max: u32,
    ) -> Result<(), StoreError> {
        self.step(|c| known_networks::record(c, user.user.id, known, max))
    }

    fn delete_known_networks_of(
        &mut self,
        user: UserId,
        kept: Option<IpAddr>,
    ) -> Result<usize, StoreError> {
        self.step(|c| known_networks::delete_all_of(c, user, kept))
    }

    fn purge_known_networks(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.step(|c| known_networks::purge(c, before, limit))
    }
}

impl GrantTx for UnitTx<'_, '_> {
    fn record_grant_once(&mut self, email: EmailHash, at: Timestamp) -> Result<bool, StoreError> {
        self.step(|c| signup_grants::record_once(c, email, at))
    }
}

impl InvitationTx for UnitTx<'_, '_> {
    fn insert_invitation(
        &mut self,
        invitation: &Invitation,
        code: TokenHash,
    ) -> Result<(), StoreError> {
        self.step(|c| invitations::insert(c, invitation, code))
    }

    fn lock_invitation(
        &mut self,
        id: InvitationId,
    ) -> Result<Option<Locked<Invitation>>, StoreError> {
        self.step(|c| Ok(invitations::lock(c, id)?.map(Locked::assume)))
    }

    fn save_invitation(&mut self, invitation: &Locked<Invitation>) -> Result<(), StoreError> {
        self.step(|c| invitations::save(c, invitation))
    }

    fn delete_invitation(&mut self, id: InvitationId) -> Result<bool, StoreError> {
        self.step(|c| invitations::delete(c, id))
    }
}

impl ApiKeyTx for UnitTx<'_, '_> {
    fn insert_api_key(&mut self, key: &ApiKey) -> Result<(), StoreError> {
        self.step(|c| api_keys::insert(c, key))
    }

    fn delete_api_key(&mut self, user: UserId, key: ApiKeyId) -> Result<bool, StoreError> {
        self.step(|c| api_keys::delete(c, user, key))
    }

    fn delete_api_keys_of(&mut self, user: UserId) -> Result<usize, StoreError> {
        self.step(|c| api_keys::delete_all_of(c, user))
    }

    fn record_api_key_use(&mut self, key: ApiKeyId, at: Timestamp) -> Result<(), StoreError> {
        self.step(|c| api_keys::record_use(c, key, at))
    }
}

#[async_trait]
impl UserQueries for Store {
    async fn find_credentials(&self, email: &Email) -> Result<Option<Credentials>, StoreError> {
        let email = email.clone();
        self.read("find_credentials", move |c| users::find_credentials(c, &email)).await
    }

    async fn find_user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.read("find_user", move |c| users::find(c, id)).await
    }

    async fn list_users(&self, page: PageRequest<UserId>) -> Result<Vec<User>, StoreError> {
        self.read("list_users", move |c| users::list(c, page)).await
    }

    async fn count_users(&self) -> Result<i64, StoreError> {
        self.read("count_users", users::count).await
    }

    async fn find_users(&self, ids: &[UserId]) -> Result<Vec<User>, StoreError> {
        let ids = ids.to_vec();
        self.read("find_users", move |c| users::find_all(c, &ids)).await
    }

    async fn find_session(&self, token: &TokenHash) -> Result<Option<SessionDetails>, StoreError> {
        let token = *token;
        self.read("find_session", move |c| sessions::find(c, token)).await
    }

    async fn list_sessions(
        &self,
        user: UserId,
        ending_after: Timestamp,
        page: PageRequest<SessionId>,
    ) -> Result<Vec<Session>, StoreError> {
        self.read("list_sessions", move |c| sessions::list(c, user, ending_after, page)).await
    }

    async fn count_sessions(
        &self,
        user: UserId,
        ending_after: Timestamp,
    ) -> Result<i64, StoreError> {
        self.read("count_sessions", move |c| sessions::count(c, user, ending_after)).await
    }

    async fn has_users(&self) -> Result<bool, StoreError> {
        self.read("has_users", users::has_any).await
    }
}

#[async_trait]
impl KnownNetworkQueries for Store {
    async fn find_known_network(
        &self,
        email: &Email,
        network: IpAddr,
    ) -> Result<Option<Timestamp>, StoreError> {
        let email = email.clone();
        self.read("find_known_network", move |c| known_networks::find(c, &email, network)).await
    }

    async fn list_known_networks(&self, user: UserId) -> Result<Vec<KnownNetwork>, StoreError> {
        self.read("list_known_networks", move |c| known_networks::list(c, user)).await
    }
}

#[async_trait]
impl InvitationQueries for Store {
    async fn find_invitation(&self, code: &TokenHash) -> Result<Option<Invitation>, StoreError> {
        let code = *code;
        self.read("find_invitation", move |c| invitations::find(c, code)).await
    }

    async fn list_invitations(
        &self,
        page: PageRequest<InvitationId>,
    ) -> Result<Vec<Invitation>, StoreError> {
        self.read("list_invitations", move |c| invitations::list(c, page)).await
    }

    async fn count_invitations(&self) -> Result<i64, StoreError> {
        self.read("count_invitations", invitations::count).await
    }
}

#[async_trait]
impl ApiKeyQueries for Store {
    async fn find_api_key(&self, secret: &TokenHash) -> Result<Option<ApiKeyDetails>, StoreError> {
        let secret = *secret;
        self.read("find_api_key", move |c| api_keys::find(c, secret)).await
    }

    async fn list_api_keys(
        &self,
        user: UserId,
        page: PageRequest<ApiKeyId>,
    ) -> Result<Vec<ApiKey>, StoreError> {
        self.read("list_api_keys", move |c| api_keys::list(c, user, page)).await
    }

    async fn count_api_keys(&self, user: UserId) -> Result<i64, StoreError> {
        self.read("count_api_keys", move |c| api_keys::count_of(c, user)).await
    }
}
