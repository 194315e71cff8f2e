//! Creates, lists and deletes invitations to register.

use std::time::Duration;

use foretell_domain::id::InvitationId;
use foretell_domain::money::Amount;
use foretell_domain::policy;
use foretell_domain::registration::{Invitation, RegistrationError};
use foretell_domain::time::Timestamp;
use foretell_domain::user::Role;
use foretell_ports::page::PageRequest;
use foretell_ports::unit::Tx;
use secrecy::SecretString;

use super::Identity;
use crate::caller::Caller;
use crate::error::AppError;

/// Lifetime of an invitation for which none is chosen: a week.
const LIFETIME: Duration = Duration::from_hours(7 * 24);

/// Data of a new invitation.
#[derive(Debug, Clone, Copy)]
pub struct NewInvitation {
    /// Role of those who register with it.
    pub role: Role,
    /// Sign-up grant in place of the usual one, if any.
    pub grant: Option<Amount>,
    /// Maximum number of registrations.
    pub max_uses: u32,
    /// Expiry time; a week from now if none is chosen.
    pub expires_at: Option<Timestamp>,
}

/// A new invitation with its code, which is returned only once.
#[derive(Debug)]
pub struct IssuedInvitation {
    /// The invitation.
    pub invitation: Invitation,
    /// Code that people present when they register.
    pub code: SecretString,
}

impl Identity {
    /// Creates an invitation. For admins with a session: an invitation can make more admins.
    ///
    /// # Errors
    /// [`AppError::Refused`] with `SessionsOnly` or `AdminsOnly`, [`AppError::Unauthorized`],
    /// [`AppError::Store`].
    pub async fn create_invitation(
        &self,
        caller: &Caller,
        new: NewInvitation,
    ) -> Result<IssuedInvitation, AppError> {
        caller.session()?;
        let (code, code_hash) = self.tokens.issue_code();
        let created_at = self.context.now();
        let invitation = Invitation {
            id: InvitationId::from_u128(self.context.next_id()),
            role: new.role,
            grant: new.grant,
            max_uses: new.max_uses,
            uses: 0,
            created_by: caller.user.id,
            created_at,
            expires_at: new.expires_at.unwrap_or_else(|| created_at.plus(LIFETIME)),
        };
        let work = move |tx: &mut dyn Tx, actor| {
            policy::may_administer(actor)?;
            Ok(tx.insert_invitation(&invitation, code_hash)?)
        };
        self.context.run_as(caller, "create_invitation", work).await?;
        Ok(IssuedInvitation { invitation, code })
    }

    /// Deletes an invitation: nobody can register with it any more. For admins with a session.
    ///
    /// # Errors
    /// [`AppError::Refused`] with `SessionsOnly`, `AdminsOnly` or `Registration`,
    /// [`AppError::Unauthorized`], [`AppError::Store`].
    pub async fn delete_invitation(
        &self,
        caller: &Caller,
        id: InvitationId,
    ) -> Result<(), AppError> {
        caller.session()?;
        let work = move |tx: &mut dyn Tx, actor| {
            policy::may_administer(actor)?;
            if tx.delete_invitation(id)? {
                Ok(())
            } else {
                Err(RegistrationError::NotFound(id).into())
            }
        };
        self.context.run_as(caller, "delete_invitation", work).await
    }

    /// Returns a page of all invitations, newest first, including those that cannot be used any
    /// more. For admins.
    ///
    /// # Errors
    /// [`AppError::Refused`] with `AdminsOnly`, [`AppError::Store`].
    pub async fn list_invitations(
        &self,
        caller: &Caller,
        page: PageRequest<InvitationId>,
    ) -> Result<Vec<Invitation>, AppError> {
        policy::may_administer(caller.actor())?;
        Ok(self.users.list_invitations(page).await?)
    }
}
