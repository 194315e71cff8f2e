//! Changes the texts and the end date of a market.

use std::collections::BTreeSet;

use foretell_domain::event::DomainEvent;
use foretell_domain::id::MarketId;
use foretell_domain::market::{MarketEdit, MarketError};
use foretell_domain::policy::{self, Actor};
use foretell_domain::time::Timestamp;
use foretell_ports::market::MarketDetails;
use foretell_ports::unit::Tx;

use super::Markets;
use crate::Caller;
use crate::error::AppError;
use crate::expected_version::ExpectedVersion;
use crate::projector::Projection;

/// An edit with its time and the expected version.
struct VersionedEdit {
    market: MarketId,
    edit: MarketEdit,
    expected: ExpectedVersion,
    now: Timestamp,
    projection: Projection,
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
        let (now, projection) = (self.context.now(), self.context.projector.prepare().await);
        let edit = VersionedEdit { market, edit, expected, now, projection };
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
        let ends_at = Some(market.record().ends_at).filter(|ends_at| *ends_at != ended_at);
        let edited = DomainEvent::MarketEdited { market: self.market, ends_at };
        self.projection.write(tx, &[edited], self.now)?;
        Ok(MarketDetails { market: market.into_inner(), updated_at: self.now, ..details })
    }
}
