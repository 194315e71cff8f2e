//! Implementation of the port for secrets.

use foretell_ports::error::StoreError;
use foretell_ports::secret::SecretTx;

use crate::secrets;
use crate::tx::UnitTx;

impl SecretTx for UnitTx<'_, '_> {
    fn keep_secret_once(&mut self, name: &'static str, candidate: [u8; 32]) -> Result<[u8; 32], StoreError> {
        self.step(|c| secrets::keep_once(c, name, candidate))
    }
}
