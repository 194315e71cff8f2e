//! Signs users in.

use std::net::IpAddr;

use foretell_domain::id::SessionId;
use foretell_domain::text::Email;
use foretell_domain::user::{User, UserStatus};
use foretell_ports::known_network::KnownNetwork;
use foretell_ports::secret::{PasswordHash, Verification};
use foretell_ports::user::{Credentials, Session};
use secrecy::SecretString;

use super::Identity;
use crate::error::AppError;
use crate::identity::login_limits::MAX_KNOWN_NETWORKS;

/// A new session with its secret token, which is returned only once.
#[derive(Debug)]
pub struct SignedIn {
    /// The user.
    pub user: User,
    /// The session.
    pub session: Session,
    /// Token that the client presents from now on.
    pub token: SecretString,
}

/// Maximum number of verifications, if the user's row changes between verification and sign-in.
const MAX_ROUNDS: u32 = 3;

impl Identity {
    /// Creates a session for a client at this address. Unknown users, wrong passwords and suspended
    /// users get the same error, cost the same work and are limited alike.
    ///
    /// # Errors
    /// [`AppError::TooManyAttempts`], [`AppError::BadCredentials`], [`AppError::Password`],
    /// [`AppError::Store`].
    pub async fn log_in(
        &self,
        from: IpAddr,
        email: &Email,
        password: SecretString,
    ) -> Result<SignedIn, AppError> {
        let attempt = self.logins.begin(email, from, self.context.now()).await?;
        let network = attempt.network_to_record(self.context.now());
        let begun = self.begin_session(email, &password, network).await;
        attempt.end(&begun, self.context.now()).await;
        begun
    }

    async fn begin_session(
        &self,
        email: &Email,
        password: &SecretString,
        network: Option<KnownNetwork>,
    ) -> Result<SignedIn, AppError> {
        for _ in 0..MAX_ROUNDS {
            let found = self.users.find_credentials(email).await?;
            let found = found.filter(|found| found.user.status != UserStatus::Erased);
            let hash = found.as_ref().map(|found| found.password.clone());
            let rehash = match self.passwords.verify(password.clone(), hash).await? {
                Verification::Mismatch => return Err(AppError::BadCredentials),
                Verification::Match => None,
                Verification::MatchAndRehash(hash) => Some(hash),
            };
            let verified = found.ok_or(AppError::BadCredentials)?;
            if verified.user.status != UserStatus::Active {
                return Err(AppError::BadCredentials);
            }
            let (token, session) = self.new_session(&verified.user);
            let user = verified.user.clone();
            if let Some(ended) = self.store_session(session, verified, rehash, network).await? {
                if ended > 0 {
                    self.context.forget_user(session.user_id);
                }
                self.token_guard.issued(session.token_hash);
                return Ok(SignedIn { user, session, token });
            }
        }
        Err(AppError::BadCredentials)
    }

    fn new_session(&self, user: &User) -> (SecretString, Session) {
        let (token, token_hash) = self.tokens.issue();
        let created_at = self.context.now();
        let session = Session {
            id: SessionId::from_u128(self.context.next_id()),
            user_id: user.id,
            token_hash,
            created_at,
            expires_at: created_at.plus(self.session_lifetime),
        };
        (token, session)
    }

    /// Stores a session and its network, unless the user differs from `verified`: a password that
    /// was changed meanwhile must not create a session, which would outlive the change. Returns the
    /// number of the user's oldest sessions that were ended because of the limit: signing in always
    /// succeeds.
    async fn store_session(
        &self,
        session: Session,
        verified: Credentials,
        rehash: Option<PasswordHash>,
        network: Option<KnownNetwork>,
    ) -> Result<Option<usize>, AppError> {
        let others = self.quotas.sessions.saturating_sub(1);
        let work = move |tx: &mut dyn foretell_ports::unit::Tx| {
            let Some(mut locked) = tx.lock_user(session.user_id)? else { return Ok(None) };
            if locked.password != verified.password || locked.user.status != verified.user.status {
                return Ok(None);
            }
            if let Some(hash) = &rehash {
                locked.password = hash.clone();
                tx.save_user(&locked, session.created_at)?;
            }
            if let Some(known) = network {
                tx.record_known_network(&locked, known, MAX_KNOWN_NETWORKS)?;
            }
            // The new session is inserted last, so that it stays whatever the clocks of other nodes
            // say.
            let ended = tx.end_oldest_sessions(&locked, session.created_at, others)?;
            tx.insert_session(&session)?;
            Ok(Some(ended))
        };
        Ok(self.context.units.run("log_in", work).await?)
    }
}
