//! Disputes, withdraws and rejects proposed resolutions, and reopens markets.

use foretell_domain::event::DomainEvent;
use foretell_domain::id::MarketId;
use foretell_domain::market::{
    Dispute, EditRight, Market, MarketError, MarketRevision, Resolution,
};
use foretell_domain::policy::{Actor, Denied};
use foretell_domain::text::Reason;
use foretell_domain::time::Timestamp;
use foretell_ports::market::MarketDetails;
use foretell_ports::unit::{Locked, Tx};

use super::Markets;
use super::edit_market::{lock_market, lock_to_manage};
use crate::Caller;
use crate::error::AppError;

impl Markets {
    /// Disputes the proposal of a market, once for each user, so that it does not take effect by
    /// time. For those who hold or have held shares.
    ///
    /// # Errors
    /// [`AppError::Refused`] with `NotFound`, `NoProposal`, `NotAHolder` or `AlreadyDisputed`;
    /// [`AppError::Store`].
    pub async fn dispute_resolution(
        &self,
        caller: &Caller,
        market: MarketId,
        reason: Reason,
    ) -> Result<Dispute, AppError> {
        let now = self.context.now();
        let work = move |tx: &mut dyn Tx, actor: Actor| {
            let locked = lock_market(tx, market)?;
            let mut proposal = pending(tx, &locked)?;
            let user_id = actor.user_id().ok_or(Denied::NotAHolder)?;
            if !tx.find_stakes(&locked, user_id)?.of_actor {
                return Err(Denied::NotAHolder.into());
            }
            let dispute = Dispute {
                market_id: market,
                number: proposal.number,
                user_id,
                reason: reason.clone(),
                created_at: now,
            };
            proposal.dispute()?;
            if !tx.insert_dispute(&dispute)? {
                return Err(MarketError::AlreadyDisputed.into());
            }
            tx.save_resolutions(&[&proposal])?;
            Ok(dispute)
        };
        self.context.run_as(caller, "dispute_resolution", work).await
    }

    /// Ends the proposal of a market without deciding it: withdraws it for its proposer, rejects it
    /// for staff without a part in the market.
    ///
    /// # Errors
    /// [`AppError::Refused`] with `NotFound`, `NoProposal` or `NotAJudge`; [`AppError::Store`].
    pub async fn end_proposal(
        &self,
        caller: &Caller,
        market: MarketId,
    ) -> Result<Resolution, AppError> {
        let now = self.context.now();
        let work = move |tx: &mut dyn Tx, actor: Actor| {
            let locked = lock_market(tx, market)?;
            let mut proposal = pending(tx, &locked)?;
            let user_id = actor.user_id().ok_or(Denied::NotAJudge)?;
            let has_stake = tx.find_stakes(&locked, user_id)?.of_actor;
            proposal.end(actor, &locked, has_stake, now)?;
            tx.save_resolutions(&[&proposal])?;
            Ok(proposal)
        };
        self.context.run_as(caller, "end_proposal", work).await
    }

    /// Lets a closed market take trades again, until its end date or a new one, within the limits
    /// of [`EditRight`]. For its creator, moderators and admins, unless a proposal waits.
    ///
    /// # Errors
    /// [`AppError::Refused`] with `NotFound`, `NotTheCreator`, `NotClosed`, `ProposalPending`,
    /// `EndsInThePast` or `EndsTooLate`; [`AppError::Store`].
    pub async fn reopen_market(
        &self,
        caller: &Caller,
        market: MarketId,
        ends_at: Option<Timestamp>,
    ) -> Result<MarketDetails, AppError> {
        let (now, projection) = (self.context.now(), self.context.projector.prepare().await);
        let work = move |tx: &mut dyn Tx, actor: Actor| {
            let (author, mut locked) = lock_to_manage(tx, actor, market)?;
            if tx.find_newest_resolution(&locked)?.is_some_and(|newest| newest.is_pending()) {
                return Err(MarketError::ProposalPending.into());
            }
            let (stakes, opened_until) =
                (tx.find_stakes(&locked, author)?, tx.first_end_date(&locked)?);
            let right = EditRight::of(actor, &locked, stakes, opened_until);
            let details = tx.get_details(&locked)?;
            let (revision, from) = (locked.record().revision, locked.record().phase);
            *locked = locked.clone().into_inner().reopen(ends_at, right, now)?;
            let record = locked.record().clone();
            tx.save_markets(&[&locked], now)?;
            tx.save_market_texts(&locked, &details.texts)?;
            if record.revision != revision {
                let revision = MarketRevision::of(&locked, &details.texts, author, now);
                tx.insert_revisions(&[revision])?;
            }
            let events = [
                DomainEvent::PhaseChanged { market, from, sequence: record.bet_count },
                DomainEvent::MarketEdited { market, ends_at: Some(record.ends_at) },
            ];
            projection.write(tx, &events, now)?;
            Ok(MarketDetails { market: locked.into_inner(), updated_at: now, ..details })
        };
        let reopened = self.context.run_as(caller, "reopen_market", work).await;
        self.totals.forget();
        let reopened = reopened?;
        self.cache.invalidate_below(market, reopened.market.record().version);
        self.feed.announce(std::iter::once(market));
        Ok(reopened)
    }
}

/// Returns the proposal of a locked market that waits.
fn pending(tx: &mut dyn Tx, market: &Locked<Market>) -> Result<Resolution, AppError> {
    let newest = tx.find_newest_resolution(market)?.filter(Resolution::is_pending);
    Ok(newest.ok_or(MarketError::NoProposal)?)
}
