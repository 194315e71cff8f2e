//! Signs users in.

use std::time::Duration;

use foretell_domain::id::SessionId;
use foretell_domain::text::Email;
use foretell_domain::time::Timestamp;
use foretell_domain::user::{User, UserStatus};
use foretell_ports::secret::{PasswordHash, Verification};
use foretell_ports::user::Session;
use secrecy::SecretString;

use crate::Application;
use crate::error::AppError;

/// A session just begun, with its secret token, which is shown this once.
#[derive(Debug)]
pub struct SignedIn {
    /// Who signed in.
    pub user: User,
    /// The session.
    pub session: Session,
    /// What the client presents from now on.
    pub token: SecretString,
}

impl Application {
    /// Begins a session. Unknown users, wrong passwords and suspended users get the same answer, and cost
    /// the same work.
    ///
    /// # Errors
    /// [`AppError::BadCredentials`], [`AppError::Password`], [`AppError::Store`].
    pub async fn log_in(&self, email: &Email, password: SecretString) -> Result<SignedIn, AppError> {
        let credentials = self.ports.users.find_credentials(email).await?;
        let hash = credentials.as_ref().map(|found| found.password.clone());
        let verification = self.ports.passwords.verify(password, hash).await?;
        let rehash = match verification {
            Verification::Mismatch => return Err(AppError::BadCredentials),
            Verification::Match => None,
            Verification::MatchAndRehash(hash) => Some(hash),
        };
        let user = credentials.map(|found| found.user).ok_or(AppError::BadCredentials)?;
        if user.status != UserStatus::Active {
            return Err(AppError::BadCredentials);
        }
        let (token, session) = self.new_session(&user);
        self.store_session(session, rehash).await?;
        Ok(SignedIn { user, session, token })
    }

    fn new_session(&self, user: &User) -> (SecretString, Session) {
        let (token, token_hash) = self.ports.tokens.issue();
        let created_at = self.now();
        let session = Session {
            id: SessionId::from_u128(self.ports.ids.next_id()),
            user_id: user.id,
            token_hash,
            created_at,
            expires_at: later(created_at, self.settings.session_lifetime),
        };
        (token, session)
    }

    async fn store_session(&self, session: Session, rehash: Option<PasswordHash>) -> Result<(), AppError> {
        let work = move |tx: &mut dyn foretell_ports::unit::Tx| {
            if let Some(hash) = &rehash {
                tx.save_password(session.user_id, hash)?;
            }
            tx.insert_session(&session)
        };
        Ok(self.ports.units.run("log_in", work).await?)
    }
}

fn later(at: Timestamp, lifetime: Duration) -> Timestamp {
    at.plus_seconds(i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX))
}
