//! Creates, lists and deletes API keys.

use foretell_domain::id::ApiKeyId;
use foretell_domain::quota::Quota;
use foretell_domain::scope::Scopes;
use foretell_domain::text::KeyName;
use foretell_domain::time::Timestamp;
use foretell_domain::user::UserError;
use foretell_ports::api_key::ApiKey;
use foretell_ports::page::PageRequest;
use foretell_ports::unit::{Locked, Tx};
use foretell_ports::user::Credentials;
use secrecy::SecretString;

use super::Identity;
use super::confirm_password::PasswordConfirmation;
use crate::caller::Caller;
use crate::error::AppError;

/// Data of a new API key.
#[derive(Debug, Clone)]
pub struct NewApiKey {
    /// Name.
    pub name: KeyName,
    /// Scopes.
    pub scopes: Scopes,
    /// Expiry time, if any.
    pub expires_at: Option<Timestamp>,
}

/// A new API key with its secret, which is returned only once.
#[derive(Debug)]
pub struct IssuedKey {
    /// The key.
    pub key: ApiKey,
    /// Secret that programs present from now on.
    pub secret: SecretString,
}

impl Identity {
    /// Creates an API key for the caller, who presents a session and the password: a key that
    /// creates keys could never be revoked, and one created by a stolen session would outlive it.
    ///
    /// # Errors
    /// [`AppError::Refused`] with `SessionsOnly` or `Quota`, [`AppError::WrongPassword`],
    /// [`AppError::TooManyAttempts`], [`AppError::Unauthorized`], [`AppError::Password`],
    /// [`AppError::Store`].
    pub async fn create_api_key(
        &self,
        caller: &Caller,
        confirmation: PasswordConfirmation,
        new: NewApiKey,
    ) -> Result<IssuedKey, AppError> {
        caller.session()?;
        let confirmed = self.confirm_password(caller, confirmation).await?;
        let (secret, secret_hash) = self.tokens.issue_key();
        let key = ApiKey {
            id: ApiKeyId::from_u128(self.context.next_id()),
            user_id: caller.user.id,
            name: new.name,
            secret_hash,
            scopes: new.scopes,
            created_at: self.context.now(),
            expires_at: new.expires_at,
            last_used_at: None,
        };
        let (made, user_id, quotas) = (key.clone(), caller.user.id, self.quotas);
        // An exclusive lock, so that two keys created concurrently are both counted.
        let lock = move |tx: &mut dyn Tx| tx.lock_user(user_id);
        let work = move |tx: &mut dyn Tx, _, user: Option<Locked<Credentials>>| {
            let user = user.filter(|user| confirmed.is_of(user)).ok_or(AppError::WrongPassword)?;
            quotas.check(Quota::ApiKeys, tx.count_for_quota(user.user.id, Quota::ApiKeys)?)?;
            Ok(tx.insert_api_key(&made)?)
        };
        self.context.run_as_after(caller, "create_api_key", lock, work).await?;
        self.token_guard.issued(secret_hash);
        Ok(IssuedKey { key, secret })
    }

    /// Deletes one of the caller's keys, which is invalid immediately. It requires a session.
    ///
    /// # Errors
    /// [`AppError::Refused`] with `SessionsOnly` or `KeyNotFound`, [`AppError::Store`].
    pub async fn delete_api_key(&self, caller: &Caller, id: ApiKeyId) -> Result<(), AppError> {
        caller.session()?;
        let user = caller.user.id;
        let lock = move |tx: &mut dyn Tx| tx.lock_user(user).map(drop);
        let work = move |tx: &mut dyn Tx, _, ()| {
            if tx.delete_api_key(user, id)? {
                Ok(())
            } else {
                Err(UserError::KeyNotFound(id).into())
            }
        };
        let deleted = self.context.run_as_after(caller, "delete_api_key", lock, work).await;
        // Also after an error: the commit may have succeeded although its response was lost.
        self.context.forget_user(user);
        deleted
    }

    /// Returns a page of the caller's own keys, newest first, including expired ones.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn list_api_keys(
        &self,
        caller: &Caller,
        page: PageRequest<ApiKeyId>,
    ) -> Result<Vec<ApiKey>, AppError> {
        Ok(self.users.list_api_keys(caller.user.id, page).await?)
    }

    /// Returns the number of the caller's keys.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn count_api_keys(&self, caller: &Caller) -> Result<i64, AppError> {
        Ok(self.users.count_api_keys(caller.user.id).await?)
    }
}
