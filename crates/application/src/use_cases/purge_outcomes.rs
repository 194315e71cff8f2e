//! Forgets the outcomes of commands whose keys are too old to be honoured.

use foretell_domain::time::Timestamp;
use foretell_ports::error::StoreError;

use crate::Application;

/// How many outcomes one unit of work deletes: few enough to keep no command waiting for long.
const PURGE_AT_ONCE: u32 = 2_000;

/// What one unit of work deleted.
pub(super) struct Purged {
    pub(super) outcomes: u64,
    /// Whether there may be more.
    pub(super) is_partial: bool,
}

impl Application {
    /// Deletes some of the outcomes that are older than the operator wants to keep.
    pub(super) async fn purge_outcomes(&self) -> Result<Purged, StoreError> {
        let kept = i64::try_from(self.settings.keep_outcomes.as_micros()).unwrap_or(i64::MAX);
        let before = Timestamp::from_micros(self.now().micros().saturating_sub(kept));
        let work = move |tx: &mut dyn foretell_ports::unit::Tx| tx.purge_outcomes(before, PURGE_AT_ONCE);
        let outcomes = self.ports.units.run("purge_outcomes", work).await?;
        Ok(Purged { outcomes, is_partial: outcomes >= u64::from(PURGE_AT_ONCE) })
    }
}
