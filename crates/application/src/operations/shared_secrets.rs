//! Secrets shared by all nodes of one database.

use foretell_ports::error::StoreError;
use foretell_ports::secret::{TokenHash, Tokens};
use foretell_ports::unit::{Tx, UnitOfWork};

use super::Operations;

/// Returns the secret with this name: 256 random bits created by the first node. For components
/// that start before the application.
///
/// # Errors
/// Any [`StoreError`].
pub async fn shared_secret(
    units: &(dyn UnitOfWork + 'static),
    tokens: &dyn Tokens,
    name: &'static str,
) -> Result<[u8; 32], StoreError> {
    // The hash of a token is as random as the token.
    let (_, TokenHash(candidate)) = tokens.issue();
    let work = move |tx: &mut dyn Tx| tx.insert_secret_if_absent(name, candidate);
    units.run("insert_secret_if_absent", work).await
}

impl Operations {
    /// Returns the secret with this name, see [`shared_secret`].
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn shared_secret(&self, name: &'static str) -> Result<[u8; 32], StoreError> {
        shared_secret(&*self.context.units, &*self.tokens, name).await
    }
}
