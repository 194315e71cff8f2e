//! Forgets the outcomes of commands whose keys are too old to be honoured.

use foretell_domain::time::Timestamp;
use foretell_ports::error::StoreError;

use crate::Application;

/// How many outcomes one unit of work deletes.
const PURGE_AT_ONCE: u32 = 5_000;

impl Application {
    /// Deletes every outcome that is older than the operator wants to keep, and says how many there were.
    pub(super) async fn purge_outcomes(&self) -> Result<u64, StoreError> {
        let kept = i64::try_from(self.settings.keep_outcomes.as_micros()).unwrap_or(i64::MAX);
        let before = Timestamp::from_micros(self.now().micros().saturating_sub(kept));
        let mut purged = 0;
        loop {
            let work = move |tx: &mut dyn foretell_ports::unit::Tx| tx.purge_outcomes(before, PURGE_AT_ONCE);
            let count = self.ports.units.run("purge_outcomes", work).await?;
            purged += count;
            if count < u64::from(PURGE_AT_ONCE) {
                return Ok(purged);
            }
        }
    }
}
