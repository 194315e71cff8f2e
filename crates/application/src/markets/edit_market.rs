//! Changes the texts and the end date of a market.

use std::collections::BTreeSet;

use foretell_domain::id::{JobId, MarketId};
use foretell_domain::job::JobTask;
use foretell_domain::market::{MarketEdit, MarketError};
use foretell_domain::policy::{self, Actor};
use foretell_domain::time::Timestamp;
use foretell_ports::job::NewJob;
use foretell_ports::market::MarketDetails;
use foretell_ports::unit::Tx;

use super::Markets;
use crate::Caller;
use crate::error::AppError;
use crate::expected_version::ExpectedVersion;

/// An edit with its time and the expected version.
#[derive(Debug, Clone)]
struct VersionedEdit {
    market: MarketId,
    edit: MarketEdit,
    expected: ExpectedVersion,
    now: Timestamp,
    /// Id of the closing job, if the market lacks one.
    closing_id: JobId,
    /// Job that embeds the market, if there is a model.
    embedding: Option<NewJob>,
}

impl Markets {
    /// Changes a market that takes trades. For its creator, moderators and admins. An edit that
    /// changes nothing does not increment the version. No money moves, so this is a separate unit
    /// of work; the lock on the market keeps trades out.
    ///
    /// # Errors
    /// [`AppError::Refused`] with `NotFound`, `NotTheCreator`, `TradingEnded` or `EndsInThePast`;
    /// [`AppError::Stale`] if the market has another version than expected; [`AppError::Store`].
    pub async fn edit_market(
        &self,
        caller: &Caller,
        market: MarketId,
        edit: MarketEdit,
        expected: ExpectedVersion,
    ) -> Result<MarketDetails, AppError> {
        let closing_id = JobId::from_u128(self.context.next_id());
        let embedding = self.context.embedding_job(JobTask::EmbedMarket(market));
        let now = self.context.now();
        let edit = VersionedEdit { market, edit, expected, now, closing_id, embedding };
        let edited = self
            .context
            .run_as(caller, "edit_market", move |tx, actor| edit.apply(tx, actor))
            .await;
        // Another end date may move the market to another list.
        self.totals.forget();
        let edited = edited?;
        self.cache.invalidate_below(market, edited.market.record().version);
        Ok(edited)
    }
}

impl VersionedEdit {
    fn closing(&self, ends_at: Timestamp) -> NewJob {
        let task = JobTask::CloseMarket(self.market);
        let once = task.unique_name();
        NewJob { id: self.closing_id, task, run_at: ends_at, once, created_at: self.now }
    }

    fn apply(&self, tx: &mut dyn Tx, actor: Actor) -> Result<MarketDetails, AppError> {
        let found = tx.lock_markets(&BTreeSet::from([self.market]))?.pop();
        let mut market = found.ok_or(MarketError::NotFound(self.market))?;
        policy::may_manage_market(actor, market.record().creator_id)?;
        self.expected.check(market.record().version)?;
        let mut details = tx.get_details(&market)?;
        let ended_at = market.record().ends_at;
        if !market.edit(&mut details.texts, self.edit.clone(), self.now)? {
            return Ok(details);
        }
        tx.save_markets(&[&market], self.now)?;
        tx.save_market_texts(&market, &details.texts)?;
        if let Some(job) = &self.embedding {
            tx.add_jobs(std::slice::from_ref(job))?;
        }
        if market.record().ends_at != ended_at {
            // Reschedules the market's one closing job. A worker that runs it for the former end
            // date loses its lease, and its command to close the market is rejected once this unit
            // has ended.
            tx.schedule_job(&self.closing(market.record().ends_at))?;
        }
        Ok(MarketDetails { market: market.into_inner(), updated_at: self.now, ..details })
    }
}
