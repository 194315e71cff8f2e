//! Rules of registration: who may register, and invitations.

use thiserror::Error;

use crate::id::{InvitationId, UserId};
use crate::money::Amount;
use crate::text::{Email, EmailDomain};
use crate::time::Timestamp;
use crate::user::Role;

/// Maximum number of registrations with one invitation.
pub const MAX_INVITATION_USES: u32 = 10_000;

/// People who may register by themselves.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum RegistrationPolicy {
    /// Everyone.
    #[default]
    Open,
    /// Those with an invitation.
    Invite,
    /// Those with an email address of one of these domains, and those with an invitation.
    Domains(Vec<EmailDomain>),
    /// No one; only admins add users.
    Closed,
}

impl RegistrationPolicy {
    /// Checks that somebody with this email address may register.
    ///
    /// # Errors
    /// [`RegistrationError::Closed`], [`RegistrationError::InvitationRequired`],
    /// [`RegistrationError::DomainNotAllowed`].
    pub fn admit(&self, email: &Email, is_invited: bool) -> Result<(), RegistrationError> {
        match self {
            Self::Closed => Err(RegistrationError::Closed),
            Self::Open => Ok(()),
            Self::Invite | Self::Domains(_) if is_invited => Ok(()),
            Self::Invite => Err(RegistrationError::InvitationRequired),
            Self::Domains(allowed) if allowed.iter().any(|domain| domain.is_of(email)) => Ok(()),
            Self::Domains(_) => Err(RegistrationError::DomainNotAllowed),
        }
    }
}

/// An invitation to register, without its secret code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Invitation {
    /// Identifier of the invitation.
    pub id: InvitationId,
    /// Role of those who register with it.
    pub role: Role,
    /// Sign-up grant in place of the usual one, if any.
    pub grant: Option<Amount>,
    /// Maximum number of registrations, from 1 to [`MAX_INVITATION_USES`].
    pub max_uses: u32,
    /// Number of registrations so far.
    pub uses: u32,
    /// Admin who created it.
    pub created_by: UserId,
    /// Creation time.
    pub created_at: Timestamp,
    /// Time from which nobody can register with it.
    pub expires_at: Timestamp,
}

impl Invitation {
    /// Returns the invitation after one more registration.
    ///
    /// # Errors
    /// [`RegistrationError::InvitationInvalid`] if it has expired or is used up.
    pub fn redeemed(self, now: Timestamp) -> Result<Self, RegistrationError> {
        if self.uses >= self.max_uses || now >= self.expires_at {
            return Err(RegistrationError::InvitationInvalid);
        }
        Ok(Self { uses: self.uses.saturating_add(1), ..self })
    }
}

/// Reason why a registration or an operation on invitations is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum RegistrationError {
    /// Only admins add users.
    #[error("registration is closed")]
    Closed,
    /// A registration takes an invitation.
    #[error("registration takes an invitation")]
    InvitationRequired,
    /// The invitation is unknown, used up or expired.
    #[error("the invitation is unknown, used up or expired")]
    InvitationInvalid,
    /// The domain of the email address is not allowed, and there is no invitation.
    #[error("email addresses of this domain need an invitation")]
    DomainNotAllowed,
    /// There is no such invitation.
    #[error("invitation not found: {0}")]
    NotFound(InvitationId),
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks the results with an invitation and without one.
    fn check(
        policy: &RegistrationPolicy,
        email: &str,
        expected: [Result<(), RegistrationError>; 2],
    ) {
        let email = Email::new(email).unwrap();
        let admitted = [true, false].map(|is_invited| policy.admit(&email, is_invited));
        assert_eq!(admitted, expected, "{policy:?} {email:?}");
    }

    #[test]
    fn policies_admit_exactly_their_people() {
        use RegistrationError::{Closed, DomainNotAllowed, InvitationRequired};
        let domains = ["example.org", "Bücher.example"].map(|name| EmailDomain::new(name).unwrap());
        let domains = RegistrationPolicy::Domains(domains.to_vec());
        check(&RegistrationPolicy::Open, "ada@example.com", [Ok(()), Ok(())]);
        check(&RegistrationPolicy::Closed, "ada@example.com", [Err(Closed), Err(Closed)]);
        check(&RegistrationPolicy::Invite, "ada@example.com", [Ok(()), Err(InvitationRequired)]);
        for email in ["ada@EXAMPLE.org", "ada@xn--bcher-kva.example"] {
            check(&domains, email, [Ok(()), Ok(())]);
        }
        for email in ["ada@sub.example.org", "ada@notexample.org", "example.org@example.com"] {
            check(&domains, email, [Ok(()), Err(DomainNotAllowed)]);
        }
    }

    #[test]
    fn invitation_is_redeemed_until_used_up_or_expired() {
        let at = Timestamp::from_micros;
        let invitation = Invitation {
            id: InvitationId::from_u128(1),
            role: Role::User,
            grant: None,
            max_uses: 2,
            uses: 0,
            created_by: UserId::from_u128(2),
            created_at: at(0),
            expires_at: at(10),
        };
        let once = invitation.redeemed(at(9)).unwrap();
        let twice = once.redeemed(at(9)).unwrap();
        assert_eq!((once.uses, twice.uses), (1, 2));
        assert_eq!(twice.redeemed(at(9)), Err(RegistrationError::InvitationInvalid));
        assert_eq!(once.redeemed(at(10)), Err(RegistrationError::InvitationInvalid));
    }
}
