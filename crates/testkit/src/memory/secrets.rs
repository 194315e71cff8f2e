//! Shared secrets in memory.

use foretell_ports::error::StoreError;
use foretell_ports::secret::SecretTx;

use super::tx::MemoryTx;

impl SecretTx for MemoryTx<'_> {
    fn insert_secret_if_absent(
        &mut self,
        name: &'static str,
        candidate: [u8; 32],
    ) -> Result<[u8; 32], StoreError> {
        self.step(|tables, _| {
            if tables.secrets.get(&name).is_none() {
                tables.secrets.put(name, candidate);
            }
            tables.secrets.require(&name).copied()
        })
    }
}
