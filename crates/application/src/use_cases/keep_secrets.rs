//! Keeps the secrets that all nodes of one database share.

use foretell_ports::error::StoreError;
use foretell_ports::secret::TokenHash;

use crate::Application;

impl Application {
    /// The secret of this name: 256 bits of chance that the first node to ask has drawn.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn shared_secret(&self, name: &'static str) -> Result<[u8; 32], StoreError> {
        // A token's hash is as much chance as the token itself.
        let (_, TokenHash(candidate)) = self.ports.tokens.issue();
        let work = move |tx: &mut dyn foretell_ports::unit::Tx| tx.keep_secret_once(name, candidate);
        self.ports.units.run("keep_secret", work).await
    }
}
