//! Storage of invitations to register.

use async_trait::async_trait;
use foretell_domain::id::InvitationId;
use foretell_domain::registration::Invitation;

use crate::error::StoreError;
use crate::locked::Locked;
use crate::page::PageRequest;
use crate::secret::TokenHash;

/// Writes invitations within a unit of work.
pub trait InvitationTx {
    /// Inserts an invitation with the hash of its code. A code in use is rejected.
    fn insert_invitation(
        &mut self,
        invitation: &Invitation,
        code: TokenHash,
    ) -> Result<(), StoreError>;

    /// Locks the invitation with this id against other units.
    fn lock_invitation(
        &mut self,
        id: InvitationId,
    ) -> Result<Option<Locked<Invitation>>, StoreError>;

    /// Saves the number of uses of an invitation.
    fn save_invitation(&mut self, invitation: &Locked<Invitation>) -> Result<(), StoreError>;

    /// Deletes an invitation. Returns `true` if it existed.
    fn delete_invitation(&mut self, id: InvitationId) -> Result<bool, StoreError>;
}

/// Reads invitations.
#[async_trait]
pub trait InvitationQueries: Send + Sync {
    /// Returns the invitation with this code, whether it can still be used or not.
    async fn find_invitation(&self, code: &TokenHash) -> Result<Option<Invitation>, StoreError>;

    /// Returns a page of all invitations, newest first.
    async fn list_invitations(
        &self,
        page: PageRequest<InvitationId>,
    ) -> Result<Vec<Invitation>, StoreError>;

    /// Returns the number of invitations.
    async fn count_invitations(&self) -> Result<i64, StoreError>;
}
