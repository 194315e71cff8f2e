//! Implementation of the port for secrets.

use foretell_ports::error::StoreError;
use foretell_ports::secret::SecretTx;

use crate::secrets;
use crate::tx::UnitTx;

impl SecretTx for UnitTx<'_, '_> {
    fn insert_secret_if_absent(
        &mut self,
        name: &'static str,
        candidate: [u8; 32],
    ) -> Result<[u8; 32], StoreError> {
        self.step(|c| secrets::insert_if_absent(c, name, candidate))
    }
}
