//! Invitations in memory.

use async_trait::async_trait;
use foretell_domain::id::InvitationId;
use foretell_domain::registration::Invitation;
use foretell_ports::error::StoreError;
use foretell_ports::invitation::{InvitationQueries, InvitationTx};
use foretell_ports::page::PageRequest;
use foretell_ports::secret::TokenHash;
use foretell_ports::unit::Locked;

use super::tx::MemoryTx;
use super::{MemoryStore, count, cut_page};

impl InvitationTx for MemoryTx<'_> {
    fn insert_invitation(
        &mut self,
        invitation: &Invitation,
        code: TokenHash,
    ) -> Result<(), StoreError> {
        self.step(|tables, _| {
            tables.users.require(&invitation.created_by)?;
            tables.invitations_by_code.insert(code, invitation.id)?;
            tables.invitations.insert(invitation.id, (*invitation, code))
        })
    }

    fn lock_invitation(
        &mut self,
        id: InvitationId,
    ) -> Result<Option<Locked<Invitation>>, StoreError> {
        self.step(|tables, locked| {
            locked.invitations.insert(id);
            Ok(tables.invitations.get(&id).map(|(invitation, _)| Locked::assume(*invitation)))
        })
    }

    fn save_invitation(&mut self, invitation: &Locked<Invitation>) -> Result<(), StoreError> {
        self.step(|tables, locked| {
            locked.check_invitation(invitation.id)?;
            let (stored, code) = *tables.invitations.require(&invitation.id)?;
            let saved = Invitation { uses: invitation.uses, ..stored };
            tables.invitations.put(invitation.id, (saved, code));
            Ok(())
        })
    }

    fn delete_invitation(&mut self, id: InvitationId) -> Result<bool, StoreError> {
        self.step(|tables, _| {
            let found = tables.invitations.get(&id).copied();
            if let Some((_, code)) = found {
                tables.invitations_by_code.remove(code);
                tables.invitations.remove(id);
            }
            Ok(found.is_some())
        })
    }
}

#[async_trait]
impl InvitationQueries for MemoryStore {
    async fn find_invitation(&self, code: &TokenHash) -> Result<Option<Invitation>, StoreError> {
        let tables = self.read()?;
        let id = tables.invitations_by_code.committed().get(code);
        let found = id.and_then(|id| tables.invitations.committed().get(id));
        Ok(found.map(|(invitation, _)| *invitation))
    }

    async fn list_invitations(
        &self,
        page: PageRequest<InvitationId>,
    ) -> Result<Vec<Invitation>, StoreError> {
        let tables = self.read()?;
        let newest_first = tables.invitations.committed().values().rev();
        let all = newest_first.map(|(invitation, _)| *invitation).collect();
        Ok(cut_page(all, page, |invitation, last| invitation.id < last))
    }

    async fn count_invitations(&self) -> Result<i64, StoreError> {
        Ok(count(self.read()?.invitations.committed().len()))
    }
}
