//! Response types of invitations.

use foretell_domain::id::{InvitationId, UserId};
use foretell_domain::money::Currency;
use foretell_domain::registration::Invitation;
use serde::Serialize;
use utoipa::ToSchema;

use super::money::Money;
use super::text::Text;
use super::time::Time;
use crate::openapi::names::{Id, RoleName};

/// An invitation to register, without its code.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InvitationView {
    #[schema(value_type = Id)]
    id: Text<InvitationId>,
    #[schema(value_type = RoleName)]
    role: &'static str,
    /// Sign-up grant in place of the usual one.
    grant: Option<Money>,
    max_uses: u32,
    uses: u32,
    #[schema(value_type = Id)]
    created_by: Text<UserId>,
    created_at: Time,
    expires_at: Time,
}

impl InvitationView {
    /// Creates the response from an invitation.
    pub(crate) fn new(currency: &Currency, invitation: &Invitation) -> Self {
        Self {
            id: Text(invitation.id),
            role: invitation.role.as_str(),
            grant: invitation.grant.map(|grant| Money::new(currency, grant.minor())),
            max_uses: invitation.max_uses,
            uses: invitation.uses,
            created_by: Text(invitation.created_by),
            created_at: Time(invitation.created_at),
            expires_at: Time(invitation.expires_at),
        }
    }
}
