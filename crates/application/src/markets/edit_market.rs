//! Changes the texts and the end date of a market, and adds clarifications.

use std::collections::BTreeSet;

use foretell_domain::event::DomainEvent;
use foretell_domain::id::{MarketId, UserId};
use foretell_domain::market::{EditRight, Market, MarketEdit, MarketError, MarketRevision};
use foretell_domain::policy::{self, Actor, Denied};
use foretell_domain::text::Clarification;
use foretell_domain::time::Timestamp;
use foretell_ports::market::MarketDetails;
use foretell_ports::unit::{Locked, Tx};

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
    /// changes nothing does not increment the version. Once another user has bet, only staff
    /// without a part in the market may change what they have bet on, see [`EditRight`]. No money
    /// moves, so this is a separate unit of work; the lock on the market keeps trades out.
    ///
    /// # Errors
    /// [`AppError::Refused`] with `NotFound`, `NotTheCreator`, `TradingEnded`, `EndsInThePast`,
    /// `QuestionFrozen` or `EndsTooLate`;
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
        self.feed.announce(std::iter::once(market));
        Ok(edited)
    }

    /// Adds a clarification to the history of a market that is not decided yet. For its creator,
    /// moderators and admins, also after users have bet.
    ///
    /// # Errors
    /// [`AppError::Refused`] with `NotFound`, `NotTheCreator` or `AlreadyDecided`;
    /// [`AppError::Store`].
    pub async fn clarify_market(
        &self,
        caller: &Caller,
        id: MarketId,
        clarification: Clarification,
    ) -> Result<MarketRevision, AppError> {
        let now = self.context.now();
        let work = move |tx: &mut dyn Tx, actor: Actor| {
            let (author, mut market) = lock_to_manage(tx, actor, id)?;
            let texts = tx.get_details(&market)?.texts;
            market.clarify()?;
            tx.save_markets(&[&market], now)?;
            let revision = MarketRevision {
                clarification: Some(clarification.clone()),
                ..MarketRevision::of(&market, &texts, author, now)
            };
            tx.insert_revisions(std::slice::from_ref(&revision))?;
            Ok((revision, market.record().version))
        };
        let (revision, version) = self.context.run_as(caller, "clarify_market", work).await?;
        self.cache.invalidate_below(id, version);
        self.feed.announce(std::iter::once(id));
        Ok(revision)
    }
}

/// Locks a market.
pub(super) fn lock_market(tx: &mut dyn Tx, id: MarketId) -> Result<Locked<Market>, AppError> {
    let found = tx.lock_markets(&BTreeSet::from([id]))?.pop();
    Ok(found.ok_or(MarketError::NotFound(id))?)
}

/// Locks a market that the actor may manage, and returns the actor's user with it.
pub(super) fn lock_to_manage(
    tx: &mut dyn Tx,
    actor: Actor,
    id: MarketId,
) -> Result<(UserId, Locked<Market>), AppError> {
    let market = lock_market(tx, id)?;
    policy::may_manage_market(actor, market.record().creator_id)?;
    Ok((actor.user_id().ok_or(Denied::NotTheCreator)?, market))
}

impl VersionedEdit {
    fn apply(&self, tx: &mut dyn Tx, actor: Actor) -> Result<MarketDetails, AppError> {
        let (author, mut market) = lock_to_manage(tx, actor, self.market)?;
        self.expected.check(market.record().version)?;
        let mut details = tx.get_details(&market)?;
        let ended_at = market.record().ends_at;
        let (stakes, opened_until) =
            (tx.find_stakes(&market, author)?, tx.first_end_date(&market)?);
        let right = EditRight::of(actor, &market, stakes, opened_until);
        if !market.edit(&mut details.texts, self.edit.clone(), right, self.now)? {
            return Ok(details);
        }
        tx.save_markets(&[&market], self.now)?;
        tx.save_market_texts(&market, &details.texts)?;
        tx.insert_revisions(&[MarketRevision::of(&market, &details.texts, author, self.now)])?;
        let ends_at = Some(market.record().ends_at).filter(|ends_at| *ends_at != ended_at);
        let edited = DomainEvent::MarketEdited { market: self.market, ends_at };
        self.projection.write(tx, &[edited], self.now)?;
        Ok(MarketDetails { market: market.into_inner(), updated_at: self.now, ..details })
    }
}
